"""CSAT: the share of good answers; fewer than three answers are an anecdote and read as missing."""

import numpy as np

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.wording import counted, percent

ENOUGH = 3

MEASURE = Measure(
    name="csat",
    group="support",
    meaning="share of good among the CSAT answers of 90 days",
    facts=("csat_90d", "csat_answers_90d"),
    live="csat_answers_90d",
    age="feedback_age_days",
    unit="share of answers",
    curve=Points(((0, 0), (0.5, 0.3), (0.7, 0.5), (0.85, 0.7), (1, 1))),
    value=lambda columns: np.where(columns["csat_answers_90d"] >= ENOUGH, columns["csat_90d"], np.nan),
    sentence=lambda value, facts: (
        f"{percent(value)} of {counted(facts['csat_answers_90d'] or 0, 'answer', 'answers')} to CSAT surveys "
        "in the last 90 days were good"
    ),
    lever=Lever(
        fact="csat_90d",
        step=0.05,
        goal=1,
        doing="win good answers: call on every bad one and settle what it was about",
    ),
)
