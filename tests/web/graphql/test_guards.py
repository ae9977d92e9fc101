"""What the guard refuses, over HTTP: cost, budget, introspection, trusted documents, time, and clients that hang up."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from hub.access.tokens import create
from hub.model.actions import Role
from hub.store import Store
from schema.guard.guard import Guard, Rules
from schema.guard.trusted import Documents
from tests.schema.company import NOW
from tests.web.conftest import FakeHub, serving

Bearer = Callable[..., Awaitable[dict[str, str]]]
RESPONSE = {"accept": "application/graphql-response+json"}
ME = "{ viewer { name } }"
ID = hashlib.sha256(ME.encode()).hexdigest()
SECONDS = 60
ENDS = f"{NOW + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"


async def post(url: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS) as client:
        return await client.post("/graphql", json=body, headers=headers)


async def test_every_answer_tells_its_cost(client: httpx.AsyncClient, bearer: Bearer) -> None:
    headers = await bearer()
    remaining = 300_000
    for query, cost in (
        ("{ customers(first: 50) { nodes { id } } }", 50),
        ("{ __typename }", 1),
        ("{ nothing }", 1),
        ("{", 1),
        ("{ __schema { types { name } } }", 1),
    ):
        response = await client.post("/graphql", json={"query": query}, headers=headers)
        remaining -= cost
        told = response.json()["extensions"]["cost"]
        assert told == {"requested": cost, "limit": 300_000, "remaining": remaining, "resetAt": ENDS}
        assert response.status_code == 200


async def test_what_costs_too_much_is_refused_with_the_figures(hub: FakeHub, bearer: Bearer) -> None:
    asked = {"query": "{ customers(first: 100) { nodes { tickets(first: 100) { nodes { id } } } } }"}
    async with serving(hub, guard=Guard(Rules(most_cost=10_000))) as url:
        response = await post(url, asked, {**await bearer(), **RESPONSE})
    [error] = response.json()["errors"]
    assert response.status_code == 400
    assert "costs 10,100 points" in error["message"]
    assert error["extensions"] == {"code": "TOO_COSTLY", "cost": 10_100, "limit": 10_000}
    assert response.json()["extensions"]["cost"]["requested"] == 1


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_a_budget_is_spent_and_comes_again(hub: FakeHub, bearer: Bearer, accept: str) -> None:
    now = NOW
    hub.clock = lambda: now
    asked = {"query": "{ customers(first: 60) { nodes { id } } }"}
    headers = {**await bearer(), "accept": accept}
    async with serving(hub, guard=Guard(Rules(most_cost=100, cost_per_minute=100))) as url:
        assert (await post(url, asked, headers)).status_code == 200
        now += timedelta(seconds=30)
        refused = await post(url, asked, headers)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
        [error] = refused.json()["errors"]
        assert error["extensions"] == {"code": "OVER_BUDGET", "cost": 60, "limit": 100, "retryAfter": 30}
        assert refused.json()["extensions"]["cost"]["remaining"] == 40
        assert "data" not in refused.json()
        assert (await post(url, {"query": "{ customers(first: 40) { nodes { id } } }"}, headers)).status_code == 200
        for body in (asked, {"query": "{"}, {"query": "{ __typename }"}):  # nothing is left: it is not even read
            assert (await post(url, body, headers)).status_code == 429
        assert (await post(url, asked, await bearer())).status_code == 200  # another token has its own
        now += timedelta(seconds=30)
        assert (await post(url, asked, headers)).status_code == 200


SCHEMA = "{ __schema { types { name } } }"


@pytest.mark.parametrize(
    ("rule", "role", "allowed"),
    [
        ("admins", Role.ADMIN, True),
        ("admins", Role.MANAGER, False),
        ("admins", Role.VIEWER, False),
        ("all", Role.VIEWER, True),
        ("nobody", Role.ADMIN, False),
    ],
)
async def test_who_may_introspect(hub: FakeHub, bearer: Bearer, rule: Any, role: Role, allowed: bool) -> None:
    headers = {**await bearer(role), **RESPONSE}
    async with serving(hub, guard=Guard(Rules(introspection=rule))) as url:
        for query in (
            SCHEMA,
            '{ __type(name: "Customer") { name } }',
            "query { ...F } fragment F on Query { ... { a: __schema { queryType { name } } } }",
        ):
            response = await post(url, {"query": query}, headers)
            assert response.status_code == (200 if allowed else 403)
            assert ("data" in response.json()) is allowed
        misspelt = await post(url, {"query": "{ custmers { nodes { id } } }"}, headers)
        wrong = {"query": "{ customers(orderBy: {field: HELTH}) { nodes { id } } }"}
        enum = await post(url, wrong, headers)
        assert ("Did you mean" in misspelt.text) is allowed
        assert ("Did you mean" in enum.text) is allowed
        assert "Cannot query field 'custmers'" in misspelt.json()["errors"][0]["message"]
        assert (await post(url, {"query": "{ viewer { __typename } }"}, headers)).status_code == 200


async def test_many_errors_are_not_all_told(client: httpx.AsyncClient, bearer: Bearer) -> None:
    response = await client.post(
        "/graphql", json={"query": "{ __typename " + "@aa" * 10 + " }"}, headers=await bearer()
    )
    assert len(response.json()["errors"]) <= 6


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ " + " ".join(f"a{n}: __typename" for n in range(101)) + " }", "aliases"),
        ("{ " + " ".join(f"a{n}: viewer {{ name }}" for n in range(31)) + " }", "aliases"),
        ("{ " + "__typename " * 500 + " }", "root fields"),
        ("{ viewer { " + "name " * 500 + " } }", "repetitions"),
        ("{ __typename " + "@include(if: true) " * 60 + "}", "directives"),
        ("query A { viewer { name } } " * 21, "operations"),
        ("{ viewer { " + "name " * 5_000 + "} }", "tokens"),
        ('{ customers(filter: {name: {eq: "a\\u0000"}}) { nodes { id } } }', "NUL"),
        ("{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }", "introspection"),
        ("{ customers(filter: " + "{and: [" * 400 + "]}" * 400 + ") { nodes { id } } }", ""),
        ("{ customers(first: 99999999999999999999) { nodes { id } } }", ""),
        ("{ customers(filter: {mrr: {gt: " + "9" * 5_000 + "}}) { nodes { id } } }", ""),
        ("{ customers(filter: {mrr: {gt: 1e999}}) { nodes { id } } }", ""),
        ('{ customers(filter: {name: {eq: "\\ud800"}}) { nodes { id } } }', ""),
    ],
)  # fmt: skip
async def test_hostile_documents_are_refused(
    client: httpx.AsyncClient, bearer: Bearer, query: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = await client.post("/graphql", json={"query": query}, headers={**await bearer(Role.ADMIN), **RESPONSE})
    assert response.status_code == 400
    assert said in response.json()["errors"][0]["message"].lower() or said in response.json()["errors"][0]["message"]
    assert "data" not in response.json()
    assert not [entry for entry in caplog.records if entry.levelno >= logging.ERROR]


async def test_trusted_documents_by_their_ids(hub: FakeHub, bearer: Bearer, tmp_path: Path) -> None:
    (tmp_path / "me.graphql").write_text(f"{ME}\n", encoding="utf-8")
    rules = Rules(documents=Documents.read(tmp_path))
    headers = {**await bearer(), **RESPONSE}
    async with serving(hub, guard=Guard(rules)) as url, httpx.AsyncClient(base_url=url) as client:
        for body in (
            {"documentId": ID},
            {"documentId": f"sha256:{ID}"},
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": ID}}},
            {"query": ME, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": ID}}},
            {"query": "{ viewer { role } }"},
        ):
            response = await client.post("/graphql", json=body, headers=headers)
            assert response.status_code == 200, body
        got = await client.get(
            "/graphql", params={"documentId": ID}, headers={**headers, "graphql-require-preflight": "1"}
        )
        assert got.json()["data"] == {"viewer": {"name": "a viewer"}}
        unknown = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}
        missing = await client.post("/graphql", json=unknown, headers=headers)
        assert (missing.status_code, missing.json()["errors"][0]["extensions"]) == (
            400,
            {"code": "PERSISTED_QUERY_NOT_FOUND"},
        )
        assert missing.json()["errors"][0]["message"].startswith("PersistedQueryNotFound")
        other = await client.post("/graphql", json={"query": "{ __typename }", **unknown}, headers=headers)
        assert (other.status_code, other.json()["errors"][0]["extensions"]) == (400, {"code": "BAD_REQUEST"})
        assert (
            await client.post("/graphql", json=unknown, headers=headers)
        ).status_code == 400  # nothing was registered


@pytest.mark.parametrize(
    ("only", "role", "allowed"),
    [(True, Role.MANAGER, False), (True, Role.ADMIN, True), ("admins_too", Role.ADMIN, False)],
)
async def test_only_trusted_documents(
    hub: FakeHub, bearer: Bearer, tmp_path: Path, only: Any, role: Role, allowed: bool
) -> None:
    (tmp_path / "me.graphql").write_text(ME, encoding="utf-8")
    rules = Rules(documents=Documents.read(tmp_path), only_trusted=only)
    headers = {**await bearer(role), **RESPONSE}
    async with serving(hub, guard=Guard(rules)) as url:
        assert (await post(url, {"documentId": ID}, headers)).status_code == 200
        assert (await post(url, {"query": ME}, headers)).status_code == 200  # its text is as good as its id
        for query in ("{ viewer { role } }", "{ nothing }", "{"):
            response = await post(url, {"query": query}, headers)
            if not allowed:
                assert response.json()["errors"][0]["extensions"] == {"code": "UNTRUSTED_DOCUMENT"}
        acting = await post(
            url, {"query": 'mutation { sourceSync(input: {source: "desk"}) { errors { code } } }'}, headers
        )
        assert ("data" in acting.json()) is allowed
    assert len(hub.actions.calls) == int(allowed)


# --- time -------------------------------------------------------------------------------------------------------------


class Slow:
    """`drift` as work that would take a minute, in the database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ended: list[str] = []

    async def drift(self, **_: object) -> object:
        statement = f"SELECT pg_sleep({SECONDS})"
        if self.store.dialect == "sqlite":
            statement = (
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e11) SELECT count(*) FROM n"
            )
        async with self.store.reading() as connection:
            try:
                await connection.execute(text(statement))
            except asyncio.CancelledError:
                self.ended.append("cancelled")
                raise
        return []


