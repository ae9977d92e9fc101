"""The facts of a customer as a type: a field for each fact of the catalogue, so that a new one appears by itself.

They are of the newest scorecard, of the newest one up to a day, or of every day there is one of.
"""

from datetime import date
from typing import Any

import strawberry

from hub.store.query import Order
from schema.fields import Argument, column, one, page, part
from scoring.facts import CATALOGUE, Fact


def _description(fact: Fact) -> str:
    meaning = fact.meaning[:1].upper() + fact.meaning[1:]
    return f"{meaning} ({fact.unit})." if fact.unit else f"{meaning}."


def _facts_type() -> type:
    columns = {
        fact.name: column(f"{'number' if fact.kind == 'number' else 'text'}:{fact.name}", _description(fact))
        for fact in CATALOGUE
    }
    annotations = {fact.name: float | None if fact.kind == "number" else str | None for fact in CATALOGUE}
    made = type("Facts", (), {**columns, "__annotations__": annotations, "__module__": __name__})
    return strawberry.type(
        made, description="Facts of a day, as its scorecard has them. Null where nothing could be known."
    )


Facts = _facts_type()


@strawberry.type(description="The facts of one day.")
class FactsOfDay:
    as_of: date = column()
    facts: Facts = part()  # type: ignore[valid-type]  # made of the catalogue


_UP_TO = Argument(
    name="as_of",
    type=date | None,
    column="as_of",
    operator="le",
    description="The newest up to this day; of all without it.",
)


def facts_at_field() -> Any:
    """The facts of the newest scorecard up to a day."""
    return one(
        "scorecard",
        key="customer_id",
        order=Order("as_of", descending=True),
        arguments=(_UP_TO,),
        description="Facts as they were on a day: of the newest scorecard up to it. Null before the first.",
    )


def fact_history_field() -> Any:
    """The facts day by day: the series of any of them."""
    return page(
        "scorecard",
        key="customer_id",
        order=Order("as_of", descending=True),
        arguments=(
            Argument(name="from_", type=date | None, column="as_of", operator="ge", description="First day."),
            Argument(name="to", type=date | None, column="as_of", operator="le", description="Last day."),
        ),
        description="Facts day by day, newest first: the series of each fact that is asked for.",
    )


def scorecard_field() -> Any:
    """The newest scorecard up to a day."""
    return one(
        "scorecard",
        key="customer_id",
        order=Order("as_of", descending=True),
        arguments=(_UP_TO,),
        description="Health and churn risk as they were on a day: the newest scorecard up to it. Null before the first.",
    )
