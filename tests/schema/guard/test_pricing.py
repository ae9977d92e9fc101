"""What operations cost before they run."""

from typing import Any

import pytest
from graphql import get_operation_ast, parse, validate

from schema.api import SCHEMA
from schema.guard.pricing import ASKED, MUTATION, PRICES, priced

GRAPHQL = SCHEMA._schema


def cost(text: str, variables: dict[str, Any] | None = None) -> int:
    document = parse(text)
    assert validate(GRAPHQL, document) == []
    operation = get_operation_ast(document)
    assert operation is not None
    return priced(GRAPHQL, document, operation).cost(variables or {})


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("{ __typename }", 0),
        ("{ viewer { name role } }", 1),
        ("{ customers(first: 50) { nodes { name } } }", 50),
        ("{ customers { nodes { name } } }", 20),
        ("{ customers(first: 50) { edges { node { name } } nodes { domain } pageInfo { hasNextPage } } }", 50),
        ("{ customers(first: 50) { totalCount nodes { name } } }", 51),
        ("{ customers(first: 50) { nodes { name tickets(first: 10) { nodes { key } } } } }", 50 + 500),
        ("{ customers(first: 10) { nodes { tickets(first: 10) { totalCount nodes { customer { id } } } } } }", 10 + 10 + 200),
        ("{ customers(first: 2) { nodes { facts { mrr } } } }", 2),
        ("{ a: customers(first: 2) { nodes { id } } b: customers(first: 3) { nodes { id } } }", 5),
        ("{ customers(first: 9) {...C} } fragment C on CustomerConnection {nodes { tickets(first: 2) { nodes { id } } } }", 27),
        ('{ node(id: "x") { id ... on Customer { tickets(first: 7) { nodes { id } } } } }', 8),
        ("{ customers(first: 9) @skip(if: true) { nodes { id } } viewer @include(if: true) { name } }", 1),
        ('{ playbookPlan(name: "save") { __typename } }', PRICES["playbookPlan"] + 1),
        ('mutation { sourceSync(input: {source: "desk"}) { errors { code } } }', MUTATION + 1),
    ],
)  # fmt: skip
def test_a_row_is_a_point(text: str, points: int) -> None:
    assert cost(text) == points


def test_variables_are_filled_in() -> None:
    text = """query ($n: Int! = 7, $with: Boolean! = false) {
      customers(first: $n) { nodes { id tickets(first: 10) @include(if: $with) { nodes { id } } } }
    }"""
    assert cost(text) == 7
    assert cost(text, {"n": 100}) == 100
    assert cost(text, {"n": 100, "with": True}) == 1_100
    assert cost(text, {"n": "wrong"}) == 20  # refused when it is coerced
    assert cost(text, {"n": -5}) == 20


def test_work_of_its_own_for_one_row_has_a_price() -> None:
    plain = cost('{ customer(id: "x") { name } }')
    asked = cost('{ customer(id: "x") { name healthExplanation { score } } }') if _has("healthExplanation") else None
    assert plain == 1
    assert asked is None or asked == 1 + ASKED


def _has(name: str) -> bool:
    return name in getattr(GRAPHQL.get_type("Customer"), "fields", {})


def test_a_number_too_long_for_a_page_is_priced_without_being_computed() -> None:
    document = parse("{ customers(first: " + "9" * 3_000 + ") { nodes { id } } }")
    operation = get_operation_ast(document)
    assert operation is not None
    assert priced(GRAPHQL, document, operation).cost({}) == 2**31 - 1


def test_prices_are_of_fields_that_exist() -> None:
    known = {
        name for type_ in (GRAPHQL.query_type, GRAPHQL.mutation_type) if type_ is not None for name in type_.fields
    }
    assert PRICES.keys() <= known
