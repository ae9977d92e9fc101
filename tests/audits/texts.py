"""Every place of the schema where a client may put a text of its own: arguments of root fields and of what hangs on a customer.

Made of the schema, so that a new argument is there by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLObjectType,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

from schema.api import SCHEMA

RAW = SCHEMA._schema
TEXTS = frozenset({"String", "ID", "JSON", "Date", "DateTime"})
DEEPEST = 2
"""Levels of input objects; a filter holds filters."""
_OTHERS: Mapping[str, Any] = {"Int": 1, "Float": 0.5, "Boolean": True}


@dataclass(frozen=True, slots=True)
class Place:
    """Of a field's argument, with the path to the text in it. of: "" for a root field, else the type it hangs on."""

    of: str
    field: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join((self.of or "Query", self.field, *self.path))


def places() -> list[Place]:
    """An input object that several fields take, such as the filter of customers, counts where it comes first."""
    assert RAW.query_type is not None
    found: dict[tuple[str, ...], Place] = {}
    for owner, type_ in (("", RAW.query_type), ("Customer", RAW.type_map["Customer"])):
        for name, field in type_.fields.items():
            for argument, given in field.args.items():
                for path in _paths(given.type, DEEPEST):
                    place = Place(owner, name, (argument, *path))
                    same = (get_named_type(given.type).name, *path) if path else (owner, name, argument)
                    found.setdefault(same, place)
    return list(found.values())


def _paths(type_: Any, deep: int) -> Iterator[tuple[str, ...]]:
    named = get_named_type(type_)
    if named.name in TEXTS:
        yield ()
    elif is_input_object_type(named) and deep:
        for name, field in named.fields.items():
            for path in _paths(field.type, deep - 1):
                yield (name, *path)


def document(place: Place, text: str, *, with_text: bool) -> tuple[str, dict[str, Any]]:
    """An operation with `text` at the place, and wherever else a text is required; or only where it is required."""
    field = field_of(place)
    given = {
        name: _value(argument, place.path[1:] if name == place.path[0] and with_text else None, text)
        for name, argument in field.args.items()
        if is_required_argument(argument) or (with_text and name == place.path[0])
    }
    if "first" in field.args:
        given["first"] = 100
    head = ", ".join(f"${name}: {field.args[name].type}" for name in given)
    told = ", ".join(f"{name}: ${name}" for name in given)
    asked = f"{place.field}{f'({told})' if told else ''}{_selection(field)}"
    if place.of:
        asked = f"customers {{ nodes {{ {asked} }} }}"
    return f"query{f'({head})' if head else ''} {{ {asked} }}", given


def field_of(place: Place) -> GraphQLField:
    owner: Any = RAW.type_map[place.of] if place.of else RAW.query_type
    found: GraphQLField = owner.fields[place.field]
    return found


def _value(given: GraphQLArgument | GraphQLInputField, path: tuple[str, ...] | None, text: str) -> Any:
    """A value with the text at the path; None: only what is required."""
    return _of(given.type, path, text)


def _of(type_: Any, path: tuple[str, ...] | None, text: str) -> Any:
    if is_non_null_type(type_):
        return _of(type_.of_type, path, text)
    if is_list_type(type_):
        return [_of(type_.of_type, path, text)]
    if is_input_object_type(type_):
        return {
            name: _of(field.type, path[1:] if path and path[0] == name else None, text)
            for name, field in type_.fields.items()
            if is_required_input_field(field) or (path and path[0] == name)
        }
    if is_enum_type(type_):
        return next(iter(type_.values))
    return text if type_.name in TEXTS else _OTHERS[type_.name]


def _selection(field: GraphQLField) -> str:
    type_ = get_named_type(field.type)
    if is_leaf_type(type_):
        return ""
    if not isinstance(type_, GraphQLObjectType):
        return " { __typename }"
    counted = "totalCount " if "totalCount" in type_.fields else ""
    return f" {{ {counted}nodes {{ __typename }} }}" if "nodes" in type_.fields else " { __typename }"


def is_several(place: Place) -> bool:
    """Whether the field shows rows, all of them where nothing is said."""
    field = field_of(place)
    type_ = field.type.of_type if is_non_null_type(field.type) else field.type
    several = is_list_type(type_) or get_named_type(type_).name.endswith("Connection")
    return several and not any(is_required_argument(argument) for argument in field.args.values())


def rows(place: Place, data: Mapping[str, Any] | None) -> int:
    """How many rows of the field an answer shows."""
    if not data:
        return 0
    parents = [data] if not place.of else data["customers"]["nodes"]
    return sum(_count(parent[place.field]) for parent in parents)


def _count(value: Any) -> int:
    if isinstance(value, list):
        return len(value)
    if not isinstance(value, Mapping):
        return 0
    shown = len(value.get("nodes") or ())
    return max(shown, value.get("totalCount") or 0)
