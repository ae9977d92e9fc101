"""Cursors: a walk over any order gives every row once, ties and missing values too, and wrong cursors are refused."""

from typing import Any

import pytest

from hub.store import Store, tables
from hub.store.query import Order, Position
from schema.paging import decode_cursor, encode_cursor
from tests.schema.company import NOW, TODAY, customer_row, insert, scorecard_row, seed
from tests.schema.fakes import Ask

HEALTHS = [0.1, None, 0.1, 0.7, "no scorecard", 0.1 + 0.2, 0.3, None, 0.7, 0.1, "no scorecard"]
WALK = """
query Walk($after: String, $field: CustomerOrderField!, $direction: Direction!) {
  customers(first: 2, after: $after, orderBy: {field: $field, direction: $direction}) {
    nodes { name health { score } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}
"""


async def people(store: Store) -> None:
    rows = [customer_row(number, segment=None if number % 3 else "smb") for number in range(len(HEALTHS))]
    await insert(store, tables.customer, rows)
    cards = [
        scorecard_row(
            row["id"],
            TODAY,
            health=health,
            churn_risk=None if health is None else 0.5,
            facts={"mrr": None if health is None else health * 10, "dau": 1.0},
        )
        for row, health in zip(rows, HEALTHS, strict=True)
        if health != "no scorecard"
    ]
    await insert(store, tables.scorecard, cards)


async def walk(ask: Ask, **variables: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = None
    for turn in range(20):
        body = await ask(WALK, {**variables, "after": after})
        assert "errors" not in body
        page = body["data"]["customers"]
        assert page["pageInfo"]["hasPreviousPage"] is (turn > 0)
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(
    "field", ["NAME", "SEGMENT", "HEALTH", "CHURN_RISK", "MRR", "DAU", "WAU", "UPDATED_AT", "BECAME_CUSTOMER_ON"]
)
async def test_a_walk_gives_every_row_once(ask: Ask, store: Store, field: str, direction: str) -> None:
    await people(store)
    found = await walk(ask, field=field, direction=direction)
    assert sorted(node["name"] for node in found) == [f"Customer {number:03}" for number in range(len(HEALTHS))]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_missing_values_come_last_in_either_direction(ask: Ask, store: Store, direction: str) -> None:
    await people(store)
    found = [(node["health"] or {}).get("score") for node in await walk(ask, field="HEALTH", direction=direction)]
    present = sorted((health for health in HEALTHS if isinstance(health, float)), reverse=direction == "DESC")
    assert found == [*present, None, None, None, None]


async def test_nested_pages_go_on_too(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    query = """
      query ($after: String) {
        customers { nodes { contacts(first: 3, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } } }
      }
    """
    first = (await ask(query))["data"]["customers"]["nodes"]
    assert [[person["name"] for person in node["contacts"]["nodes"]] for node in first] == [
        ["Person 0", "Person 1", "Person 2"]
    ] * 2
    after = first[0]["contacts"]["pageInfo"]["endCursor"]
    second = (await ask(query, {"after": after}))["data"]["customers"]["nodes"]
    # the contact without a date of creation comes last
    assert second[0]["contacts"]["nodes"] == [{"name": "Person 3"}]
    assert second[0]["contacts"]["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("value", [None, "a", 0.1 + 0.2, NOW, TODAY])
def test_a_cursor_comes_back_as_it_went_in(value: object) -> None:
    order = Order("health", descending=True)
    text = encode_cursor("customer", order, Position(value, "c1"))
    assert decode_cursor("customer", order, text) == Position(value, "c1")


async def test_wrong_cursors_are_refused(ask_sqlite: Ask) -> None:
    by_name = encode_cursor("customer", Order("name"), Position("Acme", "c1"))
    forged = ("B" if by_name.startswith("A") else "A") + by_name[1:]
    variables = {"field": "HEALTH", "direction": "ASC"}
    for after, message in (
        (by_name, "after is a cursor of another list or order (customer by name ascending)"),
        ("nonsense", "after is not a cursor of this API"),
        ("é", "after is not a cursor of this API"),
        ("", "after is not a cursor of this API"),
        (forged, "after is not a cursor of this API"),
    ):
        body = await ask_sqlite(WALK, {**variables, "after": after})
        assert body["errors"][0]["message"].startswith(message)
        assert body["errors"][0]["extensions"] == {"code": "BAD_INPUT"}


@pytest.mark.parametrize("first", [0, -1, 1_001])
async def test_first_is_1_to_1000(ask_sqlite: Ask, first: int) -> None:
    for query in (
        f"{{ customers(first: {first}) {{ nodes {{ name }} }} }}",
        f"{{ customers {{ nodes {{ tickets(first: {first}) {{ nodes {{ subject }} }} }} }} }}",
    ):
        body = await ask_sqlite(query)
        assert body["errors"][0]["message"] == f"first must be 1 to 1,000, not {first}"
