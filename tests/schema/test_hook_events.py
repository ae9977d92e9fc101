"""Events that came in by webhook through the API: for admins alone."""

from datetime import timedelta

from hub.store import Store, hooks, tables
from schema.enums import Role
from tests.schema.company import NOW, customer_row, insert
from tests.schema.fakes import Ask

QUERY = """query ($state: [HookEventState!], $hook: String) { hookEvents(state: $state, hook: $hook) {
  totalCount nodes { id hook eventId type state reason outcome payload receivedAt doneAt customer { name } } } }"""


async def test_they_are_listed_newest_first(ask: Ask, store: Store) -> None:
    await insert(store, tables.customer, [customer_row(1, name="Acme")])
    known = {
        "id": "billing:e1",
        "hook": "billing",
        "event_id": "e1",
        "type": "invoice.failed",
        "customer_id": "c001",
        "payload": {"type": "invoice.failed", "n": 1},
        "state": hooks.ACCEPTED,
        "received_at": NOW - timedelta(hours=1),
    }
    unknown = {
        **known,
        "id": "forms:e2",
        "hook": "forms",
        "event_id": "e2",
        "type": None,
        "customer_id": None,
        "state": hooks.REFUSED,
        "reason": "it names no customer",
        "received_at": NOW,
    }
    async with store.transaction() as connection:
        await hooks.keep(connection, known)
        await hooks.keep(connection, unknown)
        await hooks.finish(connection, "billing:e1", outcome={"dun": "fired"}, now=NOW)
    body = await ask(QUERY, role=Role.ADMIN)
    found = body["data"]["hookEvents"]
    assert [(each["id"], each["state"], each["reason"], each["customer"]) for each in found["nodes"]] == [
        ("forms:e2", "REFUSED", "it names no customer", None),
        ("billing:e1", "DONE", None, {"name": "Acme"}),
    ]
    assert found["nodes"][1]["outcome"] == {"dun": "fired"}
    assert found["nodes"][1]["payload"] == {"type": "invoice.failed", "n": 1}
    refused = await ask(QUERY, {"state": ["REFUSED"]}, role=Role.ADMIN)
    assert [each["eventId"] for each in refused["data"]["hookEvents"]["nodes"]] == ["e2"]
    billing = await ask(QUERY, {"hook": "billing"}, role=Role.ADMIN)
    assert [each["eventId"] for each in billing["data"]["hookEvents"]["nodes"]] == ["e1"]


async def test_payloads_of_strangers_are_for_admins(ask: Ask) -> None:
    body = await ask(QUERY, role=Role.CSM)
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
