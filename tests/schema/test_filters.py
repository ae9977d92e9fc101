"""The customer filter: the vocabulary of conditions, as inputs."""

from typing import Any

import pytest

from hub.store import Store, tables
from hub.store.custom import write_custom
from tests.schema.company import NOW, TODAY, customer_row, insert, scorecard_row, seed
from tests.schema.fakes import Ask

QUERY = "query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount nodes { name } } }"


async def three(store: Store) -> None:
    await insert(
        store,
        tables.customer,
        [
            customer_row(1, name="Acme", segment="smb"),
            customer_row(2, name="Bell", segment="enterprise"),
            customer_row(3, name="Core", segment=None),
        ],
    )
    await insert(
        store,
        tables.scorecard,
        [
            scorecard_row("c001", TODAY, health=0.2, band="critical", facts={"mrr": 50.0, "tickets_28d": 3.0}),
            scorecard_row("c002", TODAY, health=0.8, band="healthy", facts={"mrr": 500.0, "tickets_28d": None}),
        ],
    )


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (None, ["Acme", "Bell", "Core"]),
        ({"health": {"lt": 0.5}}, ["Acme"]),
        ({"health": {"exists": False}}, ["Core"]),
        ({"band": {"in": ["CRITICAL", "HEALTHY"]}}, ["Acme", "Bell"]),
        ({"band": {"ne": "CRITICAL"}}, ["Bell"]),
        ({"segment": {"eq": "smb"}}, ["Acme"]),
        ({"name": {"contains": "EL"}}, ["Bell"]),
        ({"name": {"startsWith": "co"}}, ["Core"]),
        ({"mrr": {"gte": 50, "lt": 500}}, ["Acme"]),
        ({"mrr": {"in": [500.0]}}, ["Bell"]),
        ({"mrr": {"notIn": [500.0]}}, ["Acme"]),
        ({"tickets28d": {"exists": True}}, ["Acme"]),
        ({"not": {"health": {"lt": 0.5}}}, ["Bell", "Core"]),
        ({"any": [{"health": {"lt": 0.5}}, {"name": {"eq": "Core"}}]}, ["Acme", "Core"]),
        ({"all": [{"health": {"lt": 0.9}}, {"segment": {"eq": "enterprise"}}]}, ["Bell"]),
        ({"health": {"lt": 0.9}, "segment": {"eq": "enterprise"}}, ["Bell"]),
    ],
)
async def test_a_filter_chooses(ask: Ask, store: Store, given: Any, names: list[str]) -> None:
    await three(store)
    body = await ask(QUERY, {"filter": given})
    assert body["data"]["customers"] == {"totalCount": len(names), "nodes": [{"name": name} for name in names]}


async def test_values_that_types_show_in_capitals_are_taken_so(ask_sqlite: Ask, sqlite_store: Store) -> None:
    await three(sqlite_store)
    await insert(
        sqlite_store,
        tables.lifecycle,
        [{"customer_id": "c002", "onboarding_state": "active", "onboarding_pace": "on_track", "updated_at": NOW}],
    )
    for given in ({"eq": "ON_TRACK"}, {"eq": "on_track"}, {"in": ["STALLED", "ON_TRACK"]}, {"notIn": ["STALLED"]}):
        body = await ask_sqlite(QUERY, {"filter": {"onboardingPace": given}})
        assert body["data"]["customers"]["nodes"] == [{"name": "Bell"}]
    body = await ask_sqlite(QUERY, {"filter": {"onboardingPace": {"eq": "Stalled"}}})
    assert body["errors"][0]["message"] == (
        "filter.onboardingPace.eq is no onboarding_pace (choices: on_track, behind, stalled)"
    )


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"custom": [{"name": "save_stage", "eq": "offered"}]}, ["Acme"]),
        ({"custom": [{"name": "save_stage", "in": ["offered", "taken"]}, {"name": "why", "exists": False}]}, ["Bell"]),
        ({"not": {"custom": [{"name": "save_stage", "exists": True}]}}, ["Core"]),
        ({"custom": [{"name": "save_stage", "startsWith": "OFF"}], "all": [{"health": {"gt": 0.5}}]}, []),
        ({"any": [{"custom": [{"name": "why", "contains": "PRI"}]}, {"name": {"eq": "Core"}}]}, ["Acme", "Core"]),
    ],
)
async def test_custom_fields_choose(ask: Ask, store: Store, given: Any, names: list[str]) -> None:
    await three(store)
    written = [("c001", "save_stage", "offered"), ("c001", "why", "price"), ("c002", "save_stage", "taken")]
    rows = [
        {"customer_id": id_, "name": name, "value": value, "updated_by": "ann", "run_id": None}
        for id_, name, value in written
    ]
    async with store.transaction() as connection:
        await write_custom(connection, rows, now=NOW)
    body = await ask(QUERY, {"filter": given})
    assert body["data"]["customers"] == {"totalCount": len(names), "nodes": [{"name": name} for name in names]}


async def test_an_empty_filter_chooses_all(ask_sqlite: Ask, sqlite_store: Store) -> None:
    await seed(sqlite_store, 3)
    body = await ask_sqlite(QUERY, {"filter": {}})
    assert body["data"]["customers"]["totalCount"] == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"custom": []}, "filter.custom must be a list of fields"),
        ({"custom": [{"name": "Bad Name", "eq": "x"}]}, "filter.custom: 'Bad Name' must be small letters"),
        ({"custom": [{"name": "stage"}]}, "filter.all.0.custom.stage must be {operator: value}"),
        ({"health": {}}, "filter.health must be {operator: value}"),
        ({"mrr": {"in": []}}, "filter.mrr.in must be a list, and not an empty one"),
        ({"seatUtilisation": {"eq": None}}, "filter.seatUtilisation.eq must be a number"),
        ({"any": []}, "filter.any must be a list of conditions"),
    ],
)
async def test_a_filter_that_says_nothing_is_refused(ask_sqlite: Ask, given: Any, message: str) -> None:
    body = await ask_sqlite(QUERY, {"filter": given})
    assert body["errors"][0]["message"].startswith(message)
    assert body["errors"][0]["extensions"] == {"code": "BAD_INPUT"}


@pytest.mark.parametrize(
    "given",
    [
        {"name": {"in": ["x"] * 501}},
        {"any": [{"name": {"eq": "x"}}] * 501},
        {"not": {"any": [{"mrr": {"lt": 1}}] * 500}},
    ],
)
async def test_a_filter_that_is_too_large_is_refused(ask_sqlite: Ask, given: Any) -> None:
    body = await ask_sqlite(QUERY, {"filter": given})
    assert "the limit is 500" in body["errors"][0]["message"]


async def test_nesting_without_end_is_refused(ask_sqlite: Ask) -> None:
    given: Any = {"health": {"lt": 1}}
    for _ in range(900):
        given = {"not": given}
    body = await ask_sqlite(QUERY, {"filter": given})
    assert "nested too deeply" in body["errors"][0]["message"]
    deep = await ask_sqlite("{ viewer " + "{ a " * 1_900 + "}" * 1_901)
    assert "nested too deeply" in deep["errors"][0]["message"]


async def test_an_unknown_fact_is_told_by_name(ask_sqlite: Ask) -> None:
    body = await ask_sqlite(QUERY, {"filter": {"healt": {"lt": 1}}})
    assert "unknown field 'healt'. Did you mean 'health'" in body["errors"][0]["message"]
