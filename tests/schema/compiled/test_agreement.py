"""Queries as frontends write them: they compile, and both paths answer alike."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from hub.model.actions import Role
from hub.store import Store
from hub.store.query.compiled import postgresql
from hub.store.query.compiled.tree import CLOSE, FAIL, KEYED, OPEN
from schema.api import SCHEMA
from schema.compiled.reading import Reader
from tests.schema.company import NOW, seed
from tests.schema.compiled.both import both, with_book
from tests.schema.everything import EVERYTHING
from tests.schema.fakes import viewer

QUERIES = {
    "a list": "{ customers(first: 2) { nodes { id name domain segment employees createdAt becameCustomerOn } } }",
    "health": """{ customers { nodes { name csm { name email } health { score band coverage asOf computedAt definition
        change30d readings { measure weight value } } facts { mrr plan dau } usage { asOf dau } } } }""",
    "pages in pages": """{ customers(first: 2, orderBy: {field: HEALTH, direction: DESC}) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { id tickets(first: 2) { totalCount nodes { id subject status severity createdAt replies
          customer { id name } } pageInfo { hasNextPage endCursor } } } }
        nodes { contacts(first: 3) { edges { cursor node { id email name createdAt } } } } } }""",
    "one of each": """{ customers { nodes { subscription { plan mrr startedOn renewsOn autoRenew status }
        churnRisk { probability band horizon reasons { code text effect value } model { version } }
        override { score reason } sentiment { value } onboarding { id } lifecycle { onboardingState } } } }""",
    "lists": """{ customers { nodes { custom { name value } identity { source key domains } extraScorecards { name readings
        { measure value } } churnRisks { horizon } usage { series(days: 5) { day users events minutes }
        features { feature events days lastDay } } } } }""",
    "names of types": """{ __typename customers(first: 1) { __typename nodes { __typename health { __typename }
        tickets(first: 1) { __typename edges { __typename node { __typename } } pageInfo { __typename } } } } }""",
    "history": "{ customers { nodes { scoreHistory(first: 2) { nodes { id asOf health facts readings { measure } } } } } }",
    "aliases": "{ a: customers(first: 1) { nodes { x: name y: name } } b: customers(first: 2) { rows: nodes { n: id } } }",
    "fragments": """query { customers { nodes { ...A ... on Customer { domain } } } }
        fragment A on Customer { name csm { ...B } } fragment B on Csm { email }""",
    "several, of which one has nothing": """query ($none: ID = "Q3VzdG9tZXI6bm9uZQ") { a: customers(first: 2) { nodes { name } }
        none: customer(id: $none) { name } __typename b: customers(first: 1, filter: {any: [{name: {contains: "$1"}},
        {name: {contains: "'"}}, {segment: {eq: "smb"}}]}) { totalCount } alerts(first: 1) { nodes { title } } }""",
    "alerts": "{ alerts { nodes { id title state openedAt customer { id name } } } }",
    "none": '{ customer(id: "Q3VzdG9tZXI6bm9uZQ") { name } }',
    "chosen": """{ customers(filter: {health: {gte: 0.4}, any: [{segment: {eq: "smb"}}, {name: {contains: "001"}}]}) {
        totalCount nodes { name } } }""",
    "chosen among several": """{ customers(first: 2, filter: {any: [{band: {in: [STABLE, HEALTHY]}},
        {segment: {notIn: ["smb"]}}], mrr: {gt: 0}}, orderBy: {field: CHURN_RISK, direction: DESC}) {
        totalCount nodes { name health { band } subscription { mrr } } } }""",
}


@pytest.mark.parametrize("name", QUERIES)
async def test_both_paths_agree(store: Store, name: str) -> None:
    await seed(store)
    assert await both(store, QUERIES[name], who=viewer(Role.CSM))
    for book in ("ann@cs.example", "nobody@cs.example"):
        assert await both(store, QUERIES[name], who=with_book(viewer(Role.CSM), book))


def without_timeline(query: str) -> str:
    """A timeline is of many tables, and is left to the ordinary path with the whole of its query."""
    begin = query.index("timeline(")
    end, depth = query.index("{", begin) + 1, 1
    while depth:
        depth += {"{": 1, "}": -1}.get(query[end], 0)
        end += 1
    return query[:begin] + query[end:]


async def test_everything_of_a_customer_is_one_statement(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await seed(store, 50)
    raw = store.raw
    asked: list[str] = []
    assert raw is not None
    run = raw.texts

    async def texts(statements: Any) -> list[bytes | None]:
        asked.extend(sql for sql, _ in statements)
        return await run(statements)

    monkeypatch.setattr(raw, "texts", texts)
    for first in (5, 50):
        assert await both(store, without_timeline(EVERYTHING), {"first": first}, who=viewer(Role.CSM))
    assert len(asked) == 2
    assert asked[0] == asked[1]


async def test_a_plan_that_is_kept_knows_each_day_anew(store: Store) -> None:
    await seed(store)
    query = "{ customers { nodes { name override { score expiresOn } tickets(first: 1) { nodes { id } } } } }"
    shown = [await both(store, query, who=viewer(Role.CSM), now=NOW + timedelta(days=days)) for days in (0, 400, 0)]
    assert shown[0] == shown[2] != shown[1]


FORGED = (
    "\x02",
    "A\x02customer",
    f"{OPEN}customer:c000{CLOSE}",
    f"{CLOSE}{OPEN}",
    FAIL,
    f"A{KEYED}customer",
    '"},{"id":"',
)
"""With marks in them, and with what follows one."""


async def test_a_record_that_holds_a_mark_forges_nothing(store: Store) -> None:
    await seed(store)
    for name in FORGED:
        await _update(store, "customer SET domain = NULL, name", name)
        for query in (
            QUERIES["a list"],
            "{ customers { nodes { name id domain } } }",
            "{ customers { nodes { name } } }",
        ):
            found = await both(store, query, who=viewer(Role.CSM))
            assert found is not None
            assert orjson.loads(found)["customers"]["nodes"][0]["name"] == name


async def test_a_key_that_holds_a_mark_is_told_by_the_ordinary_path(store: Store) -> None:
    """Keys that are still to be sealed stand in PostgreSQL's texts as they are."""
    await seed(store)
    for mark in ("a\x02b", f"{CLOSE}{FAIL}", f"x{CLOSE}{OPEN}ticket:t0", FAIL, f"{KEYED}=0"):
        for table, named in (("ticket", "subject"), ("contact", "name")):
            await _update(store, f"{table} SET id = :words || id, {named}", mark)
            page = f"{{ customers {{ nodes {{ {table}s(first: 2) {{ edges {{ cursor node {{ id }} }} }} }} }} }}"
            for query in (NESTED, page):
                await both(store, query, who=viewer(Role.CSM), must=False)


