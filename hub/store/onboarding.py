"""Onboardings and their steps: found, begun, moved on; and what in the records proves that a step is done.

All of it is for any number of onboardings at once. One active onboarding a customer: the database itself sees to it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.daily import batches
from hub.store.labels import paid
from hub.store.store import Connection
from hub.store.tables import customer, onboarding, onboarding_step, subscription

ACTIVE = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """One attempt at getting a customer going; see the table. state: active, completed, failed or cancelled."""

    id: str
    customer_id: str
    attempt: int
    programme: str
    state: str
    cause: str
    started_at: datetime
    progress: float = 0.0
    pace: str | None = None
    step: str | None = None
    step_since: datetime | None = None
    started_by: str | None = None
    value_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingStep:
    """A step of one; see the table. state: open, done, skipped, or left_out (the customer is none of those it is for)."""

    onboarding_id: str
    name: str
    position: int
    title: str
    optional: bool = False
    ours: bool = False
    after: Sequence[str] = ()
    state: str = "open"
    turn_at: datetime | None = None
    due_on: date | None = None
    times: int = 0
    done_at: datetime | None = None
    done_by: str | None = None
    evidence: str | None = None
    note: str | None = field(default=None, repr=False)


async def find_onboardings(
    connection: Connection,
    *,
    ids: Iterable[str] | None = None,
    customer_ids: Iterable[str] | None = None,
    states: Collection[str] | None = None,
    paces: Collection[str] | None = None,
    newest: bool = False,
    during: tuple[date, date] | None = None,
    limit: int | None = None,
    lock: bool = False,
) -> list[Onboarding]:
    """Onboardings that meet everything asked, of customers that are not merged into another, the latest begun first.

    newest  only the last attempt of each customer
    during  those that were active on any of these days, from the first to the last
    lock    nobody else moves them until the transaction ends
    """
    row = onboarding.c
    statement = (
        select(onboarding)
        .join(customer, customer.c.id == row.customer_id)
        .where(customer.c.merged_into_id.is_(None))
        .order_by(row.started_at.desc(), row.id)
    )
    if ids is not None:
        statement = statement.where(row.id.in_(list(ids)))
    if customer_ids is not None:
        statement = statement.where(row.customer_id.in_(list(customer_ids)))
    if states is not None:
        statement = statement.where(row.state.in_(list(states)))
    if paces is not None:
        statement = statement.where(row.pace.in_(list(paces)))
    if newest:
        other = onboarding.alias("other")
        highest = select(func.max(other.c.attempt)).where(other.c.customer_id == row.customer_id).scalar_subquery()
        statement = statement.where(row.attempt == highest)
    if during is not None:
        first, last = (datetime.combine(day, time.min, UTC) for day in during)
        statement = statement.where(
            row.started_at < last + timedelta(days=1), or_(row.ended_at.is_(None), row.ended_at >= first)
        )
    if limit is not None:
        statement = statement.limit(limit)
    return [
        _onboarding(each) for each in await connection.execute(_locked(connection, statement) if lock else statement)
    ]


async def find_steps(connection: Connection, onboarding_ids: Iterable[str]) -> dict[str, list[OnboardingStep]]:
    """{onboarding id: its steps, in order}."""
    found: dict[str, list[OnboardingStep]] = {}
    for ids in batches(onboarding_ids):
        statement = (
            select(onboarding_step)
            .where(onboarding_step.c.onboarding_id.in_(ids))
            .order_by(onboarding_step.c.onboarding_id, onboarding_step.c.position, onboarding_step.c.name)
        )
        for row in await connection.execute(statement):
            found.setdefault(row.onboarding_id, []).append(_step(row))
    return found


async def begin(connection: Connection, onboardings: Sequence[Onboarding]) -> list[str]:
    """Insert onboardings; return the ids of those that are in: whose customer has an active one already are not."""
    if not onboardings:
        return []
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    await connection.execute(insert(onboarding).on_conflict_do_nothing(), [asdict(each) for each in onboardings])
    made: list[str] = []
    for ids in batches([each.id for each in onboardings]):
        made += (await connection.execute(select(onboarding.c.id).where(onboarding.c.id.in_(ids)))).scalars()
    return made


async def write(connection: Connection, onboardings: Sequence[Onboarding], steps: Sequence[OnboardingStep]) -> None:
    """Put onboardings, which are there, and steps, which may be, as they are given."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    for table, rows in (
        (onboarding, [asdict(each) for each in onboardings]),
        (onboarding_step, [{**asdict(each), "id": f"{each.onboarding_id}:{each.name}"} for each in steps]),
    ):
        if rows:
            put = insert(table)
            changed = {name: put.excluded[name] for name in rows[0] if name != "id"}
            await connection.execute(put.on_conflict_do_update(index_elements=[table.c.id], set_=changed), rows)


