"""The sqlsource connector against real databases, SQLite and PostgreSQL, with what goes wrong with one."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from connectors.kit.base import Page, Stream, Window
from connectors.kit.errors import ContractError, DeniedError, TransientError
from connectors.kit.http import Client
from connectors.kit.registry import build
from connectors.kit.simulated import World
from connectors.sqlsource.sandbox import fill, source_of, truth
from hub.errors import ConfigError
from hub.identity import IdentityRules, SourceRules
from hub.model.actions import SyncState
from hub.store import Store
from hub.store.syncs import declare_sources
from hub.sync import Source, SyncReport, sync
from tests.connectors.suite import holds
from tests.connectors.worlds import company, grown, tied, touched

RULES = IdentityRules(sources={"warehouse": SourceRules()})


class Warehouse:
    """A database with the simulated company in it, and a source that reads it."""

    def __init__(self, url: str) -> None:
        self.url, self.world = url, company()
        self.now = self.world.until
        self._driven = url.replace("postgresql://", "postgresql+asyncpg://").replace("sqlite:", "sqlite+aiosqlite:")

    async def do(self, work: Callable[[Connection], Any]) -> None:
        engine = create_async_engine(self._driven)
        async with engine.begin() as connection:
            await connection.run_sync(work)
        await engine.dispose()

    async def fill(self, world: World) -> None:
        self.world = world
        await self.do(lambda connection: fill(connection, world))

    def stream(self, **query: Any) -> Stream:
        settings = source_of(self.url)
        settings["streams"]["rows"].update(query)
        (stream,) = build("sqlsource", {**settings, "page_size": 2}).streams()
        return stream

    async def pull(self, stream: Stream, bookmark: Any = None) -> list[Page]:
        window = Window(bookmark=bookmark, started_at=self.now)
        return [page async for page in stream.pull(client(), window)]

    async def sync(self, store: Store) -> SyncReport:
        connector = build("sqlsource", {**source_of(self.url), "page_size": 2})
        async with store.transaction() as connection:
            await declare_sources(connection, {"warehouse": "sqlsource"})
        source = Source(name="warehouse", connector=connector, connector_name="sqlsource")
        return await sync(store, source, RULES, clock=lambda: self.now)


def client() -> Client:
    return build("sqlsource", source_of("sqlite://")).client()


def ids(pages: list[Page]) -> list[str]:
    return [str(row["id"]) for page in pages for row in page.rows]


@pytest.fixture
async def warehouse(bare_url: str) -> Warehouse:
    made = Warehouse(bare_url)
    await made.fill(made.world)
    return made


async def test_everything_first_then_what_is_new(warehouse: Warehouse, sqlite_store: Store) -> None:
    first = await warehouse.sync(sqlite_store)
    assert (first.state, first.streams["rows"].new) == (SyncState.SUCCEEDED, len(warehouse.world.terms))
    assert (await holds(sqlite_store))["subscription"].keys() == set(truth(warehouse.world)["rows"])
    again = await warehouse.sync(sqlite_store)
    assert (again.streams["rows"].new, again.streams["rows"].changed) == (0, 0)
    assert again.streams["rows"].pulled < first.streams["rows"].pulled
    warehouse.now += timedelta(hours=1)
    await warehouse.fill(grown(touched(warehouse.world, 2, at=warehouse.now), at=warehouse.now))
    third = await warehouse.sync(sqlite_store)
    assert (third.streams["rows"].new, third.streams["rows"].changed) == (1, 1)
    held = (await holds(sqlite_store))["subscription"]
    assert held.keys() == set(truth(warehouse.world)["rows"])
    assert held["1"]["currency"] == "EUR"


async def test_rows_of_one_moment_and_rows_that_come_late_are_not_lost(warehouse: Warehouse) -> None:
    world = tied(warehouse.world)
    await warehouse.fill(world)
    stream = warehouse.stream()
    pages = await warehouse.pull(stream)
    assert len(pages) > 2
    assert sorted(ids(pages)) == sorted(truth(world)["rows"])
    mark = pages[-1].bookmark
    at = world.terms[0].updated_at - timedelta(minutes=8)  # a long transaction, committed after the pull
    late = replace(world.terms[0], number=900, updated_at=at)
    await warehouse.fill(replace(world, terms=[*world.terms, late]))
    assert "900" in ids(await warehouse.pull(stream, mark))


async def test_a_clock_that_is_wrong_does_not_move_the_bookmark_into_the_future(warehouse: Warehouse) -> None:
    world, stream = warehouse.world, warehouse.stream()
    ahead = replace(world.terms[0], number=901, updated_at=warehouse.now + timedelta(days=900))
    await warehouse.fill(replace(world, terms=[*world.terms, ahead]))
    mark = (await warehouse.pull(stream))[-1].bookmark
    new = replace(world.terms[0], number=902, updated_at=warehouse.now + timedelta(minutes=1))
    await warehouse.fill(replace(world, terms=[*world.terms, ahead, new]))
    assert {"901", "902"} <= set(ids(await warehouse.pull(stream, mark)))


async def test_a_row_without_a_time_is_read_each_time(warehouse: Warehouse) -> None:
    await warehouse.do(
        lambda connection: connection.execute(text("UPDATE subscriptions SET changed_at = NULL WHERE id = 3"))
    )
    stream = warehouse.stream()
    mark = (await warehouse.pull(stream))[-1].bookmark
    assert "3" in ids(await warehouse.pull(stream, mark))


async def test_rows_by_key_and_every_key(warehouse: Warehouse) -> None:
    stream = warehouse.stream()
    assert stream.fetch is not None
    assert stream.ids is not None
    pages = [page async for page in stream.fetch(client(), ["2", "777", "4"])]
    assert (ids(pages), [key for page in pages for key in page.gone]) == (["2", "4"], ["777"])
    found = [
        one async for some in stream.ids(client(), Window(bookmark=None, started_at=warehouse.now)) for one in some
    ]
    assert {one.key: one.version for one in found} == {
        str(term.number): round(term.updated_at.timestamp() * 1000) for term in warehouse.world.terms
    }


@pytest.mark.parametrize(("value", "key"), [("CAST('5.00' AS NUMERIC(10, 2))", "5"), ("' a '", "a")])
async def test_a_key_that_its_database_writes_otherwise_is_not_gone(warehouse: Warehouse, value: str, key: str) -> None:
    query = {"query": f"SELECT {value} AS id, 'x' AS name", "record": "company", "key": "id", "columns": {}}
    stream = warehouse.stream(**query, constants={}, company_key="id", updated_at=None, bookmark=None)
    assert stream.fetch is not None
    pages = [page async for page in stream.fetch(client(), [key, "none"])]
    found = [stream.key(raw) for page in pages for raw in page.rows]
    assert (found, [gone for page in pages for gone in page.gone]) == ([key], ["none"])


async def test_a_time_is_the_same_key_wherever_it_is_listed(warehouse: Warehouse) -> None:
    stream = warehouse.stream(key=["id", "changed_at"])
    assert stream.ids is not None
    listed = {
        one.key async for some in stream.ids(client(), Window(bookmark=None, started_at=warehouse.now)) for one in some
    }
    records = [record for page in await warehouse.pull(stream) for raw in page.rows for record in stream.records(raw)]
    assert listed == {record.key for record in records}


async def test_reading_a_few_rows_ends_its_cursor_with_its_connection(warehouse: Warehouse) -> None:
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    stream = warehouse.stream()
    window = Window(bookmark=None, started_at=warehouse.now, limit=2)
    assert len([page async for page in stream.pull(client(), window)]) == 1
    stopped = stream.pull(client(), Window(bookmark=None, started_at=warehouse.now))
    assert isinstance(stopped, AsyncGenerator)
    await anext(stopped)
    await stopped.aclose()
    gc.collect()
    await asyncio.sleep(0.01)
    assert told == []


@pytest.mark.parametrize(
    ("column", "kind"), [("changed_at", "time"), ("id", "number"), ("started_on", "day"), ("plan", "text")]
)
async def test_a_bookmark_is_of_any_type_that_grows(warehouse: Warehouse, column: str, kind: str) -> None:
    stream = warehouse.stream(bookmark=column)
    first = await warehouse.pull(stream)
    mark = first[-1].bookmark
    assert mark is not None
    expected = (
        {"time": "text"}.get(kind, kind) if warehouse.url.startswith("sqlite") and kind in ("time", "day") else kind
    )
    assert mark["kind"] == ("text" if expected == "day" and warehouse.url.startswith("sqlite") else expected)
    again = ids(await warehouse.pull(stream, mark))
    assert again
    assert set(again) <= set(ids(first))
    assert len(again) < len(ids(first)) or kind == "text"


async def test_a_query_may_hold_colons_percent_signs_and_a_with(warehouse: Warehouse) -> None:
    query = (
        "WITH chosen AS (SELECT * FROM subscriptions WHERE plan LIKE '%ow%')"
        " SELECT chosen.*, ' :not_a_parameter 10:00 %s' AS note FROM chosen;"
    )
    pages = await warehouse.pull(warehouse.stream(query=query))
    assert {row["note"] for page in pages for row in page.rows} == {" :not_a_parameter 10:00 %s"}
    assert set(ids(pages)) == {str(term.number) for term in warehouse.world.terms if term.plan == "growth"}


async def test_what_is_refused_says_what_to_do_and_shows_no_password(warehouse: Warehouse) -> None:
    with pytest.raises(DeniedError, match="nothing_of_this_name"):
        await warehouse.pull(warehouse.stream(query="SELECT * FROM nothing_of_this_name"))
    with pytest.raises(DeniedError, match="no column 'customer' for company_key"):
        await warehouse.pull(warehouse.stream(company_key="customer"))
    with pytest.raises(DeniedError, match="no column 'moved' for bookmark"):
        await warehouse.pull(warehouse.stream(bookmark="moved"))


async def test_a_server_that_is_away_is_tried_again_later() -> None:
    away = Warehouse("postgresql://reader:s3cret-of-it@127.0.0.1:1/none")
    with pytest.raises(TransientError) as failed:
        await away.pull(away.stream())
    assert "s3cret-of-it" not in str(failed.value)
    assert "127.0.0.1" in str(failed.value)


async def test_values_that_have_no_order_are_nobodys_bookmark(tmp_path: Any) -> None:
    made = Warehouse(f"sqlite:///{tmp_path / 'x.db'}")
    query = "SELECT 1 AS id, 'a' AS mark UNION ALL SELECT 2, 7"
    with pytest.raises(ContractError, match="cannot be ordered"):
        await made.pull(made.stream(query=query, bookmark="mark", updated_at=None, company_key=None, record="contact"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "hunter2"}, "SQLAlchemy's URL of a database"),
        ({"url": "klingon://reader:hunter2@host/x"}, "known databases: postgresql, mysql, "),
        ({"url": "snowflake://reader:hunter2@host/x"}, "not installed: pip install snowflake-sqlalchemy"),
        ({"url": "mysql+klingon://reader:hunter2@host/x"}, "knows no driver 'klingon' for mysql"),
        (
            {"url": "mysql://reader:hunter2@host/x"},
            "not installed: pip install mysqlclient, or name another one: mysql+p",
        ),
        (
            {"url": "mysql+pymysql://reader:hunter2@host/x"},
            "driver pymysql, which is not installed: pip install pymysql",
        ),
        ({"url": "postgresql+asyncpg://reader:hunter2@host/x"}, "name one without"),
        ({"streams": {}}, "streams"),
        ({"streams": {"Bad Name": {"query": "SELECT 1", "record": "contact", "key": "id"}}}, "is no name for a stream"),
        ({"streams": {"rows": {"query": "DELETE FROM x", "record": "contact", "key": "id"}}}, "is one SELECT"),
        ({"streams": {"rows": {"query": " ; ", "record": "contact", "key": "id"}}}, "is one SELECT"),
        ({"streams": {"rows": {"query": "SELECT 1; DROP TABLE x", "record": "contact", "key": "id"}}}, "is one SELECT"),
        (
            {"streams": {"rows": {"query": "SELECT 1", "record": "contact", "key": "id", "columns": {"nmae": "x"}}}},
            "it has:",
        ),
        ({"streams": {"rows": {"query": "SELECT 1", "record": "contct", "key": "id"}}}, "record"),
    ],
)
def test_a_setting_that_cannot_be_is_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        build("sqlsource", {**source_of("sqlite://"), **given})
    assert words in str(refused.value)
    assert "hunter2" not in str(refused.value)
