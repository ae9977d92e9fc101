"""Pages of customers in every order there is: each row once, in the same order, on SQLite and on PostgreSQL.

What the pages say is compared with Python's own sort.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from hub.store import Store
from hub.store.migrate import OF_CUSTOMER
from hub.store.query import Order, Plan, Position, page
from hub.store.query.entities import ENTITIES
from hub.store.query.select import base, ordering
from schema.customers.order import CustomerOrderField
from tests.store.awkward import COUNT, fill


def in_order(found: dict[str, dict[str, Any]], name: str, *, descending: bool) -> list[str]:
    there = sorted((id_ for id_ in found if found[id_].get(name) is not None), reverse=descending)
    there.sort(key=lambda id_: _comparable(found[id_][name]), reverse=descending)
    missing = sorted((id_ for id_ in found if found[id_].get(name) is None), reverse=descending)
    return there + missing


def _comparable(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


async def walk(store: Store, order: Order, size: int) -> list[str]:
    ids: list[str] = []
    after: Position | None = None
    async with store.reading() as connection:
        while True:
            found = await page(connection, "customer", Plan(), order=order, first=size, after=after, book=None)
            assert found.total is None
            ids += [row["id"] for row in found.rows]
            if not found.more:
                return ids
            assert len(found.rows) == size
            last = found.rows[-1]
            after = Position(last[order.column], last["id"])


ORDERS = {each.name.lower(): each.value for each in CustomerOrderField if each.name != "HEALTH_CHANGE_30D"}
"""A change is the difference of two scorecards, and these customers have one each."""


@pytest.fixture
async def filled(store: Store) -> tuple[Store, dict[str, dict[str, Any]]]:
    return store, await fill(store)


async def test_every_order_walks_every_row_once(filled: tuple[Store, dict[str, dict[str, Any]]]) -> None:
    store, found = filled
    for name, column in ORDERS.items():
        for descending in (False, True):
            walked = await walk(store, Order(column, descending=descending), 7)
            assert walked == in_order(found, name, descending=descending), (name, descending)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(ORDERS)), descending=st.booleans(), size=st.integers(1, COUNT + 1))
async def test_pages_of_any_size_are_the_same_walk(
    filled: tuple[Store, dict[str, dict[str, Any]]], name: str, descending: bool, size: int
) -> None:
    store, found = filled
    walked = await walk(store, Order(ORDERS[name], descending=descending), size)
    assert walked == in_order(found, name, descending=descending)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", sorted(OF_CUSTOMER))
async def test_a_page_of_a_customer_s_many_is_read_in_the_order_of_an_index(store: Store, name: str) -> None:
    """PostgreSQL's texts are in another order than its own indexes are: a page sorted anew reads all there are."""
    entity = ENTITIES[name]
    value, key = entity.expression("created_at"), entity.table.c.id
    order = Order("created_at", descending=True)
    ordered = ordering(value, key, order, nullable=entity.nullable("created_at"))
    statement = base(entity, ["id"]).where(entity.table.c.customer_id == "c").order_by(*ordered).limit(5)
    async with store.reading() as connection:
        sql = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
        for way in ("enable_seqscan", "enable_bitmapscan", "enable_incremental_sort"):  # an empty table is read anyhow
            await connection.execute(text(f"SET LOCAL {way} = off"))
        plan = "\n".join((await connection.execute(text(f"EXPLAIN {sql}"))).scalars())
    assert f"ix_{name}_of_customer_bytewise" in plan
    assert "Sort" not in plan
