"""Scorecards by several definitions, extras beside them, risks of several horizons, and roll-ups of parents; both databases."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Self

import numpy as np
import pytest
from sqlalchemy import select, update

from hub.documents import Document
from hub.errors import NotFoundError
from hub.explanation import explain
from hub.model.conditions import parse
from hub.model.records import Subscription
from hub.scorecards import backfill
from hub.store import Store
from hub.store.extra_scorecards import find_extra
from hub.store.judgement import Statement, add_statement, withdraw
from hub.store.rollups import find_rollup
from hub.store.tables import (
    churn_prediction,
    customer,
    extra_scorecard,
    health_definition,
    rollup_scorecard,
    subscription,
)
from scoring.book import HealthBook, Rollup, Variant
from scoring.choosing import FIELDS
from scoring.definition import load
from scoring.explain import Cause
from scoring.facts import FactTable
from tests.fakes.world import (
    BANDS,
    DEFINITION,
    GOOD,
    NOW,
    POOR,
    TODAY,
    Columns,
    FakePredictor,
    World,
    add_model,
    day,
    good_and_poor,
    history,
    latest,
    run,
)

# of support alone, and stricter
SUPPORT = replace(
    load(
        Document.from_text(
            """
bands:
  critical: {from: 0, below: 0.6}
  warning: {from: 0.6, below: 0.7}
  stable: {from: 0.7, below: 0.8}
  healthy: {from: 0.8}