async def still_running(store: Store) -> bool:
    if store.dialect == "sqlite":
        return False  # tests/store/test_cancelling.py looks at its thread
    async with store.reading() as connection:
        found = await connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
                " AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep%'"
            )
        )
        return bool(found.scalar_one())


@pytest.fixture
def slow(store: Store) -> tuple[FakeHub, Slow]:
    hub, work = FakeHub(store), Slow(store)
    hub.actions.drift = work.drift  # type: ignore[attr-defined]  # a fake of the protocol
    return hub, work


async def token(store: Store) -> dict[str, str]:
    made = await create(store, name="an admin", role=Role.ADMIN, now=NOW)
    return {"authorization": f"Bearer {made.secret}", **RESPONSE}


async def test_what_takes_too_long_is_stopped(slow: tuple[FakeHub, Slow]) -> None:
    hub, work = slow
    begun = time.monotonic()
    async with serving(hub, guard=Guard(Rules(query_seconds=0.3))) as url:
        response = await post(url, {"query": "{ drift { horizon } }"}, await token(hub.store))
        assert response.status_code == 504
        [error] = response.json()["errors"]
        assert error["extensions"] == {"code": "TIMED_OUT"}
        assert "0.3 seconds" in error["message"]
        assert work.ended == ["cancelled"]
        while await still_running(hub.store):
            assert time.monotonic() - begun < SECONDS / 2
        again = await post(url, {"query": ME}, await token(hub.store))
        assert again.status_code == 200


