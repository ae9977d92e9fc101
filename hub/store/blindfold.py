"""A blindfold against the future: on one connection, the store as it could be known at the end of a past day.

    async with store.scratch() as connection:
        async with blindfolded(connection, day): …     every query on the connection sees only what was known then
    peeks = await find_peeks(store, days)              facts of a past day that change when the future is hidden

It lays temporary views over the tables, of the same name and holding what `hub.store.tables.hindsight` says could be known;
both databases look for temporary names first. A fact whose column differs with and without them was computed from something
that happened later: it *peeks*, and whatever is tested with it on the past looks better than it will ever be.
"""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.sql.expression import TableClause, column, table

from hub.store.facts import table as facts_table
from hub.store.store import Connection, Store
from hub.store.tables import field_change, metadata
from hub.store.tables.hindsight import SIGHTS, Moment, as_watched

CLOSE = 1e-9
"""Sums of the same numbers in another order are the same."""


@dataclass(frozen=True, slots=True)
class Peek:
    """A fact that knew the future on `day`: what it said of a customer, and what it says when the future is hidden."""

    fact: str
    day: date
    customer_id: str
    seen: float | str | None
    knowable: float | str | None
    customers: int

    def __str__(self) -> str:
        return (
            f"{self.fact} peeks into the future: on {self.day} it said {_shown(self.seen)} of {self.customer_id}, while by "
            f"what could be known that day it was {_shown(self.knowable)} (it differs for {self.customers} of that day's "
            "customers)"
        )


def _shown(value: float | str | None) -> str:
    return "nothing" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


@asynccontextmanager
async def blindfolded(connection: Connection, day: date) -> AsyncIterator[None]:
    """Hide what came after the end of `day` from every query on `connection`, which is one of `Store.scratch`."""
    at = Moment(day, connection.dialect.name)
    for name in SIGHTS:
        view = _view(connection, metadata.tables[name], at)
        await connection.exec_driver_sql(f"CREATE TEMPORARY VIEW {name} AS {view}")
    try:
        yield
    finally:
        for name in SIGHTS:
            await connection.exec_driver_sql(f"DROP VIEW {_temporary(connection)}.{name}")


def _temporary(connection: Connection) -> str:
    return "temp" if connection.dialect.name == "sqlite" else "pg_temp"


def _view(connection: Connection, whole: Table, at: Moment) -> str:
    """The statement behind a view: the table in its own schema, with what it says set back."""
    real, change = _real(connection, whole), _real(connection, field_change)
    sight = SIGHTS[whole.name]
    said: dict[str, Any] = {**dict(real.c.items()), **sight.columns(real.c, at)}
    for name in whole.info.get("watched", {}):
        said[name] = as_watched(said[name], real.c[name], real.c.id, change, at)
    names = [each.name for each in whole.c]
    statement = select(*(said[name].label(name) for name in names)).where(sight.rows(real.c, at))
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    return str(compiled)


def _real(connection: Connection, whole: Table) -> TableClause:
    schema = "main" if connection.dialect.name == "sqlite" else "public"
    return table(whole.name, *(column(each.name, each.type) for each in whole.c), schema=schema)


async def find_peeks(store: Store, days: Sequence[date], *, facts: Sequence[str] | None = None) -> dict[str, Peek]:
    """{fact: an example} of the facts (default: all) that peek on any of `days`. Customers of both views are compared."""
    found: dict[str, Peek] = {}
    async with store.scratch() as connection:
        for day in days:
            seen = await facts_table.find_facts(connection, as_of=day)
            async with blindfolded(connection, day):
                knowable = await facts_table.find_facts(connection, as_of=day)
            for fact in seen if facts is None else facts:
                if fact not in found and fact in seen and (peek := _peek(fact, day, seen, knowable)) is not None:
                    found[fact] = peek
    return found


def _peek(
    fact: str, day: date, seen: Mapping[str, Sequence[Any]], knowable: Mapping[str, Sequence[Any]]
) -> Peek | None:
    known = dict(zip(knowable["customer_id"], knowable.get(fact, ()), strict=False))
    differ = [
        (id_, value, known[id_])
        for id_, value in zip(seen["customer_id"], seen[fact], strict=True)
        if id_ in known and not _same(value, known[id_])
    ]
    if fact == "customer_id" or not differ:
        return None
    return Peek(fact, day, *differ[0], customers=len(differ))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
    return bool(one == other)
