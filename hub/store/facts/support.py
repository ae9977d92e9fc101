"""Facts of support: tickets, their severity, response and solution, and the CSAT answers.

Of a ticket only what had happened by the day counts. First response: when its minutes since creation had passed. Solution:
when `solved_at` had passed. Reopens: those of tickets solved since, because a reopen has no time of its own but lies before
the last solution; the reopen rate divides those of the tickets solved in 90 days by their number. Severity is what it was on
the day, as far back as the hub has watched it (`history`).

CSAT is asked on scales of all kinds. Good is the top two boxes of a scale with five or more ("1-5": 4 and 5), the top box
of a shorter one ("0-1": 1). A scale of more than eleven boxes is no CSAT scale and doesn't count.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, or_, select

from hub.store.facts.columns import Columns, share
from hub.store.facts.elapsed import elapsed_minutes, minutes_until
from hub.store.facts.history import AsOf, column_as_of
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import survey_response, ticket

NAMES = (
    "tickets_28d",
    "tickets_90d",
    "tickets_open",
    "urgent_tickets_90d",
    "severe_share_90d",
    "first_response_minutes_90d",
    "resolution_hours_90d",
    "reopens_90d",
    "tickets_solved_90d",
    "reopen_rate_90d",
    "csat_90d",
    "csat_answers_90d",
)
_COUNTS = ("tickets_28d", "tickets_90d", "tickets_open", "urgent_tickets_90d", "reopens_90d", "tickets_solved_90d")
_MEANS = ("first_response_minutes_90d", "resolution_minutes_90d", "reopen_rate_90d")


async def add(
    connection: Connection, window: Window, columns: Columns, known: set[str], asked_for_csat: set[str]
) -> None:
    """Add the facts of `NAMES`; customers `known` without tickets have zeros, and so with CSAT."""
    severity = await column_as_of(connection, window, ticket, "severity")
    rows = [row for row in await connection.execute(_tickets(window, severity)) if row.customer_id in known]
    columns.fill(rows, (*_COUNTS, *_MEANS), absent=dict.fromkeys(_COUNTS, 0.0), of=known)
    columns.derive("severe_share_90d", share, "urgent_tickets_90d", "tickets_90d")
    columns.derive("resolution_hours_90d", lambda mean: None if mean is None else mean / 60, "resolution_minutes_90d")
    answers = [row for row in await _find_csat(connection, window) if row.customer_id in asked_for_csat]
    columns.fill(answers, ["csat_90d", "csat_answers_90d"], absent={"csat_answers_90d": 0.0}, of=asked_for_csat)


def _tickets(window: Window, severity: AsOf) -> Any:
    row = ticket.c
    recent = row.created_at >= window.first_moment(90)
    solved = row.solved_at < window.end
    # solved, but the source doesn't say when: by the row's last change at the latest
    done = or_(
        solved,
        and_(
            row.solved_at.is_(None),
            row.status.in_(["solved", "closed"]),
            row.version < int(window.end.timestamp() * 1000),
        ),
    )
    solved_lately = and_(solved, row.solved_at >= window.first_moment(90))
    # all others are neither open nor counted: most of what a customer ever asked
    matters = or_(recent, row.solved_at.is_(None), row.solved_at >= window.first_moment(90))
    answered = row.first_response_minutes <= minutes_until(window.end, row.created_at)

    def count(condition: ColumnElement[bool], value: Any = 1) -> Any:
        return func.sum(case((condition, value), else_=0))

    def mean(condition: ColumnElement[bool], value: Any) -> Any:
        return func.avg(case((condition, value)))

    return (
        select(
            row.customer_id,
            count(row.created_at >= window.first_moment(28)).label("tickets_28d"),
            count(recent).label("tickets_90d"),
            func.sum(case((done, 0), else_=1)).label("tickets_open"),
            count(and_(recent, severity.value.in_(["high", "urgent"]))).label("urgent_tickets_90d"),
            count(and_(recent, solved), row.reopens).label("reopens_90d"),
            mean(and_(recent, answered), row.first_response_minutes).label("first_response_minutes_90d"),
            count(solved_lately).label("tickets_solved_90d"),
            mean(solved_lately, cast(row.reopens, Float)).label("reopen_rate_90d"),
            mean(
                solved_lately,
                func.coalesce(row.resolution_minutes, elapsed_minutes(row.created_at, row.solved_at)),
            ).label("resolution_minutes_90d"),
        )
        .select_from(severity.beside(ticket))
        .where(window.known_of_asked(ticket), row.created_at < window.end, matters)
        .group_by(row.customer_id)
    )


@dataclass(frozen=True, slots=True)
class _Csat:
    customer_id: str
    csat_90d: float
    csat_answers_90d: int


async def _find_csat(connection: Connection, window: Window) -> list[_Csat]:
    row = survey_response.c
    statement = (
        select(row.customer_id, row.scale, row.score, func.count().label("answers"))
        .where(
            window.known_of_asked(survey_response),
            row.type == "csat",
            row.responded_at >= window.first_moment(90),
            row.responded_at < window.end,
        )
        .group_by(row.customer_id, row.scale, row.score)
    )
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for answer in await connection.execute(statement):
        good = is_good(answer.scale, answer.score)
        if good is not None:
            counts[answer.customer_id][0] += answer.answers * good
            counts[answer.customer_id][1] += answer.answers
    return [_Csat(id_, good / answers, answers) for id_, (good, answers) in counts.items()]


def is_good(scale: str, score: float) -> bool | None:
    """Whether a CSAT answer is good; None where the scale ("lowest-highest") is none of CSAT or the score is not on it."""
    lowest, _, highest = scale.partition("-")
    if not (lowest.isdigit() and highest.isdigit()) or not int(lowest) <= score <= int(highest):
        return None
    boxes = int(highest) - int(lowest) + 1
    if not 2 <= boxes <= 11:
        return None
    return score >= int(highest) - (1 if boxes >= 5 else 0)
