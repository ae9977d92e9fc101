"""Facts of contacts: champions and executives there are, champions lost, and how long no executive was heard of.

A champion is lost by leaving (the source says that the contact is gone) or by another role. It is counted for 90 days from
when that happened at the source, unless the same contact is a champion again by the day.

An executive is heard of when the source last saw them or was in contact with them, when they answered a survey, or when they
wrote a ticket; surveys and tickets name them by e-mail.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple, Self

from sqlalchemy import ColumnElement, FromClause, Table, and_, case, func, not_, or_, select

from hub.model.records import CHAMPION_ROLES, EXECUTIVE_ROLES
from hub.store.facts.columns import Columns
from hub.store.facts.history import TRUE, AsOf, column_as_of
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import contact, field_change, survey_response, ticket

NAMES = ("champions", "champions_lost_90d", "executives", "executive_silence_days")
_COUNTS = ("champions", "executives")
_LOST = "champions_lost_90d"


class _Heard(NamedTuple):
    customer_id: str
    heard_on: date


class People:
    """Contacts with the role they had on the day, and whether they were still there; conditions for selects from `rows`."""

    def __init__(self, window: Window, role: AsOf, gone: AsOf) -> None:
        row = contact.c
        self.role, self.gone = role.value, gone.value
        self.rows: FromClause = gone.beside(role.beside(contact))
        self.known = and_(
            row.customer_id.is_not(None),
            window.asked(row.customer_id),
            row.learned_at < window.end,
            or_(row.created_at.is_(None), row.created_at < window.end),
        )
        self.champion = self.role.in_(CHAMPION_ROLES)
        self.executive = self.role.in_(EXECUTIVE_ROLES)
        self.some_role = self.role.in_([*CHAMPION_ROLES, *EXECUTIVE_ROLES])
        self.there = not_(self.gone)

    @classmethod
    async def find(cls, connection: Connection, window: Window) -> Self:
        role = await column_as_of(connection, window, contact, "role")
        return cls(window, role, await column_as_of(connection, window, contact, "deleted"))


async def add(connection: Connection, window: Window, columns: Columns, known: set[str]) -> None:
    """Add the facts of `NAMES`; `known` customers without such people have zeros, and no silence."""
    people = await People.find(connection, window)
    rows = [row for row in await connection.execute(_counts(people)) if row.customer_id in known]
    columns.fill(rows, _COUNTS, absent=dict.fromkeys(_COUNTS, 0.0), of=known)
    lost = [row for row in await connection.execute(_lost(window, people)) if row.customer_id in known]
    columns.fill(lost, [_LOST], absent={_LOST: 0.0}, of=known)
    heard = [row for row in await _find_heard(connection, window, people) if row.customer_id in known]
    columns.take_days(heard, "heard_on", "executive_silence_days", lambda on: (window.day - on).days)


def _counts(people: People) -> Any:
    def count(condition: ColumnElement[bool]) -> Any:
        return func.sum(case((condition, 1), else_=0))

    return (
        select(
            contact.c.customer_id,
            count(people.champion).label("champions"),
            count(people.executive).label("executives"),
        )
        .select_from(people.rows)
        .where(people.known, people.there, people.some_role)
        .group_by(contact.c.customer_id)
    )


def lost_change(window: Window, people: People, days: int) -> ColumnElement[bool]:
    """Whether a `field_change` of a contact is the loss of a champion in the window of `days` that still holds."""
    change = field_change.c
    left = or_(
        and_(change.field == "role", change.before.in_(CHAMPION_ROLES)),
        and_(change.field == "deleted", change.after == TRUE, people.champion),
    )
    return and_(
        change.kind == contact.name,
        change.field.in_(["role", "deleted"]),
        change.learned_at < window.end,
        change.at >= window.first_moment(days),
        left,
        not_(and_(func.coalesce(people.champion, False), people.there)),
    )


def _lost(window: Window, people: People) -> Any:
    return (
        select(contact.c.customer_id, func.count(contact.c.id.distinct()).label(_LOST))
        .select_from(people.rows.join(field_change, field_change.c.record_id == contact.c.id))
        .where(people.known, lost_change(window, people, 90))
        .group_by(contact.c.customer_id)
    )


def wrote(table: Table) -> ColumnElement[bool]:
    """Whether a survey's answer or a ticket is of the contact, whom it names by e-mail."""
    email = table.c.respondent_email if table is survey_response else table.c.requester_email
    return and_(table.c.customer_id == contact.c.customer_id, func.lower(email) == func.lower(contact.c.email))


async def _find_heard(connection: Connection, window: Window, people: People) -> list[_Heard]:
    """The newest day on which any executive of a customer was heard of."""
    row = contact.c
    executives = and_(people.known, people.there, people.executive)
    seen = await column_as_of(connection, window, contact, "last_seen_at")
    rows = people.rows
    unchanged = [] if seen.later is None else [seen.later.c.record_id.is_(None)]
    last = (
        select(row.customer_id, func.max(row.last_seen_at).label("heard_at"))
        .select_from(seen.beside(rows))
        .where(executives, row.last_seen_at < window.end, *unchanged)
        .group_by(row.customer_id)
    )
    signs = [(found.customer_id, found.heard_at) for found in await connection.execute(last)]
    if seen.later is not None:
        was = (
            select(row.customer_id, seen.later.c.before)
            .select_from(seen.beside(rows))
            .where(executives, seen.later.c.before.is_not(None))
        )
        signs += [(found.customer_id, datetime.fromisoformat(found.before)) for found in await connection.execute(was)]
    for table, at in ((survey_response, survey_response.c.responded_at), (ticket, ticket.c.created_at)):
        told = (
            select(row.customer_id, func.max(at).label("heard_at"))
            .select_from(rows.join(table, wrote(table)))
            .where(executives, window.known(table), at < window.end)
            .group_by(row.customer_id)
        )
        signs += [(found.customer_id, found.heard_at) for found in await connection.execute(told)]
    return _newest(signs)


def _newest(signs: Iterable[tuple[str, datetime]]) -> list[_Heard]:
    newest: dict[str, datetime] = {}
    for id_, at in signs:
        newest[id_] = max(at, newest.get(id_, at))
    return [_Heard(id_, at.date()) for id_, at in newest.items()]
