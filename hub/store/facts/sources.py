"""Which customers the hub would have seen something of: the difference between nothing seen and nothing there.

A source *yields* a kind of record once one of its rows of that kind, of any customer, happened and was known by the day.
It is *alive* on the day unless it has synced before and then not for longer than it should: not in the `STALE_AFTER` days
up to the day, nor in `PATIENCE` times its own pause before (a file that comes once a month). A source whose syncs all came
later (a first sync that brought history), or that does not sync but is pushed to, counts as alive.

A customer is *known* for a kind where a living source that yields it has the customer among its companies. So when a source
dies its facts become missing a while later, instead of zeros that look like silence, or like a customer without problems.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, and_, func, literal, select, union_all

from hub.model.actions import SyncState
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import external_id, feature_usage_day, survey_response, sync_run, ticket, user_activity_day

STALE_AFTER = 7
"""Days without a sync that landed anything, after which a source that came oftener is dead."""
PATIENCE = 2

_LANDED = (SyncState.SUCCEEDED.value, SyncState.INCOMPLETE.value)


async def find(connection: Connection, window: Window) -> dict[str, set[str]]:
    """{kind: ids of the known customers}; kinds are activity, features, tickets, csat, nps."""
    yielding = await _find_yielding(connection, window)
    alive = await _find_alive(connection, window, {source for sources in yielding.values() for source in sources})
    known: dict[str, set[str]] = {kind: set() for kind in yielding}
    if alive:
        statement = (
            select(external_id.c.customer_id, external_id.c.source)
            .where(
                external_id.c.customer_id.is_not(None),
                external_id.c.deleted.is_(False),
                external_id.c.source.in_(sorted(alive)),
                window.asked(external_id.c.customer_id),
            )
            .distinct()
        )
        for row in await connection.execute(statement):
            for kind, sources in yielding.items():
                if row.source in sources:
                    known[kind].add(row.customer_id)
    return known


def _happened(window: Window) -> dict[str, tuple[Table, ColumnElement[bool]]]:
    answers = survey_response.c
    answered = answers.responded_at < window.end
    return {
        "activity": (user_activity_day, user_activity_day.c.day <= window.day),
        "features": (feature_usage_day, feature_usage_day.c.day <= window.day),
        "tickets": (ticket, ticket.c.created_at < window.end),
        "csat": (survey_response, and_(answers.type == "csat", answered)),
        "nps": (survey_response, and_(answers.type == "nps", answered)),
    }


async def _find_yielding(connection: Connection, window: Window) -> dict[str, set[str]]:
    companies = select(external_id.c.source).where(external_id.c.customer_id.is_not(None)).distinct().subquery()
    parts = []
    kinds = _happened(window)
    for kind, (table, happened) in kinds.items():
        # days before the first row would look through every row of a source; the index on days says so at once
        if "day" in table.c and not await _has_begun(connection, table, window):
            continue
        one = select(literal(1)).where(
            table.c.source == companies.c.source,
            table.c.learned_at < window.end,
            table.c.deleted.is_(False),
            happened,
        )
        parts.append(select(literal(kind).label("kind"), companies.c.source).where(one.exists()))
    yielding: dict[str, set[str]] = {kind: set() for kind in kinds}
    for row in await connection.execute(union_all(*parts)):
        yielding[row.kind].add(row.source)
    return yielding


async def _has_begun(connection: Connection, table: Table, window: Window) -> bool:
    first = (await connection.execute(select(func.min(table.c.day)))).scalar()
    return first is not None and first <= window.day


async def _find_alive(connection: Connection, window: Window, sources: set[str]) -> set[str]:
    landed = await _find_landed(connection, dict.fromkeys(sources, window.end))
    late = {source: at for source, at in landed.items() if window.end - at > timedelta(days=STALE_AFTER)}
    earlier = await _find_landed(connection, {source: at - timedelta(days=1) for source, at in late.items()})
    dead = {
        source
        for source, at in late.items()
        if source not in earlier or window.end - at > PATIENCE * (at - earlier[source])
    }
    return sources - dead


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
