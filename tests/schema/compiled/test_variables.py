"""Variables are coerced as GraphQL does it, whichever way is taken."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, get_variable_values, parse

from schema.compiled import variables as module
from schema.compiled.variables import coerced

SCHEMA = build_schema("type Query { one(id: ID, name: String, first: Int, ids: [ID!]): String }")


def told(found: Any) -> Any:
    """Types are compared by what they are called: there is a new one for each declaration."""
    if found is None or isinstance(found, list):
        return None
    sources = {name: (str(each.signature.type), each.value) for name, each in found.sources.items()}
    return sources, found.coerced


def operation(declared: str) -> OperationDefinitionNode:
    found = parse(f"query Asked{declared} {{ __typename }}").definitions[0]
    assert isinstance(found, OperationDefinitionNode)
    return found


@pytest.mark.parametrize("declared", ["($id: ID!, $name: String)", '($id: ID = "d", $name: String! = "e")'])
@pytest.mark.parametrize(
    "given",
    [
        {"id": "a", "name": "b"},
        {"id": "a", "name": "b", "more": 1},
        {"id": "", "name": "ü\n"},
        {"id": 7, "name": "b"},
        {"id": "a", "name": 7},
        {"id": "a", "name": None},
        {"id": "a"},
        {"name": "b"},
        {},
    ],
)
def test_texts(declared: str, given: dict[str, Any]) -> None:
    asked = operation(declared)
    expected = get_variable_values(SCHEMA, asked.variable_definitions or (), given)
    assert told(coerced(SCHEMA, asked, given)) == told(expected)


@pytest.mark.parametrize(
    ("declared", "given"),
    [("($first: Int)", {"first": "1"}), ("($first: Int)", {"first": 1}), ("($ids: [ID!])", {"ids": "a"}), ("", {})],
)
def test_anything_else(declared: str, given: dict[str, Any]) -> None:
    asked = operation(declared)
    expected = get_variable_values(SCHEMA, asked.variable_definitions or (), given)
    assert told(coerced(SCHEMA, asked, given)) == told(expected)


def test_where_texts_came_for_texts_there_is_nothing_to_coerce(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it was coerced")

    monkeypatch.setattr(module, "get_variable_values", never)
    found = coerced(SCHEMA, operation("($id: ID!)"), {"id": "a"})
    assert found is not None
    assert found.coerced == {"id": "a"}