async def test_a_client_that_hangs_up_stops_its_query(
    slow: tuple[FakeHub, Slow], caplog: pytest.LogCaptureFixture
) -> None:
    hub, work = slow
    headers = await token(hub.store)
    async with serving(hub) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post(
                    "/graphql",
                    json={"query": "{ drift { horizon } }"},
                    headers=headers,
                    timeout=httpx.Timeout(10, read=0.5),
                )
        async with asyncio.timeout(SECONDS / 2):
            while work.ended != ["cancelled"] or await still_running(hub.store):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)
    assert not [entry for entry in caplog.records if entry.levelno >= logging.ERROR]


async def test_a_mutation_is_finished_when_its_client_hangs_up(sqlite_store: Store) -> None:
    hub = FakeHub(sqlite_store)
    begun, alone, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    sync = hub.actions.sync

    async def slowly(source: str, *, by: str, now: datetime) -> object:
        begun.set()
        await alone.wait()
        made = await sync(source, by=by, now=now)
        done.set()
        return made

    hub.actions.sync = slowly  # type: ignore[assignment]  # a fake of the protocol
    acting = {"query": 'mutation { sourceSync(input: {source: "desk"}) { errors { code } } }'}
    headers = await token(sqlite_store)
    async with serving(hub) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            asking = asyncio.create_task(client.post("/graphql", json=acting, headers=headers, timeout=SECONDS))
            async with asyncio.timeout(SECONDS / 2):
                await begun.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        await asyncio.sleep(0.1)  # the server, in this very loop, learns that nobody is there any more
        alone.set()
        async with asyncio.timeout(SECONDS / 2):
            await done.wait()
    assert hub.actions.calls == [("sync", "desk", "an admin")]