groups: {ticket_severity: {weight: 1, curve: {points: [[0, 1], [4, 0]]}}}
""",
            name="support.yaml",
        )
    ),
    name="support",
)
LOGINS = replace(
    load(
        Document.from_text(
            f"{BANDS}\ngroups: {{login_frequency: {{weight: 1, curve: {{points: [[0, 0], [2, 1]]}}}}}}",
            name="logins.yaml",
        )
    ),
    name="logins",
)
TROUBLED = Variant(SUPPORT, parse({"urgent_tickets_90d": {"gte": 1}}, FIELDS), 1)


@pytest.fixture
async def world(store: Store) -> World:
    return await good_and_poor(store)


async def rows(store: Store, table: Any) -> list[Any]:
    async with store.reading() as connection:
        return list((await connection.execute(select(table).order_by(table.c.id))).all())


async def test_each_customer_is_scored_by_the_definition_that_speaks_of_it(store: Store, world: World) -> None:
    report = await run(store, book=HealthBook(DEFINITION, (TROUBLED,)))
    assert report.definitions == {"main": 1, "support": 1}
    found = {
        id_: (
            card.definition,
            card.definition_hash,
            card.health,
            card.band,
            [each["measure"] for each in card.readings],
        )
        for id_, card in (await latest(store)).items()
    }
    assert found == {
        "good": ("main", DEFINITION.hash, pytest.approx(GOOD), "healthy", ["login_frequency", "ticket_severity"]),
        "poor": ("support", SUPPORT.hash, pytest.approx(0.5), "critical", ["ticket_severity"]),
    }
    async with store.reading() as connection:
        kept = set((await connection.execute(select(health_definition.c.hash))).scalars())
    assert kept == {DEFINITION.hash, SUPPORT.hash}


async def test_who_moves_to_another_definition_has_that_as_a_cause(store: Store, world: World) -> None:
    await run(store, day(1))
    await run(store, book=HealthBook(DEFINITION, (TROUBLED,)))
    comparison = (await explain(store, "poor", since=day(1))).comparison
    assert comparison is not None
    assert comparison.definitions == (("main", DEFINITION.hash), ("support", SUPPORT.hash))
    assert comparison.change == pytest.approx(0.5 - POOR, abs=1e-12)
    assert set(comparison.causes) == {Cause.DEFINITION}
    assert sum(line.amount for line in comparison.changes) == pytest.approx(comparison.change, abs=1e-9)


async def test_an_override_has_the_band_of_the_customers_own_definition(store: Store, world: World) -> None:
    async with store.transaction() as connection:
        for id_ in ("good", "poor"):
            stated = Statement(id=id_, customer_id=id_, value=0.55, reason="?", by="ann", set_at=NOW, expires_on=TODAY)
            await add_statement(connection, "override", stated)
    report = await run(store, book=HealthBook(DEFINITION, (TROUBLED,)))
    assert report.overridden == 2
    assert {id_: card.band for id_, card in (await latest(store)).items()} == {"good": "stable", "poor": "critical"}


class Interrupted(FakePredictor):
    """While it predicts, something else is done to the store."""

    def meanwhile(self, doing: Callable[[], Coroutine[Any, Any, object]]) -> Self:
        self.loop, self.doing = asyncio.get_running_loop(), doing
        return self

    def predict(self, table: FactTable) -> Columns:
        asyncio.run_coroutine_threadsafe(self.doing(), self.loop).result(30)
        return super().predict(table)


async def test_an_override_of_while_a_run_computes_is_not_undone_by_it(store: Store, world: World) -> None:
    await add_model(store)
    stated = Statement(id="o", customer_id="poor", value=0.9, reason="?", by="ann", set_at=NOW, expires_on=TODAY)

    async def state() -> None:
        async with store.transaction() as connection:
            await add_statement(connection, "override", stated)
        await run(store, predictor=FakePredictor(), customer_ids=["poor"])

    report = await run(store, predictor=Interrupted().meanwhile(state))
    card = (await latest(store))["poor"]
    assert (card.health, card.band, card.override_id) == (0.9, "healthy", "o")
    assert card.computed_health == pytest.approx(POOR)
    assert "Overridden by ann" in (card.reason or "")
    assert (report.overridden, report.bands) == (1, {"healthy": 2})
    assert [each.latest for each in await rows(store, churn_prediction)] == [True, True]

    async def withdrawn() -> None:
        async with store.transaction() as connection:
            await withdraw(connection, "override", "poor", by="bob", now=NOW)
        await run(store, predictor=FakePredictor(), customer_ids=["poor"])

    assert (await run(store, predictor=Interrupted().meanwhile(withdrawn))).overridden == 0
    card = (await latest(store))["poor"]
    assert (card.health, card.override_id) == (pytest.approx(POOR), None)


async def test_extra_scorecards_stand_beside_the_main_one(store: Store, world: World) -> None:
    book = HealthBook(DEFINITION, extras=(LOGINS, SUPPORT))
    await run(store, day(1), book=book)
    await world.put("product", world.use("poor", 0, 4))
    await run(store, book=book)
    card = (await latest(store))["poor"]
    assert (card.definition, [each["measure"] for each in card.readings]) == (
        "main",
        ["login_frequency", "ticket_severity"],
    )
    found = {
        (row.customer_id, row.name, row.as_of): (row.health, row.band, row.latest)
        for row in await rows(store, extra_scorecard)
    }
    assert found == {
        ("good", "logins", day(1)): (1, "healthy", False),
        ("good", "logins", TODAY): (1, "healthy", True),
        ("good", "support", day(1)): (1, "healthy", False),
        ("good", "support", TODAY): (1, "healthy", True),
        ("poor", "logins", day(1)): (0.5, "stable", False),
        ("poor", "logins", TODAY): (1, "healthy", True),
        ("poor", "support", day(1)): (0.5, "critical", False),
        ("poor", "support", TODAY): (0.5, "critical", True),
    }
    explained = await explain(store, "poor", scorecard="logins", since=day(1))
    assert (explained.score, explained.computed, explained.definition) == (1, 1, "logins")
    assert [line.contribution.measure for line in explained.lines] == ["login_frequency"]
    assert explained.lines[0].contribution.facts["sessions_28d"] == 8
    assert explained.comparison is not None
    assert explained.comparison.change == pytest.approx(0.5)
    assert sum(line.amount for line in explained.comparison.changes) == pytest.approx(0.5, abs=1e-9)
    with pytest.raises(NotFoundError, match="has no extra scorecard 'adoption'; there are: logins, support"):
        await explain(store, "poor", scorecard="adoption")


async def test_extras_of_a_past_day_are_written_once_and_one_that_is_gone_is_listed_no_more(
    store: Store, world: World
) -> None:
    await run(store, day(1), book=HealthBook(DEFINITION, extras=(LOGINS,)))
    await world.put("product", world.use("poor", 2, 4))
    await run(store, day(1), book=HealthBook(DEFINITION, extras=(LOGINS,)))
    async with store.reading() as connection:
        card = await find_extra(connection, "poor", "logins")
    assert card is not None
    assert (card.health, card.latest) == (0.5, True)
    await run(store, book=HealthBook(DEFINITION, extras=(SUPPORT,)))
    newest = {(row.customer_id, row.name) for row in await rows(store, extra_scorecard) if row.latest}
    assert newest == {("good", "support"), ("poor", "support")}


async def test_an_extra_remembers_what_it_read_last_by_its_own_curve(store: Store) -> None:
    world = World(store)
    await world.customers("poor")
    await world.put("product", world.use("poor", 10, 4))
    await world.put("desk", *(world.urgent("poor", 10) for _ in range(3)))
    await world.sync("desk", 9)
    both = replace(
        load(
            Document.from_text(
                """
