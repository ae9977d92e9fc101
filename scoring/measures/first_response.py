"""How long a customer waits for the first answer. Without tickets there is nothing to wait for, and nothing to read."""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.wording import duration

MEASURE = Measure(
    name="first_response",
    group="support",
    meaning="mean first response to the tickets of 90 days",
    facts=("first_response_minutes_90d",),
    live="tickets_90d",
    age="support_age_days",
    unit="minutes",
    curve=Points(((30, 1), (120, 0.8), (480, 0.5), (1440, 0.3), (4320, 0))),
    value=lambda columns: columns["first_response_minutes_90d"],
    sentence=lambda value, facts: f"First response took {duration(value)}, mean of the tickets of the last 90 days",
    lever=Lever(
        fact="first_response_minutes_90d",
        step=-60,
        goal=30,
        most=12,
        doing="answer their tickets sooner: a priority rule for this customer",
    ),
)
