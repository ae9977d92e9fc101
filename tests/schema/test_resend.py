"""The ledger over GraphQL: found by what people ask for, and sent from once more."""

from typing import Any

from hub.errors import RefusedError
from hub.model.actions import Role
from hub.store import Store, audit, deliveries
from schema.nodes import global_id
from tests.schema.company import NOW
from tests.schema.fakes import Ask, FakeActions

FOUND = """
query ($state: [DeliveryState!], $channel: String, $address: String) {
  deliveries(state: $state, channel: $channel, address: $address) {
    nodes { id dedupKey state notBefore expiresAt doubtedAt attempts }
  }
}
"""
RESEND = """
mutation ($input: DeliveryResendInput!) {
  deliveryResend(input: $input) {
    deliveries { id state } risks { deliveryId risk } errors { code message field }
  }
}
"""
A, B = global_id("delivery", "del_a"), global_id("delivery", "del_b")


async def fill(store: Store) -> None:
    common = {"payload": {}, "attempts": 2, "reserved_at": NOW, "expires_at": NOW, "doubted_at": NOW}
    rows: list[dict[str, Any]] = [
        {"id": "del_a", "dedup_key": "k.a", "channel": "slack", "address": "#cs", "state": "unknown", **common},
        {"id": "del_b", "dedup_key": "k.b", "channel": "webhook", "address": "crm", "state": "failed", **common},
    ]
    async with store.transaction() as connection:
        await deliveries.reserve(connection, rows)


def resend(*ids: str, **changes: Any) -> dict[str, Any]:
    return {"input": {"ids": list(ids), "idempotencyKey": "k1", **changes}}


async def test_messages_are_found_by_state_channel_and_address(ask: Ask, store: Store) -> None:
    await fill(store)
    body = await ask(FOUND, {"state": ["UNKNOWN"]})
    [found] = body["data"]["deliveries"]["nodes"]
    assert found == {
        "id": A,
        "dedupKey": "k.a",
        "state": "UNKNOWN",
        "notBefore": None,
        "expiresAt": found["expiresAt"],
        "doubtedAt": found["expiresAt"],
        "attempts": 2,
    }
    for asked in ({"channel": "webhook"}, {"address": "crm"}, {"state": ["FAILED"]}):
        body = await ask(FOUND, asked)
        assert [each["id"] for each in body["data"]["deliveries"]["nodes"]] == [B], asked
    body = await ask(FOUND, {"channel": "slack", "address": "crm"})
    assert body["data"]["deliveries"]["nodes"] == []


async def test_sending_once_more_calls_the_use_case_once(ask: Ask, store: Store, actions: FakeActions) -> None:
    await fill(store)
    first = await ask(RESEND, resend(A, B), role=Role.CSM)
    assert first["data"]["deliveryResend"] == {
        "deliveries": [{"id": A, "state": "UNKNOWN"}, {"id": B, "state": "FAILED"}],
        "risks": [{"deliveryId": each, "risk": "people may get it twice"} for each in (A, B)],
        "errors": [],
    }
    assert await ask(RESEND, resend(A, B), role=Role.CSM) == first
    assert actions.calls == [("resend", ("del_a", "del_b"), "a csm", False)]
    async with store.reading() as connection:
        [entry] = await audit.find_latest(connection)
    assert (entry.action, entry.subject, entry.detail["outcome"]) == ("deliveryResend", "2 messages", "done")


async def test_a_dry_run_uses_up_no_key(ask: Ask, store: Store, actions: FakeActions) -> None:
    await fill(store)
    body = await ask(RESEND, resend(A, dryRun=True), role=Role.CSM)
    assert body["data"]["deliveryResend"]["risks"] == [{"deliveryId": A, "risk": "people may get it twice"}]
    await ask(RESEND, resend(A), role=Role.CSM)
    assert [call[3] for call in actions.calls] == [True, False]


async def test_what_is_refused_calls_nothing(ask: Ask, store: Store, actions: FakeActions) -> None:
    await fill(store)
    body = await ask(RESEND, resend(A), role=Role.VIEWER)
    assert "deliveryResend needs the role csm" in body["errors"][0]["message"]
    body = await ask(RESEND, resend(global_id("customer", "c000")), role=Role.CSM)
    [error] = body["data"]["deliveryResend"]["errors"]
    assert error["field"].startswith("ids")
    assert actions.calls == []
    actions.refuse = RefusedError("del_a is confirmed")
    body = await ask(RESEND, resend(A), role=Role.CSM)
    assert body["data"]["deliveryResend"]["errors"][0]["message"] == "del_a is confirmed"
    assert body["data"]["deliveryResend"]["deliveries"] == []
    assert actions.calls == []
