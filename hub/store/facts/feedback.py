"""Facts of surveys: NPS, the newest score and the mean over each respondent's newest answer in 180 days; and silence.

Of NPS only the scale 0-10 counts: scores of other scales don't mix. An answer without respondent is a respondent of its own.

Silence is counted from the newest answer to any survey. Who never answered has been silent since they could have answered:
since their first subscription began, or since the first answer of anybody that the hub knows, whichever is later.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from hub.store.facts.columns import Columns
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import survey_response

NAMES = (
    "nps_last",
    "nps_mean_180d",
    "nps_age_days",
    "nps_answers_180d",
    "survey_answers_90d",
    "survey_silence_days",
)


async def add(connection: Connection, window: Window, columns: Columns, known: set[str], surveyed: set[str]) -> None:
    """Add the facts of `NAMES`: of NPS where it is `known`, of silence where anything is `surveyed`.

    The newest NPS score stands, with its age, even where its source is gone.
    """
    rows = (await connection.execute(_last(window))).all()
    columns.fill(rows, ["nps_last"])
    columns.take_days(rows, "responded_at", "nps_age_days", lambda at: _days(window, at))
    recent = [row for row in await connection.execute(_recent(window)) if row.customer_id in known]
    columns.fill(recent, ["nps_mean_180d", "nps_answers_180d"], absent={"nps_answers_180d": 0.0}, of=known)
    await _add_silence(connection, window, columns, surveyed)


async def _add_silence(connection: Connection, window: Window, columns: Columns, surveyed: set[str]) -> None:
    row = survey_response.c
    recent = case((row.responded_at >= window.first_moment(90), 1), else_=0)
    answers = (
        select(
            row.customer_id,
            func.sum(recent).label("survey_answers_90d"),
            func.max(row.responded_at).label("answered_at"),
        )
        .where(window.known_of_asked(survey_response), row.responded_at < window.end)
        .group_by(row.customer_id)
    )
    first = (await connection.execute(select(func.min(row.responded_at)).where(window.known(survey_response)))).scalar()
    rows = [found for found in await connection.execute(answers) if found.customer_id in surveyed]
    columns.fill(rows, ["survey_answers_90d"], absent={"survey_answers_90d": 0.0}, of=surveyed)
    columns.take_days(rows, "answered_at", "survey_silence_days", lambda at: _days(window, at))
    possible = None if first is None else _days(window, first)

    def silence(days: float | None, answers: float | None, tenure: float | None) -> float | None:
        if days is not None or answers is None or possible is None:
            return days
        return float(possible) if tenure is None else min(float(possible), tenure)

    columns.derive("survey_silence_days", silence, "survey_silence_days", "survey_answers_90d", "tenure_days")


def _days(window: Window, at: Any) -> int:
    moment: datetime = at
    return (window.day - moment.date()).days


def _answered(window: Window) -> ColumnElement[bool]:
    row = survey_response.c
    return and_(
        window.known_of_asked(survey_response), row.type == "nps", row.scale == "0-10", row.responded_at < window.end
    )


def _last(window: Window) -> Any:
    row = survey_response.c
    rank = func.row_number().over(partition_by=row.customer_id, order_by=[row.responded_at.desc(), row.id.desc()])
    answers = (
        select(row.customer_id, row.score.label("nps_last"), row.responded_at, rank.label("rank"))
        .where(_answered(window))
        .subquery()
    )
    return select(answers.c.customer_id, answers.c.nps_last, answers.c.responded_at).where(answers.c.rank == 1)


def _recent(window: Window) -> Any:
    row = survey_response.c
    respondent = func.coalesce(row.respondent_email, row.id)
    rank = func.row_number().over(
        partition_by=[row.customer_id, respondent], order_by=[row.responded_at.desc(), row.id.desc()]
    )
    answers = (
        select(row.customer_id, row.score, rank.label("rank"))
        .where(_answered(window), row.responded_at >= window.first_moment(180))
        .subquery()
    )
    return select(
        answers.c.customer_id,
        func.avg(case((answers.c.rank == 1, answers.c.score))).label("nps_mean_180d"),
        func.count().label("nps_answers_180d"),
    ).group_by(answers.c.customer_id)
