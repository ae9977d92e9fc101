"""What playbooks read: who matches a condition today and may be acted on, and what is known about chosen customers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, Row, Select, String, and_, func, select

from hub.model.conditions import Field
from hub.store.asking import several
from hub.store.conditions import (
    CUSTOMER_FIELDS,
    HEALTH_CHANGE,
    LIFECYCLE_FIELDS,
    SCORECARD_FIELDS,
    health_change,
)
from hub.store.custom import find_custom
from hub.store.expansion import find_expansion_words
from hub.store.onboarding_words import find_onboarding_words
from hub.store.renewals import find_renewal_words
from hub.store.store import Connection
from hub.store.tables import (
    RECORD_TABLES,
    churn_prediction,
    contact,
    customer,
    lifecycle,
    scorecard,
)

BATCH = 500
_SHARED = frozenset({"id", "source", "key", "company_key", "customer_id", "version", "digest"})
RECORDS = ("ticket", "survey_response", "subscription", "invoice", "opportunity", "contact")
RECORD_FIELDS: Mapping[str, Mapping[str, Field]] = {
    kind: {
        f"{column.name}": Field(f"{column.name}", "text" if isinstance(column.type, String) else "number")
        for column in RECORD_TABLES[kind].columns
        if column.name not in _SHARED and isinstance(column.type, String | Float | Integer)
    }
    for kind in RECORDS
}  # plain texts of names that are SQLAlchemy's own
"""What a condition on a new record may ask for: the texts and numbers of its table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known about a customer by its newest scorecard.

    values         {field: value}: facts, the scorecard's own fields, the customer's; missing ones are None or absent
    as_of          the day of the scorecard; None where there is none yet
    readings       as the scorecard holds them
    churn_reasons  of the champion model's newest prediction
    contacts       e-mail addresses; contact_roles: {address: role} of those of whom a source says one
    """

    customer_id: str
    values: Mapping[str, Any]
    as_of: date | None = None
    readings: Sequence[Mapping[str, Any]] = ()
    churn_reasons: Sequence[Mapping[str, Any]] = ()
    churn_horizon_days: int | None = None
    contacts: Sequence[str] = field(default=(), repr=False)
    contact_roles: Mapping[str, str] = field(default_factory=dict, repr=False)


_OWN = (*CUSTOMER_FIELDS, *SCORECARD_FIELDS, *LIFECYCLE_FIELDS, HEALTH_CHANGE)
_NAMES = tuple(each.name for each in _OWN)
_DATES = tuple(each.name for each in _OWN if each.kind == "date")


def select_values(*more: ColumnElement[Any]) -> Select[Any]:
    names = [
        *(customer.c[each.name] for each in CUSTOMER_FIELDS),
        *(scorecard.c[each.name] for each in SCORECARD_FIELDS),
        *(lifecycle.c[each.name] for each in LIFECYCLE_FIELDS),
    ]
    change = health_change().label(HEALTH_CHANGE.name)
    return select(customer.c.id, scorecard.c.as_of, scorecard.c.facts, *names, change, *more)


def values_of(row: Row[Any]) -> dict[str, Any]:
    """Of a row of select_values; by place, for there are many rows."""
    given: tuple[Any, ...] = tuple(row)
    values = dict(given[2] or {})
    values.update(zip(_NAMES, given[3 : 3 + len(_NAMES)], strict=True))
    for name in _DATES:
        if values[name] is not None:
            values[name] = values[name].isoformat()[:10]  # the day: what runs keep is JSON
    return values


_SITUATIONS = (
    select_values(scorecard.c.readings)
    .join_from(customer, scorecard, and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest), isouter=True)
    .outerjoin(lifecycle, lifecycle.c.customer_id == customer.c.id)
    .where(customer.c.id.in_(several("ids")), customer.c.merged_into_id.is_(None))
)
_CHURN = select(churn_prediction.c.customer_id, churn_prediction.c.reasons, churn_prediction.c.horizon_days).where(
    churn_prediction.c.customer_id.in_(several("ids")), churn_prediction.c.main, churn_prediction.c.latest
)
_CONTACTS = (
    select(contact.c.customer_id, func.lower(contact.c.email).label("email"), func.min(contact.c.role).label("role"))
    .where(contact.c.customer_id.in_(several("ids")), contact.c.email.is_not(None), contact.c.deleted.is_(False))
    .group_by(contact.c.customer_id, func.lower(contact.c.email))
    .order_by(contact.c.customer_id, "email")
)


async def find_situations(
    connection: Connection, customer_ids: Iterable[str], *, with_contacts: bool = False
) -> dict[str, Situation]:
    """{customer id: situation} for those that exist, merged ones left out. A few statements for each 500 customers."""
    found: dict[str, Situation] = {}
    wanted = sorted(set(customer_ids))
    for start in range(0, len(wanted), BATCH):
        ids = wanted[start : start + BATCH]
        churn = await _churn_reasons(connection, ids)
        contacts = await _contacts(connection, ids) if with_contacts else {}
        custom = await find_custom(connection, ids)
        told = {
            "onboarding": await find_onboarding_words(connection, ids),
            "renewal": await find_renewal_words(connection, ids),
            "expansion": await find_expansion_words(connection, ids),
        }
        for row in await connection.execute(_SITUATIONS, {"ids": ids}):
            reasons, horizon = churn.get(row.id, ((), None))
            found[row.id] = Situation(
                customer_id=row.id,
                values=values_of(row)
                | custom.get(row.id, {})
                | {name: found[row.id] for name, found in told.items() if row.id in found},
                as_of=row.as_of,
                readings=row.readings or (),
                churn_reasons=reasons,
                churn_horizon_days=horizon,
                contacts=tuple(contacts.get(row.id, ())),
                contact_roles={email: role for email, role in contacts.get(row.id, {}).items() if role is not None},
            )
    return found


async def _churn_reasons(
    connection: Connection, ids: Sequence[str]
) -> dict[str, tuple[Sequence[Mapping[str, Any]], int]]:
    found = await connection.execute(_CHURN, {"ids": ids})
    return {each.customer_id: (each.reasons, each.horizon_days) for each in found}


async def _contacts(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """{customer id: {e-mail address: role}}, each address once; where sources differ, the first role by name."""
    found: dict[str, dict[str, str | None]] = {}
    for row in await connection.execute(_CONTACTS, {"ids": ids}):
        found.setdefault(row.customer_id, {})[row.email] = row.role
    return found
