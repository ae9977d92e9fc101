"""Engagement in one number, 0-100: 100 times the mean of reach, rhythm and breadth, each between 0 and 1.

    reach    users of 28 days over seats (scoring.seats), at most 1
    rhythm   days a user came in 28, over the 20 working days there are in them, at most 1: stickiness * 28 / 20
    breadth  features used in 28 days over those any customer used

It needs all three, so that it means the same for everybody. There is no agreed engagement score: this one is ours, and
the three parts are measures of their own (`mau`, `stickiness`, `feature_adoption`), so a definition weighs either them or it.
"""

from collections.abc import Mapping

import numpy as np

from scoring.curves import Points
from scoring.facts import Floats
from scoring.measure import Measure, Numbers
from scoring.seats import FACTS, of_seats, share_of_seats
from scoring.wording import number, percent

WORKING_DAYS = 20 / 28


def _value(columns: Mapping[str, Floats]) -> Floats:
    reach = np.minimum(share_of_seats(columns["mau"], columns), 1.0)
    rhythm = np.minimum(columns["stickiness"] / WORKING_DAYS, 1.0)
    return np.asarray(100 * (reach + rhythm + columns["feature_adoption"]) / 3, dtype=np.float64)


def _sentence(value: float, facts: Numbers) -> str:
    days = (facts["stickiness"] or 0.0) * 28
    return (
        f"Engagement score {number(round(value))} of 100: {number(facts['mau'] or 0)} of {of_seats(facts)}, "
        f"{number(round(days, 1))} days a user, {percent(facts['feature_adoption'] or 0)} of the features "
        "in the last 28 days"
    )


MEASURE = Measure(
    name="engagement_score",
    group="engagement",
    meaning="100 times the mean of users by seats, days a user by working days, and features used by those there are",
    facts=(*FACTS, "stickiness", "feature_adoption"),
    live="events_28d",
    age="usage_age_days",
    unit="points of 100",
    curve=Points(((0, 0), (20, 0.3), (40, 0.5), (60, 0.7), (85, 1))),
    value=_value,
    sentence=_sentence,
)
