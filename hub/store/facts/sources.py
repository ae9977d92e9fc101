"""Which customers the hub would have seen something of: the difference between nothing seen and nothing there.

A source *yields* a kind of record once one of its rows of that kind, of any customer, happened and was known by the day.
It is *alive* on the day unless it has synced before and then not for longer than it should: not in the `STALE_AFTER` days
up to the day, nor in `PATIENCE` times its own pause before (a file that comes once a month). A source whose syncs all came
later (a first sync that brought history), or that does not sync but is pushed to, counts as alive.

A customer is *known* for a kind where a living source that yields it has the customer among its companies. So when a source
dies its facts become missing a while later, instead of zeros that look like silence, or like a customer without problems.

Contacts are rewritten in place and leave no trace of who they were, so a source says nothing about the champions and
executives of days before its first sync: who is there today would be those who stayed.

A stream that *slips* takes the kinds of record it makes with it: the source is not alive for them. It does so when it is
complete only up to a time too long ago (longer than the source's `fresh_for` before the day, or where that is not said,
`STALE_AFTER` days before the newest sync, of other streams, that landed something), when it never was complete, or when the
last comparison found that less than `complete_from` of the vendor's rows are here. Both are looked up as they stood by the day.

A kind's *age* is the days from the newest landed sync to the day, of the freshest living source that knows the customer. It
is 0 where a source counts as alive without a sync before the day.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, and_, func, literal, or_, select, union_all

from hub.model.actions import SyncState
from hub.model.records import CHAMPION_ROLES, EXECUTIVE_ROLES
from hub.store.facts.slipping import STALE_AFTER, find_slipped
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import (
    contact,
    external_id,
    feature_usage_day,
    invoice,
    subscription,
    survey_response,
    sync_run,
    ticket,
    user_activity_day,
)

PATIENCE = 2

_LANDED = (SyncState.SUCCEEDED.value, SyncState.INCOMPLETE.value, SyncState.PAUSED.value)
_IN_PLACE = "roles"


@dataclass(frozen=True, slots=True)
class Known:
    """by_kind: ids of the known customers of each kind; ages: {kind: {customer: days}}, of all living sources of it."""

    by_kind: Mapping[str, Set[str]]
    ages: Mapping[str, Mapping[str, float]]

    def __getitem__(self, kind: str) -> set[str]:
        return set(self.by_kind[kind])

    def age(self, *kinds: str) -> dict[str, float]:
        """{customer: days since the newest sync of the living sources of any of `kinds`}."""
        youngest: dict[str, float] = {}
        for kind in kinds:
            for id_, days in self.ages[kind].items():
                if youngest.get(id_, days) >= days:
                    youngest[id_] = days
        return youngest


async def find(connection: Connection, window: Window, *, only: str | None = None) -> Known:
    """Who is known for what; kinds are the keys of `_happened` and "profile". only: this kind alone."""
    yielding = await _find_yielding(connection, window, only)
    sources = {source for each in yielding.values() for source in each}
    landed = await _find_landed(connection, dict.fromkeys(sources, window.end))
    alive = sources - await _find_dead(connection, window, landed)
    slipped = await find_slipped(connection, window, landed)
    customers = await _find_customers(connection, window, alive)
    by_kind: dict[str, set[str]] = {}
    ages: dict[str, dict[str, float]] = {}
    tables = {kind: table.name for kind, (table, _) in _happened(window).items()}
    for kind, of_kind in yielding.items():
        living = (of_kind & customers.keys()) - slipped.get(tables[kind], frozenset())
        if kind == _IN_PLACE:
            living &= landed.keys()
        by_kind[kind] = set().union(*(customers[source] for source in living))
        ages[kind] = {}
        days = {source: _age(window, landed.get(source)) for source in living}
        for source in sorted(living, key=lambda name: -days[name]):  # the freshest has the last word
            ages[kind].update(dict.fromkeys(customers[source], days[source]))
    return Known(by_kind, ages)


def _age(window: Window, landed_at: datetime | None) -> float:
    return 0.0 if landed_at is None else float((window.day - landed_at.date()).days)


async def _find_customers(connection: Connection, window: Window, alive: set[str]) -> dict[str, set[str]]:
    """{source: the customers it has among its companies} of living sources."""
    if not alive:
        return {}
    customers: dict[str, set[str]] = {source: set() for source in alive}
    statement = select(external_id.c.customer_id, external_id.c.source).where(
        external_id.c.customer_id.is_not(None),
        external_id.c.deleted.is_(False),
        external_id.c.source.in_(sorted(alive)),
        window.asked(external_id.c.customer_id),
    )
    for id_, source in await connection.execute(statement):
        customers[source].add(id_)
    return customers


def _happened(window: Window) -> dict[str, tuple[Table, ColumnElement[bool]]]:
    answers, company = survey_response.c, external_id.c
    answered = answers.responded_at < window.end
    there = and_(
        contact.c.learned_at < window.end, or_(contact.c.created_at.is_(None), contact.c.created_at < window.end)
    )
    return {
        "activity": (user_activity_day, user_activity_day.c.day <= window.day),
        "features": (feature_usage_day, feature_usage_day.c.day <= window.day),
        "tickets": (ticket, ticket.c.created_at < window.end),
        "csat": (survey_response, and_(answers.type == "csat", answered)),
        "nps": (survey_response, and_(answers.type == "nps", answered)),
        "surveys": (survey_response, answered),
        "subscriptions": (subscription, subscription.c.started_on <= window.day),
        "invoices": (invoice, invoice.c.issued_on <= window.day),
        "roles": (contact, and_(contact.c.role.in_([*CHAMPION_ROLES, *EXECUTIVE_ROLES]), there)),
        "profile": (
            external_id,
            or_(company.method == "created", company.segment.is_not(None), company.csm_email.is_not(None)),
        ),
    }


async def _find_yielding(connection: Connection, window: Window, only: str | None) -> dict[str, set[str]]:
    companies = select(external_id.c.source).where(external_id.c.customer_id.is_not(None)).distinct().cte("companies")
    parts = []
    kinds = {kind: told for kind, told in _happened(window).items() if only in (None, kind)}
    for kind, (table, happened) in kinds.items():
        # days before the first row would look through every row of a source; the index on days says so at once
        if "day" in table.c and not await _has_begun(connection, table, window):
            continue
        one = select(literal(1)).where(table.c.source == companies.c.source, happened)
        if kind not in (_IN_PLACE, "profile"):  # of these a row that is gone now tells as well that the source has such
            one = one.where(table.c.learned_at < window.end, table.c.deleted.is_(False))
        parts.append(select(literal(kind).label("kind"), companies.c.source).where(one.exists()))
    yielding: dict[str, set[str]] = {kind: set() for kind in kinds}
    for row in await connection.execute(union_all(*parts)) if parts else ():
        yielding[row.kind].add(row.source)
    return yielding


async def _has_begun(connection: Connection, table: Table, window: Window) -> bool:
    first = (await connection.execute(select(func.min(table.c.day)))).scalar()
    return first is not None and first <= window.day


async def _find_dead(connection: Connection, window: Window, landed: Mapping[str, datetime]) -> set[str]:
    late = {source: at for source, at in landed.items() if window.end - at > timedelta(days=STALE_AFTER)}
    earlier = await _find_landed(connection, {source: at - timedelta(days=1) for source, at in late.items()})
    return {
        source
        for source, at in late.items()
        if source not in earlier or window.end - at > PATIENCE * (at - earlier[source])
    }


async def _find_landed(connection: Connection, before: Mapping[str, datetime]) -> dict[str, datetime]:
    """{source: when its last sync that landed anything began}, of those before each source's own moment."""
    parts = []
    for source, moment in sorted(before.items()):
        newest = (
            select(sync_run.c.started_at)
            .where(sync_run.c.source == source, sync_run.c.state.in_(_LANDED), sync_run.c.started_at < moment)
            .order_by(sync_run.c.started_at.desc())
            .limit(1)
            .scalar_subquery()
        )
        parts.append(select(literal(source).label("source"), newest.label("landed_at")))
    if not parts:
        return {}
    rows = await connection.execute(union_all(*parts))
    return {row.source: row.landed_at for row in rows if row.landed_at is not None}
