"""What a document is, before anybody sends it: its operations, what each costs at most, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import OperationDefinitionNode

from schema.api import SCHEMA
from schema.fields import LARGEST_FIRST
from schema.guard.pricing import priced
from schema.preparing import prepare


@dataclass(frozen=True, slots=True)
class Operation:
    """kind: query, mutation or subscription; cost, least: in points, with the largest pages its variables may ask for, and with
    pages of one row."""

    kind: str
    name: str | None
    cost: int
    least: int


@dataclass(frozen=True, slots=True)
class Examined:
    """errors: with line and column; where there are any, there are no operations."""

    operations: tuple[Operation, ...]
    errors: tuple[str, ...]


def examine(text: str) -> Examined:
    """Hold a document against the schema and the limits."""
    schema = SCHEMA._schema  # graphql-core's own; Strawberry shows it nowhere else
    prepared = prepare(schema, text)
    if prepared.errors:
        said = [(error.message, error.locations[0] if error.locations else None) for error in prepared.errors]
        return Examined(
            (), tuple(f"{message} (line {at.line}, column {at.column})" if at else message for message, at in said)
        )
    assert prepared.document is not None, "a document without errors is there"
    operations = [each for each in prepared.document.definitions if isinstance(each, OperationDefinitionNode)]
    return Examined(
        tuple(
            Operation(
                kind=each.operation.value,
                name=each.name.value if each.name is not None else None,
                cost=max(1, price.cost(_numbers(each, LARGEST_FIRST))),
                least=max(1, price.cost(_numbers(each, 1))),
            )
            for each in operations
            for price in (priced(schema, prepared.document, each),)
        ),
        () if operations else ("it has no operation",),
    )


def _numbers(operation: OperationDefinitionNode, number: int) -> Mapping[str, Any]:
    """Variables that ask for pages of this size, and for whatever a switch may bring."""
    found: dict[str, Any] = {}
    for each in operation.variable_definitions or ():
        type_: Any = each.type
        name = getattr(getattr(type_, "type", type_), "name", None)
        kind = getattr(name, "value", None)
        if kind in ("Int", "Boolean"):
            found[each.variable.name.value] = number if kind == "Int" else True
    return found
