"""Queries for the figures of customer success."""

from typing import Annotated, Any

import strawberry

from hub.analytics import DEFINITIONS, Month, Request
from hub.analytics.feedback import MINIMUM_ANSWERS
from hub.analytics.request import GRACE_DAYS, VALUE_USERS
from schema.analytics.types import Analytics, AnalyticsGroup, Asked, MetricDefinition
from schema.loaders import ApiInfo
from schema.permissions import root

From = Annotated[str, strawberry.argument(name="from", description="First month, as 2025-11.")]
To = Annotated[str, strawberry.argument(description="Last month; one that is not over counts as far as today.")]
Metrics = Annotated[list[str] | None, strawberry.argument(description="Names; all of them where none is given.")]
Users = Annotated[int, strawberry.argument(description="People on a first day of value.")]
Event = Annotated[str | None, strawberry.argument(description="A feature whose first use is the first value, instead.")]
Minimum = Annotated[int, strawberry.argument(description="Fewer answers to a survey are no value.")]
Margin = Annotated[
    float | None, strawberry.argument(description="Of revenue, 0 to 1, for the lifetime value of margins.")
]
Grace = Annotated[int, strawberry.argument(description="Days within which who pays again has not churned, by events.")]


@strawberry.type
class AnalyticsQueries:
    @root(
        whole=True,
        description="Retention, churn, lifetime value, survey scores and time to value, over months or month by month.",
    )
    async def analytics(
        self,
        info: ApiInfo,
        from_: From,
        to: To,
        monthly: bool = False,
        metrics: Metrics = None,
        by: AnalyticsGroup | None = None,
        minimum_answers: Minimum = MINIMUM_ANSWERS,
        value_users: Users = VALUE_USERS,
        value_event: Event = None,
        grace_days: Grace = GRACE_DAYS,
        gross_margin: Margin = None,
    ) -> Analytics:
        request = Request(
            first=Month.parse(from_),
            last=Month.parse(to),
            monthly=monthly,
            metrics=tuple(dict.fromkeys(metrics or ())),
            by=by.value if by is not None else None,
            minimum_answers=minimum_answers,
            value_users=value_users,
            value_event=value_event,
            grace_days=grace_days,
            gross_margin=gross_margin,
        )
        now = info.context.now
        request.check(now.date())
        asked: Any = Asked(info.context.store, request, now)
        return asked  # type: ignore[no-any-return]  # what was asked, read by its attributes

    @root(description="Every metric there is: its formula in words, its version, and the basis it stands on.")
    async def metric_definitions(self) -> list[MetricDefinition]:
        definitions: Any = list(DEFINITIONS)
        return definitions  # type: ignore[no-any-return]  # definitions, read by their attributes
