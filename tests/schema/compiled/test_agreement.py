"""Queries as frontends write them: they compile, and both paths answer alike."""

from typing import Any

import orjson
import pytest
from sqlalchemy import text

from hub.model.actions import Role
from hub.store import Store
from tests.schema.company import seed
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


FORGED = ("\x7f", "A\x7fcustomer", '\x7fcustomer":5,"\x7f', 'A\x7f=0":"x","\x7fB\x7f', '","\x7fcustomer":"c000","\x7f')
"""Names with PostgreSQL's mark in them, and with what follows one."""


@pytest.mark.parametrize("name", FORGED)
async def test_a_record_that_holds_a_mark_forges_nothing(store: Store, name: str) -> None:
    await seed(store)
    async with store.transaction() as connection:
        await connection.execute(text("UPDATE customer SET name = :name, domain = :name"), {"name": name})
    for query in (QUERIES["a list"], "{ customers { nodes { name id domain } } }", "{ customers { nodes { name } } }"):
        found = await both(store, query, who=viewer(Role.CSM), must=store.dialect == "sqlite")
        assert found is None or orjson.loads(found)["customers"]["nodes"][0]["name"] == name
    assert await both(store, "{ customers { nodes { name } } }", who=viewer(Role.CSM)), "no mark is looked for there"
