"""A customer's use of the product: the facts of the newest scorecard, and days from the records."""

from datetime import date, timedelta

import strawberry

from hub.store.query import Order
from schema.context import Context
from schema.errors import BadInputError
from schema.fields import Argument, column, many

LONGEST_DAYS = 366
TYPICAL_DAYS = 28


def _first_day(days: int, context: Context) -> date:
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInputError(f"days must be 1 to {LONGEST_DAYS}, not {days}")
    return context.now.date() - timedelta(days=days - 1)


def _days(column_name: str) -> Argument:
    return Argument(
        name="days",
        type=int,
        column=column_name,
        operator="ge",
        default=TYPICAL_DAYS,
        description=f"So many UTC days, today the last; 1 to {LONGEST_DAYS}.",
        value=_first_day,
    )


@strawberry.type(description="One UTC day with any use. Days without are left out.")
class UsageDay:
    day: date = column()
    users: int = column(description="Distinct users.")
    events: int = column()
    sessions: int = column()
    minutes: float = column()


@strawberry.type(description="A feature and how much it was used.")
class FeatureUsage:
    feature: str = column()
    events: int = column()
    days: int = column(description="Days with any use of it.")
    last_day: date = column()


@strawberry.type(description="Use of the product. Windows are trailing whole UTC days that end with `asOf`.")
class Usage:
    as_of: date | None = column(
        "score_as_of", "The day the figures are of; those of `series` and `features` are of today."
    )
    dau: float | None = column("number:dau", "Distinct users on the day.")
    wau: float | None = column("number:wau", "Distinct users in 7 days.")
    mau: float | None = column("number:mau", "Distinct users in 28 days.")
    mean_dau: float | None = column("number:mean_dau_28d", "Distinct users a day, mean over 28 days.")
    stickiness: float | None = column("number:stickiness", "Mean DAU over 28 days / MAU.")
    trend: float | None = column("number:usage_trend", "Events of 28 days against the 28 before, as a share of them.")
    series: list[UsageDay] = many(
        "usage_day",
        key="customer_id",
        order=Order("day"),
        expected=TYPICAL_DAYS,
        arguments=(_days("day"),),
        description="Day by day, oldest first.",
    )
    features: list[FeatureUsage] = many(
        "feature_usage",
        key="customer_id",
        order=Order("events", descending=True),
        expected=TYPICAL_DAYS,
        arguments=(_days("day"),),
        description="Features used, the most used first.",
    )
