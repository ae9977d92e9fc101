"""Time to value: from a customer's first paid day to the first day of value, with those who are not there yet.

A customer who began before the records of use do may have got there unseen, and is left out and counted as such.
"""

from collections.abc import Iterator

import numpy as np

from hub.analytics.definitions import Definition
from hub.analytics.frame import Frame
from hub.analytics.shares import Shares, Value, texts


def of_starts(frame: Frame, definition: Definition) -> Iterator[Value]:
    """A value per group."""
    since, today, period = frame.records.use_since, frame.records.today, frame.period
    rows = [row for row in frame.records.starts if period.first <= row.started_on <= period.last]
    seen = [row for row in rows if since is not None and row.started_on >= since]
    days, reached, notes = [], [], []
    for row in seen:
        until = min(today, row.ended_on or today)
        there = row.value_on is not None and row.value_on <= until
        days.append(((row.value_on if there else until) - row.started_on).days)
        reached.append(there)
        notes.append(f"on {row.value_on}" if there else f"not by {until}")
    ids = texts([row.customer_id for row in seen])
    shares = Shares(
        ids=ids,
        customers=ids,
        numerator=np.array(days, dtype=np.float64),
        denominator=np.array(reached, dtype=np.float64),
        notes=texts(notes),
    )
    for group, inside in frame.groups(ids):
        chosen = shares.where(inside)
        there = int(chosen.denominator.sum())
        components = {"reached": float(there), "censored": float(len(chosen) - there)}
        if group is None:
            components["began_before_records_of_use"] = float(len(rows) - len(seen))
        reason = None
        if since is None:
            reason = "there are no records of use"
        elif not len(chosen):
            reason = f"nobody began in {period} whose use is on record from the beginning (since {since})"
        elif chosen.headline(definition.aggregation) is None:
            reason = f"the median is not reached: {there} of {len(chosen)} have got there, the others are censored"
        yield frame.value(definition, chosen, group=group, components=components, reason=reason)
