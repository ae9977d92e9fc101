"""Texts that are SQL, patterns or anything else, wherever the schema takes a text: never a bug, and never more than without."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from hub.access.reading import Reads
from hub.cli.serve import Served
from hub.compose import Hub
from hub.model.actions import Role
from hub.settings import load
from hub.store import Store
from hub.store.tables import metadata
from schema.answering import READER, answer
from schema.context import Context
from tests.audits.texts import Place, document, is_several, places, rows
from tests.fakes.clock import Clock
from tests.fakes.durable import FakeDurable
from tests.schema.company import NOW, seed
from tests.schema.fakes import viewer

PLACES = places()
Ask: TypeAlias = Callable[..., Awaitable[Mapping[str, Any]]]
SQL = (
    "' OR '1'='1",
    "'; DROP TABLE customer; --",
    "') OR 1=1 --",
    '" OR ""="',
    "\\' OR 1=1 --",
    "x' UNION SELECT id, name, digest FROM api_token --",
    "'||(SELECT digest FROM api_token LIMIT 1)||'",
    "$$ OR 1=1 $$",
    "%",
    "_" * 10,
    "%' ESCAPE '\\",
    "\\",
    '{"x": 1}',
    ":name %(x)s ? $1",
    "2026-11-01'::date OR true --",
    "\u02bc OR 1=1 \uff07 \u2019",
    "1" * 400,
)
ANY = st.sampled_from(SQL) | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
WORDS = ("INTERNAL", "Traceback", "sqlite", "asyncpg", "syntax error", "SELECT ")


class Engine(FakeDurable):
    executor = "test"


@pytest.fixture
async def hub(store: Store, tmp_path: Path) -> AsyncIterator[Hub]:
    """A company in a hub as it ships: what is asked for goes all the way down."""
    await seed(store, 3)
    settings = load(tmp_path, environment={"CSHUB_STORE": store.url.render_as_string(hide_password=False)})
    clock = Clock(NOW)
    async with Hub.open(settings, clock=clock, engine=Engine(clock=clock)) as opened:
        yield opened


def asking(hub: Hub) -> Ask:
    served = Served(hub, None)

    async def ask(query: str, variables: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        context = Context(
            store=hub.store,
            reads=Reads(hub.store),
            viewer=viewer(Role.ADMIN),
            now=hub.clock(),
            actions=served.actions,
            playbooks=served.playbooks,
            sources=served.sources,
        )
        return (await answer(context, query, variables)).said()

    return ask


def told(body: Mapping[str, Any]) -> str:
    """What an answer says beside the text that was sent, which it may quote."""
    return repr([(each["message"], each.get("extensions")) for each in body.get("errors", ())])


async def look(ask: Ask, place: Place, text: str, usual: dict[Place, int]) -> None:
    query, variables = document(place, text, with_text=True)
    body = await ask(query, variables)
    said = told(body).replace(repr(text)[1:-1], "")
    assert "INTERNAL" not in said, (str(place), text, body)
    if text not in SQL:
        return
    if is_several(place):
        if place not in usual:
            plain = await ask(*document(place, text, with_text=False))
            assert "errors" not in plain, (str(place), plain)
            usual[place] = rows(place, plain["data"])
        assert rows(place, body.get("data")) <= usual[place], (str(place), text)


def test_there_are_many_places() -> None:
    names = {str(place) for place in PLACES}
    assert len(PLACES) > 120
    assert {"Query.node.id", "Query.customers.after", "Query.customers.filter.name.contains"} <= names


async def test_sql_in_every_place_is_a_text(hub: Hub) -> None:
    """Through the compiled path and the ordinary one in turn."""
    ask, usual = asking(hub), dict[Place, int]()
    before = await held(hub.store)
    half = PLACES[hub.store.dialect == "postgresql" :: 2]  # each on one of the databases
    for number, place in enumerate(half):
        READER.enabled = number % 4 < 2
        try:
            await look(ask, place, SQL[number % len(SQL)], usual)
        finally:
            READER.enabled = True
    assert await held(hub.store) == before, "whatever was sent, nothing was written"


@settings(
    max_examples=60, derandomize=True, database=None, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(place=st.sampled_from(PLACES), text=ANY)
async def test_any_text_is_one(hub: Hub, place: Place, text: str) -> None:
    await look(asking(hub), place, text, {})


async def test_patterns_are_looked_for_as_they_are(hub: Hub) -> None:
    ask = asking(hub)
    for test, text, count in (
        ("contains", "%", 0),
        ("contains", "_", 0),
        ("contains", "\\", 0),
        ("startsWith", "Customer_00", 0),
        ("contains", "00", 3),
    ):
        query = f"query($is: String!) {{ customers(filter: {{name: {{{test}: $is}}}}) {{ totalCount }} }}"
        assert (await ask(query, {"is": text}))["data"]["customers"]["totalCount"] == count, text
    query = "query($is: String!) { customers(filter: {search: $is}) { totalCount } }"
    assert (await ask(query, {"is": "%"}))["data"]["customers"]["totalCount"] == 0


async def held(store: Store) -> dict[str, int]:
    """Rows of every table but the log, which notes who read what."""
    async with store.reading() as connection:
        return {
            table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in metadata.sorted_tables
            if table.name != "audit_record"
        }
