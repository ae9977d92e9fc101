"""The views other tools read: the database's own, and the same rows in pages."""

from typing import Any

import pytest
from sqlalchemy import insert as insert_into
from sqlalchemy import inspect, text

from hub.model.conditions import parse
from hub.segments import VOCABULARY
from hub.store import Store, tables
from hub.store.bi import VIEWS, View, read_pages
from hub.store.bi.making import drop_views, make_views
from hub.store.migrate import upgrade
from tests.schema.company import customer_row, insert, seed


async def everything(store: Store, view: View, **how: Any) -> list[dict[str, Any]]:
    given = {"book": None, **how}
    return [row async for page in read_pages(store, view, view.columns, **given) for row in page]


async def test_each_view_is_in_the_database_and_gives_what_is_exported(store: Store) -> None:
    await seed(store, 3)
    async with store.reading() as connection:
        there = await connection.run_sync(lambda sync: inspect(sync).get_view_names())
        assert {name for name in there if name.startswith("bi_")} == {view.view for view in VIEWS.values()}
        for view in VIEWS.values():
            found = (await connection.execute(text(f"SELECT * FROM {view.view}"))).mappings().all()
            columns = {row_key for row in found[:1] for row_key in row}
            exported = await everything(store, view)
            assert columns == {each.name for each in view.columns if not each.personal} or not found
            keys = [tuple(str(row[name]) for name in view.key) for row in exported]
            assert len(set(keys)) == len(keys)
            shown = {each.name for each in view.shown(personal=False)}
            told = sorted(shown.intersection((*view.key, "source", "customer_id")))  # where the key is a person's
            assert told
            in_database = sorted(tuple(str(row[name]) for name in told) for row in found)
            assert in_database == sorted(tuple(str(row[name]) for name in told) for row in exported)
    assert len(await everything(store, VIEWS["customers"])) == 3
    assert len(await everything(store, VIEWS["scores"])) == 9


async def test_pages_hold_every_row_once_whatever_their_size(store: Store) -> None:
    await seed(store, 3)
    for name in ("usage", "tickets", "scores"):
        whole = await everything(store, VIEWS[name])
        assert len(whole) > 4
        for size in (1, 3, len(whole)):
            assert await everything(store, VIEWS[name], at_once=size) == whole


async def test_a_book_and_a_condition_narrow_every_view(store: Store) -> None:
    await seed(store, 2)
    await seed(store, 1, first=7, csm_email="bob@cs.example", country="FR")
    for view in VIEWS.values():
        of = "id" if view.name == "customers" else "customer_id"
        all_of_them = {row[of] for row in await everything(store, view)}
        mine = {row[of] for row in await everything(store, view, book="bob@cs.example")}
        french = parse({"country": {"eq": "FR"}}, VOCABULARY)
        assert mine == {row[of] for row in await everything(store, view, condition=french)} == all_of_them & {"c007"}
        assert await everything(store, view, book="nobody@cs.example") == []
    assert {row["id"] for row in await everything(store, VIEWS["customers"], book="bob@cs.example")} == {"c007"}


async def test_what_is_gone_merged_or_nobodys_is_not_there(store: Store) -> None:
    await seed(store, 2)
    async with store.transaction() as connection:
        merged = customer_row(8, merged_into_id="c000")
        await connection.execute(insert_into(tables.customer), [merged])
        await connection.execute(
            tables.ticket.update().values(deleted=True).where(tables.ticket.c.customer_id == "c000")
        )
        nobody = tables.contact.update().values(customer_id=None).where(tables.contact.c.customer_id == "c001")
        await connection.execute(nobody)
    assert {row["id"] for row in await everything(store, VIEWS["customers"])} == {"c000", "c001"}
    assert {row["customer_id"] for row in await everything(store, VIEWS["tickets"])} == {"c001"}
    assert {row["customer_id"] for row in await everything(store, VIEWS["contacts"])} == {"c000"}


async def test_facts_stand_beside_a_customer(sqlite_store: Store) -> None:
    await insert(sqlite_store, tables.customer, [customer_row(1)])
    (row,) = await everything(sqlite_store, VIEWS["customers"])
    assert (row["health"], row["mrr"]) == (None, None)
    await seed(sqlite_store, 1)
    rows = {row["id"]: row for row in await everything(sqlite_store, VIEWS["customers"])}
    assert (rows["c000"]["health"], rows["c000"]["mrr"]) == (0.5, 100.0)


async def test_no_view_holds_personal_data(sqlite_store: Store) -> None:
    await seed(sqlite_store, 1)
    async with sqlite_store.reading() as connection:
        for view in VIEWS.values():
            rows = (await connection.execute(text(f"SELECT * FROM {view.view}"))).all()
            assert not any("@c000.example" in str(row) or "Person" in str(row) for row in rows)
    assert "p0@c000.example" in {row["email"] for row in await everything(sqlite_store, VIEWS["contacts"])}


async def test_an_upgrade_makes_the_views_anew_and_keeps_who_may_read_them(store: Store) -> None:
    role = "bi_reader_of_a_test"
    postgresql = store.dialect == "postgresql"
    async with store.transaction() as connection:
        if postgresql:
            await connection.execute(text(f"CREATE ROLE {role}"))
            await connection.execute(text(f"GRANT SELECT ON bi_customers TO {role}"))
        await connection.execute(text("DROP VIEW bi_scores"))
    try:
        await upgrade(store)
        async with store.reading() as connection:
            await connection.execute(text("SELECT * FROM bi_scores"))
            if postgresql:
                asked = text("SELECT has_table_privilege(:role, 'bi_customers', 'SELECT')")
                assert (await connection.execute(asked, {"role": role})).scalar() is True
    finally:
        async with store.transaction() as connection:
            await connection.run_sync(drop_views)
            if postgresql:
                await connection.execute(text(f"DROP ROLE {role}"))
            await connection.run_sync(lambda sync: make_views(sync, ()))


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
def test_every_column_is_told_of(view: View) -> None:
    assert all(each.about.endswith(".") for each in view.columns)
    assert set(view.key) <= {each.name for each in view.columns}
