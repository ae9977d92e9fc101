"""Queries for everything a root field can show, made of the schema itself, so that a new field is asked for by itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLField,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)

from schema.api import SCHEMA
from schema.fields import Asked, reading_of

RAW = SCHEMA._schema
PAGE = 3
AT_ONCE = 2


def arguments(field: GraphQLField, given: Mapping[str, str]) -> str:
    """What is given as GraphQL text, and a small `first` wherever there is one. KeyError where something needed is not."""
    told = {name: given[name] for name, argument in field.args.items() if is_required_argument(argument)}
    told |= {name: text for name, text in given.items() if name in field.args}
    if "first" in field.args and "first" not in told:
        told["first"] = str(PAGE)
    return f"({', '.join(f'{name}: {text}' for name, text in told.items())})" if told else ""


def _is_asked(field: GraphQLField) -> bool:
    return isinstance(reading_of(field.extensions.get("strawberry-definition")), Asked)


def selection(type_: Any, depth: int) -> str:
    """All leaves of a type, and of what hangs on it so many levels down. Empty where there are none."""
    parts = [name for name, field in type_.fields.items() if is_leaf_type(get_named_type(field.type)) and plain(field)]
    if depth:
        parts += [text for name in branches(type_) if (text := branch(type_, name, depth - 1))]
    return " ".join(parts)


def plain(field: GraphQLField) -> bool:
    return not any(is_required_argument(argument) for argument in field.args.values()) and not _is_asked(field)


def branches(type_: Any) -> list[str]:
    return [
        name for name, field in type_.fields.items() if not is_leaf_type(get_named_type(field.type)) and plain(field)
    ]


def branch(type_: Any, name: str, depth: int) -> str:
    """A field of a type with a selection of its own; a page as its rows, its cursors and its count."""
    field = type_.fields[name]
    below = get_named_type(field.type)
    inner = page(below, depth) if below.name.endswith("Connection") else selection(below, depth)
    return f"{name}{arguments(field, {})} {{ {inner} }}" if inner else ""


def page(connection: Any, depth: int, rows: str | None = None) -> str:
    """A page with everything about it. `rows`: what is asked of each; None for all of it."""
    of = get_named_type(connection.fields["nodes"].type)
    return (
        f"{'totalCount' if 'totalCount' in connection.fields else ''} edges {{ cursor }} "
        "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } "
        f"nodes {{ {rows or selection(of, depth)} }}"
    )


def queries(name: str, given: Mapping[str, str]) -> Iterator[str]:
    """Documents that ask for all of a root field, two levels down, in parts small enough for the limits."""
    assert RAW.query_type is not None
    field = RAW.query_type.fields[name]
    head, type_ = f"{name}{arguments(field, given)}", get_named_type(field.type)
    if is_leaf_type(type_):
        yield f"{{ {head} }}"
        return
    is_page = type_.name.endswith("Connection")
    rows: Any = get_named_type(type_.fields["nodes"].type) if is_page else type_  # type: ignore[union-attr]  # a page has them
    if is_abstract_type(rows):
        yield f"{{ {head} {{ __typename id }} }}"
        return
    below = branches(rows)
    for names in [[], *(below[start : start + AT_ONCE] for start in range(0, len(below), AT_ONCE))]:
        wanted = " ".join([selection(rows, 0), *(branch(rows, each, 1) for each in names)])
        yield f"{{ {head} {{ {page(type_, 0, wanted) if is_page else wanted} }} }}"


__all__ = ["RAW", "queries"]
