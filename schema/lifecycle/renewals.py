"""Renewals: what falls due and what becomes of it, and what a period is expected to bring."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from hub.analytics.forecast import Figure, Forecast, forecast
from hub.store.query import Order, Where
from schema.fields import DEFAULT_FIRST, column, computed, one, plain
from schema.loaders import ApiInfo, load_page
from schema.nodes import Node, key_of
from schema.paging import Connection
from schema.permissions import root

if TYPE_CHECKING:
    from schema.customers.types import Customer

CustomerRef = Annotated["Customer", strawberry.lazy("schema.customers.types")]


@strawberry.enum(description="UPCOMING, DUE and OVERDUE are open.")
class RenewalStatus(StrEnum):
    UPCOMING = "upcoming"
    DUE = "due"
    OVERDUE = "overdue"
    RENEWED = "renewed"
    CHURNED = "churned"


@strawberry.enum(description="Where the probability of a renewal is from.")
class ProbabilitySource(StrEnum):
    DECIDED = "decided"
    CHURN_RISK = "churn_risk"
    BASE_RATE = "base_rate"
    ASSUMED = "assumed"


@strawberry.type(
    description="What falls due of a customer on a day, in one currency, and what became of it. Amounts are a year's."
)
class Renewal(Node):
    due_on: date = column()
    started_on: date = column(description="Since when its terms have run.")
    currency: str = column()
    terms: list[str] = column(description="Ids of its subscriptions in the store.")
    deal_id: str | None = column(description="Of the CRM's renewal deal in the store.")
    auto: bool = column(description="It renews by itself.")
    notice_by: date | None = column(description="Of one that does: the last day on which notice can be given.")
    arr: float = column(description="12 times the MRR of its terms.")
    target: float = column(description="What is due: what the deal says, else `arr`.")
    running: bool = column(description="Whether any of its terms is still paid.")
    status: RenewalStatus = column(description="In force: what a person said, else what the records say.")
    computed_status: RenewalStatus = column(description="What the records say.")
    final: float | None = column(description="What it was decided at; 0 where it is lost.")
    decided_on: date | None = column()
    reason: str = column(description="Why it has its status.", personal=True)
    stated_by: str | None = column(description="Who said so, where a person did.")
    probability: float = column(description="Of being renewed, 0 to 1.")
    probability_by: ProbabilitySource = column()
    expected: float = column(description="What goes beyond the target is upsell and not in it.")
    updated_at: datetime = column()
    customer: CustomerRef | None = one("customer", key="id", parent="customer_id", unique=True)


@strawberry.input(description="Chooses renewals; everything given must hold.")
class RenewalFilter:
    status: list[RenewalStatus] | None = None
    due_from: date | None = strawberry.field(default=None, description="First day.")
    due_to: date | None = strawberry.field(default=None, description="Last day.")
    auto: bool | None = None
    customer_id: strawberry.ID | None = None


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found, name), description=description)


@strawberry.type(description="A rate of retention. Two compare only if basis and scenario are the same.")
class RenewalFigure:
    metric: str = _of("metric", "grr or nrr.")
    basis: str = _of("basis", "renewals_due or cohort: the same initials, another number.")
    scenario: str = _of("scenario", "expected, committed or best_case.")
    formula: str = _of("formula", "In words.")
    value: float | None = _of("value", "Null where there is nothing to divide by; `reason` says why.")
    numerator: float = _of("numerator")
    denominator: float = _of("denominator")
    reason: str | None = _of("reason")


@strawberry.type(description="How many open renewals have their probability from there.")
class ProbabilityCount:
    source: ProbabilitySource = computed(lambda pair: ProbabilitySource(pair[0]))
    count: int = computed(lambda pair: pair[1])


def _figures(root: strawberry.Parent[Any], basis: str | None = None) -> list[RenewalFigure]:
    found: Sequence[Figure] = root.figures
    chosen: Any = [each for each in found if basis is None or each.basis == basis]
    return chosen  # type: ignore[no-any-return]  # figures, read by their attributes


@strawberry.type(description="What the renewals of a period come to, in one currency. Amounts are a year's.")
class RenewalForecast:
    first_day: date = computed(lambda found: found.period.first)
    last_day: date = computed(lambda found: found.period.last)
    as_of: date = _of("as_of")
    currency: str = _of("currency", "Amounts of several currencies are never added up.")
    count: int = _of("count", "Renewals that fall due.")
    decided: int = _of("decided", "How many of them are.")
    target: float = _of("target", "What falls due.")
    renewed: float = _of("renewed", "Final amounts.")
    upsell: float = _of("upsell", "What they go beyond their targets.")
    downsell: float = _of("downsell", "What they stay below them.")
    lost: float = _of("lost", "Targets of what is lost.")
    still_open: float = _of("still_open", "Targets of what is open.")
    overdue: float = _of("overdue", "Of them, what is overdue.")
    by_itself: float = _of("by_itself", "Of them, what renews by itself.")
    expected: float = _of("expected", "Without what goes beyond targets.")
    committed: float = _of("committed", "Renewed, or renewing by itself with the notice over.")
    best_case: float = _of("best_case", "With everything open renewed.")
    probabilities: list[ProbabilityCount] = computed(lambda found: list(found.sources.items()))
    figures: list[RenewalFigure] = strawberry.field(
        resolver=_figures, description="GRR and NRR on both bases, in three scenarios; or of one basis."
    )


@strawberry.type
class RenewalQueries:
    @root(description="Renewals, by the day they fall due.")
    async def renewals(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        filter: RenewalFilter | None = None,  # noqa: A002 - the API's word
    ) -> Connection[Renewal]:
        where: list[Where] = []
        if filter is not None:
            if filter.status is not None:
                where.append(Where("status", "in", plain(filter.status)))
            if filter.due_from is not None:
                where.append(Where("due_on", "ge", filter.due_from))
            if filter.due_to is not None:
                where.append(Where("due_on", "le", filter.due_to))
            if filter.auto is not None:
                where.append(Where("auto", "eq", filter.auto))
            if filter.customer_id is not None:
                where.append(
                    Where("customer_id", "eq", key_of(filter.customer_id, "customer", field="filter.customerId"))
                )
        page: Connection[Renewal] = await load_page(
            info, "renewal", order=Order("due_on"), first=first, after=after, where=where
        )
        return page

    @root(description="What the renewals of a month (2026-12) or a quarter (2026-Q4) come to, currency by currency.")
    async def renewal_forecast(self, info: ApiInfo, period: str) -> list[RenewalForecast]:
        made: tuple[Forecast, ...] = await forecast(
            info.context.store, period, now=info.context.now, book=info.context.viewer.book
        )
        found: Any = list(made)
        return found  # type: ignore[no-any-return]  # forecasts, read by their attributes
