"""Whether use goes up or down: events of 28 days against the 28 before."""

from scoring.curves import Points
from scoring.measure import Measure, Numbers
from scoring.wording import number, percent


def _sentence(value: float, facts: Numbers) -> str:
    now, before = number(facts["events_28d"] or 0), number(facts["events_previous_28d"] or 0)
    if abs(value) < 0.005:
        return f"Events were level ({before} -> {now}) in the last 28 days against the 28 before"
    word = "rose" if value > 0 else "fell"
    return f"Events {word} {percent(abs(value))} ({before} -> {now}) in the last 28 days against the 28 before"


MEASURE = Measure(
    name="usage_trend",
    group="usage",
    meaning="change of events, 28 days against the 28 before",
    facts=("usage_trend", "events_28d", "events_previous_28d"),
    live="events_28d",
    age="usage_age_days",
    unit="change",
    curve=Points(((-1, 0), (-0.5, 0.1), (-0.2, 0.4), (0, 0.7), (0.2, 0.9), (0.5, 1))),
    value=lambda columns: columns["usage_trend"],
    sentence=_sentence,
)
