"""How often the live definitions of health have been right: what became of customers in each band, and how early it warned."""

from datetime import date
from typing import Any

import strawberry

from schema.fields import computed


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found, name), description=description)


@strawberry.type(description="Of `rows` customer-days, one a customer and month, `left` were followed by leaving.")
class LeavingRate:
    name: str = _of("name")
    rows: int = _of("rows")
    left: int = _of("left")
    rate: float | None = _of("rate", "Null where there are no rows.")
    low: float | None = _of("low", "Of the 90 % interval.")
    high: float | None = _of("high")


@strawberry.type(
    description="How often the live definitions of health, all together, have been right on the stored past."
)
class TrackRecord:
    horizon_days: int = _of("horizon", "Left within so many days after a scorecard.")
    months: list[date] = _of("days", "The scorecards that were looked at: of the first scored day of each month.")
    bands: list[LeavingRate] = _of("bands", "Who left, of the customers in each band.")
    base_rate: LeavingRate = _of("base_rate", "Who left, of all.")
    lift: float | None = _of("lift", "Rate among the tenth with the lowest scores over that of all.")
    lead_days: int = _of("lead")
    green_at_churn: LeavingRate = _of("green_at_churn", "Of who left: healthy `leadDays` days before.")
    warned: LeavingRate = _of("warned", "Of who left: in warning or critical on the last scorecard before.")
    warning_lead: float | None = _of("warning_lead", "Median days that alarm had stood; 0 for who had none.")
    too_few: str | None = _of("too_few", "Why all this says little yet; null where enough customers left.")
    lines: list[str] = computed(lambda record: record.lines(), description="All of it in words.")
