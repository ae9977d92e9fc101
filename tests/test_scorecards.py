"""Scorecards are stored per day, past days once; bands change by run; churn stands beside health; on both databases."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select, update

from hub.documents import Document
from hub.errors import RefusedError
from hub.model.actions import SyncState
from hub.model.records import (
    Company,
    FeatureUsageDay,
    Record,
    Severity,
    Subscription,
    Ticket,
    TicketStatus,
    UserActivityDay,
)
from hub.resources import CONFIG
from hub.scorecards import BackfillReport, BandChange, ScoreReport, backfill, score
from hub.store import Store
from hub.store.records import upsert
from hub.store.scorecards import count_days, find_history, find_latest
from hub.store.tables import RECORD_TABLES, churn_model, churn_prediction, customer, sync_run
from scoring.book import HealthBook
from scoring.definition import HealthDefinition, load
from scoring.facts import FACTS, FactTable, Floats

TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 9, tzinfo=UTC)
BANDS = """
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
"""
# sessions a user and week 0-4 and severe tickets 4-0, straight
DEFINITION = load(
    Document.from_text(
        f"""{BANDS}
groups:
  engagement:
    weight: 0.6
    of:
      login_frequency: {{weight: 1, curve: {{points: [[0, 0], [4, 1]]}}}}
  support:
    weight: 0.4
    of:
      ticket_severity: {{weight: 1, curve: {{points: [[0, 1], [4, 0]]}}}}
""",
        name="health.yaml",
    )
)
BOOK = HealthBook(DEFINITION)


def day(days_ago: int) -> date:
    return TODAY - timedelta(days=days_ago)


def moment(days_ago: int) -> datetime:
    return NOW - timedelta(days=days_ago)


class World:
    """Customers who use a product and open tickets; a company key is the customer's id."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.keys = 0

    async def customers(self, *ids: str) -> None:
        created = datetime(2025, 1, 1, tzinfo=UTC)
        rows = [{"id": id_, "name": id_, "created_at": created, "updated_at": created} for id_ in ids]
        async with self.store.transaction() as connection:
            await connection.execute(customer.insert(), rows)
        for source in ("product", "desk"):
            await self.put(source, *(Company(key=id_, version=1, company_key=id_) for id_ in ids))

    async def put(self, source: str, *records: Record) -> None:
        async with self.store.transaction() as connection:
            await upsert(connection, records, source=source, now=NOW, historical=True)
            for table in RECORD_TABLES.values():
                await connection.execute(update(table).values(customer_id=table.c.company_key))

    def key(self) -> str:
        self.keys += 1
        return str(self.keys)

    def use(self, id_: str, days_ago: int, sessions: int) -> UserActivityDay:
        return UserActivityDay(
            key=self.key(),
            version=1,
            company_key=id_,
            user_key="u",
            day=day(days_ago),
            events=1,
            sessions=sessions,
            minutes=1,
        )

    def urgent(self, id_: str, days_ago: int) -> Ticket:
        return Ticket(
            key=self.key(),
            version=1,
            company_key=id_,
            status=TicketStatus.OPEN,
            severity=Severity.URGENT,
            created_at=moment(days_ago),
        )

    async def sync(self, source: str, days_ago: int) -> None:
        counts = dict.fromkeys(("pulled", "new", "changed", "unchanged", "quarantined"), 0)
        row = {
            "id": f"{source} {days_ago}",
            "source": source,
            "state": SyncState.SUCCEEDED.value,
            "started_at": moment(days_ago),
            "streams": {},
            **counts,
        }
        async with self.store.transaction() as connection:
            await connection.execute(insert(sync_run), [row])


@pytest.fixture
async def world(store: Store) -> World:
    """good: 3 sessions a week, no severe ticket; poor: 1 session a week, two of them."""
    world = World(store)
    await world.customers("good", "poor")
    await world.put("product", world.use("good", 10, 12), world.use("poor", 10, 4))
    await world.put("desk", world.urgent("poor", 10), world.urgent("poor", 9))
    return world


GOOD = 0.6 * 0.75 + 0.4 * 1
POOR = 0.6 * 0.25 + 0.4 * 0.5


@dataclass(frozen=True)
class Columns:
    probability: Floats
    annualised: Floats
    band: Sequence[str]
    confidence: Sequence[str]
    reasons: Sequence[Sequence[dict[str, Any]]]


@dataclass
class FakePredictor:
    """Says for the customer at i that the probability is i / 10, and remembers the tables it saw."""

    model_version: str = "m1"
    horizon: str = "90d"
    horizon_days: int | None = 90
    shown: bool = True
    product_features: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.seen: list[FactTable] = []

    def predict(self, table: FactTable) -> Columns:
        self.seen.append(table)
        p = np.arange(len(table)) / 10
        reasons = [[{"code": "USAGE_DROP", "text": id_}] for id_ in table.customers]
        return Columns(p, 1 - (1 - p) ** 4, ["low"] * len(table), ["normal"] * len(table), reasons)


async def add_model(store: Store, version: str = "m1") -> None:
    row = {"version": version, "kind": "xgboost", "horizon_days": 90, "trained_at": NOW, "role": "champion"}
    async with store.transaction() as connection:
        await connection.execute(insert(churn_model), [{**row, "features": [], "evaluation": {}, "parameters": {}}])


async def run(
    store: Store, as_of: date = TODAY, *, definition: HealthDefinition = DEFINITION, **options: Any
) -> ScoreReport:
    predictor = options.pop("predictor", None)
    predictors = options.pop("predictors", [predictor] if predictor else [])
    book = options.pop("book", HealthBook(definition))
    return await score(store, book, predictors, as_of=as_of, now=options.pop("now", NOW), **options)


async def latest(store: Store) -> dict[str, Any]:
    async with store.reading() as connection:
        return dict(await find_latest(connection))


async def history(store: Store, id_: str) -> list[Any]:
    async with store.reading() as connection:
        return (await find_history(connection, [id_]))[id_]


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
            "without ticket_severity (last read 0.00) the rest alone reads healthy"
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
