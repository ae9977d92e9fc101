"""Answers to surveys in some windows: of each contact the newest of each type, and those nobody can be found for."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, case, func, select

from hub.store.store import Connection
from hub.store.tables import survey_response


async def find_answers(connection: Connection, windows: Sequence[tuple[date, date]]) -> list[Any]:
    """The newest answer of each contact to each type of survey, in each window of (first day, last day).

    Windows don't overlap. Who gave no address is a contact of their own with each answer. Answers on several scales are
    one contact's all the same: the newest counts, on its scale. Returns rows of id, customer_id (None: of nobody the hub
    knows), type, scale, score, window (its place in `windows`), in order of id.
    """
    row = survey_response.c
    window = case(
        *(
            (and_(row.responded_at >= _moment(first), row.responded_at < _moment(last + timedelta(days=1))), place)
            for place, (first, last) in enumerate(windows)
        )
    )
    found = (
        select(
            row.id,
            row.customer_id,
            row.type,
            row.scale,
            row.score,
            row.respondent_email,
            row.responded_at,
            window.label("window"),
        )
        .where(
            row.deleted.is_(False),
            row.responded_at >= _moment(min(first for first, _ in windows)),
            row.responded_at < _moment(max(last for _, last in windows) + timedelta(days=1)),
        )
        .subquery()
    )
    answer = found.c
    rank = func.row_number().over(
        partition_by=[
            answer.window,
            answer.type,
            answer.customer_id,
            func.coalesce(func.lower(answer.respondent_email), answer.id),
        ],
        order_by=[answer.responded_at.desc(), answer.id.desc()],
    )
    ranked = select(found, rank.label("rank")).where(answer.window.is_not(None)).subquery()
    columns = [ranked.c[name] for name in ("id", "customer_id", "type", "scale", "score", "window")]
    return list((await connection.execute(select(*columns).where(ranked.c.rank == 1).order_by(ranked.c.id))).all())


def _moment(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
