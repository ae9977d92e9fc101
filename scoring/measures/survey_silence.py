"""Silence in surveys: days since anybody there answered one, of any kind.

Who never answered has been silent since they could have answered (hub.store.facts.feedback). Nobody's business where no
survey is asked: without a living source of surveys there is nothing to read.
"""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.wording import counted

A_CONVERSATION = -3650.0
"""One answer ends any silence."""

MEASURE = Measure(
    name="survey_silence",
    group="feedback",
    meaning="days since the newest answer to any survey",
    facts=("survey_silence_days", "survey_answers_90d"),
    live="survey_answers_90d",
    age="feedback_age_days",
    unit="days",
    curve=Points(((30, 1), (90, 0.7), (180, 0.4), (365, 0))),
    value=lambda columns: columns["survey_silence_days"],
    sentence=lambda value, facts: (
        f"No answer to a survey for {counted(value, 'day', 'days')}"
        if value > 0
        else "A survey was answered on the day itself"
    ),
    lever=Lever(
        fact="survey_silence_days",
        step=A_CONVERSATION,
        goal=0,
        most=1,
        doing="ask one of them in person for an answer",
    ),
)
