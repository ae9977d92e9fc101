"""Stored scores come out again to the last bit: over months in which sources die, with everything a book can say."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from hub.backtest import Verified, verify
from hub.documents import Document
from hub.scorecards import backfill, score
from hub.store import Store
from hub.store.judgement import Statement, add_statement
from hub.store.tables import health_definition, scorecard
from scoring import book_file
from scoring.book import HealthBook
from tests.fakes.past import IDS, NOW, TODAY, at, day, fill

MAIN = """
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
coverage_floor: 0.4
groups:
  usage:
    weight: 0.5
    of:
      wau: {weight: 0.4, curve: {percentile: higher}}
      usage_trend: {weight: 0.3, curve: {points: [[-1, 0], [0.3333333, 0.6], [1, 1]]}}
      login_frequency: {weight: 0.3, by_tenure: [{from_days: 0, curve: {points: [[0, 0], [3, 1]]}}, {from_days: 400, curve: {points: [[0, 0], [7, 1]]}}]}
  support:
    weight: 0.3
    of:
      ticket_severity: {weight: 0.5, curve: {points: [[0, 1], [4, 0]]}, stale_after_days: 4}
      resolution: {weight: 0.5, missing: {hold_days: 40, then: poor}}
  feedback:
    weight: 0.2
    of:
      nps: {weight: 0.7, missing: {hold_days: 15, then: neutral}}
      csat: {weight: 0.3, missing: exclude}
"""  # noqa: E501 - YAML, one measure a line
VARIANT = MAIN.replace("coverage_floor: 0.4", "when: {tenure_days: {lt: 560}}\npriority: 10").replace(
    "weight: 0.4, curve: {percentile: higher}", "weight: 0.4, curve: {points: [[0, 0], [3, 1]]}"
)
BOOK = book_file.load(
    Document.from_text(MAIN, name="health.yaml"), {"busy": Document.from_text(VARIANT, name="busy.yaml")}
)


async def scored(store: Store, book: HealthBook = BOOK, *, days: range = range(170, 0, -5)) -> None:
    """The days scored one after another, each on its own morning; the desk dies 80 days ago."""
    await fill(store, desk_until=80)
    async with store.transaction() as connection:
        await add_statement(
            connection,
            "override",
            Statement(
                id="o2",
                customer_id="dan",
                value=0.1,
                reason="The boss is angry",
                by="csm@example.com",
                set_at=at(60),
                expires_on=day(20),
            ),
        )
    for ago in days:
        await score(store, book, [], as_of=day(ago), now=at(ago))


async def test_every_score_comes_out_again(store: Store) -> None:
    await scored(store)
    async with store.reading() as connection:
        rows = (await connection.execute(select(scorecard))).all()
    readings = [reading for row in rows for reading in row.readings]
    assert {row.definition for row in rows} == {"main", "busy"}, "both speak"
    assert any(row.override_id and row.health != row.computed_health for row in rows)
    assert any(reading["missing"] == "hold" for reading in readings)
    assert any("last" in reading and reading["missing"] != "hold" for reading in readings), "something was lost"
    assert any(row.computed_health is None for row in rows) or len({row.computed_band for row in rows}) > 2
    found = await verify(store, BOOK, now=NOW)
    count = len(rows)
    assert found == Verified(cards=count, days=34, live=count, exact=count, unknown={}, wrong=0, first=())


async def test_a_score_that_differs_in_its_last_bit_is_named(store: Store) -> None:
    await scored(store, days=range(100, 40, -20))
    changed = scorecard.c.id == f"ann:{day(80)}"
    async with store.transaction() as connection:
        was = (await connection.execute(select(scorecard.c.computed_health).where(changed))).scalar_one()
        await connection.execute(update(scorecard).where(changed).values(computed_health=was + 2**-53))
    found = await verify(store, BOOK, now=NOW)
    assert (found.exact, found.wrong) == (found.cards - 1, 1)
    (first,) = found.first
    assert (first.customer_id, first.day, first.replayed) == ("ann", day(80), was)
    assert str(first).startswith(f"ann on {day(80)}: stored ")


async def test_a_day_filled_in_afterwards_was_not_there_for_the_days_after_it(store: Store) -> None:
    """Before the day was missing, later ones leaned on an older one; they are replayed so, too."""
    await scored(store, days=range(170, 70, -10))
    async with store.transaction() as connection:
        await connection.execute(delete(scorecard).where(scorecard.c.as_of.in_([day(80), day(90)])))
    for ago in range(70, 30, -10):
        await score(store, BOOK, [], as_of=day(ago), now=at(ago))
    report = await backfill(store, BOOK, [], days=[day(80), day(90)], now=NOW + timedelta(days=1))
    assert len(report.written) == 2
    found = await verify(store, BOOK, now=NOW)
    assert (found.days, found.wrong, found.exact) == (14, 0, found.cards)


async def test_definitions_of_before_are_replayed_by_what_was_kept(sqlite_store: Store) -> None:
    await scored(sqlite_store, days=range(100, 40, -20))
    other = book_file.load(Document.from_text(MAIN.replace("floor: 0.4", "floor: 0.3"), name="health.yaml"), {})
    found = await verify(sqlite_store, other, now=NOW)
    assert (found.live, found.exact, found.wrong) == (0, found.cards, 0)
    async with sqlite_store.transaction() as connection:
        await connection.execute(delete(health_definition))
    found = await verify(sqlite_store, other, now=NOW)
    assert found.exact == found.wrong == 0
    assert found.unknown == {"the definition that made it is not kept": found.cards}


async def test_nothing_is_written(sqlite_store: Store) -> None:
    await scored(sqlite_store, days=range(100, 40, -20))
    count = select(func.count(), func.max(scorecard.c.computed_at)).select_from(scorecard)
    async with sqlite_store.reading() as connection:
        before = (await connection.execute(count)).one()
    await verify(sqlite_store, BOOK, now=NOW)
    async with sqlite_store.reading() as connection:
        assert (await connection.execute(count)).one() == before


@pytest.mark.parametrize("customer", IDS)
async def test_one_customer_scored_alone_comes_out_again_too(sqlite_store: Store, customer: str) -> None:
    """Arithmetic over one row is the arithmetic over many."""
    await scored(sqlite_store, days=range(100, 40, -20))
    await score(sqlite_store, BOOK, [], as_of=TODAY, now=NOW)
    await score(sqlite_store, BOOK, [], as_of=TODAY, now=NOW + timedelta(hours=1), customer_ids=[customer])
    found = await verify(sqlite_store, BOOK, now=NOW)
    assert (found.wrong, found.exact) == (0, found.cards)
