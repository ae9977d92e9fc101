"""The statement of each kind of records: customer_id, source, key, `at`, and what `words` needs to say of them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select

from hub.store.evidence.behind import Kind
from hub.store.evidence.people import champions, executive_answers, executive_tickets, executives, lost_champions
from hub.store.facts.billing import running
from hub.store.facts.history import column_as_of
from hub.store.facts.judgement import in_force
from hub.store.facts.payments import failed, overdue
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import (
    external_id,
    feature_usage_day,
    invoice,
    sentiment,
    subscription,
    survey_response,
    ticket,
    user_activity_day,
)

Statement = Callable[[Connection, Window, int | None], Awaitable[Select[Any]]]


async def _use(_: Connection, window: Window, days: int | None) -> Select[Any]:
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


async def _features(_: Connection, window: Window, days: int | None) -> Select[Any]:
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


async def _tickets(connection: Connection, window: Window, days: int | None) -> Select[Any]:
    row = ticket.c
    begins = [row.created_at >= window.first_moment(days)] if days else []
    return (await _ticket(connection, window, row.created_at)).where(*begins)


async def _solved(connection: Connection, window: Window, days: int | None) -> Select[Any]:
    row = ticket.c
    begins = [row.solved_at >= window.first_moment(days)] if days else []
    return (await _ticket(connection, window, row.solved_at)).where(row.solved_at < window.end, *begins)


async def _open(connection: Connection, window: Window, days: int | None) -> Select[Any]:
    row = ticket.c
    # as in the fact: solved without saying when counts from the row's last change
    undated = and_(
        row.solved_at.is_(None),
        or_(
            row.status.not_in(["solved", "closed"]),
            row.version >= int(window.end.timestamp() * 1000),
        ),
    )
    return (await _tickets(connection, window, days)).where(or_(row.solved_at >= window.end, undated))


async def _ticket(connection: Connection, window: Window, at: ColumnElement[Any]) -> Select[Any]:
    """Tickets opened by the day, with the severity they had then."""
    row = ticket.c
    severity = await column_as_of(connection, window, ticket, "severity")
    columns = (row.customer_id, row.source, row.key, at.label("at"), row.subject, row.url)
    return (
        select(*columns, severity.value.label("severity"))
        .select_from(severity.beside(ticket))
        .where(window.known_of_asked(ticket), row.created_at < window.end)
    )


def _answers(kind: str | None) -> Statement:
    async def statement(_: Connection, window: Window, days: int | None) -> Select[Any]:
        row = survey_response.c
        begins = [row.responded_at >= window.first_moment(days)] if days else []
        of_kind = [row.type == kind] if kind else []
        scale = [row.scale == "0-10"] if kind == "nps" else []
        return _answer().where(
            window.known_of_asked(survey_response), row.responded_at < window.end, *begins, *of_kind, *scale
        )

    return statement


def _answer() -> Select[Any]:
    row = survey_response.c
    return select(row.customer_id, row.source, row.key, row.responded_at.label("at"), row.score, row.scale, row.comment)


async def _terms(_: Connection, window: Window, _days: int | None) -> Select[Any]:
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


async def _running(connection: Connection, window: Window, days: int | None) -> Select[Any]:
    return (await _terms(connection, window, days)).where(running(window.day))


async def _failed(_: Connection, window: Window, days: int | None) -> Select[Any]:
    assert days is not None
    return _invoice(window, invoice.c.failed_at).where(failed(window, days))


async def _overdue(_: Connection, window: Window, _days: int | None) -> Select[Any]:
    return _invoice(window, func.coalesce(invoice.c.due_on, invoice.c.issued_on)).where(overdue(window))


def _invoice(window: Window, at: ColumnElement[Any]) -> Select[Any]:
    row = invoice.c
    columns = (row.number, row.amount, row.currency, row.issued_on, row.due_on, row.attempts)
    return select(row.customer_id, row.source, row.key, at.label("at"), *columns).where(
        window.known_of_asked(invoice), row.issued_on <= window.day
    )


async def _companies(_: Connection, window: Window, _days: int | None) -> Select[Any]:
    """As they are today: rows of companies are not kept as they were, but for the fields that are watched."""
    row = external_id.c
    columns = (row.customer_id, row.source, row.key, row.learned_at.label("at"), row.name, row.segment, row.csm_email)
    told = or_(row.segment.is_not(None), row.csm_email.is_not(None))
    return select(*columns).where(window.known_of_asked(external_id), told)


async def _sentiments(_: Connection, window: Window, _days: int | None) -> Select[Any]:
    row = in_force(window).add_columns(sentiment.c.id.label("key"), sentiment.c.by, sentiment.c.reason).subquery()
    return select(
        row.c.customer_id,
        literal("sentiment").label("source"),
        row.c.key,
        row.c.set_at.label("at"),
        row.c.sentiment,
        row.c.by,
        row.c.reason,
    ).where(row.c.rank == 1)


STATEMENTS: Mapping[Kind, Statement] = {
    "activity": _use,
    "feature": _features,
    "ticket": _tickets,
    "solved_ticket": _solved,
    "open_ticket": _open,
    "csat": _answers("csat"),
    "nps": _answers("nps"),
    "survey": _answers(None),
    "subscription": _running,
    "term": _terms,
    "failed_invoice": _failed,
    "overdue_invoice": _overdue,
    "company": _companies,
    "champion": champions,
    "lost_champion": lost_champions,
    "executive": executives,
    "executive_answer": executive_answers,
    "executive_ticket": executive_tickets,
    "sentiment": _sentiments,
}
