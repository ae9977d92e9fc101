"""Rows of several requests in one statement: each gets its own, and nobody another's."""

import asyncio
from typing import Any

import pytest

from hub.store import Store
from hub.store.gathering import MOST, Gathering, by_keys
from hub.store.raw import RawError
from hub.store.raw_postgresql import RawPostgresql
from tests.store.test_raw import raw_of

ECHO = "SELECT $2::TEXT || '$1' || $1::TEXT WHERE $1::TEXT <> 'nobody'"


class Asked:
    """A database that answers each key with itself in capitals, when it is let; "bad" fails."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, list[Any]]] = []
        self.begun = asyncio.Event()
        self.may = asyncio.Event()
        self.may.set()

    async def read(self, sql: str, parameters: Any) -> list[tuple[Any, ...]]:
        self.statements.append((sql, list(parameters)))
        self.begun.set()
        await self.may.wait()
        keys = parameters[-1]
        if "bad" in keys:
            raise RawError("bad")
        if isinstance(keys, list):
            return [
                (place, f"{parameters[0]}:{key.upper()}") for place, key in enumerate(keys, start=1) if key != "none"
            ]
        return [(f"{parameters[0]}:{keys.upper()}",)] if keys != "none" else []


async def test_each_gets_its_own_on_both_databases(store: Store) -> None:
    raw = raw_of(store)
    sql = ECHO if store.dialect == "postgresql" else "SELECT ?2 || '$1' || ?1 WHERE ?1 <> 'nobody'"
    keys = [f"c{number}" for number in range(2 * MOST + 3)] + ["nobody", 'it\'s "$2"', "c1"]
    found = await asyncio.gather(*(raw.text_of(sql, [key, "book"], 0) for key in keys))
    assert found == [None if key == "nobody" else f"book$1{key}".encode() for key in keys]


async def test_only_what_differs_in_its_key_alone_is_read_together() -> None:
    asked = Asked()
    gathering = Gathering(asked.read, error=RawError)
    who = [("ann", "a"), ("bob", "b"), ("ann", "c"), ("ann", "none"), (None, "d")]
    found = await asyncio.gather(*(gathering.value("of $1 by $2", [book, key], 1) for book, key in who))
    assert found == ["ann:A", "bob:B", "ann:C", None, "None:D"]
    assert sorted(asked.statements, key=str) == sorted(
        [
            (by_keys("of $1 by $2", 1), ["ann", ["a", "c", "none"]]),
            ("of $1 by $2", ["bob", "b"]),
            ("of $1 by $2", [None, "d"]),
        ],
        key=str,
    )
    assert await gathering.value("of $1 by $2", [["a", "list"], "e"], 1) == "['a', 'list']:E", "by itself"


async def test_what_fails_together_is_read_apart_and_only_the_one_at_fault_hears_of_it() -> None:
    asked = Asked()
    gathering = Gathering(asked.read, error=RawError)
    keys = ["a", "bad", "b"]
    found = await asyncio.gather(*(gathering.value("$1 $2", ["x", key], 1) for key in keys), return_exceptions=True)
    assert [found[0], found[2]] == ["x:A", "x:B"]
    assert isinstance(found[1], RawError)
    assert len(asked.statements) == 4


async def test_whoever_goes_takes_nobody_along_and_the_last_takes_the_statement() -> None:
    asked = Asked()
    asked.may.clear()
    gathering = Gathering(asked.read, error=RawError)
    tasks = [asyncio.create_task(gathering.value("$1 $2", ["x", key], 1)) for key in "abc"]
    gone = asyncio.create_task(gathering.value("$1", ["gone"], 0))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    await asked.begun.wait()
    tasks[0].cancel()
    asked.may.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1:] == ["x:B", "x:C"]
    assert [sql for sql, _ in asked.statements] == [by_keys("$1 $2", 1)], "who had gone before was not read for"


async def test_the_statement_of_those_who_all_go_is_ended() -> None:
    asked = Asked()
    asked.may.clear()
    ended = asyncio.Event()

    async def read(sql: str, parameters: Any) -> Any:
        try:
            return await asked.read(sql, parameters)
        except asyncio.CancelledError:
            ended.set()
            raise

    gathering = Gathering(read, error=RawError)
    tasks = [asyncio.create_task(gathering.value("$1", [key], 0)) for key in "ab"]
    await asked.begun.wait()
    for each in tasks:
        each.cancel()
    await asyncio.wait(tasks)
    await asyncio.wait_for(ended.wait(), timeout=10)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_many_at_once_are_few_statements(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = raw_of(store)
    assert isinstance(raw, RawPostgresql)
    asked: list[str] = []
    read = raw._rows

    async def rows(sql: str, parameters: Any) -> Any:
        asked.append(sql)
        return await read(sql, parameters)

    monkeypatch.setattr(raw._gathering, "_read", rows)
    await asyncio.gather(*(raw.text_of(ECHO, [str(number), "x"], 0) for number in range(MOST + 1)))
    assert asked == [by_keys(ECHO, 0), ECHO]
