"""NPS answers: the mean score, each respondent's newest answer. The NPS of a book is for analytics, not of one customer."""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.wording import counted, number

MEASURE = Measure(
    name="nps",
    group="feedback",
    meaning="mean NPS score, 0-10, over the newest answer of each respondent in 180 days",
    facts=("nps_mean_180d", "nps_answers_180d"),
    live="nps_answers_180d",
    age="nps_age_days",
    unit="0-10",
    curve=Points(((0, 0), (6, 0.3), (7, 0.5), (8, 0.7), (10, 1))),
    value=lambda columns: columns["nps_mean_180d"],
    sentence=lambda value, facts: (
        f"NPS score {number(round(value, 1))} of 10, mean of the newest of "
        f"{counted(facts['nps_answers_180d'] or 0, 'answer', 'answers')} in the last 180 days"
    ),
    lever=Lever(
        fact="nps_mean_180d",
        step=0.5,
        goal=10,
        most=4,
        doing="follow up the low answers and ask again",
    ),
)
