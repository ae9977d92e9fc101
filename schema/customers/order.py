"""What customers can be ordered by: some columns, and every number of the fact catalogue."""

from enum import Enum
from typing import Any, cast

import strawberry

from hub.store.query import Order
from schema.enums import Direction
from scoring.facts import CATALOGUE

_COLUMNS = {
    "NAME": "name",
    "SEGMENT": "segment",
    "EMPLOYEES": "employees",
    "BECAME_CUSTOMER_ON": "became_customer_on",
    "CREATED_AT": "created_at",
    "UPDATED_AT": "updated_at",
    "HEALTH": "score_health",
    "HEALTH_CHANGE_30D": "number:health_change_30d",
    "COVERAGE": "score_coverage",
    "CHURN_RISK": "score_churn_risk",
    "CHURN_ANNUALISED": "score_churn_annualised",
}
_FACTS = {fact.name.upper(): f"number:{fact.name}" for fact in CATALOGUE if fact.kind == "number"}

# a class to mypy, its members only known when the catalogue is read
CustomerOrderField: Any = strawberry.enum(
    cast("type[Enum]", Enum("CustomerOrderField", {**_COLUMNS, **_FACTS}, module=__name__)),
    description="What customers can be ordered by. Missing values come last in either direction.",
)


@strawberry.input(description="An order of customers; ties are broken by id.")
class CustomerOrder:
    field: CustomerOrderField
    direction: Direction = Direction.ASC


def order_of(given: CustomerOrder | None) -> Order:
    """The order asked for; by name if none is."""
    if given is None:
        return Order("name")
    return Order(str(given.field.value), descending=given.direction is Direction.DESC)
