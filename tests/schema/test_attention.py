"""The inbox, what was held, snoozes, votes and precision through the API."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from hub.attention import Attention, Rules
from hub.compose.attention import Attending
from hub.delivery import Renderer
from hub.model.actions import Role
from hub.model.team import Team
from hub.resources import TEMPLATES
from hub.store import Store, audit
from hub.store.deliveries import find_deliveries
from hub.store.tables import alert, delivery
from schema.attention.asking import SnoozeRequest, VoteRequest
from schema.nodes import global_id
from tests.schema.company import NOW, seed
from tests.schema.fakes import FakeActions, asking

Ask = Callable[..., Awaitable[Mapping[str, Any]]]


class RealAttention(FakeActions):
    """The fakes, but for what is asked here: that is the real thing over the test's store."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        attention = Attention(Rules(fewest_votes=2), Team())
        self.attending = Attending(
            store,
            attention,
            Renderer(TEMPLATES),
            channels=["email"],
            playbooks=["save"],
            hub_url="https://hub.example",
            clock=lambda: NOW,
        )

    async def inbox(self, owner: str | None, *, limit: int, book: str | None) -> Sequence[Any]:
        return await self.attending.inbox(owner, limit=limit, book=book)

    async def withheld(self, owner: str | None, *, limit: int, book: str | None) -> Sequence[Any]:
        return await self.attending.withheld(owner, limit=limit, book=book)

    async def digest(self, owner: str, *, book: str | None) -> Any:
        return await self.attending.digest(owner, book=book)

    async def precision(self, *, days: int) -> Sequence[Any]:
        return await self.attending.precision(days=days)

    async def snoozes(self, *, customer_ids: Sequence[str] | None, book: str | None) -> Sequence[Any]:
        return await self.attending.snoozes(customer_ids=customer_ids, book=book)

    async def snooze(self, request: SnoozeRequest) -> Any:
        return await self.attending.snooze(
            request.customer_id, reason=request.reason, until=request.until, by=request.by, note=request.note
        )

    async def unsnooze(self, snooze_id: str, *, by: str) -> Any:
        return await self.attending.unsnooze(snooze_id, by=by)

    async def vote(self, request: VoteRequest) -> Any:
        return await self.attending.vote(
            voter=request.voter,
            useful=request.useful,
            way="api",
            run_id=request.run_id,
            alert_id=request.alert_id,
            note=request.note,
        )


@pytest.fixture
def asks(store: Store) -> Ask:
    return asking(store, RealAttention(store))


CUSTOMER = global_id("customer", "c000")
SNOOZE = """
mutation ($input: CustomerSnoozeInput!) {
  customerSnooze(input: $input) {
    snoozes { id customerId customerName reasonKey until note madeBy liftedAt } errors { code message field }
  }
}
"""
LIFT = """
mutation ($input: SnoozeLiftInput!) { snoozeLift(input: $input) { snoozes { id } errors { code message } } }
"""
RATE = """
mutation ($input: PlaybookRunRateInput!) {
  playbookRunRate(input: $input) { vote { runId playbook voter useful } errors { code message } }
}
"""
PRECISION = "{ playbookPrecision { playbook votes { good of share low high enough } outcomes { of enough share } } }"


async def test_snooze_and_lift(asks: Ask, store: Store) -> None:
    await seed(store, 1)
    until = (NOW + timedelta(days=7)).isoformat()
    given = {"customerId": CUSTOMER, "reasonKey": "churn", "until": until, "note": "talks", "idempotencyKey": "k"}
    for _ in range(2):  # the second is the first
        body = await asks(SNOOZE, {"input": given}, role=Role.CSM)
        assert body["data"]["customerSnooze"]["errors"] == []
        (made,) = body["data"]["customerSnooze"]["snoozes"]
        assert (made["reasonKey"], made["customerId"], made["madeBy"]) == ("churn", CUSTOMER, "a csm")
        assert (made["note"], made["until"], made["liftedAt"]) == ("talks", until, None)
    assert len((await asks("{ snoozes { id } }"))["data"]["snoozes"]) == 1
    body = await asks(LIFT, {"input": {"id": made["id"]}}, role=Role.CSM)
    assert body["data"]["snoozeLift"] == {"snoozes": [], "errors": []}
    body = await asks(LIFT, {"input": {"id": made["id"]}}, role=Role.CSM)
    assert body["data"]["snoozeLift"]["errors"] == [{"code": "REFUSED", "message": f"{made['id']} is over already"}]
    async with store.reading() as connection:
        entries = await audit.find_latest(connection)
    assert sorted(
        (each.action, each.detail["outcome"].partition(":")[0]) for each in entries if each.action != "personalRead"
    ) == [
        ("customerSnooze", "done"),
        ("snoozeLift", "done"),
        ("snoozeLift", "refused"),
    ]


