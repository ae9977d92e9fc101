"""Depth of use: events a user, against the customers of the same segment, because no product has the same number of events."""

from scoring.curves import Percentile
from scoring.measure import Measure
from scoring.wording import counted

MEASURE = Measure(
    name="feature_usage",
    group="usage",
    meaning="events a user in 28 days, among the customers of the same segment",
    facts=("events_per_user_28d", "events_28d", "mau"),
    live="events_28d",
    age="usage_age_days",
    unit="events a user",
    curve=Percentile("higher"),
    value=lambda columns: columns["events_per_user_28d"],
    sentence=lambda value, facts: (
        f"{counted(round(value, 1), 'event', 'events')} a user in the last 28 days "
        f"({counted(facts['events_28d'] or 0, 'event', 'events')}, {counted(facts['mau'] or 0, 'user', 'users')})"
    ),
)
