"""Mean health of those who have a score on the last day of a period, and how much data it stands on."""

from collections.abc import Iterator

import numpy as np

from hub.analytics.definitions import Definition
from hub.analytics.frame import Frame
from hub.analytics.shares import Shares, Value, texts


def of_scorecards(frame: Frame, definition: Definition) -> Iterator[Value]:
    """A value per group. Who has a scorecard but no score, for want of data, is counted and not averaged."""
    rows = frame.records.cards.get(frame.period.last, ())
    scored = [row for row in rows if row.health is not None]
    shares = Shares(
        ids=texts([row.customer_id for row in scored]),
        customers=texts([row.customer_id for row in scored]),
        numerator=np.array([row.health for row in scored], dtype=np.float64),
        denominator=np.ones(len(scored)),
        notes=texts([f"scored on {row.as_of}" for row in scored]),
    )
    coverage = np.array([row.coverage for row in scored], dtype=np.float64)
    for group, inside in frame.groups(shares.customers):
        chosen = shares.where(inside)
        components = {"coverage": float(coverage[inside].mean())} if len(chosen) else {}
        if group is None:
            components["without_score"] = float(len(rows) - len(scored))
        reason = None if len(chosen) else f"nobody was scored on {frame.period.last} or shortly before"
        yield frame.value(definition, chosen, group=group, components=components, reason=reason)
