"""How often a user comes back: sessions a user and week."""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.wording import counted

MEASURE = Measure(
    name="login_frequency",
    group="engagement",
    meaning="sessions a user and week, over 28 days",
    facts=("logins_per_user_week", "sessions_28d", "mau"),
    live="events_28d",
    age="usage_age_days",
    unit="sessions a user and week",
    curve=Points(((0, 0), (0.5, 0.3), (1, 0.5), (2.5, 0.7), (5, 1))),
    value=lambda columns: columns["logins_per_user_week"],
    sentence=lambda value, facts: (
        f"{counted(round(value, 1), 'session', 'sessions')} a user and week in the last 28 days "
        f"({counted(facts['sessions_28d'] or 0, 'session', 'sessions')}, {counted(facts['mau'] or 0, 'user', 'users')})"
    ),
    lever=Lever(
        fact="logins_per_user_week",
        step=0.5,
        goal=5,
        along=("sessions_28d",),
        doing="bring users back more often: a weekly task, a digest, a report that is worth a look",
    ),
)
