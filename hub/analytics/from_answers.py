"""Figures of survey answers: NPS, CSAT and CES, each scale on its own, of answers and never of averages."""

from collections.abc import Iterator

import numpy as np

from hub.analytics import feedback
from hub.analytics.definitions import Definition
from hub.analytics.frame import Frame
from hub.analytics.shares import NOTHING, Floats, Shares, Value, texts


def of_answers(frame: Frame, definition: Definition) -> Iterator[Value]:
    """A value per scale and group."""
    rows = frame.records.answers.get((definition.survey, frame.place), ())
    known = [row for row in rows if row.customer_id is not None]
    strangers = {"of_no_known_customer": float(len(rows) - len(known))}
    for scale in sorted({row.scale for row in known}) or [None]:
        mine = [row for row in known if row.scale == scale]
        scores: Floats = np.array([row.score for row in mine], dtype=np.float64)
        part = scores if scale is None else feedback.contribution(definition.name, scores, scale)
        refused = part if isinstance(part, str) else None
        numerator = np.zeros(len(mine)) if isinstance(part, str) else part
        shares = Shares(
            ids=texts([row.id for row in mine]),
            customers=texts([row.customer_id for row in mine]),
            numerator=numerator,
            denominator=np.ones(len(mine)),
            notes=texts(
                [
                    f"answered {score:g}" if refused else feedback.note(definition.name, score, brings)
                    for score, brings in zip(scores, numerator, strict=True)
                ]
            ),
        )
        for group, inside in frame.groups(shares.customers):
            chosen, reason = shares.where(inside), refused
            if mine and len(chosen) < frame.request.minimum_answers:
                reason = reason or f"{len(chosen)} answers are too few; the minimum is {frame.request.minimum_answers}"
            components = strangers if group is None else NOTHING
            yield frame.value(definition, chosen, group=group, scale=scale, components=components, reason=reason)
