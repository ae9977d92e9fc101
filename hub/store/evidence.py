"""The records behind facts: what a number was counted from, newest first, with source and key.

    found = await find_evidence(connection, customer_ids, facts, as_of=day)      {customer id: {fact: (Evidence, …)}}

A fact's records are those of its own window as of the day, by the rules the fact is counted by (hub.store.facts): known by
the end of the day, of this customer, not deleted. Use is shown by day and source, use of features by feature and source,
because single rows of use say nothing; the key then names the day or the feature. One statement a group of facts that share
a window, whatever number of customers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from hub.store.facts.billing import running
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import feature_usage_day, subscription, survey_response, ticket, user_activity_day

Kind = Literal["activity", "feature", "ticket", "solved_ticket", "open_ticket", "csat", "nps", "subscription", "term"]


@dataclass(frozen=True, slots=True)
class Span:
    """Records of a kind in the `days` that end `skip` days before the day; None: however old."""

    kind: Kind
    days: int | None = None
    skip: int = 0

    def window(self, as_of: date, customer_ids: Sequence[str]) -> Window:
        return Window(as_of - timedelta(days=self.skip), customer_ids)


def _activity(days: int | None, skip: int = 0) -> tuple[Span, ...]:
    return (Span("activity", days, skip),)


_RUNNING = (Span("subscription"),)
_TERMS = (Span("term"),)

BEHIND: Mapping[str, tuple[Span, ...]] = {
    "plan": _RUNNING,
    "tenure_days": _TERMS,
    "mrr": _RUNNING,
    "mrr_change_90d": (Span("subscription"), Span("subscription", skip=90)),
    "seats_purchased": _RUNNING,
    "seat_utilisation": (*_activity(28), *_RUNNING),
    "days_to_renewal": _RUNNING,
    "renewals": _TERMS,
    "dau": _activity(1),
    "wau": _activity(7),
    "mau": _activity(28),
    "mau_previous": _activity(28, skip=28),
    "mean_dau_28d": _activity(28),
    "events_28d": _activity(28),
    "events_previous_28d": _activity(28, skip=28),
    "usage_trend": (*_activity(28), *_activity(28, skip=28)),
    "events_84d": _activity(84),
    "active_days_28d": _activity(28),
    "days_since_active": _activity(None),
    "sessions_28d": _activity(28),
    "logins_per_user_week": _activity(28),
    "minutes_per_session": _activity(28),
    "stickiness": _activity(28),
    "events_per_user_28d": _activity(28),
    "features_used_28d": (Span("feature", 28),),
    "features_used_previous_28d": (Span("feature", 28, 28),),
    "feature_adoption": (Span("feature", 28),),
    "tickets_28d": (Span("ticket", 28),),
    "tickets_90d": (Span("ticket", 90),),
    "tickets_open": (Span("open_ticket"),),
    "urgent_tickets_90d": (Span("ticket", 90),),
    "severe_share_90d": (Span("ticket", 90),),
    "first_response_minutes_90d": (Span("ticket", 90),),
    "resolution_hours_90d": (Span("solved_ticket", 90),),
    "reopens_90d": (Span("ticket", 90),),
    "csat_90d": (Span("csat", 90),),
    "csat_answers_90d": (Span("csat", 90),),
    "nps_last": (Span("nps"),),
    "nps_mean_180d": (Span("nps", 180),),
    "nps_age_days": (Span("nps"),),
    "nps_answers_180d": (Span("nps", 180),),
}
"""The records of each fact. The profile (segment, CSM) is no count of records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """A record, or a day or feature of use put together: which source says so, under which key, when, and what."""

    source: str
    key: str
    on: date
    what: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Records of one kind from `since` (None: of any age) to `until`: how many there are, and the newest of them."""

    kind: Kind
    since: date | None
    until: date
    total: int
    records: tuple[SourceRecord, ...]


async def find_evidence(
    connection: Connection, customer_ids: Sequence[str], facts: Iterable[str], *, as_of: date, first: int = 5
) -> dict[str, dict[str, tuple[Evidence, ...]]]:
    """{customer id: {fact: what it was counted from}} of the facts that are counted from records."""
    spans = {fact: BEHIND[fact] for fact in dict.fromkeys(facts) if fact in BEHIND}
    found = {
        span: await _find(connection, span, customer_ids, as_of, first)
        for span in dict.fromkeys(span for each in spans.values() for span in each)
    }
    return {
        id_: {fact: tuple(found[span][id_] for span in each) for fact, each in spans.items()} for id_ in customer_ids
    }


async def _find(
    connection: Connection, span: Span, customer_ids: Sequence[str], as_of: date, first: int
) -> dict[str, Evidence]:
    window = span.window(as_of, customer_ids)
    inner = _STATEMENTS[span.kind](window, span.days).subquery()
    newest = [inner.c.at.desc(), inner.c.source, inner.c.key.desc()]
    ranked = select(
        *inner.c,
        func.row_number().over(partition_by=inner.c.customer_id, order_by=newest).label("rank"),
        func.count().over(partition_by=inner.c.customer_id).label("total"),
    ).subquery()
    statement = select(ranked).where(ranked.c.rank <= first).order_by(ranked.c.customer_id, ranked.c.rank)
    records: dict[str, list[SourceRecord]] = {id_: [] for id_ in customer_ids}
    totals = dict.fromkeys(customer_ids, 0)
    for row in await connection.execute(statement):
        totals[row.customer_id] = row.total
        records[row.customer_id].append(_record(span.kind, row))
    since = window.first(span.days) if span.days else None
    return {
        id_: Evidence(kind=span.kind, since=since, until=window.day, total=totals[id_], records=tuple(records[id_]))
        for id_ in customer_ids
    }


def _use(window: Window, days: int | None) -> Select[Any]:
    use = user_activity_day.c
    begins = [use.day >= window.first(days)] if days else []
    return (
        select(
            use.customer_id,
            use.source,
            use.day.label("key"),
            use.day.label("at"),
            func.count(use.user_key.distinct()).label("users"),
            func.sum(use.events).label("events"),
            func.sum(use.sessions).label("sessions"),
        )
        .where(window.known_of_asked(user_activity_day), use.day <= window.day, use.events > 0, *begins)
        .group_by(use.customer_id, use.source, use.day)
    )


def _features(window: Window, days: int | None) -> Select[Any]:
    use = feature_usage_day.c
    begins = [use.day >= window.first(days)] if days else []
    return (
        select(
            use.customer_id,
            use.source,
            use.feature.label("key"),
            func.max(use.day).label("at"),
            func.sum(use.events).label("events"),
            func.count(use.day.distinct()).label("days"),
        )
        .where(window.known_of_asked(feature_usage_day), use.day <= window.day, use.events > 0, *begins)
        .group_by(use.customer_id, use.source, use.feature)
    )


def _tickets(window: Window, days: int | None) -> Select[Any]:
    row = ticket.c
    begins = [row.created_at >= window.first_moment(days)] if days else []
    return _ticket(row.created_at).where(window.known_of_asked(ticket), row.created_at < window.end, *begins)


def _solved(window: Window, days: int | None) -> Select[Any]:
    row = ticket.c
    begins = [row.solved_at >= window.first_moment(days)] if days else []
    known = and_(window.known_of_asked(ticket), row.created_at < window.end)
    return _ticket(row.solved_at).where(known, row.solved_at < window.end, *begins)


def _open(window: Window, days: int | None) -> Select[Any]:
    row = ticket.c
    # as in the fact: solved without saying when counts from the row's last change
    undated = and_(
        row.solved_at.is_(None),
        or_(
            row.status.not_in(["solved", "closed"]),
            row.version >= int(window.end.timestamp() * 1000),
        ),
    )
    return _tickets(window, days).where(or_(row.solved_at >= window.end, undated))


def _ticket(at: ColumnElement[Any]) -> Select[Any]:
    row = ticket.c
    return select(row.customer_id, row.source, row.key, at.label("at"), row.subject, row.severity, row.url)


def _answers(kind: str) -> Any:
    def statement(window: Window, days: int | None) -> Select[Any]:
        row = survey_response.c
        begins = [row.responded_at >= window.first_moment(days)] if days else []
        scale = [row.scale == "0-10"] if kind == "nps" else []
        return select(
            row.customer_id, row.source, row.key, row.responded_at.label("at"), row.score, row.scale, row.comment
        ).where(
            window.known_of_asked(survey_response), row.type == kind, row.responded_at < window.end, *begins, *scale
        )

    return statement


def _terms(window: Window, _days: int | None) -> Select[Any]:
    row = subscription.c
    return select(
        row.customer_id,
        row.source,
        row.key,
        row.started_on.label("at"),
        row.plan,
        row.mrr,
        row.currency,
        row.seats_purchased,
        row.ended_on,
    ).where(window.known_of_asked(subscription), row.started_on <= window.day)


def _running(window: Window, days: int | None) -> Select[Any]:
    return _terms(window, days).where(running(window.day))


_STATEMENTS: Mapping[Kind, Any] = {
    "activity": _use,
    "feature": _features,
    "ticket": _tickets,
    "solved_ticket": _solved,
    "open_ticket": _open,
    "csat": _answers("csat"),
    "nps": _answers("nps"),
    "subscription": _running,
    "term": _terms,
}


def _record(kind: Kind, row: Any) -> SourceRecord:
    on = row.at.date() if isinstance(row.at, datetime) else row.at
    url = row.url if "ticket" in kind else None
    return SourceRecord(source=row.source, key=str(row.key), on=on, what=_what(kind, row), url=url)


def _what(kind: Kind, row: Any) -> str:
    match kind:
        case "activity":
            return ", ".join(
                _many(count, one)
                for count, one in ((row.users, "user"), (row.events, "event"), (row.sessions, "session"))
            )
        case "feature":
            return f"{_many(row.events, 'event')} on {_many(row.days, 'day')}"
        case "ticket" | "solved_ticket" | "open_ticket":
            return f"{row.severity}: {row.subject or 'without a subject'}"
        case "csat" | "nps":
            return f"{row.score:g} on {row.scale}" + (f": {row.comment}" if row.comment else "")
        case "subscription" | "term":
            seats = f", {row.seats_purchased} seats" if row.seats_purchased is not None else ""
            until = f" until {row.ended_on}" if row.ended_on else ""
            return f"{row.plan}, {row.mrr:,.2f} {row.currency} a month{seats}{until}"


def _many(count: int, one: str) -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"
