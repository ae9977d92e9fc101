"""Stickiness: how many of the month's users come on a day."""

from scoring.curves import Points
from scoring.measure import Measure
from scoring.wording import number, percent

MEASURE = Measure(
    name="stickiness",
    group="engagement",
    meaning="mean daily over monthly active users, 28 days",
    facts=("stickiness", "mean_dau_28d", "mau"),
    live="events_28d",
    age="usage_age_days",
    unit="ratio",
    curve=Points(((0, 0), (0.05, 0.3), (0.15, 0.5), (0.3, 0.7), (0.5, 1))),
    value=lambda columns: columns["stickiness"],
    sentence=lambda value, facts: (
        f"On a day {percent(value)} of the month's users were active "
        f"({number(round(facts['mean_dau_28d'] or 0, 1))} of {number(facts['mau'] or 0)}), mean of the last 28 days"
    ),
)
