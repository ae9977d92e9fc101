"""Facts of NPS: the newest score, and the mean over each respondent's newest answer in 180 days.

Only the scale 0-10 counts: scores of other scales don't mix. An answer without respondent is a respondent of its own.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from hub.store.facts.columns import Columns
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import survey_response

NAMES = ("nps_last", "nps_mean_180d", "nps_age_days", "nps_answers_180d")


async def add(connection: Connection, window: Window, columns: Columns, known: set[str]) -> None:
    """Add the facts of `NAMES`. The newest score stands, with its age, even where its source is gone."""
    rows = (await connection.execute(_last(window))).all()
    columns.fill(rows, ["nps_last"])
    columns.take_days(rows, "responded_at", "nps_age_days", lambda at: (window.day - at.date()).days)  # type: ignore[attr-defined]  # a datetime column
    recent = [row for row in await connection.execute(_recent(window)) if row.customer_id in known]
    columns.fill(recent, ["nps_mean_180d", "nps_answers_180d"], absent={"nps_answers_180d": 0.0}, of=known)


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
