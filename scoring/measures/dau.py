"""Daily active users against seats: the mean over 28 days, because a single day is a Sunday or it is not."""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.seats import FACTS, of_seats, share_of_seats
from scoring.wording import number, percent

MEASURE = Measure(
    name="dau",
    group="usage",
    meaning="distinct users a day, mean over 28 days, as a share of the seats",
    facts=("mean_dau_28d", *FACTS),
    live="events_28d",
    age="usage_age_days",
    unit="share of seats",
    curve=Points(((0, 0), (0.05, 0.3), (0.15, 0.5), (0.3, 0.7), (0.5, 1))),
    value=lambda columns: share_of_seats(columns["mean_dau_28d"], columns),
    sentence=lambda value, facts: (
        f"On a day {number(round(facts['mean_dau_28d'] or 0, 1))} of {of_seats(facts)} were active ({percent(value)}), "
        "mean of the last 28 days"
    ),
    lever=Lever(
        fact="mean_dau_28d",
        step=0.7,
        goal=1_000_000,
        most=8,
        limit="wau",
        along=("stickiness",),
        doing="make it a tool of every working day for one more user",
    ),
)
