"""Renewals: the terms and deals they are made of, their rows, what people said of them, and who is likely to leave by then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, true, update

from hub.errors import NotFoundError
from hub.model.records import CancellationKind, OpportunityType
from hub.store.asking import several
from hub.store.books import of_book
from hub.store.bulk import write_rows
from hub.store.daily import batches
from hub.store.labels import paid
from hub.store.store import Connection
from hub.store.tables import (
    churn_prediction,
    customer,
    lifecycle,
    opportunity,
    renewal,
    renewal_statement,
    subscription,
)

COLUMNS = tuple(column.name for column in renewal.columns if column.name != "updated_at")


class TermRow(NamedTuple):
    """A paid term. noticed_on: when notice was given, and not to go on smaller."""

    id: str
    customer_id: str
    currency: str
    mrr: float
    started_on: date
    renews_on: date | None
    ended_on: date | None
    auto_renew: bool
    noticed_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person said a renewal came to. `amount`: a year's; None: what was due."""

    id: str
    renewal_id: str
    status: str
    amount: float | None
    reason: str
    by: str
    at: datetime


def _of(column: ColumnElement[str], customer_id: str | None) -> ColumnElement[bool]:
    return true() if customer_id is None else column == customer_id


async def find_terms(connection: Connection, *, since: date | None, customer_id: str | None = None) -> list[TermRow]:
    """Paid terms of all customers (or one), by customer, currency and beginning; only those that reach `since`."""
    term = subscription.c
    statement = (
        select(
            term.id,
            term.customer_id,
            term.currency,
            term.mrr,
            term.started_on,
            term.renews_on,
            term.ended_on,
            term.auto_renew,
            term.cancelled_at,
            term.cancellation_kind,
        )
        .join_from(subscription, customer, customer.c.id == term.customer_id)
        .where(customer.c.merged_into_id.is_(None), paid(term), _of(term.customer_id, customer_id))
    )
    if since is not None:
        statement = statement.where(
            or_(term.renews_on >= since, term.ended_on.is_(None), term.ended_on >= since, term.started_on >= since)
        )
    order = term.customer_id, term.currency, term.started_on, term.id
    smaller = CancellationKind.CONTRACTION.value
    return [
        TermRow(*row[:8], noticed_on=None if row.cancelled_at is None or row[9] == smaller else row.cancelled_at.date())
        for row in await connection.execute(statement.order_by(*order))
    ]


async def find_deals(
    connection: Connection, *, since: date | None, customer_id: str | None = None
) -> dict[tuple[str, str], list[Any]]:
    """{(customer, currency): renewal deals that close on `since` or later}: id, stage, amount, target_amount, close_on."""
    deal = opportunity.c
    statement = select(
        deal.customer_id, deal.currency, deal.id, deal.stage, deal.amount, deal.target_amount, deal.close_on
    ).where(
        deal.customer_id.is_not(None),
        deal.deleted.is_(False),
        deal.type == OpportunityType.RENEWAL.value,
        deal.close_on.is_not(None),
        _of(deal.customer_id, customer_id),
    )
    if since is not None:
        statement = statement.where(deal.close_on >= since)
    found: dict[tuple[str, str], list[Any]] = {}
    for row in await connection.execute(statement.order_by(deal.id)):
        found.setdefault((row.customer_id, row.currency), []).append(row)
    return found


async def find_renewal_risks(connection: Connection, *, customer_id: str | None = None) -> dict[str, float]:
    """{customer: probability of leaving by the next renewal}, by the model that counts; who gave notice is not in it."""
    row = churn_prediction.c
    statement = select(row.customer_id, row.probability).where(
        row.latest,
        row.shown,
        row.horizon == "renewal",
        row.probability.is_not(None),
        _of(row.customer_id, customer_id),
    )
    return {each.customer_id: each.probability for each in await connection.execute(statement)}


async def find_kept(
    connection: Connection, *, since: date | None, customer_id: str | None = None
) -> dict[str, dict[str, Any]]:
    """{id: row} of the renewals of all customers (or one) that fall due on `since` or later."""
    statement = (
        select(*(renewal.c[name] for name in COLUMNS))
        .join_from(renewal, customer, customer.c.id == renewal.c.customer_id)
        .where(customer.c.merged_into_id.is_(None), _of(renewal.c.customer_id, customer_id))
    )
    if since is not None:
        statement = statement.where(renewal.c.due_on >= since)
    return {row.id: dict(zip(COLUMNS, row, strict=True)) for row in await connection.execute(statement)}


async def find_said(connection: Connection) -> dict[str, Said]:
    """{renewal: what a person said of it and nobody took back}."""
    row = renewal_statement.c
    statement = select(row.id, row.renewal_id, row.status, row.amount, row.reason, row.by, row.at)
    statement = statement.where(row.withdrawn_at.is_(None)).order_by(row.at)
    return {each.renewal_id: Said(**each._mapping) for each in await connection.execute(statement)}


