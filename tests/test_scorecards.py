"""Scorecards are stored per day, past days once; bands change by run; churn stands beside health; on both databases."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from hub.documents import Document
from hub.errors import RefusedError
from hub.model.records import FeatureUsageDay, Subscription
from hub.resources import CONFIG
from hub.scorecards import BackfillReport, BandChange, ScoreReport, backfill
from hub.store import Store
from hub.store.scorecards import count_days, find_history, find_latest
from hub.store.tables import churn_prediction
from scoring.definition import load
from scoring.facts import FACTS
from tests.fakes.world import (
    BANDS,
    BOOK,
    DEFINITION,
    GOOD,
    NOW,
    POOR,
    TODAY,
    FakePredictor,
    World,
    add_model,
    day,
    good_and_poor,
    history,
    latest,
    run,
)


@pytest.fixture
async def world(store: Store) -> World:
    return await good_and_poor(store)


async def test_scorecards_of_today(store: Store, world: World) -> None:
    report = await run(store)
    assert report == ScoreReport(
        as_of=TODAY,
        customer_ids=("good", "poor"),
        withheld=0,
        bands={"healthy": 1, "warning": 1},
        churn_bands={},
        changes=(BandChange("good", None, "healthy"), BandChange("poor", None, "warning")),
        definition_hash=DEFINITION.hash,
        model_version=None,
        definitions={"main": 2},
    )
    cards = await latest(store)
    poor = cards["poor"]
    assert (cards["good"].health, poor.health) == (pytest.approx(GOOD, abs=1e-12), pytest.approx(POOR, abs=1e-12))
    assert (poor.band, poor.previous_band, poor.coverage, poor.reason) == ("warning", None, 1, None)
    assert (poor.churn_risk, poor.churn_annualised, poor.churn_band) == (None, None, None)
    assert (poor.as_of, poor.computed_at, poor.latest, poor.definition_hash) == (TODAY, NOW, True, DEFINITION.hash)
    assert set(poor.facts) == set(FACTS)
    assert (poor.facts["urgent_tickets_90d"], poor.facts["mrr"]) == (2, None)
    assert poor.readings[0] == {
        "measure": "login_frequency",
        "group": "engagement",
        "input": 1.0,
        "unit": "sessions a user and week",
        "value": 0.25,
        "weight": 0.6,
        "contribution": 0.15,
        "missing": None,
        "reason": "1 session a user and week in the last 28 days (4 sessions, 1 user)",
    }
    assert sum(reading["contribution"] for reading in poor.readings) == pytest.approx(poor.health, abs=1e-9)


async def test_today_is_written_anew_until_it_is_over(store: Store, world: World) -> None:
    await run(store)
    await world.put("desk", world.urgent("good", 0), *(world.urgent("poor", 0) for _ in range(2)))
    report = await run(store)
    assert report.changes == (BandChange("poor", "warning", "critical"),)
    cards = await history(store, "poor")
    assert [(card.band, card.previous_band, card.latest) for card in cards] == [("critical", None, True)]
    assert (await run(store)).changes == ()


async def test_a_past_day_is_written_once(store: Store, world: World) -> None:
    first = await run(store, day(5))
    assert first.customer_ids == ("good", "poor")
    before = await history(store, "poor")
    await world.put("desk", *(world.urgent("poor", 6) for _ in range(4)))
    again = await run(store, day(5))
    assert (again.customer_ids, again.changes, again.bands) == ((), (), {})
    assert await history(store, "poor") == before


async def test_a_day_that_has_not_come_is_refused(store: Store, world: World) -> None:
    with pytest.raises(RefusedError, match="2026-07-01 has not come yet"):
        await run(store, day(-1))
    assert await latest(store) == {}


async def test_latest_and_previous_band_follow_the_days(store: Store, world: World) -> None:
    await run(store, day(3))
    await world.put("desk", *(world.urgent("good", 2) for _ in range(2)))
    changed = await run(store, day(1))
    assert changed.changes == (BandChange("good", "healthy", "stable"),)
    older = await run(store, day(2))
    assert older.changes == (), "an older day is no news"
    cards = await history(store, "good")
    assert [(card.as_of, card.band, card.previous_band, card.latest) for card in cards] == [
        (day(3), "healthy", None, False),
        (day(2), "stable", "healthy", False),
        (day(1), "stable", "healthy", True),
    ]
    assert (await run(store)).changes == ()
    assert (await latest(store))["good"].previous_band == "stable"
    async with store.reading() as connection:
        some = await find_history(connection, ["good", "poor", "nobody"], since=day(2), until=day(1))
        assert {id_: [card.as_of for card in cards] for id_, cards in some.items()} == {
            "good": [day(2), day(1)],
            "poor": [day(2), day(1)],
            "nobody": [],
        }
        assert list(await find_latest(connection, ["good", "nobody"])) == ["good"]


async def test_who_left_keeps_a_history_and_is_listed_no_more(store: Store, world: World) -> None:
    term = Subscription(key="1", version=1, company_key="poor", plan="Pro", mrr=10, started_on=day(300), ended_on=TODAY)
    await world.put("billing", term, replace(term, key="2", company_key="good", ended_on=None))
    await backfill(store, BOOK, [], days=[day(1)], now=NOW)
    assert set(await latest(store)) == {"good", "poor"}
    await run(store, customer_ids=["good"])  # some were asked for: that says nothing of the others
    assert set(await latest(store)) == {"good", "poor"}
    await run(store)
    assert set(await latest(store)) == {"good"}
    assert [card.as_of for card in await history(store, "poor")] == [day(1)]


async def test_some_customers_are_scored_as_they_would_be_among_all(store: Store, world: World) -> None:
    ids = [f"c{i:02}" for i in range(12)]
    await world.customers(*ids)
    await world.put("product", *(world.use(id_, 1, i) for i, id_ in enumerate(ids)))
    relative = load(
        Document.from_text(
            f"{BANDS}\ngroups: {{login_frequency: {{weight: 1, curve: {{percentile: higher}}}}}}", name="health.yaml"
        )
    )
    assert relative.relative
    alone = await run(store, day(1), definition=relative, customer_ids=["c03"])
    assert alone.customer_ids == ("c03",)
    assert list(await latest(store)) == ["c03"]
    await run(store, definition=relative)
    # below it 0, 1 and 2 sessions; equal to none; of 13 others, "good" has 12 and "poor" 4
    assert [card.health for card in await history(store, "c03")] == [pytest.approx(3 / 13)] * 2


async def test_churn_stands_beside_health(store: Store, world: World) -> None:
    await add_model(store)
    predictor = FakePredictor()
    report = await run(store, predictor=predictor)
    assert (report.churn_bands, report.model_version) == ({"low": 2}, "m1")
    card = (await latest(store))["poor"]
    assert (card.churn_risk, card.churn_band) == (0.1, "low")
    assert card.churn_annualised == pytest.approx(1 - 0.9**4)
    await run(store, predictor=predictor)
    async with store.reading() as connection:
        rows = (await connection.execute(select(churn_prediction).order_by(churn_prediction.c.id))).all()
    assert [(row.id, row.probability, row.confidence, row.reasons) for row in rows] == [
        ("good:2026-06-30:m1", 0.0, "normal", [{"code": "USAGE_DROP", "text": "good"}]),
        ("poor:2026-06-30:m1", 0.1, "normal", [{"code": "USAGE_DROP", "text": "poor"}]),
    ]


async def test_a_predictor_gets_the_product_features_it_counts(store: Store, world: World) -> None:
    await add_model(store)
    use = FeatureUsageDay(key="f", version=1, company_key="good", feature="export", day=day(1), events=7, users=1)
    await world.put("product", use)
    predictor = FakePredictor(product_features=["export", "import"])
    await run(store, predictor=predictor)
    numbers = predictor.seen[0].numbers
    assert numbers["events_28d:export"].tolist() == [7, 0]
    assert numbers["events_28d:import"].tolist() == [0, 0]
    assert "events_28d:export" not in (await latest(store))["good"].facts


async def test_backfill_writes_the_past_days_that_are_missing(store: Store, world: World) -> None:
    days = [day(ago) for ago in (0, 1, 2, 3)]
    await run(store, day(2), customer_ids=["good"])
    told: list[tuple[date, int, int]] = []
    report = await backfill(store, BOOK, [], days=days, now=NOW, progress=lambda *step: told.append(step))
    assert report == BackfillReport(written=(day(3), day(2), day(1)), complete=(), cards=5)
    assert told == [(day(3), 1, 3), (day(2), 2, 3), (day(1), 3, 3)]
    async with store.reading() as connection:
        assert await count_days(connection) == {day(3): 2, day(2): 2, day(1): 2}
    again = await backfill(store, BOOK, [], days=days, now=NOW)
    assert again == BackfillReport(written=(), complete=(day(3), day(2), day(1)), cards=0)
    assert [card.latest for card in await history(store, "good")] == [False, False, True]


async def test_without_data_there_is_a_scorecard_that_says_so(store: Store) -> None:
    world = World(store)
    await world.customers("new")
    report = await run(store)
    assert (report.withheld, report.bands, report.changes) == (1, {}, ())
    card = (await latest(store))["new"]
    assert (card.health, card.band, card.coverage) == (None, None, 0)
    assert card.reason == (
        "Only 0 % of the weight has data, less than the 50 % needed for a score; missing: all of engagement, all of support"
    )


async def test_a_dying_source_does_not_lift_a_band(store: Store, world: World) -> None:
    await world.sync("desk", 9)
    bands = {}
    for ago in (9, 3, 2, 1, 0):
        await run(store, day(ago))
        card = (await latest(store))["poor"]
        bands[ago] = (card.band, round(card.coverage, 2), card.health)
    # three severe tickets a quarter and little use; a week after the desk's last sync only use is left, and reads 0.25
    assert {ago: band[:2] for ago, band in bands.items()} == {
        9: ("warning", 1.0),
        3: ("warning", 1.0),
        2: ("critical", 0.6),
        1: ("critical", 0.6),
        0: ("critical", 0.6),
    }
    await world.put("product", *(world.use("poor", 0, 12) for _ in range(1)))
    await run(store)
    held = (await latest(store))["poor"]
    assert held.health == pytest.approx(1.0)
    assert (held.band, held.reason) == ("healthy", None)


async def test_a_band_is_held_by_what_a_dead_source_said_last(store: Store) -> None:
    world = World(store)
    await world.customers("poor")
    await world.put("product", world.use("poor", 10, 12))
    await world.put("desk", *(world.urgent("poor", 10) for _ in range(4)))
    await world.sync("desk", 9)
    await run(store, day(9))
    assert (await latest(store))["poor"].health == pytest.approx(0.45)
    for ago in (1, 0):  # the second day leans on what the first one carried on
        await run(store, day(ago))
        card = (await latest(store))["poor"]
        assert (card.band, card.health) == ("warning", pytest.approx(0.75))
        assert card.reason == (
            "Held at warning, because losing data is no improvement: "
            "without ticket_severity (last read 0.0) the rest alone reads healthy"
        )
    await world.sync("desk", 0)
    await run(store)
    assert (await latest(store))["poor"].health == pytest.approx(0.45)


async def test_the_definition_we_ship_scores(store: Store, world: World) -> None:
    shipped = load(Document.read(CONFIG / "health.yaml"))
    report = await run(store, definition=shipped)
    assert report.customer_ids == ("good", "poor")
    card = (await latest(store))["good"]
    assert card.health is not None
    assert sum(reading["contribution"] for reading in card.readings) == pytest.approx(card.health, abs=1e-9)
