"""Depth of use over time: events a user, 28 days against the customer's own 28 before.

What `feature_usage` sets beside other customers, this sets beside the customer itself: fewer users who do as much each is
`mau`'s to tell, as many users who do less each is told here. There is no change to speak of for customers younger than 56
days, nor below 20 events in the earlier window.
"""

from scoring.curves import Points
from scoring.measure import Measure, Numbers
from scoring.wording import number, percent


def _sentence(value: float, facts: Numbers) -> str:
    now, before = facts["events_per_user_28d"] or 0.0, facts["events_per_user_previous_28d"] or 0.0
    change = f"{number(round(before, 1))} -> {number(round(now, 1))}"
    if abs(value) < 0.005:
        return f"Events a user were level ({change}) in the last 28 days against the 28 before"
    word = "rose" if value > 0 else "fell"
    return f"Events a user {word} {percent(abs(value))} ({change}) in the last 28 days against the 28 before"


MEASURE = Measure(
    name="feature_depth",
    group="engagement",
    meaning="change of events a user, 28 days against the 28 before",
    facts=("depth_trend", "events_per_user_28d", "events_per_user_previous_28d"),
    live="events_28d",
    age="usage_age_days",
    unit="change",
    curve=Points(((-1, 0), (-0.5, 0.2), (-0.2, 0.45), (0, 0.7), (0.2, 0.85), (0.5, 1))),
    value=lambda columns: columns["depth_trend"],
    sentence=_sentence,
)