async def count_decided(connection: Connection, *, since: date) -> dict[tuple[bool, str], int]:
    """{(renews by itself, renewed or churned): how many were decided since a day}."""
    row = renewal.c
    statement = select(row.auto, row.status, func.count()).where(row.decided_on >= since).group_by(row.auto, row.status)
    return {(bool(auto), status): count for auto, status, count in await connection.execute(statement)}


async def write_renewals(connection: Connection, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Insert renewals, or replace what is there."""
    await write_rows(connection, renewal, [{**row, "updated_at": now} for row in rows], replace=True)


async def drop_renewals(connection: Connection, ids: Iterable[str]) -> None:
    """Forget renewals that never fell due, because their terms fall due on another day now, or are gone."""
    for some in batches(ids):
        await connection.execute(delete(renewal_statement).where(renewal_statement.c.renewal_id.in_(some)))
        await connection.execute(delete(renewal).where(renewal.c.id.in_(some)))


async def get_renewal(connection: Connection, renewal_id: str) -> dict[str, Any]:
    """One renewal; NotFoundError where there is none of this id."""
    statement = select(*(renewal.c[name] for name in COLUMNS)).where(renewal.c.id == renewal_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise NotFoundError(f"no renewal {renewal_id!r}; cshub renewals list shows which there are")
    return dict(zip(COLUMNS, row, strict=True))


async def say(connection: Connection, said: Said) -> None:
    """Keep what a person said; what was said of the renewal before is withdrawn."""
    await take_back(connection, said.renewal_id, by=said.by, now=said.at)
    row = {name: getattr(said, name) for name in Said.__dataclass_fields__}
    await connection.execute(renewal_statement.insert(), [row])


async def take_back(connection: Connection, renewal_id: str, *, by: str, now: datetime) -> bool:
    """Withdraw what a person said of a renewal; False where nobody said anything."""
    row = renewal_statement.c
    statement = (
        update(renewal_statement)
        .where(row.renewal_id == renewal_id, row.withdrawn_at.is_(None))
        .values(withdrawn_at=now, withdrawn_by=by)
    )
    return bool((await connection.execute(statement)).rowcount)


async def find_due(
    connection: Connection,
    *,
    first: date | None = None,
    last: date | None = None,
    statuses: Sequence[str] = (),
    customer_id: str | None = None,
    most: int | None = None,
    book: str | None,
) -> list[Any]:
    """Renewals with their customer's name, segment and csm_email, that fall due from `first` to `last`, in order of day."""
    row = renewal.c
    tests: list[ColumnElement[bool]] = [customer.c.merged_into_id.is_(None), *of_book(row.customer_id, book)]
    if first is not None:
        tests.append(row.due_on >= first)
    if last is not None:
        tests.append(row.due_on <= last)
    if statuses:
        tests.append(row.status.in_(list(statuses)))
    if customer_id is not None:
        tests.append(row.customer_id == customer_id)
    names = (customer.c.name, customer.c.segment, customer.c.csm_email)
    columns = (*(row[name] for name in COLUMNS), *names)
    statement = select(*columns).join_from(renewal, customer, customer.c.id == row.customer_id)
    statement = statement.where(and_(*tests)).order_by(row.due_on, row.id)
    return list((await connection.execute(statement if most is None else statement.limit(most))).all())


BLANK: dict[str, Any] = dict.fromkeys(
    (
        "due_on",
        "status",
        "reason",
        "amount",
        "currency",
        "final",
        "expected",
        "probability",
        "probability_by",
        "notice_by",
    )
)


_WORDS = (
    select(renewal)
    .join(lifecycle, and_(lifecycle.c.customer_id == renewal.c.customer_id, lifecycle.c.renewal_on == renewal.c.due_on))
    .where(renewal.c.customer_id.in_(several("ids")))
    .order_by(renewal.c.customer_id, renewal.c.id.desc())  # of several currencies the first stays
)


async def find_renewal_words(connection: Connection, customer_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """{customer: what messages may say of the renewal by which it stands}, the names of `BLANK`; all plain JSON."""
    found: dict[str, dict[str, Any]] = {}
    for ids in batches(customer_ids):
        for each in await connection.execute(_WORDS, {"ids": ids}):
            found[each.customer_id] = {
                "due_on": each.due_on.isoformat(),
                "status": each.status,
                "reason": each.reason,
                "amount": each.target,
                "currency": each.currency,
                "final": each.final,
                "expected": each.expected,
                "probability": each.probability,
                "probability_by": each.probability_by,
                "notice_by": each.notice_by.isoformat() if each.notice_by else None,
            }
    return found
