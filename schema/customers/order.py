"""What customers can be ordered by: every field that conditions know, and every fact of the catalogue.

Numbers and days by their size, texts by their code points, which is the same on both databases.
"""

from enum import Enum
from typing import Any, cast

import strawberry

from hub.store.conditions import CUSTOMER_FIELDS, FIELDS
from hub.store.query import Order
from schema.enums import Direction
from scoring.facts import CATALOGUE

_OWN = {field.name: field.name for field in CUSTOMER_FIELDS}
_SCORES = {
    name: f"score_{name}" for name in ("health", "coverage", "churn_risk", "churn_annualised", "band", "churn_band")
}
_PLACES: dict[str, str] = {
    **{fact.name: f"{fact.kind}:{fact.name}" for fact in CATALOGUE},
    **{name: f"{field.kind}:{name}" for name, field in FIELDS.items()},
    **_SCORES,
    **_OWN,
    "updated_at": "updated_at",
}
"""{what a client names: the column of the entity `customer`}; a customer's own columns have indexes."""

# a class to mypy, its members only known when the catalogue is read
CustomerOrderField: Any = strawberry.enum(
    cast(
        "type[Enum]",
        Enum("CustomerOrderField", {name.upper(): column for name, column in _PLACES.items()}, module=__name__),
    ),
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
