"""How often a user comes back: sessions a user and week."""

from scoring.curves import Points
from scoring.measure import Measure
from scoring.wording import number

MEASURE = Measure(
    name="login_frequency",
    group="engagement",
    meaning="sessions a user and week, over 28 days",
    facts=("logins_per_user_week", "sessions_28d", "mau"),
    live="events_28d",
    unit="sessions a user and week",
    curve=Points(((0, 0), (0.5, 0.3), (1, 0.5), (2.5, 0.7), (5, 1))),
    value=lambda columns: columns["logins_per_user_week"],
    sentence=lambda value, facts: (
        f"{number(round(value, 1))} sessions a user and week in the last 28 days "
        f"({number(facts['sessions_28d'] or 0)} sessions, {number(facts['mau'] or 0)} users)"
    ),
)
