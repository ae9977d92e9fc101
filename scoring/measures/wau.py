"""Weekly active users against seats."""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.seats import FACTS, of_seats, share_of_seats
from scoring.wording import number, percent

MEASURE = Measure(
    name="wau",
    group="usage",
    meaning="distinct users in 7 days, as a share of the seats",
    facts=("wau", *FACTS),
    live="events_28d",
    age="usage_age_days",
    unit="share of seats",
    curve=Points(((0, 0), (0.15, 0.3), (0.35, 0.5), (0.6, 0.7), (0.85, 1))),
    value=lambda columns: share_of_seats(columns["wau"], columns),
    sentence=lambda value, facts: (
        f"Weekly active users {number(facts['wau'] or 0)} of {of_seats(facts)} ({percent(value)}) in the last 7 days"
    ),
    lever=Lever(
        fact="wau",
        step=1,
        goal=1_000_000,
        most=10,
        limit="mau",
        doing="turn one more of the month's users into one of the week",
    ),
)
