"""How long a session lasts; without any session the length reads as 0, for nobody stayed at all."""

import numpy as np

from scoring.curves import Points
from scoring.measure import Measure
from scoring.wording import counted, duration

MEASURE = Measure(
    name="session_duration",
    group="engagement",
    meaning="mean length of a session, over 28 days",
    facts=("minutes_per_session", "sessions_28d"),
    live="events_28d",
    age="usage_age_days",
    unit="minutes",
    curve=Points(((0, 0), (3, 0.3), (8, 0.5), (15, 0.7), (30, 1))),
    value=lambda columns: np.where(columns["sessions_28d"] == 0, 0.0, columns["minutes_per_session"]),
    sentence=lambda value, facts: (
        f"A session lasted {duration(value)}, mean of {counted(facts['sessions_28d'], 'session', 'sessions')} "
        "in the last 28 days"
        if facts["sessions_28d"]
        else "No session in the last 28 days"
    ),
)
