"""What CSMs state beside the data, and what it was worth afterwards."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry

from hub.store.judgement import Statement
from schema.fields import column, computed, computed_now


def _in_force(row: Any, context: Any) -> bool:
    return row["withdrawn_at"] is None and row["expires_on"] >= context.now.date()


_IN_FORCE = ("withdrawn_at", "expires_on")


@strawberry.type(
    description="A score a CSM has put in the place of the computed health, for a while. A record, never changed."
)
class HealthOverride:
    score: float = column(description="0 to 1; the band follows from it.")
    reason: str = column(personal=True)
    by: str = column()
    set_at: datetime = column()
    expires_on: date = column(description="The last day it is in force.")
    withdrawn_at: datetime | None = column(description="When a person, or a newer one, ended it before its time.")
    withdrawn_by: str | None = column()
    in_force: bool = computed_now(_in_force, *_IN_FORCE)


@strawberry.type(
    description="How a customer feels to its CSM. Its own series, no part of health unless a definition says so."
)
class Sentiment:
    value: float = column(description="0 to 1; red is 0, yellow 0.5, green 1; marks of 1 to 5 are 0 to 1 in quarters.")
    reason: str = column(personal=True)
    by: str = column()
    set_at: datetime = column()
    expires_on: date = column(description="The last day it holds.")
    withdrawn_at: datetime | None = column(description="When a person, or a newer one, ended it before its time.")
    withdrawn_by: str | None = column()
    in_force: bool = computed_now(_in_force, *_IN_FORCE)


def override_row(stated: Statement | None) -> Mapping[str, Any] | None:
    """A statement as the row of a HealthOverride."""
    return None if stated is None else {**asdict(stated), "score": stated.value}


@strawberry.enum(description="A sentiment in a word.")
class SentimentColour(Enum):
    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"


@strawberry.enum(description="What was stated.")
class JudgementKind(Enum):
    OVERRIDE = "override"
    SENTIMENT = "sentiment"


def _of(name: str, description: str | None = None, *, personal: bool = False) -> Any:
    return computed(lambda found: getattr(found, name), description=description, personal=personal)


@strawberry.type(description="A measured value and its 90 % interval.")
class MeasuredValue:
    value: float = _of("value")
    low: float = _of("low")
    high: float = _of("high")


@strawberry.type(description="Stated scores beside the computed ones of the same customers and days.")
class JudgementQuality:
    brier: MeasuredValue = _of("brier", "Mean square of the distance to what happened; lower is better.")
    computed_brier: MeasuredValue = _of("computed_brier")
    brier_gain: MeasuredValue = _of("brier_gain", "Above zero where the stated scores were better.")
    auc: MeasuredValue = _of("auc", "How often who left was scored below who stayed; 0.5 is chance.")
    computed_auc: MeasuredValue = _of("computed_auc")
    auc_gain: MeasuredValue = _of("auc_gain", "Above zero where the stated scores were better.")


@strawberry.type(description="What judgements came to.")
class JudgementVerdict:
    stated: int = _of("stated")
    matured: int = _of("matured", "Those whose horizon is over.")
    churned: int = _of("churned", "Of the matured ones: of customers who left within the horizon.")
    raised: int = _of("raised", "Matured ones above the computed score.")
    raised_churned: int = _of("raised_churned")
    lowered: int = _of("lowered", "Matured ones below the computed score.")
    lowered_churned: int = _of("lowered_churned")
    quality: JudgementQuality | None = _of("measured", "Null where there are too few.")
    sentence: str = _of("sentence", "What to make of it, in words.")


@strawberry.type(description="What the judgements of one CSM came to.")
class CsmVerdict:
    csm: str = computed(lambda pair: pair[0])
    verdict: JudgementVerdict = computed(lambda pair: pair[1])


@strawberry.type(description="Overrides or sentiment, scored afterwards against who left.")
class Judgement:
    kind: JudgementKind = computed(lambda judged: JudgementKind(judged.kind))
    horizon_days: int = _of("horizon_days")
    since: date = _of("since", "Stated from this day on.")
    until: date = _of("until", "A horizon that is over by this day has matured.")
    left_out: int = _of("left_out", "Stated of customers who did not pay at the time, or had given notice: not judged.")
    overall: JudgementVerdict = _of("overall")
    by_csm: list[CsmVerdict] = computed(lambda judged: list(judged.by_csm.items()))
