"""Overrides of health and sentiment, as CSMs state them: written once, ended by a day or a person, never changed.

In force on a day is what had been stated by its end, had not been withdrawn by then, and expires on no earlier day; so a
past day can be rebuilt. What was stated of a customer that has been merged is stated of the one it was merged into.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Date, Select, Table, and_, cast, func, literal, or_, select, update

from hub.model.records import CancellationKind
from hub.store.labels import paid
from hub.store.store import Connection
from hub.store.tables import customer, health_override, scorecard, sentiment, subscription

Kind = Literal["override", "sentiment"]
_TABLES: Mapping[Kind, Table] = {"override": health_override, "sentiment": sentiment}
_VALUES: Mapping[Kind, str] = {"override": "score", "sentiment": "value"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a CSM stated of a customer: a score in the place of health, or a sentiment; 0-1, higher is healthier.

    expires_on  the last day it is in force
    """

    id: str
    customer_id: str
    value: float
    reason: str
    by: str
    set_at: datetime
    expires_on: date
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None


async def add_statement(connection: Connection, kind: Kind, statement: Statement) -> None:
    """Put `statement` in force; the one in force until now counts as withdrawn by whoever states this one."""
    await withdraw(connection, kind, statement.customer_id, by=statement.by, now=statement.set_at)
    row = asdict(statement)
    row[_VALUES[kind]] = row.pop("value")
    await connection.execute(_TABLES[kind].insert(), [row])


async def withdraw(connection: Connection, kind: Kind, customer_id: str, *, by: str, now: datetime) -> list[str]:
    """End what is in force of the customer; return the ids."""
    table = _TABLES[kind]
    in_force = await find_in_force(connection, kind, as_of=now.date(), every=True, customer_id=customer_id)
    ids = [each.id for each in in_force]
    if ids:
        await connection.execute(
            update(table).where(table.c.id.in_(ids)).values(withdrawn_at=now, withdrawn_by=by),
        )
    return ids


async def find_in_force(
    connection: Connection, kind: Kind, *, as_of: date, every: bool = False, customer_id: str | None = None
) -> list[Statement]:
    """What was in force at the end of the day, one a customer (its newest; `every`: also older ones), in order of customer."""
    table, over = _TABLES[kind], _end(as_of)
    statement = _statements(kind).where(
        table.c.expires_on >= as_of,
        table.c.set_at < over,
        or_(table.c.withdrawn_at.is_(None), table.c.withdrawn_at >= over),
    )
    if customer_id is not None:
        statement = statement.where(_owner() == customer_id)
    rows = await connection.execute(statement.order_by(_owner(), table.c.set_at, table.c.id))
    found = [Statement(**row) for row in rows.mappings()]
    return found if every else list({each.customer_id: each for each in found}.values())


async def find_statements(connection: Connection, kind: Kind, customer_id: str) -> list[Statement]:
    """Everything that was ever stated of the customer, the newest first."""
    table = _TABLES[kind]
    mine = _statements(kind).where(_owner() == customer_id)
    rows = await connection.execute(mine.order_by(table.c.set_at.desc(), table.c.id))
    return [Statement(**row) for row in rows.mappings()]


async def get_statements(connection: Connection, kind: Kind, ids: Sequence[str]) -> dict[str, Statement]:
    """{id: statement} of those there are."""
    rows = await connection.execute(_statements(kind).where(_TABLES[kind].c.id.in_(sorted(set(ids)))))
    return {row["id"]: Statement(**row) for row in rows.mappings()}


async def find_judged(connection: Connection, kind: Kind, *, since: date) -> dict[str, list[Any]]:
    """Everything stated from the day `since` on.

    Returns columns customers (ids), by, days (when it was stated), stated; computed: the health that the arithmetic had for
    the customer on the newest scorecard up to that day, None where there was none; and undecided: whether the customer paid
    at the time and had not given notice.
    """
    table, owner = _TABLES[kind], _owner()
    day = _day(connection, table.c.set_at)
    card = scorecard.alias("card")
    computed = (
        select(card.c.computed_health)
        .where(card.c.customer_id == owner, card.c.as_of <= day)
        .order_by(card.c.as_of.desc())
        .limit(1)
        .correlate(table, customer)
        .scalar_subquery()
    )
    term = subscription.c
    said = and_(
        func.coalesce(term.cancelled_at < table.c.set_at, literal(False)),
        func.coalesce(term.cancellation_kind, "") != CancellationKind.CONTRACTION.value,
    )
    undecided = (
        select(term.id)
        .where(
            term.customer_id == owner,
            paid(term),
            term.started_on <= day,
            or_(term.ended_on.is_(None), term.ended_on > day),
            ~said,
        )
        .correlate(table, customer)
        .exists()
    )
    statement = (
        select(
            owner.label("customers"),
            table.c.by,
            day.label("days"),
            table.c[_VALUES[kind]].label("stated"),
            computed.label("computed"),
            undecided.label("undecided"),
        )
        .join_from(table, customer, customer.c.id == table.c.customer_id)
        .where(table.c.set_at >= datetime.combine(since, time.min, UTC))
        .order_by(table.c.set_at, table.c.id)
    )
    rows = (await connection.execute(statement)).all()
    names = ("customers", "by", "days", "stated", "computed", "undecided")
    return {name: [getattr(row, name) for row in rows] for name in names}


def _statements(kind: Kind) -> Select[Any]:
    table = _TABLES[kind]
    same = [table.c[name] for name in Statement.__dataclass_fields__ if name not in ("customer_id", "value")]
    owner, value = _owner().label("customer_id"), table.c[_VALUES[kind]].label("value")
    return select(*same, owner, value).join_from(table, customer, customer.c.id == table.c.customer_id)


def _owner() -> ColumnElement[str]:
    """Whose it is: the customer's, or that of the one it was merged into."""
    return func.coalesce(customer.c.merged_into_id, customer.c.id)


def _end(day: date) -> datetime:
    """The first moment that is no longer the day."""
    return datetime.combine(day + timedelta(days=1), time.min, UTC)


def _day(connection: Connection, moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """The UTC day of a moment; SQLite keeps moments as UTC text."""
    if connection.dialect.name == "sqlite":
        return func.date(moment, type_=Date())
    return cast(func.timezone("UTC", moment), Date)
