"""Comparisons of models, promotions and readings of drift, as the use cases made them."""

from datetime import date, datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from hub.training.alarm import in_words
from schema.fields import computed
from scoring.drift import Level

strawberry.enum(
    Level,
    name="DriftLevel",
    description="STEADY: within chance. WARN: look at it. ACT: far beyond it. UNUSED: the model does not ask for it.",
)


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found, name), description=description)


def _verdict(name: str, description: str | None = None) -> Any:
    return computed(
        lambda found: None if found.verdict is None else getattr(found.verdict, name), description=description
    )


def _difference(name: str, description: str | None = None) -> Any:
    return computed(
        lambda found: None if found.verdict is None else getattr(found.verdict.difference, name),
        description=description,
    )


@strawberry.type(
    description="A challenger beside its champion, on snapshots that have come true and neither learned from."
)
class ChurnModelComparison:
    horizon: str = _of("horizon")
    champion: str = _of("champion", "Version.")
    challenger: str = _of("challenger", "Version.")
    days: list[date] = computed(lambda found: list(found.days), description="The snapshots it rests on.")
    source: str | None = _of("source", "stored: predictions of both were stored; anew: both predicted again.")
    customers: int | None = _verdict("customers")
    churned: int | None = _verdict("churned", "Distinct customers among them who left.")
    champion_log_loss: float | None = _verdict("champion_log_loss")
    challenger_log_loss: float | None = _verdict("challenger_log_loss")
    difference: float | None = _difference(
        "value", "Log-loss of the challenger less the champion's; below 0 is better."
    )
    difference_low: float | None = _difference("low", "Of its 95 % interval.")
    difference_high: float | None = _difference("high", "Of its 95 % interval.")
    champion_lift: float | None = _verdict("champion_lift", "At 10 %.")
    challenger_lift: float | None = _verdict("challenger_lift", "At 10 %.")
    better: bool = _of("better", "Beyond noise.")
    why_not: str | None = _of("why_not")


@strawberry.type(description="A model became the champion of its horizon.")
class ChurnModelPromotion:
    horizon: str = _of("horizon")
    version: str = _of("version")
    previous: str | None = _of("previous", "Whose place it took.")
    kind: str = _of("kind", "automatic, by_hand, forced or rollback.")
    by: str = _of("by")
    reason: str | None = _of("reason")
    comparison: JSON | None = _of("comparison", "The numbers it rests on.")
    at: datetime = _of("at")
    undone_at: datetime | None = _of("undone_at", "When a rollback took it back.")


@strawberry.type(description="One thing that was checked of a champion.")
class DriftReading:
    kind: str = _of("kind", "psi: against what it learned from; calibration, roc_auc: what came of its predictions.")
    name: str = _of("name", "The feature, or score.")
    as_of: date = _of("as_of", "The day whose customers, or predictions, were looked at.")
    value: float = _of("value")
    warn: float | None = _of("warn", "What the value is held against.")
    act: float | None = _of("act")
    level: Level = computed(lambda found: Level(found.level))
    customers: int = _of("customers")
    detail: JSON = _of("detail")
    checked_at: datetime = _of("checked_at")
    text: str = computed(in_words, description="In words.")


@strawberry.type(description="The newest checks of a horizon's champion.")
class Drift:
    horizon: str = _of("horizon")
    model_version: str = _of("model_version")
    level: Level = _of("level", "The gravest of the alarms.")
    alarms: list[DriftReading] = computed(
        lambda found: list(found.alarms), description="What people are told of: features only where they are to act on."
    )
    readings: list[DriftReading] = computed(lambda found: list(found.readings), description="The gravest first.")
