"""The facts of a customer as a type: a field for each fact of the catalogue, so that a new one appears by itself."""

import strawberry

from schema.fields import column
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
    return strawberry.type(made, description="Facts of the newest scorecard. Null where nothing could be known.")


Facts = _facts_type()