async def find_attempts(connection: Connection, customer_ids: Iterable[str]) -> dict[str, int]:
    """{customer id: how many onboardings it has had}."""
    found: dict[str, int] = {}
    for ids in batches(customer_ids):
        statement = (
            select(onboarding.c.customer_id, func.max(onboarding.c.attempt))
            .where(onboarding.c.customer_id.in_(ids))
            .group_by(onboarding.c.customer_id)
        )
        found |= {row[0]: row[1] for row in await connection.execute(statement)}
    return found


async def find_new_customers(connection: Connection, *, since: date, today: date) -> dict[str, date]:
    """{customer id: the day it began} of those that never had an onboarding and began from `since` to `today`.

    A customer began with its first paid term, or on the day its source says it became one, whichever is earlier: a new
    term of somebody who is known to have been a customer before is no beginning.
    """
    term, row = subscription.c, customer.c
    first = (
        select(term.customer_id, func.min(term.started_on).label("started_on"))
        .where(term.customer_id.is_not(None), paid(term))
        .group_by(term.customer_id)
        .subquery()
    )
    stated, began = row.became_customer_on, first.c.started_on
    statement = (
        select(row.id, stated, began)
        .outerjoin(first, first.c.customer_id == row.id)
        .where(
            row.merged_into_id.is_(None),
            or_(stated.is_(None), stated >= since),
            or_(began.is_(None), began >= since),
            or_(stated.between(since, today), began.between(since, today)),
            ~select(onboarding.c.id).where(onboarding.c.customer_id == row.id).exists(),
        )
        .order_by(row.id)
    )
    found = {}
    for id_, said, paid_from in await connection.execute(statement):
        found[id_] = min(day for day in (said, paid_from) if day is not None)
    return found


async def find_leavers(connection: Connection, *, today: date) -> set[str]:
    """Customers with an active onboarding whose paid terms, of which there was one, are all over."""
    term = subscription.c
    statement = (
        select(term.customer_id)
        .join(onboarding, and_(onboarding.c.customer_id == term.customer_id, onboarding.c.state == ACTIVE))
        .where(paid(term))
        .group_by(term.customer_id)
        .having(and_(func.count() == func.count(term.ended_on), func.max(term.ended_on) <= today))
    )
    return set((await connection.execute(statement)).scalars())


async def cancel_merged(connection: Connection, *, now: datetime) -> list[str]:
    """End the active onboardings of customers that have been merged into another; return their ids."""
    gone = select(customer.c.id).where(customer.c.merged_into_id.is_not(None))
    statement = (
        update(onboarding)
        .where(onboarding.c.state == ACTIVE, onboarding.c.customer_id.in_(gone))
        .values(state="cancelled", pace=None, step=None, step_since=None, ended_at=now, ended_why="merged into another")
        .returning(onboarding.c.id)
    )
    return list((await connection.execute(statement)).scalars())


def _locked(connection: Connection, statement: Select[Any]) -> Select[Any]:
    return statement.with_for_update(of=onboarding) if connection.dialect.name == "postgresql" else statement


def _onboarding(row: Row[Any]) -> Onboarding:
    return Onboarding(**{name: row._mapping[name] for name in Onboarding.__dataclass_fields__})


def _step(row: Row[Any]) -> OnboardingStep:
    known = row._mapping
    values: Mapping[str, Any] = {name: known[name] for name in OnboardingStep.__dataclass_fields__}
    return OnboardingStep(**{**values, "after": tuple(values["after"])})
