"""The whole way with the real durable engine: a scorecard, a firing, one post and one mail, and receipts for both."""

import asyncio

from hub.clock import utc_now
from hub.delivery.mail import MailChannel
from hub.delivery.slack import SlackChannel
from hub.durable.engine import DbosDurable
from hub.model.actions import DeliveryState, RunState
from hub.playbooks import Playbooks
from hub.store import Store, deliveries, runs
from hub.store.tables import customer, scorecard
from tests.fakes.slack import serving_slack
from tests.fakes.smtp import serving_smtp
from tests.playbooks.conftest import Folder


async def test_from_scorecard_to_receipt(sqlite_store: Store, folder: Folder) -> None:
    store, now = sqlite_store, utc_now()
    async with store.transaction() as connection:
        for id_ in ("acme", "bolt"):
            row = {"id": id_, "name": id_.title(), "csm_email": f"{id_}@example.com"}
            await connection.execute(customer.insert(), [{**row, "created_at": now, "updated_at": now}])
            card = {"id": id_, "customer_id": id_, "as_of": now.date(), "health": 0.3, "coverage": 1.0, "facts": {}}
            rest = {"readings": [], "definition_hash": "x", "computed_at": now, "latest": True}
            await connection.execute(scorecard.insert(), [card | rest])
    async with serving_slack() as slack, serving_smtp() as smtp:
        durable = DbosDurable(store, poll_seconds=0.05)
        playbooks = Playbooks(
            store,
            folder.load(),
            {
                "slack": SlackChannel("xoxb-test", base_url=slack.url),
                "email": MailChannel(host="127.0.0.1", port=smtp.port, sender="hub@cshub.example"),
            },
            durable,
            executor=durable.executor,
            clock=utc_now,
            hub_url="https://hub.example",
        )
        playbooks.register()
        await durable.start()
        try:
            assert (await playbooks.fire_due(as_of=now.date(), now=now)).fired == {"save": 2}
            assert (await playbooks.fire_due(as_of=now.date(), now=now)).fired == {}
            async with asyncio.timeout(60):
                while await count_confirmed(store) < 4:  # noqa: ASYNC110  it is a row
                    await asyncio.sleep(0.1)
        finally:
            await durable.stop()
        assert sorted(post["text"] for post in slack.posted) == ["Acme: 30", "Bolt: 30"]
        assert sorted(to for _, (to,) in smtp.envelopes) == ["acme@example.com", "bolt@example.com"]
    async with store.reading() as connection:
        found = await runs.find_runs(connection)
        sent = await deliveries.find_deliveries(connection)
    assert [(run.state, run.step) for run in found] == [(RunState.WAITING, 3)] * 2
    posts = sorted(each.sent_at for each in sent if each.channel == "slack" and each.sent_at)
    assert (posts[1] - posts[0]).total_seconds() >= 1, "one a second to a channel"


async def count_confirmed(store: Store) -> int:
    async with store.reading() as connection:
        return len(await deliveries.find_deliveries(connection, states=[DeliveryState.CONFIRMED]))
