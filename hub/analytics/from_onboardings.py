"""How many onboardings are completed, and how soon they bring value: by Kaplan-Meier, with those that are not there yet.

Completion looks at the onboardings that ended in the period. Called off by a person is no verdict and is left out; a customer
that left in the middle is one that was not completed.

Time to value looks at those that began in the period, each attempt by itself: days from the start to the step that stands for
value. One that is still going counts for as long as it has, one that failed or was called off until it ended: both may
have got there later, so they are censored and not counted as never.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from hub.analytics.definitions import Definition
from hub.analytics.frame import Frame
from hub.analytics.shares import Shares, Value, texts
from hub.store.onboarding import Onboarding

DAY = timedelta(days=1)


def of_onboardings(frame: Frame, definition: Definition) -> Iterator[Value]:
    """A value per group."""
    yield from (_completion if definition.name == "onboarding_completion" else _time_to_value)(frame, definition)


def _completion(frame: Frame, definition: Definition) -> Iterator[Value]:
    period = frame.period
    over = [
        row for row in frame.records.onboardings if row.ended_at and period.first <= row.ended_at.date() <= period.last
    ]
    judged = [row for row in over if row.state != "cancelled" or row.ended_by is None]
    shares = Shares(
        ids=texts([row.id for row in judged]),
        customers=texts([row.customer_id for row in judged]),
        numerator=np.array([row.state == "completed" for row in judged], dtype=np.float64),
        denominator=np.ones(len(judged), dtype=np.float64),
        notes=texts([_end(row) for row in judged]),
    )
    failed = np.array([row.state == "failed" for row in judged], dtype=bool)
    for group, inside in frame.groups(shares.customers):
        chosen = shares.where(inside)
        components = {
            "completed": float(chosen.numerator.sum()),
            "failed": float(failed[inside].sum()),
            "left": float(len(chosen) - chosen.numerator.sum() - failed[inside].sum()),
        }
        if group is None:
            components["called_off"] = float(len(over) - len(judged))
        reason = None if len(chosen) else f"no onboarding ended in {period}"
        yield frame.value(definition, chosen, group=group, components=components, reason=reason)


def _time_to_value(frame: Frame, definition: Definition) -> Iterator[Value]:
    period, now = frame.period, frame.records.now
    rows = [row for row in frame.records.onboardings if period.first <= row.started_at.date() <= period.last]
    shares = Shares(
        ids=texts([row.id for row in rows]),
        customers=texts([row.customer_id for row in rows]),
        numerator=np.array([_watched(row, now) for row in rows], dtype=np.float64),
        denominator=np.array([row.value_at is not None for row in rows], dtype=np.float64),
        notes=texts([_reached(row, now) for row in rows]),
    )
    for group, inside in frame.groups(shares.customers):
        chosen = shares.where(inside)
        there = int(chosen.denominator.sum())
        reason = None
        if not len(chosen):
            reason = f"no onboarding began in {period}"
        elif chosen.headline(definition.aggregation) is None:
            reason = f"the median is not reached: {there} of {len(chosen)} have got there, the others are censored"
        components = {"reached": float(there), "censored": float(len(chosen) - there)}
        yield frame.value(definition, chosen, group=group, components=components, reason=reason)


def _watched(row: Onboarding, now: datetime) -> float:
    """Days until value, or for as long as the onboarding was watched."""
    return max(((row.value_at or row.ended_at or now) - row.started_at) / DAY, 0.0)


def _reached(row: Onboarding, now: datetime) -> str:
    if row.value_at is not None:
        return f"on {row.value_at.date()}"
    return f"not by {(row.ended_at or now).date()}, {row.state}"


def _end(row: Onboarding) -> str:
    assert row.ended_at is not None, "it ended in the period"
    return f"{row.state} on {row.ended_at.date()}" + (f": {row.ended_why}" if row.state != "completed" else "")
