"""How long a customer waits for a solution, over the tickets solved in 90 days."""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.wording import duration

MEASURE = Measure(
    name="resolution",
    group="support",
    meaning="mean time to solution of the tickets solved in 90 days",
    facts=("resolution_hours_90d",),
    live="tickets_90d",
    age="support_age_days",
    unit="hours",
    curve=Points(((4, 1), (24, 0.8), (72, 0.5), (168, 0.2), (336, 0))),
    value=lambda columns: columns["resolution_hours_90d"],
    sentence=lambda value, facts: (
        f"A solution took {duration(value * 60)}, mean of the tickets solved in the last 90 days"
    ),
    lever=Lever(
        fact="resolution_hours_90d",
        step=-12,
        goal=4,
        most=10,
        doing="solve their tickets sooner: escalate what is older than a day",
    ),
)
