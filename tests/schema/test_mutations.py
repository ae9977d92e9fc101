"""Mutations: what they call, what they answer, and that a refusal calls nothing."""

from datetime import UTC, datetime
from typing import Any

from hub.errors import TransientError
from hub.model.actions import AlertOutcome, AlertState, Role
from hub.store import Store, audit
from schema.context import AlertChange, FireRequest
from schema.nodes import global_id
from tests.schema.company import seed
from tests.schema.fakes import Ask, FakeActions, asking

FIRE = """
mutation ($input: PlaybookFireInput!) {
  playbookFire(input: $input) {
    runs { id playbook customer { name } deliveries { address } }
    firings { customerId runId state matches restUntil previews { action } }
    previews { action channel address subject body afterSeconds }
    errors { code message field }
  }
}
"""
ALERT = """
mutation ($input: AlertUpdateInput!) {
  alertUpdate(input: $input) { alert { id title customer { name } } errors { code message field } }
}
"""
C0, C1 = global_id("customer", "c000"), global_id("customer", "c001")


async def outcomes(store: Store) -> list[tuple[str, str, str, str]]:
    async with store.reading() as connection:
        entries = await audit.find_latest(connection)
    deeds = [entry for entry in entries if entry.action != "personalRead"]
    return [(entry.actor, entry.action, entry.subject, entry.detail["outcome"]) for entry in deeds]


def fire_input(**changes: Any) -> dict[str, Any]:
    return {"input": {"playbook": "save", "customerIds": [C0, C1], "idempotencyKey": "k1", **changes}}


async def test_firing_calls_the_use_case_and_shows_the_runs(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 2)
    body = await ask(FIRE, fire_input(force=True), role=Role.CSM)
    payload = body["data"]["playbookFire"]
    assert payload["errors"] == []
    assert [run["customer"]["name"] for run in payload["runs"]] == ["Customer 000", "Customer 001"]
    assert payload["runs"][0]["id"] == global_id("playbook_run", "run-c000-0")
    assert payload["firings"][0] == {
        "customerId": C0,
        "runId": global_id("playbook_run", "run-c000-0"),
        "state": "fired",
        "matches": True,
        "restUntil": "2026-11-01T12:00:00+00:00",
        "previews": [],
    }
    assert actions.calls == [
        FireRequest(
            playbook="save", customer_ids=("c000", "c001"), by="a csm", key="tok_csm:k1", dry_run=False, force=True
        )
    ]
    assert await outcomes(store) == [("a csm", "playbookFire", "save", "done")]


async def test_the_same_key_fires_once_and_answers_the_same(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 2)
    first = await ask(FIRE, fire_input(), role=Role.CSM)
    again = await ask(FIRE, fire_input(), role=Role.CSM)
    assert again == first
    assert again["data"]["playbookFire"]["runs"]
    assert len(actions.calls) == 1
    other = await ask(FIRE, fire_input(customerIds=[C0]), role=Role.CSM)
    assert other["data"]["playbookFire"] == {
        "runs": [],
        "firings": [],
        "previews": [],
        "errors": [
            {
                "code": "IDEMPOTENCY_CONFLICT",
                "message": "this idempotency key was used for another request: take a new one",
                "field": None,
            }
        ],
    }
    assert len(actions.calls) == 1
    # a key is its token's own
    await ask(FIRE, fire_input(customerIds=[C0]), role=Role.ADMIN)
    assert len(actions.calls) == 2


async def test_a_dry_run_shows_and_uses_up_no_key(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 2)
    body = await ask(FIRE, fire_input(dryRun=True, customerIds=[C0]), role=Role.CSM)
    assert body["data"]["playbookFire"]["previews"] == [
        {
            "action": "email",
            "channel": "email",
            "address": "ann@cs.example",
            "subject": "Call",
            "body": "Call them",
            "afterSeconds": 60.0,
        }
    ]
    assert body["data"]["playbookFire"]["runs"] == []
    await ask(FIRE, fire_input(), role=Role.CSM)
    assert [call.dry_run for call in actions.calls] == [True, False]


async def test_a_refused_request_keeps_its_key_free(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 2)
    actions.refuse = TransientError("the database is being moved")
    body = await ask(FIRE, fire_input(), role=Role.CSM)
    assert body["data"]["playbookFire"]["errors"] == [
        {"code": "TRY_AGAIN", "message": "the database is being moved", "field": None}
    ]
    actions.refuse = None
    body = await ask(FIRE, fire_input(), role=Role.CSM)
    assert body["data"]["playbookFire"]["errors"] == []
    assert {outcome for *_, outcome in await outcomes(store)} == {"refused: the database is being moved", "done"}


async def test_wrong_input_is_told_by_its_path_and_calls_nothing(sqlite_store: Store, actions: FakeActions) -> None:
    ask = asking(sqlite_store, actions)
    for given, error in (
        ({"customerIds": []}, ("BAD_INPUT", "customerIds must be 1 to 1,000 ids, not 0", "customerIds")),
        ({"customerIds": [C0, "x"]}, ("BAD_INPUT", "'x' is not an id of this API", "customerIds.1")),
        ({"idempotencyKey": ""}, ("BAD_INPUT", "idempotencyKey must be 1 to 120 characters long", "idempotencyKey")),
        ({"playbook": "nope"}, ("NOT_FOUND", "no playbook 'nope'; there is save", None)),
    ):
        body = await ask(FIRE, fire_input(**given), role=Role.CSM)
        (found,) = body["data"]["playbookFire"]["errors"]
        assert (found["code"], found["message"], found["field"]) == error
    assert actions.calls == []


