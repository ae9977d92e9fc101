"""A scalar or an enum of the API as a leaf of the tree."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLEnumType, is_enum_type
from strawberry.types.enum import StrawberryEnumDefinition

from hub.store.query.compiled import Leaf, NotCompilableError
from hub.store.query.compiled.tree import Kind

_DEFINITION = "strawberry-definition"
_KINDS: Mapping[str, Kind] = {
    "String": "text",
    "ID": "text",
    "Int": "int",
    "Float": "float",
    "Boolean": "bool",
    "Date": "date",
    "DateTime": "time",
    "JSON": "json",
}


def leaf_of(name: str, type_: Any, required: bool) -> Leaf:
    """A column shown as a type; NotCompilableError where the store's values say nothing of how it is shown."""
    if is_enum_type(type_):
        return Leaf(name, "enum", required, _names(type_))
    kind = _KINDS.get(type_.name)
    if kind is None:
        raise NotCompilableError(f"values of {type_.name}")
    return Leaf(name, kind, required)


def _names(type_: GraphQLEnumType) -> tuple[tuple[str, str], ...]:
    """Of an enum's members, by the values the store holds."""
    definition = type_.extensions.get(_DEFINITION)
    if not isinstance(definition, StrawberryEnumDefinition):
        raise NotCompilableError(f"{type_.name} is an enum of its own kind")
    enum: Any = definition.wrapped_cls
    members = [each.value for each in enum]
    if not all(isinstance(member, str) for member in members):
        raise NotCompilableError(f"{type_.name} is stored as no text")
    return tuple((member, str(type_.coerce_output_value(member))) for member in members)
