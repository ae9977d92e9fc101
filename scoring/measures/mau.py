"""Monthly active users against seats; a month is 28 days, so that it has as many weekends as any other."""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.seats import FACTS, of_seats, share_of_seats
from scoring.wording import number, percent

MEASURE = Measure(
    name="mau",
    group="usage",
    meaning="distinct users in 28 days, as a share of the seats",
    facts=FACTS,
    live="events_28d",
    age="usage_age_days",
    unit="share of seats",
    curve=Points(((0, 0), (0.25, 0.3), (0.5, 0.5), (0.8, 0.8), (1, 1))),
    value=lambda columns: share_of_seats(columns["mau"], columns),
    sentence=lambda value, facts: (
        f"Monthly active users {number(facts['mau'] or 0)} of {of_seats(facts)} ({percent(value)}) in the last 28 days"
    ),
    lever=Lever(
        fact="mau",
        step=1,
        goal=1_000_000,
        most=10,
        limit="seats_purchased",
        along=("seat_utilisation",),
        against=("stickiness", "logins_per_user_week", "events_per_user_28d"),
        doing="invite one more of those who have a seat and do not come",
    ),
)
