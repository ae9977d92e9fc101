"""The suppression list and bounces through the API: for admins alone."""

from datetime import timedelta

from hub.model.mail import Bounced
from hub.store import Store, audit
from hub.store.bounces import keep_bounces
from hub.store.suppression import Reason, Suppressed, suppress
from schema.enums import Role
from tests.schema.company import NOW
from tests.schema.conftest import Ask
from tests.schema.fakes import FakeActions


async def test_the_list_and_bounces_are_read_newest_first(ask: Ask, store: Store) -> None:
    lines = [
        Suppressed(address=f"{name}@x.example", reason=Reason.BOUNCED, since=NOW - timedelta(days=n), by="mailbox")
        for n, name in enumerate(("new", "old"))
    ]
    told = Bounced(address="new@x.example", kind="hard", at=NOW, told_by="mailbox", status="5.1.1")
    async with store.transaction() as connection:
        await suppress(connection, lines)
        await keep_bounces(connection, [told])
    query = "{ mailSuppressions(first: 1) { nodes { address topic reason by } pageInfo { hasNextPage } }"
    query += " mailBounces { nodes { address kind status deliveryId toldBy } } }"
    got = await ask(query, role=Role.ADMIN)
    assert got["data"] == {
        "mailSuppressions": {
            "nodes": [{"address": "new@x.example", "topic": "", "reason": "bounced", "by": "mailbox"}],
            "pageInfo": {"hasNextPage": True},
        },
        "mailBounces": {
            "nodes": [
                {
                    "address": "new@x.example",
                    "kind": "hard",
                    "status": "5.1.1",
                    "deliveryId": None,
                    "toldBy": "mailbox",
                }
            ]
        },
    }
    refused = await ask(query, role=Role.CSM)
    assert "x.example" not in str(refused)
    assert refused["errors"]


async def test_the_list_is_changed(ask: Ask, actions: FakeActions) -> None:
    added = 'mutation { mailSuppress(input: {address: "a@x.example", note: "asked"}) { added errors { message } } }'
    assert (await ask(added, role=Role.ADMIN))["data"]["mailSuppress"] == {"added": True, "errors": []}
    gone = 'mutation { mailUnsuppress(input: {address: "a@x.example"}) { removed errors { message } } }'
    assert (await ask(gone, role=Role.ADMIN))["data"]["mailUnsuppress"] == {"removed": 2, "errors": []}
    for mutation in (added, gone):
        assert (await ask(mutation, role=Role.CSM))["errors"]
    assert [call[0] for call in actions.calls] == ["suppress", "unsuppress"]


async def test_the_audit_log_keeps_the_address_only_where_it_can_be_taken_out(ask: Ask, store: Store) -> None:
    added = 'mutation { mailSuppress(input: {address: "a@x.example", note: "asked"}) { errors { message } } }'
    await ask(added, role=Role.ADMIN)
    async with store.reading() as connection:
        [entry] = await audit.find_latest(connection)
    assert entry.subject == "a person"
    assert entry.detail["request"]["address"] == "a@x.example"