coverage_floor: 0
bands:
  critical: {from: 0, below: 0.6}
  warning: {from: 0.6, below: 0.7}
  stable: {from: 0.7, below: 0.8}
  healthy: {from: 0.8}
groups:
  login_frequency: {weight: 0.5, curve: {points: [[0, 0], [1, 1]]}}
  ticket_severity: {weight: 0.5, curve: {points: [[0, 1], [3, 0]]}}
""",
                name="both.yaml",
            )
        ),
        name="both",
    )
    book = HealthBook(DEFINITION, extras=(both,))
    for ago in (9, 0):  # the desk told nothing for more than a week: it is dead
        await run(store, day(ago), book=book)
    async with store.reading() as connection:
        card = await find_extra(connection, "poor", "both")
    assert card is not None
    # 0 by its own curve, not the 0.25 of the main definition's
    severity = card.readings[1]
    assert (severity["last"], severity["last_on"]) == (0, str(day(9)))
    assert (card.health, card.band) == (1, "critical")


class Horizon(FakePredictor):
    """Who is at place 0 has no probability: no renewal is due."""

    def predict(self, table: Any) -> Columns:
        said = super().predict(table)
        return replace(said, probability=np.where(said.probability == 0, np.nan, said.probability))


async def test_the_predictions_of_all_models_are_kept_and_the_first_is_the_cards(store: Store, world: World) -> None:
    for version in ("m90", "m30", "renewal", "challenger"):
        await add_model(store, version)
    predictors = [
        FakePredictor("m90"),
        FakePredictor("m30", horizon="30d", horizon_days=30),
        Horizon("renewal", horizon="renewal", horizon_days=None),
        FakePredictor("challenger", shown=False),
    ]
    await run(store, day(1), predictors=predictors)
    report = await run(store, predictors=predictors)
    assert report.model_version == "m90"
    assert (await latest(store))["poor"].churn_risk == 0.1
    found = [
        (row.customer_id, row.model_version, row.horizon, row.horizon_days, row.shown, row.main)
        for row in await rows(store, churn_prediction)
        if row.latest
    ]
    assert found == [
        ("good", "challenger", "90d", 90, False, False),
        ("good", "m30", "30d", 30, True, False),
        ("good", "m90", "90d", 90, True, True),
        ("poor", "challenger", "90d", 90, False, False),
        ("poor", "m30", "30d", 30, True, False),
        ("poor", "m90", "90d", 90, True, True),
        ("poor", "renewal", "renewal", None, True, False),
    ]
    assert {row.as_of for row in await rows(store, churn_prediction) if row.latest} == {TODAY}


async def test_a_model_that_speaks_no_more_has_no_newest_prediction(store: Store, world: World) -> None:
    for version in ("old", "new"):
        await add_model(store, version)
    await run(store, predictors=[FakePredictor("old")])
    await run(store, predictors=[FakePredictor("new")], customer_ids=["good"])
    found = {(row.customer_id, row.model_version): row.latest for row in await rows(store, churn_prediction)}
    assert found == {("good", "old"): False, ("good", "new"): True, ("poor", "old"): True}


async def test_who_gave_notice_is_leaving_and_not_at_risk(store: Store, world: World) -> None:
    for version in ("m1", "challenger"):
        await add_model(store, version)
    term = Subscription(key="1", version=1, company_key="poor", plan="Pro", mrr=10, started_on=day(300))
    noticed = replace(term, cancelled_at=datetime(2026, 6, 28, tzinfo=UTC), ended_on=date(2026, 9, 1))
    await world.put("billing", noticed, replace(term, key="2", company_key="good"))
    predictors = [FakePredictor(), FakePredictor("challenger", shown=False)]
    await run(store, day(5), predictors=predictors)
    assert (await latest(store))["poor"].churn_band == "low", "the notice came later"
    report = await run(store, predictors=predictors)
    assert report.churn_bands == {"low": 1, "noticed": 1}
    card = (await latest(store))["poor"]
    assert (card.churn_risk, card.churn_annualised, card.churn_band) == (None, None, "noticed")
    assert card.health is not None
    (row,) = [row for row in await rows(store, churn_prediction) if row.latest and row.customer_id == "poor"]
    assert (row.model_version, row.probability, row.annualised, row.band) == ("m1", None, None, "noticed")
    assert (row.confidence, row.reasons) == (
        "noticed",
        [{"code": "NOTICE_GIVEN", "text": "Gave notice on 2026-06-28: is leaving, not at risk"}],
    )


async def family(store: Store, world: World, **parents: str) -> None:
    """{customer: its parent}; recurring revenue: good 300, poor 100."""
    term = Subscription(key="1", version=1, company_key="good", plan="Pro", mrr=300, started_on=day(300))
    await world.put("billing", term, replace(term, key="2", company_key="poor", mrr=100))
    async with store.transaction() as connection:
        for id_, parent in parents.items():
            await connection.execute(update(customer).where(customer.c.id == id_).values(parent_id=parent))


async def rolled(store: Store, id_: str) -> Any:
    async with store.reading() as connection:
        return await find_rollup(connection, id_)


async def everybody_pays(store: Store, world: World, *ids: str) -> None:
    """Who pays nothing while others pay is no customer: a free term makes them one, and no value."""
    term = Subscription(key="", version=1, company_key="", plan="Free", mrr=0, started_on=day(300))
    await world.put("billing", *(replace(term, key=f"free {id_}", company_key=id_) for id_ in ids))


@pytest.mark.parametrize(
    ("how", "score", "weights"),
    [
        (Rollup.VALUE, (300 * GOOD + 100 * POOR) / 400, {"good": 0.75, "poor": 0.25}),
        (Rollup.MEAN, (GOOD + POOR) / 2, {"good": 0.5, "poor": 0.5}),
        (Rollup.WORST, POOR, {"good": 0, "poor": 1}),
    ],
)
async def test_a_parent_is_rolled_up_with_everybody_below_it(
    store: Store, world: World, how: Rollup, score: float, weights: dict[str, float]
) -> None:
    await family(store, world, poor="good")
    report = await run(store, book=HealthBook(DEFINITION, rollup=how))
    assert (report.rollups, report.circular) == (1, ())
    found = await rolled(store, "good")
    assert (found.health, found.method, found.customers, found.note) == (pytest.approx(score), how.value, 2, None)
    assert {part["customer_id"]: part["weight"] for part in found.parts} == weights
    assert sum(part["contribution"] for part in found.parts) == found.health
    assert (await latest(store))["good"].health == pytest.approx(GOOD), "its own scorecard is its own"
    assert (await explain(store, "good")).rollup == found


async def test_a_tree_of_any_depth_counts_everybody_once(store: Store, world: World) -> None:
    await world.customers("top", "middle")
    await everybody_pays(store, world, "top", "middle")
    await family(store, world, good="middle", poor="middle", middle="top")
    await run(store)
    top, middle = await rolled(store, "top"), await rolled(store, "middle")
    assert [part["customer_id"] for part in top.parts] == ["good", "middle", "poor", "top"]
    assert [part["customer_id"] for part in middle.parts] == ["good", "middle", "poor"]
    assert [part["weight"] for part in top.parts] == [0.75, 0, 0.25, 0]
    assert top.note == "2 customers with a score have no recurring revenue that is known, and weigh nothing"
    assert middle.note == "1 customer with a score has no recurring revenue that is known, and weighs nothing"
    assert top.health == middle.health == pytest.approx((300 * GOOD + 100 * POOR) / 400)
    assert top.band == "healthy"


async def test_without_revenue_the_plain_mean_is_taken_and_said(store: Store, world: World) -> None:
    async with store.transaction() as connection:
        await connection.execute(update(customer).where(customer.c.id == "poor").values(parent_id="good"))
    await run(store)
    found = await rolled(store, "good")
    assert (found.health, found.method) == (pytest.approx((GOOD + POOR) / 2), "mean")
    assert found.note == "No recurring revenue is known of any of them: the plain mean, not by value"


async def test_an_override_below_moves_the_roll_up_at_once(store: Store, world: World) -> None:
    await family(store, world, poor="good")
    await run(store)
    async with store.transaction() as connection:
        stated = Statement(id="o", customer_id="poor", value=1.0, reason="?", by="a", set_at=NOW, expires_on=TODAY)
        await add_statement(connection, "override", stated)
    report = await run(store, customer_ids=["poor"])
    assert (report.customer_ids, report.rollups) == (("poor",), 1)
    found = await rolled(store, "good")
    assert found.health == pytest.approx((300 * GOOD + 100 * 1) / 400)
    assert found.customers == 2


async def test_who_is_their_own_ancestor_is_said_and_rolls_up_nothing_above(store: Store, world: World) -> None:
    await family(store, world, good="poor", poor="good")
    report = await run(store)
    assert (report.rollups, report.circular) == (0, ("good", "poor"))
    assert await rows(store, rollup_scorecard) == []


async def test_roll_ups_of_past_days_are_kept_and_who_is_no_parent_has_no_newest(store: Store, world: World) -> None:
    await family(store, world, poor="good")
    await backfill(store, HealthBook(DEFINITION), [], days=[day(2), day(1)], now=NOW)
    await run(store)
    assert [(row.as_of, row.latest) for row in await rows(store, rollup_scorecard)] == [
        (day(2), False),
        (day(1), False),
        (TODAY, True),
    ]
    before = await rolled(store, "good")
    async with store.transaction() as connection:
        await connection.execute(update(customer).values(parent_id=None))
        await connection.execute(update(subscription).values(mrr=1))
    await backfill(store, HealthBook(DEFINITION), [], days=[day(1)], now=NOW)
    tomorrow = datetime(2026, 7, 1, 9, tzinfo=UTC)
    report = await run(store, tomorrow.date(), now=tomorrow)
    assert report.rollups == 0
    assert [row.latest for row in await rows(store, rollup_scorecard)] == [False] * 3
    assert (await rolled(store, "good")).health == before.health


async def test_the_history_tells_computed_from_in_force(store: Store, world: World) -> None:
    await run(store, day(1))
    async with store.transaction() as connection:
        stated = Statement(id="o", customer_id="poor", value=0.9, reason="?", by="a", set_at=NOW, expires_on=TODAY)
        await add_statement(connection, "override", stated)
    await run(store)
    assert [(card.health, card.computed_health, card.override_id) for card in await history(store, "poor")] == [
        (pytest.approx(POOR), pytest.approx(POOR), None),
        (0.9, pytest.approx(POOR), "o"),
    ]
