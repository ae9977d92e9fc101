"""Personal data: who lacks the scope is refused as a whole, before anything is read, unless it is not asked for after all."""

from typing import Any

import pytest

from hub.model.actions import Role, Scope
from hub.store import Store, tables
from schema.answering import READER
from schema.personal import is_personal
from tests.schema.asking_everything import RAW
from tests.schema.company import NOW, insert, seed
from tests.schema.fakes import Ask, asking
from tests.schema.test_attention import RealAttention
from tests.schema.test_everything import counting

CONTACTS = "customers { nodes { name contacts { nodes { role %s } } } }"


async def refused(ask: Ask, store: Store, query: str, variables: dict[str, Any] | None = None) -> str:
    with counting(store) as statements:
        body = await ask(query, variables, role=Role.VIEWER)
    assert statements == []
    assert not body.get("data")
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    return str(error["message"])


async def test_the_fields_are_named_and_nothing_is_read(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    said = await refused(ask, store, f"{{ {CONTACTS % 'email title'} tickets {{ nodes {{ subject status }} }} }}")
    assert said.startswith("Contact.email, Contact.title, Ticket.subject: personal data needs the scope personal")
    for query in (
        '{ node(id: "x") { ... on Contact { name } } }',
        (
            "{ ...A } fragment A on Query { customers { nodes { ...B } } } "
            "fragment B on Customer { surveys { nodes { comment } } }"
        ),
        '{ deliveries(address: "jo@x.example") { totalCount } }',
        f"{{ {CONTACTS % 'mail: email'} }}",
    ):
        await refused(ask, store, query)


@pytest.mark.parametrize(
    ("directive", "variables", "is_refused"),
    [
        ("@include(if: $yes)", {"yes": False}, False),
        ("@include(if: $yes)", {"yes": True}, True),
        ("@include(if: $yes)", {}, True),
        ("@skip(if: $yes)", {}, False),
        ("@skip(if: $yes)", {"yes": False}, True),
        ("@include(if: false)", {}, False),
        ("@include(if: true)", {}, True),
        ("@include(if: $yes) @skip(if: $yes)", {"yes": True}, False),
    ],
)
async def test_what_is_left_out_by_a_directive_is_not_asked_for(
    ask_sqlite: Ask, sqlite_store: Store, directive: str, variables: dict[str, Any], is_refused: bool
) -> None:
    await seed(sqlite_store, 1)
    query = f"""
        query ($yes: Boolean! = true) {{
          {CONTACTS % f"...Person {directive}"} other: customers @skip(if: $yes) {{ nodes {{ id }} }}
        }}
        fragment Person on Contact {{ email }}
    """
    body = await ask_sqlite(query, variables, role=Role.VIEWER)
    assert ("errors" in body) is is_refused


async def test_a_token_without_act_changes_nothing_and_one_without_read_sees_nothing(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    mutation = 'mutation { snoozeLift(input: {id: "x"}) { errors { code } } }'
    body = await ask(mutation, role=Role.ADMIN, granted=frozenset({Scope.READ}))
    assert body["errors"][0]["message"] == "snoozeLift needs the scope act; this token has read"
    body = await ask("{ customers { totalCount } }", role=Role.ADMIN, granted=frozenset({Scope.EXPORT}))
    assert body["errors"][0]["message"] == "customers needs the scope read; this token has export"
    body = await ask("{ viewer { scopes } }", role=Role.VIEWER, granted=frozenset(Scope))
    assert body["data"]["viewer"]["scopes"] == ["READ"]  # never more than the role's


def test_what_is_personal_shows_in_the_schema() -> None:
    marked = {
        f"{type_.name}.{name}"
        for type_ in RAW.type_map.values()
        for name, field in getattr(type_, "fields", {}).items()
        if is_personal(field)
    }
    assert marked >= {
        "Contact.email",
        "Contact.name",
        "Ticket.subject",
        "Ticket.requesterEmail",
        "SurveyResponse.comment",
        "SurveyResponse.respondentEmail",
        "Delivery.address",
        "Delivery.payload",
        "StepPreview.body",
        "SurveyInvitation.comment",
        "QuarantinedRow.reason",
        "EvidenceRecord.what",
    }
    for type_ in RAW.type_map.values():  # of customers' people: nobody forgets to mark one by its name
        for name in getattr(type_, "fields", {}):
            if name in ("comment", "respondentEmail", "requesterEmail", "payload") and not type_.name.endswith("Input"):
                assert f"{type_.name}.{name}" in marked


WRITTEN = """{ alerts { nodes { kind title } } inbox { kind title } syncRuns { nodes { error streams { error } } }
  customers { nodes { timeline(kinds: [ALERT_OPENED, TASK_OPENED, TASK_CLOSED]) { nodes { title } } } } }"""


@pytest.mark.parametrize("compiled", [True, False])
async def test_what_people_wrote_where_others_write_is_masked_by_its_value(
    store: Store, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = asking(store, RealAttention(store))
    monkeypatch.setattr(READER, "enabled", compiled)
    row = {"customer_id": "c1", "severity": "normal", "state": "open", "opened_at": NOW, "updated_at": NOW}
    made = [
        ("a1", "alert", "Health of Acme is critical", "save.1.c1.x", None),
        ("a2", "task", "Call Jo Smith", "hand.a2", NOW),
        ("a3", "alert", "Jo wrote: help", "slack.run_1", None),
    ]
    await insert(store, tables.customer, [{"id": "c1", "name": "Acme", "created_at": NOW, "updated_at": NOW}])
    await insert(
        store,
        tables.alert,
        [
            {**row, "id": id_, "kind": kind, "title": title, "dedup_key": key, "closed_at": closed}
            for id_, kind, title, key, closed in made
        ],
    )
    error = "404 for GET https://v.example/people?email=jo%40acme.example: no user jo@acme.example"
    run = {"id": "r1", "source": "crm", "state": "failed", "started_at": NOW, "streams": {"people": {"error": error}}}
    await insert(store, tables.sync_run, [{**run, "error": error}])
    for role, names in ((Role.VIEWER, False), (Role.CSM, True)):
        body = await ask(WRITTEN, role=role)
        assert "errors" not in body
        said = str(body)
        assert "Health of Acme is critical" in said
        assert said.count("Call Jo Smith") == (4 if names else 0)
        assert said.count("Jo wrote") == (3 if names else 0)
        assert said.count("in somebody's own words") == (0 if names else 7)
        assert ("jo@acme" in said, "jo%40acme" in said) == (names, names)
        assert said.count("404 for GET https://v.example/people") == 2
