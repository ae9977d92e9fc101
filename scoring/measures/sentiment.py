"""The CSM's judgement as a measure, for definitions that want it in health. By default it stays beside it.

It is a series of its own (hub.judgement) and never weighed unless a definition says so. Nobody lifts a score by judging
more kindly, so there is no lever.
"""

from scoring.curves import Points
from scoring.measure import Measure
from scoring.wording import counted, number

MEASURE = Measure(
    name="sentiment",
    group="relationship",
    meaning="the CSM's judgement in force, 0-1",
    facts=("sentiment", "sentiment_age_days"),
    live="sentiment",
    age="sentiment_age_days",
    unit="0-1",
    curve=Points(((0, 0), (1, 1))),
    value=lambda columns: columns["sentiment"],
    sentence=lambda value, facts: (
        f"The CSM judges {number(round(value * 100))} of 100, "
        f"given {counted(facts['sentiment_age_days'] or 0, 'day', 'days')} ago"
    ),
)