NESTED = """{ customers { nodes { id name health { score band asOf } tickets(first: 3) { nodes { id subject status createdAt } }
    contacts(first: 2) { nodes { id name email } } } } }"""
ODD = ('a "quoted" text', "C:\\folder", "two\nlines\tand a tab", "\x01\x1e\x7f", "ünïcödé 雪", "", "null", "~", *FORGED)


async def test_texts_are_told_as_they_are(store: Store) -> None:
    await seed(store)
    for words in ODD:
        for what in ("customer SET name", "contact SET name", "ticket SET subject"):
            await _update(store, what, words)
            assert await both(store, NESTED, who=viewer(Role.CSM)), (what, words)
            await _update(store, what, "plain")


async def test_keys_are_told_as_they_are(store: Store) -> None:
    await seed(store)
    for words in ('"', "\\", "\n", "ü雪", "null"):
        await _update(store, "ticket SET id = :words || id, subject", words)
        await _update(store, "contact SET id = :words || id, name", words)
        assert await both(store, NESTED, who=viewer(Role.CSM)), words


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_an_older_postgresql_says_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no json_scalar."""
    monkeypatch.setattr(postgresql, "_SCALAR_SINCE", (1000,))
    monkeypatch.setattr("tests.schema.compiled.both.READER", Reader(SCHEMA))
    monkeypatch.setattr(store.raw, "texts", _without("json_scalar", store.raw.texts))  # type: ignore[union-attr]  # there is one
    await seed(store)
    for words in ODD:
        await _update(store, "ticket SET subject", words)
        assert await both(store, NESTED, who=viewer(Role.CSM))


def _without(function: str, run: Any) -> Any:
    async def texts(statements: Any) -> Any:
        assert all(function not in sql for sql, _ in statements)
        return await run(statements)

    return texts


async def _update(store: Store, what: str, words: str) -> None:
    async with store.transaction() as connection:
        await connection.execute(text(f"UPDATE {what} = :words"), {"words": words})


async def test_numbers_and_times_of_every_kind(store: Store) -> None:
    await seed(store, 8)
    healths = ("1.0", "0.0000001", "0.1", "0.30000000000000004", "NULL", "0", "1e20", "-12345678901234567")
    fractions = ("", ".5", ".123456", ".000001", ".100000", "", "", "")
    async with store.transaction() as connection:
        ids = list((await connection.execute(text("SELECT id FROM customer ORDER BY id"))).scalars())
        for id_, health, fraction in zip(ids, healths, fractions, strict=True):
            moment = (
                f"2026-03-04 05:06:07{fraction}"
                if store.dialect == "postgresql"
                else (f"2026-03-04 05:06:07{fraction or '.0':0<7}")
            )
            await connection.execute(
                text(f"UPDATE scorecard SET health = {health} WHERE customer_id = :id"), {"id": id_}
            )
            for table in ("customer", "ticket"):
                column = "id" if table == "customer" else "customer_id"
                moved = f"UPDATE {table} SET created_at = '{moment}' WHERE {column} = :id"
                await connection.execute(text(moved), {"id": id_})
        await connection.execute(text("DELETE FROM ticket WHERE customer_id = :id"), {"id": ids[2]})
    for first in range(1, 9):
        flat = f"{{ customers(first: {first}) {{ nodes {{ createdAt health {{ score }} }} }} }}"
        assert await both(store, flat, who=viewer(Role.CSM))
    assert await both(store, NESTED, who=viewer(Role.CSM))


async def test_what_json_has_no_number_for_is_left_to_the_ordinary_path(store: Store) -> None:
    await seed(store)
    infinite = "9e999" if store.dialect == "sqlite" else "'Infinity'"
    async with store.transaction() as connection:
        await connection.execute(text(f"UPDATE scorecard SET health = {infinite}"))
    assert await both(store, NESTED, who=viewer(Role.CSM), must=False) is None
