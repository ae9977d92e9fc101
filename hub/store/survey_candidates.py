"""What a survey must know of customers before it asks anybody there: a statement for each thing, whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from hub.model.records import Severity, SubscriptionStatus, TicketStatus
from hub.store.daily import batches
from hub.store.store import Connection
from hub.store.tables import contact, customer, lifecycle, subscription, ticket

ASKING = 0x5A27E7
"""The advisory lock of those who invite."""
OVER = (TicketStatus.SOLVED.value, TicketStatus.CLOSED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """A customer. began_on: of its first subscription but trials; active: one runs; urgent: such a ticket is open."""

    id: str
    name: str
    csm_name: str | None
    csm_email: str | None
    began_on: date | None
    active: bool
    onboarding: bool
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """A contact with an address, which is in small letters."""

    customer_id: str
    contact_id: str
    address: str
    name: str | None
    role: str | None


async def begin_asking(connection: Connection) -> None:
    """Let others who want to invite wait until this transaction ends; SQLite has one writing transaction at a time anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(ASKING)))


async def find_surveyed(
    connection: Connection, *, today: date, customer_ids: Sequence[str] | None = None
) -> list[Surveyed]:
    """All customers, or some, by id; those that were merged into others are left out."""
    term = subscription.c
    runs = case((or_(term.ended_on.is_(None), term.ended_on > today), 1), else_=0)
    terms = (
        select(term.customer_id, func.min(term.started_on).label("began_on"), func.max(runs).label("active"))
        .where(term.deleted.is_(False), term.started_on <= today, term.status != SubscriptionStatus.TRIAL.value)
        .group_by(term.customer_id)
        .subquery()
    )
    urgent = (
        select(ticket.c.customer_id)
        .where(
            ticket.c.deleted.is_(False),
            ticket.c.severity == Severity.URGENT.value,
            ticket.c.status.not_in(OVER),
            ticket.c.customer_id.is_not(None),
        )
        .distinct()
        .subquery()
    )
    row = customer.c
    statement = (
        select(
            row.id, row.name, row.csm_name, row.csm_email, terms.c.began_on, terms.c.active,
            lifecycle.c.onboarding_state, urgent.c.customer_id.label("urgent"),
        )
        .join_from(customer, terms, terms.c.customer_id == row.id, isouter=True)
        .outerjoin(lifecycle, lifecycle.c.customer_id == row.id)
        .outerjoin(urgent, urgent.c.customer_id == row.id)
        .where(row.merged_into_id.is_(None), _among(row.id, customer_ids))
        .order_by(row.id)
    )  # fmt: skip
    return [
        Surveyed(
            id=each.id,
            name=each.name,
            csm_name=each.csm_name,
            csm_email=each.csm_email,
            began_on=each.began_on,
            active=bool(each.active),
            onboarding=each.onboarding_state == "active",
            urgent=each.urgent is not None,
        )
        for each in await connection.execute(statement)
    ]


async def find_addressees(connection: Connection, customer_ids: Sequence[str]) -> list[Addressee]:
    """The contacts of customers that have an address, by customer and id."""
    found: list[Addressee] = []
    row = contact.c
    for ids in batches(customer_ids):
        statement = (
            select(row.customer_id, row.id, func.lower(row.email).label("address"), row.name, row.role)
            .where(and_(row.customer_id.in_(ids), row.deleted.is_(False), row.email.like("%_@_%")))
            .order_by(row.customer_id, row.id)
        )
        found += [
            Addressee(
                customer_id=each.customer_id, contact_id=each.id, address=each.address, name=each.name, role=each.role
            )
            for each in await connection.execute(statement)
        ]
    return found


def _among(column: ColumnElement[str], ids: Sequence[str] | None) -> ColumnElement[bool]:
    return column.is_not(None) if ids is None else column.in_(ids)
