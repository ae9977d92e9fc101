"""Roles, limits and the masking of bugs."""

import logging
from typing import Any

import pytest

from hub.model.actions import Role
from hub.store import Store
from schema.guard.limits import MAX_DEPTH
from schema.nodes import global_id
from tests.schema.company import seed
from tests.schema.fakes import Ask, FakeActions, asking

FIRE = 'playbookFire(input: {playbook: "save", customerIds: ["x"], idempotencyKey: "k"}) { errors { code } }'
RESCORE = f'customerRescore(input: {{customerIds: ["{global_id("customer", "c000")}"]}}) {{ errors {{ code }} }}'
SYNC = 'sourceSync(input: {source: "desk"}) { errors { code } }'


@pytest.mark.parametrize(
    ("role", "operation", "needed"),
    [
        (Role.VIEWER, f"mutation {{ {FIRE} }}", "csm"),
        (Role.VIEWER, f"mutation {{ {RESCORE} }}", "csm"),
        (Role.VIEWER, 'mutation { alertUpdate(input: {id: "x", note: "y"}) { errors { code } } }', "csm"),
        (Role.CSM, f"mutation {{ {SYNC} }}", "admin"),
        (Role.CSM, f"mutation {{ {RESCORE} {SYNC} }}", "admin"),
        (Role.CSM, f"mutation {{ {RESCORE} ...More }} fragment More on Mutation {{ ... {{ {SYNC} }} }}", "admin"),
        (Role.CSM, "{ viewer { name } tokens { nodes { name } } }", "admin"),
        (Role.CSM, 'mutation { tokenCreate(input: {name: "x", role: ADMIN}) { secret } }', "admin"),
    ],
)
async def test_a_role_that_lacks_is_named_and_nothing_is_executed(
    sqlite_store: Store, actions: FakeActions, role: Role, operation: str, needed: str
) -> None:
    body = await asking(sqlite_store, actions)(operation, role=role)
    assert "data" not in body
    assert body["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
    assert f"needs the role {needed}; this token has {role.value}" in body["errors"][0]["message"]
    assert actions.calls == []


async def test_a_higher_role_may_do_what_a_lower_one_may(sqlite_store: Store, actions: FakeActions) -> None:
    body = await asking(sqlite_store, actions)(f"mutation {{ {RESCORE} }}", role=Role.ADMIN)
    assert body["data"]["customerRescore"] == {"errors": []}
    assert actions.calls == [("rescore", ("c000",), "a admin")]


def nested(depth: int) -> str:
    inner = "name"
    for _ in range(depth):
        inner = f"parent {{ {inner} }}"
    return f"{{ customers {{ nodes {{ {inner} }} }} }}"


def doubling() -> str:
    parts = [f"fragment F{n} on Customer {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60)]
    return "{ customers { nodes { ...F0 } } } fragment F60 on Customer { name } " + " ".join(parts)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (nested(MAX_DEPTH), "levels deep; the limit is 12"),
        ("{ " + " ".join(f"a{n}: viewer {{ name }}" for n in range(31)) + " }", "31 aliases long; the limit is 30"),
        (doubling(), "fields large; the limit is 1,000"),
        ("{ viewer { " + "name " * 5_000 + "} }", "tokens"),
        (
            "{ customers(first: 100) { nodes { tickets(first: 100) { nodes { customer { tickets { nodes { key } } } } } } } }",
            "lower a first",
        ),
    ],
)
async def test_what_is_too_large_is_refused(ask_sqlite: Ask, query: str, message: str) -> None:
    body = await ask_sqlite(query)
    assert message in body["errors"][0]["message"]
    assert body.get("data") is None


async def test_the_largest_allowed_depth_works(ask_sqlite: Ask, sqlite_store: Store) -> None:
    await seed(sqlite_store, 1)
    body = await ask_sqlite(nested(MAX_DEPTH - 3))
    assert "errors" not in body


async def test_introspection_fits_in_the_limits(ask_sqlite: Ask) -> None:
    from graphql import get_introspection_query

    body = await ask_sqlite(get_introspection_query(), role=Role.ADMIN)
    assert "errors" not in body
    assert {type_["name"] for type_ in body["data"]["__schema"]["types"]} > {"Customer", "CustomerFilter", "Health"}


async def test_a_bug_is_masked_and_logged_with_its_traceback(
    sqlite_store: Store, actions: FakeActions, caplog: pytest.LogCaptureFixture
) -> None:
    actions.refuse = ZeroDivisionError("the password is 1234")
    with caplog.at_level(logging.ERROR):
        body = await asking(sqlite_store, actions)(f"mutation {{ {RESCORE} }}", role=Role.CSM)
    (error,) = body["errors"]
    assert error["message"] == "Something went wrong on our side. It is logged under the id in extensions.id."
    assert error["extensions"].keys() == {"code", "id"}
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["path"] == ["customerRescore"]
    (logged,) = [entry for entry in caplog.records if entry.levelno == logging.ERROR]
    assert logged.getMessage() == f"{error['extensions']['id']}: a bug while answering customerRescore"
    assert logged.exc_info is not None
    assert isinstance(logged.exc_info[1], ZeroDivisionError)


async def test_what_a_client_does_wrong_is_not_logged_as_ours(
    ask_sqlite: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    bodies: list[Any] = [
        await ask_sqlite("{ nothing }"),
        await ask_sqlite("{ viewer "),
        await ask_sqlite("{ customers(first: 0) { nodes { name } } }"),
    ]
    assert [body["errors"][0]["extensions"]["code"] for body in bodies] == ["BAD_QUERY", "BAD_QUERY", "BAD_INPUT"]
    assert not [entry for entry in caplog.records if entry.levelno >= logging.ERROR]


async def test_nothing_secret_can_be_asked_for(ask_sqlite: Ask) -> None:
    for query in (
        "{ tokens { nodes { digest } } }",
        "{ churnModel { artifact } }",
        "{ sources { quarantine { nodes { raw } } } }",
    ):
        body = await ask_sqlite(query, role=Role.ADMIN)
        assert body["errors"][0]["message"].startswith("Cannot query field")