async def test_viewers_may_look_and_not_change(asks: Ask, store: Store) -> None:
    await seed(store, 1)
    until = (NOW + timedelta(days=7)).isoformat()
    body = await asks(
        SNOOZE, {"input": {"customerId": CUSTOMER, "reasonKey": "churn", "until": until}}, role=Role.VIEWER
    )
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    body = await asks(
        RATE, {"input": {"id": global_id("playbook_run", "run-c000-0"), "useful": True}}, role=Role.VIEWER
    )
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await asks("{ snoozes { id } playbookPrecision { votes { of } } }"))["data"] == {
        "snoozes": [],
        "playbookPrecision": [{"votes": {"of": 0}}],
    }


async def test_votes_feed_precision_which_is_told_from_enough_on(asks: Ask, store: Store) -> None:
    await seed(store, 2)
    run = global_id("playbook_run", "run-c000-0")
    body = await asks(RATE, {"input": {"id": run, "useful": True}}, role=Role.CSM)
    assert body["data"]["playbookRunRate"] == {
        "vote": {"runId": run, "playbook": "save", "voter": "a csm", "useful": True},
        "errors": [],
    }
    (save,) = (await asks(PRECISION))["data"]["playbookPrecision"]
    assert (save["playbook"], save["votes"]["of"], save["votes"]["enough"]) == ("save", 1, False)
    await asks(RATE, {"input": {"id": run, "useful": False}}, role=Role.ADMIN)
    (save,) = (await asks(PRECISION))["data"]["playbookPrecision"]
    assert save["votes"] == {
        "good": 1,
        "of": 2,
        "share": 0.5,
        "low": pytest.approx(0.094531, abs=1e-5),
        "high": pytest.approx(0.905469, abs=1e-5),
        "enough": True,
    }


async def test_the_inbox_is_by_what_is_at_stake_and_urgent_ones_come_first(asks: Ask, store: Store) -> None:
    await seed(store, 3)
    async with store.transaction() as connection:
        await connection.execute(update(alert).values(state="closed", outcome="success"))
        rows = [
            {"id": f"a{n}", "customer_id": f"c00{n}", "kind": "task", "title": f"t{n}", "severity": severity}
            for n, severity in enumerate(("normal", "normal", "urgent"))
        ]
        common = {"state": "open", "owner_email": "Ann@cs.example", "opened_at": NOW, "updated_at": NOW}
        await connection.execute(alert.insert(), [{**row, **common, "dedup_key": row["id"]} for row in rows])
    body = await asks('{ inbox(ownerEmail: "ann@cs.example") { title severity stake churnRisk arr alertId } }')
    found = body["data"]["inbox"]
    assert found[0]["title"] == "t2"
    assert [each["stake"] for each in found[1:]] == sorted((each["stake"] for each in found[1:]), reverse=True)
    for each in found:
        assert each["stake"] == pytest.approx((each["churnRisk"] or 0) * (each["arr"] or 0))
    assert (await asks('{ inbox(ownerEmail: "bo@cs.example") { title } }'))["data"]["inbox"] == []
    assert (await asks("{ inbox(first: 1001) { title } }"))["errors"][0][
        "message"
    ] == "first must be 1 to 1,000, not 1001"


async def test_what_was_held_says_why_and_the_digest_can_be_seen_before(asks: Ask, store: Store) -> None:
    await seed(store, 1)
    row = {
        "id": "del_held",
        "dedup_key": "held",
        "customer_id": "c000",
        "channel": "email",
        "address": "ann@cs.example",
        "subject": "Look",
        "payload": {"text": "x"},
        "state": "held",
        "attempts": 0,
        "reserved_at": NOW,
        "turn_at": NOW,
        "not_before": NOW + timedelta(hours=1),
        "audience": "csm",
        "owner_email": "ann@cs.example",
        "severity": "low",
        "reason_key": "churn",
        "held": "digest",
        "error": "of low severity",
    }
    async with store.transaction() as connection:
        await connection.execute(delivery.insert(), [row])
    body = await asks('{ withheld(ownerEmail: "ann@cs.example") { id what held detail reasonKey until title } }')
    assert body["data"]["withheld"] == [
        {
            "id": "del_held",
            "what": "email",
            "held": "digest",
            "detail": "of low severity",
            "reasonKey": "churn",
            "until": (NOW + timedelta(hours=1)).isoformat(),
            "title": "Look",
        }
    ]
    digest = (await asks('{ attentionDigest(ownerEmail: "Ann@cs.example") { subject body deliveryIds } }'))["data"]
    assert digest["attentionDigest"]["subject"] == "1 update about 1 of your customers"
    assert digest["attentionDigest"]["deliveryIds"] == [global_id("delivery", "del_held")]
    assert "Look" in digest["attentionDigest"]["body"]
    assert (await asks('{ attentionDigest(ownerEmail: "x@y.z") { subject } }'))["data"] == {"attentionDigest": None}
    async with store.reading() as connection:
        (still,) = await find_deliveries(connection, ids=["del_held"])
    assert still.state.value == "held", "looking changes nothing"