async def test_an_alert_changes_only_in_what_is_given(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 1)
    alert = global_id("alert", "a-c000")
    body = await ask(ALERT, {"input": {"id": alert, "state": "IN_PROGRESS", "snoozedUntil": None}}, role=Role.CSM)
    assert body["data"]["alertUpdate"] == {
        "alert": {"id": alert, "title": "Health fell", "customer": {"name": "Customer 000"}},
        "errors": [],
    }
    await ask(
        ALERT,
        {"input": {"id": alert, "outcome": "SUCCESS", "note": "Called", "snoozedUntil": "2026-12-01T09:00:00Z"}},
        role=Role.CSM,
    )
    assert actions.calls == [
        AlertChange(
            alert_id="a-c000",
            by="a csm",
            given=frozenset({"state", "snoozed_until"}),
            state=AlertState.IN_PROGRESS,
        ),
        AlertChange(
            alert_id="a-c000",
            by="a csm",
            given=frozenset({"outcome", "note", "snoozed_until"}),
            outcome=AlertOutcome.SUCCESS,
            note="Called",
            snoozed_until=datetime(2026, 12, 1, 9, tzinfo=UTC),
        ),
    ]


async def test_an_alert_update_that_cannot_be_is_refused(sqlite_store: Store, actions: FakeActions) -> None:
    ask = asking(sqlite_store, actions)
    for given, error in (
        ({"id": global_id("alert", "a")}, ("BAD_INPUT", None)),
        ({"id": global_id("alert", "a"), "state": None}, ("BAD_INPUT", "state")),
        ({"id": global_id("alert", "a"), "snoozedUntil": "2026-12-01T09:00:00"}, ("BAD_INPUT", "snoozedUntil")),
        ({"id": C0, "note": "x"}, ("BAD_INPUT", "id")),
        ({"id": global_id("alert", "closed"), "note": "x"}, ("REFUSED", None)),
    ):
        body = await ask(ALERT, {"input": given}, role=Role.CSM)
        assert body["data"]["alertUpdate"]["alert"] is None
        (found,) = body["data"]["alertUpdate"]["errors"]
        assert (found["code"], found["field"]) == error
    assert actions.calls == []


async def test_rescoring(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 2)
    body = await ask(
        "mutation ($ids: [ID!]!) { customerRescore(input: {customerIds: $ids})"
        " { customers { name health { score } } errors { code } } }",
        {"ids": [C1, C0, C1]},
        role=Role.CSM,
    )
    assert body["data"]["customerRescore"] == {
        "customers": [
            {"name": "Customer 001", "health": {"score": 0.5}},
            {"name": "Customer 000", "health": {"score": 0.5}},
        ],
        "errors": [],
    }
    assert actions.calls == [("rescore", ("c001", "c000"), "a csm")]


async def test_syncing(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 1)
    query = (
        "mutation ($name: String!) { sourceSync(input: {source: $name})"
        " { source { name lastRun { pulled } } run { state } errors { code message } } }"
    )
    body = await ask(query, {"name": "desk"}, role=Role.ADMIN)
    assert body["data"]["sourceSync"] == {
        "source": {"name": "desk", "lastRun": {"pulled": 4}},
        "run": {"state": "SUCCEEDED"},
        "errors": [],
    }
    assert actions.calls == [("sync", "desk", "a admin")]
    busy = await ask(query, {"name": "busy"}, role=Role.ADMIN)
    assert busy["data"]["sourceSync"] == {
        "source": None,
        "run": None,
        "errors": [{"code": "BUSY", "message": "busy is being synced"}],
    }


async def test_tokens_are_made_listed_and_revoked(ask: Ask, store: Store) -> None:
    made = await ask(
        'mutation { tokenCreate(input: {name: "dashboard", role: VIEWER}) { secret token { id name role } errors { code } } }',
        role=Role.ADMIN,
    )
    payload = made["data"]["tokenCreate"]
    assert payload["secret"].startswith("cshub_")
    assert (payload["token"]["name"], payload["token"]["role"], payload["errors"]) == ("dashboard", "VIEWER", [])
    revoke = "mutation ($id: ID!) { tokenRevoke(input: {id: $id}) { token { revokedAt } errors { code } } }"
    body = await ask(revoke, {"id": payload["token"]["id"]}, role=Role.ADMIN)
    assert body["data"]["tokenRevoke"] == {"token": {"revokedAt": "2026-11-01T12:00:00+00:00"}, "errors": []}
    nobody = await ask(revoke, {"id": "tok_nobody"}, role=Role.ADMIN)
    assert nobody["data"]["tokenRevoke"] == {"token": None, "errors": [{"code": "NOT_FOUND"}]}
    listed = await ask("{ tokens { nodes { name revokedAt } } }", role=Role.ADMIN)
    assert listed["data"]["tokens"]["nodes"] == [{"name": "dashboard", "revokedAt": "2026-11-01T12:00:00+00:00"}]
    # the secret is in no audit entry
    async with store.reading() as connection:
        assert payload["secret"] not in str(await audit.find_latest(connection))
