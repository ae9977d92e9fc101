"""Licences in use: users of 28 days over the seats bought. Over 100 % is kept: it calls for more seats, not for worry.

Known only where seats are; `mau` falls back to the most users seen. The steps are the usual ones of this figure: below
50 % red, below 80 % yellow, from 80 % on green. It moves with the users that `mau` counts, whose lever is the one to pull.
"""

from scoring.curves import Thresholds
from scoring.measure import Measure
from scoring.wording import counted, percent

MEASURE = Measure(
    name="licence_utilisation",
    group="usage",
    meaning="distinct users of 28 days over the seats bought; over 1 is kept",
    facts=("seat_utilisation", "mau", "seats_purchased"),
    live="events_28d",
    age="usage_age_days",
    unit="share of seats",
    curve=Thresholds(((0, 0.15), (0.5, 0.5), (0.8, 1))),
    value=lambda columns: columns["seat_utilisation"],
    sentence=lambda value, facts: (
        f"{percent(value)} of the seats were in use in the last 28 days "
        f"({counted(facts['mau'] or 0, 'user', 'users')}, {counted(facts['seats_purchased'] or 0, 'seat', 'seats')})"
    ),
)
