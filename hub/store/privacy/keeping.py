"""What becomes of rows whose time is over. `hub.store.privacy.kinds` says which those are.

Three ways: a row is deleted, words in it are taken out while what counts stays, or of a day's details the last of each month
are kept. Scores, bands, money, counts and the records facts are made of outlive all of it, so figures of the past stay true.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    Table,
    Text,
    and_,
    cast,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)

from hub.store.among import among
from hub.store.store import Connection
from hub.store.tables.base import Json

Test = ColumnElement[bool]
"""Whether a row is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What becomes of rows of a table whose `by` lies before the day. take_out: columns; none: the row is deleted.

    where    what must hold besides
    monthly  of the days the last of each month is kept as it is
    """

    table: Table
    by: str
    take_out: tuple[str, ...] = ()
    where: ColumnElement[bool] | None = None
    monthly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of record, by its name in `retention:`. days: kept by default, None for ever; least_days, and why no less."""

    name: str
    about: str
    days: int | None
    least_days: int
    why_least: str
    sweeps: tuple[Sweep, ...] = ()


def due(sweep: Sweep, *, before: date, kept: Sequence[date] = (), since: date | None = None) -> ColumnElement[bool]:
    """Whether a row's time is over and there is something to do. kept: days of a monthly sweep that stay as they are."""
    column = sweep.table.c[sweep.by]
    when: Any = before if isinstance(column.type, Date) else datetime.combine(before, time.min, UTC)
    tests: list[ColumnElement[bool]] = [column < when]
    if sweep.where is not None:
        tests.append(sweep.where)
    if sweep.monthly:
        tests += [column.not_in(list(kept))] if kept else []
        tests += [sweep.table.c.latest.is_(False)] if "latest" in sweep.table.c else []
        tests += [column >= since] if since is not None else []
    if sweep.take_out:
        tests.append(or_(*(_there(sweep.table.c[name]) for name in sweep.take_out)))
    return and_(*tests)


def _there(column: Column[Any]) -> ColumnElement[bool]:
    if isinstance(column.type, Json):
        return and_(column.is_not(None), cast(column, Text).not_in(["{}", "[]"]))
    return column.is_not(None)


async def find_kept_days(connection: Connection, table: Table, *, before: date) -> list[date]:
    """The last day of each month that the table has, of those before a day; one look into its index a month."""
    days: list[date] = []
    day = (await connection.execute(select(func.max(table.c.as_of)).where(table.c.as_of < before))).scalar()
    while day is not None:
        days.append(day)
        earlier = select(func.max(table.c.as_of)).where(table.c.as_of < day.replace(day=1))
        day = (await connection.execute(earlier)).scalar()
    return days


async def count_due(connection: Connection, table: Table, test: ColumnElement[bool]) -> int:
    return (await connection.execute(select(func.count()).select_from(table).where(test))).scalar_one()


async def sweep_batch(connection: Connection, sweep: Sweep, test: ColumnElement[bool], *, most: int) -> int:
    """Do it to the next rows; how many."""
    table = sweep.table
    keys = list(table.primary_key)
    ids = [tuple(row) for row in await connection.execute(select(*keys).where(test).limit(most))]
    if not ids:
        return 0
    if len(keys) == 1 and isinstance(ids[0][0], str):
        chosen = among(connection, keys[0], [id_ for (id_,) in ids])
    else:
        chosen = tuple_(*keys).in_(ids)
    if sweep.take_out:
        emptied = {name: _empty(table.c[name]) for name in sweep.take_out}
        await connection.execute(update(table).where(chosen).values(emptied))
    else:
        await connection.execute(delete(table).where(chosen))
    return len(ids)


LISTS = frozenset({"readings", "parts", "reasons"})


def _empty(column: Column[Any]) -> Any:
    if column.nullable:
        return None
    return [] if column.name in LISTS else {}
