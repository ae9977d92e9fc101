"""Mutations: what they call, what they answer, and that a refusal calls nothing."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from hub.access import tokens
from hub.errors import TransientError
from hub.model.actions import AlertOutcome, AlertState, Role
from hub.store import Store, audit, tables
from schema.context import AlertChange, FireRequest
from schema.nodes import global_id
from tests.schema.company import NOW, seed
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
        ({"playbook": "nope"}, ("NOT_FOUND", "no playbook 'nope'; there is save", "playbook")),
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


ALERTS = """
mutation ($input: AlertsUpdateInput!) {
  alertsUpdate(input: $input) { alerts { id } errors { code message field } }
}
"""


async def test_many_alerts_change_alike_and_each_by_itself(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 3)
    ids = [global_id("alert", key) for key in ("a-c002", "closed", "a-c000", "a-c002", "a-c001")]
    given = {"input": {"ids": ids, "state": "CLOSED", "outcome": "SUCCESS", "idempotencyKey": "k" * 120}}
    for _ in range(2):
        body = await ask(ALERTS, given, role=Role.CSM)
        found = body["data"]["alertsUpdate"]
        assert [each["id"] for each in found["alerts"]] == [ids[0], ids[2], ids[4]]
        assert found["errors"] == [{"code": "REFUSED", "message": "the alert is closed", "field": "ids.1"}]
    # the same key changes each once; what was refused is tried again
    assert [call.alert_id for call in actions.calls] == ["a-c002", "a-c000", "a-c001"]
    assert {(call.state, call.outcome, call.by) for call in actions.calls} == {
        (AlertState.CLOSED, AlertOutcome.SUCCESS, "a csm")
    }
    async with store.reading() as connection:
        noted = await connection.execute(
            select(tables.audit_record.c.subject).where(tables.audit_record.c.action == "alertUpdate")
        )
        assert {row.subject for row in noted} == {"a-c000", "a-c001", "a-c002", "closed"}


async def test_many_alerts_are_all_named_well_or_none_changes(sqlite_store: Store, actions: FakeActions) -> None:
    ask = asking(sqlite_store, actions)
    a = global_id("alert", "a")
    for given, field in (
        ({"ids": [], "note": "x"}, "ids"),
        ({"ids": [a] * 101, "note": "x"}, "ids"),
        ({"ids": [a, C0], "note": "x"}, "ids.1"),
        ({"ids": [a]}, None),
        ({"ids": [a], "state": None}, "state"),
        ({"ids": [a], "note": "x", "idempotencyKey": "k" * 121}, "idempotencyKey"),
    ):
        body = await ask(ALERTS, {"input": given}, role=Role.CSM)
        assert body["data"]["alertsUpdate"]["alerts"] == []
        (found,) = body["data"]["alertsUpdate"]["errors"]
        assert (found["code"], found["field"]) == ("BAD_INPUT", field)
    assert actions.calls == []


async def test_what_is_said_twice_with_one_key_is_done_once(sqlite_store: Store, actions: FakeActions) -> None:
    ask = asking(sqlite_store, actions)
    for name, given, role in (
        ("mailSuppress", {"address": "a@x.example"}, Role.ADMIN),
        ("mailUnsuppress", {"address": "a@x.example"}, Role.ADMIN),
    ):
        actions.calls.clear()
        mutation = (
            f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ errors {{ code }} }} }}"
        )
        for _ in range(2):
            body = await ask(mutation, {"input": {**given, "idempotencyKey": "k"}}, role=role)
            assert body["data"][name]["errors"] == []
        assert len(actions.calls) == 1, name


async def test_one_key_makes_one_token_whose_secret_is_told_once(sqlite_store: Store, actions: FakeActions) -> None:
    ask = asking(sqlite_store, actions)
    mutation = (
        "mutation ($input: TokenCreateInput!) { tokenCreate(input: $input) { secret token { id } errors { code } } }"
    )
    given = {"name": "dashboard", "role": "VIEWER", "idempotencyKey": "k"}
    first, again = [(await ask(mutation, {"input": given}, role=Role.ADMIN))["data"]["tokenCreate"] for _ in range(2)]
    assert (first["token"], first["errors"], again["errors"]) == (again["token"], [], [])
    assert (first["secret"] is None, again["secret"]) == (False, None)
    other = {**given, "expiresAt": "2027-01-01T00:00:00Z"}
    conflict = await ask(mutation, {"input": other}, role=Role.ADMIN)
    assert conflict["data"]["tokenCreate"]["errors"] == [{"code": "IDEMPOTENCY_CONFLICT"}]


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


async def test_a_rotation_that_is_sent_again_leaves_the_secret_in_use(ask: Ask, store: Store) -> None:
    used = await tokens.create(store, name="page", role=Role.VIEWER, now=NOW)
    rotate = """mutation ($id: ID!, $key: String) {
      tokenRotate(input: {id: $id, overlapHours: 24, idempotencyKey: $key}) { secret token { previousUntil } errors { code } }
    }"""
    first = (await ask(rotate, {"id": used.token.id, "key": "one"}, role=Role.ADMIN))["data"]["tokenRotate"]
    again = (await ask(rotate, {"id": used.token.id, "key": "one"}, role=Role.ADMIN))["data"]["tokenRotate"]
    assert (first["errors"], again) == ([], {**first, "secret": None})
    for secret in (used.secret, first["secret"]):
        assert await tokens.find_viewer(store, secret, now=NOW) is not None
    other = (await ask(rotate, {"id": used.token.id, "key": None}, role=Role.ADMIN))["data"]["tokenRotate"]
    opens = [await tokens.find_viewer(store, each, now=NOW) for each in (used.secret, first["secret"], other["secret"])]
    assert [each is not None for each in opens] == [False, True, True]


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
