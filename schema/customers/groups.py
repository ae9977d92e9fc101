"""Customers put together by what they have in common, with what each group adds up to."""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

import strawberry

from hub.segments import VOCABULARY
from hub.store.groups import FIGURES, CustomerGroup, Spread, group_customers
from schema.enums import Direction
from schema.fields import FIRST_IS, key
from schema.filters import CustomerFilter, chosen
from schema.grouping import GroupKey, asks, checked_groups, keys_of
from schema.loaders import ApiInfo
from schema.permissions import root


@strawberry.enum(description="What customers can have in common; CSM: the address of theirs.")
class CustomerGroupBy(Enum):
    BAND = "band"
    PREVIOUS_BAND = "previous_band"
    CHURN_BAND = "churn_band"
    SEGMENT = "segment"
    CSM = "csm_email"
    PLAN = "plan"
    COUNTRY = "country"
    INDUSTRY = "industry"
    ONBOARDING_STATE = "onboarding_state"
    ONBOARDING_PACE = "onboarding_pace"
    ONBOARDING_STEP = "onboarding_step"
    WATCH_LEVEL = "watch_level"
    CHURN_LEVEL = "churn_level"
    RENEWAL_STATUS = "renewal_status"
    EXPANSION_KIND = "expansion_kind"
    ADVOCACY = "advocacy"


@strawberry.enum(
    description="MRR: in the currency that most customers of all groups pay in. Where there is none it comes last."
)
class CustomerGroupOrderField(Enum):
    COUNT = "count"
    KEY = "key"
    MRR = "mrr"
    AVERAGE_HEALTH = "health"
    AVERAGE_CHURN_RISK = "churn_risk"


@strawberry.input(description="An order of groups; ties by their keys.")
class CustomerGroupOrder:
    field: CustomerGroupOrderField
    direction: Direction = Direction.DESC


@strawberry.type(description="Recurring revenue in one currency; currencies are never added up.")
class GroupRevenue:
    currency: str = key()
    customers: int = key(description="Of the group, that pay in it.")
    mrr: float = key(description="A month's.")
    arr: float = key(description="A year's.")


@strawberry.type(description="A number over the customers of a group that have one.")
class GroupSpread:
    count: int = key(description="Customers that have one.")
    average: float | None = key()
    minimum: float | None = key()
    maximum: float | None = key()
    median: float | None = key(description="Worked out only if asked for.")


@strawberry.type(name="CustomerGroup", description="Customers that have something in common.")
class Group:
    keys: list[GroupKey] = key(description="What they have in common, as `by` asked.")
    count: int = key()
    revenue: list[GroupRevenue] = key(description="By currency.")
    unpriced: int = key(
        description="Customers in none of those sums: their MRR is not known, or they pay in several currencies."
    )
    health: GroupSpread = key()
    churn_risk: GroupSpread = key()
    churn_annualised: GroupSpread = key()


First = Annotated[int, strawberry.argument(description=f"Groups at most, {FIRST_IS}.")]


@strawberry.type
class CustomerGroupQueries:
    @root(
        description="Customers by what they have in common: how many, what they pay, how they are. Without `by` all are one."
    )
    async def customer_groups(
        self,
        info: ApiInfo,
        by: list[CustomerGroupBy],
        filter: CustomerFilter | None = None,  # type: ignore[valid-type]  # noqa: A002 - made of the catalogue; the API's word
        order_by: CustomerGroupOrder | None = None,
        first: First = 100,
    ) -> list[Group]:
        checked_groups(by, first)
        context = info.context
        condition = await chosen(info, filter)
        async with context.store.reading() as connection:
            found = await group_customers(
                connection,
                [VOCABULARY[each.value] for each in by],
                condition=condition,
                book=context.viewer.book,
                today=context.now.date(),
                medians=asks(info, "median"),
                sums=any(asks(info, name) for name in SUMS) or (order_by is not None and order_by.field in BY_SUMS),
            )
        shown: list[Any] = [_shown(each, by) for each in _ordered(found, order_by or _LARGEST)[:first]]
        return shown


SUMS = ("revenue", "unpriced", "health", "churnRisk", "churnAnnualised")
BY_SUMS = (
    CustomerGroupOrderField.MRR,
    CustomerGroupOrderField.AVERAGE_HEALTH,
    CustomerGroupOrderField.AVERAGE_CHURN_RISK,
)
_LARGEST = CustomerGroupOrder(field=CustomerGroupOrderField.COUNT)


def _ordered(groups: list[CustomerGroup], order: CustomerGroupOrder) -> list[CustomerGroup]:
    value = _value_by(order.field, groups)
    down = order.direction is Direction.DESC
    by_key = sorted(groups, key=lambda each: [(part is None, part or "") for part in each.key])
    if value is None:
        return by_key[::-1] if down else by_key
    there = [each for each in by_key if value(each) is not None]
    there.sort(key=value, reverse=down)
    return there + [each for each in by_key if value(each) is None]


def _value_by(field: CustomerGroupOrderField, groups: list[CustomerGroup]) -> Callable[[CustomerGroup], Any] | None:
    match field:
        case CustomerGroupOrderField.KEY:
            return None
        case CustomerGroupOrderField.COUNT:
            return lambda group: group.count
        case CustomerGroupOrderField.AVERAGE_HEALTH:
            return lambda group: group.spreads["health"].average
        case CustomerGroupOrderField.AVERAGE_CHURN_RISK:
            return lambda group: group.spreads["churn_risk"].average
    payers: dict[str, int] = {}
    for group in groups:
        for money in group.money:
            payers[money.currency] = payers.get(money.currency, 0) + money.customers
    usual = min(payers, key=lambda currency: (-payers[currency], currency), default="")
    return lambda group: next((money.mrr for money in group.money if money.currency == usual), None)


def _shown(group: CustomerGroup, by: list[CustomerGroupBy]) -> dict[str, Any]:
    return {
        "keys": keys_of(by, group.key),
        "count": group.count,
        "revenue": [
            {"currency": each.currency, "customers": each.customers, "mrr": each.mrr, "arr": each.mrr * 12}
            for each in group.money
        ],
        "unpriced": group.unpriced,
        **{name: _spread(group.spreads[name]) for name in FIGURES},
    }


def _spread(spread: Spread) -> dict[str, Any]:
    return {
        "count": spread.count,
        "average": spread.average,
        "minimum": spread.minimum,
        "maximum": spread.maximum,
        "median": spread.median,
    }
