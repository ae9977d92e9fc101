"""Inserting many rows and choosing among many, on both databases."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError

from hub.store import Store
from hub.store.among import among
from hub.store.bulk import insert_new
from hub.store.tables import alert, customer, playbook_run

NOW = datetime(2026, 6, 30, 5, tzinfo=UTC)


async def customers(store: Store) -> None:
    rows = [{"id": id_, "name": id_, "segment": "pro", "created_at": NOW, "updated_at": NOW} for id_ in "abc"]
    async with store.transaction() as connection:
        await connection.execute(customer.insert(), rows)


def run(id_: str, *, of: str = "a", **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "playbook": "save",
        "playbook_version": 1,
        "definition_hash": None,
        "definition": {},
        "customer_id": of,
        "episode": id_,
        "cause": "hand",
        "started_by": None,
        "state": "running",
        "step": 0,
        "fence": 0,
        "facts": {"b": 1.5, "a": ['"', None, True, "ü\n"]},
        "started_at": NOW,
        "updated_at": NOW,
    } | changes


async def insert(store: Store, *rows: dict[str, Any]) -> list[str]:
    async with store.transaction() as connection:
        return await insert_new(connection, playbook_run, rows)


async def test_what_is_written_is_read(store: Store) -> None:
    await customers(store)
    assert await insert(store, run("1"), run("2", of="b", step=7, facts={}), run("3", of="b")) == ["1", "2", "3"]
    async with store.reading() as connection:
        rows = (await connection.execute(select(playbook_run).order_by(playbook_run.c.id))).mappings().all()
    first = dict(rows[0])
    assert list(first["facts"]) == ["b", "a"], "keys in their order"
    assert {name: first[name] for name in run("1")} == run("1")
    assert [(row["customer_id"], row["step"], row["facts"]) for row in rows[1:]] == [
        ("b", 7, {}),
        ("b", 0, run("3")["facts"]),
    ]


async def test_what_is_there_stays_and_is_not_told(store: Store) -> None:
    await customers(store)
    await insert(store, run("1"))
    again = run("1", step=5)
    same_episode = run("other", episode="1")
    twice = run("2", step=9)
    assert await insert(store, again, same_episode, run("2"), twice, run("3")) == ["2", "3"]
    async with store.reading() as connection:
        found = await connection.execute(select(playbook_run.c.id, playbook_run.c.step).order_by(playbook_run.c.id))
        assert [tuple(row) for row in found] == [("1", 0), ("2", 0), ("3", 0)]


async def test_nothing_is_nothing(store: Store) -> None:
    assert await insert(store) == []


async def test_whose_customer_is_not_there_is_refused(store: Store) -> None:
    await customers(store)
    with pytest.raises(IntegrityError):
        await insert(store, run("1"), run("2", of="nobody"))
    async with store.reading() as connection:
        assert (await connection.execute(select(playbook_run.c.id))).all() == []


async def test_what_is_too_long_is_refused_and_not_cut(store: Store) -> None:
    if store.dialect == "sqlite":
        pytest.skip("SQLite knows no lengths")
    await customers(store)
    with pytest.raises(DBAPIError, match="too long"):
        await insert(store, run("1", state="x" * 21))


async def test_columns_that_are_left_out_and_days(store: Store) -> None:
    await customers(store)
    row = {
        "id": "alert",
        "customer_id": "c",
        "kind": "task",
        "title": "Call",
        "severity": "high",
        "state": "open",
        "due_on": date(2026, 7, 2),
        "dedup_key": "k",
        "opened_at": NOW,
        "updated_at": NOW,
    }
    async with store.transaction() as connection:
        assert await insert_new(connection, alert, [row, row | {"id": "same key"}]) == ["alert"]
    async with store.reading() as connection:
        (found,) = (await connection.execute(select(alert))).mappings()
    assert (found["due_on"], found["opened_at"], found["note"]) == (date(2026, 7, 2), NOW, None)


async def test_among_many(store: Store) -> None:
    await customers(store)
    async with store.reading() as connection:
        for wanted, expected in (
            (["c", "a", "a", "nobody"], ["a", "c"]),
            ([], []),
            (['b"', "b'", "ü"], []),
            ((f"{n}b"[-1:] for n in range(5_000)), ["b"]),
        ):
            statement = select(customer.c.id).where(among(connection, customer.c.id, wanted)).order_by(customer.c.id)
            assert list((await connection.execute(statement)).scalars()) == expected
