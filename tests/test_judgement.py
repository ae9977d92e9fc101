"""Overrides and sentiment: what may be stated, how long it holds through every run, what it was worth; on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from hub.errors import NotFoundError, RefusedError
from hub.explanation import explain
from hub.judgement import band_score, feel, judge_statements, override, read_score, read_sentiment, take_back
from hub.model.actions import Band
from hub.model.records import Subscription
from hub.scorecards import ScoreReport, backfill, score
from hub.store import Store
from hub.store.judgement import find_in_force
from hub.store.records import upsert
from hub.store.scorecards import find_history
from hub.store.tables import RECORD_TABLES, customer, health_override, scorecard, sentiment
from scoring.book import HealthBook
from scoring.explain import Cause
from tests.fakes.story import DEFINITION, JUNE, MAY, NOW, tell

BOOK = HealthBook(DEFINITION)
BANDS = [(band.value, low) for band, low in DEFINITION.bands]
ANN = "ann@cs.example"
COMPUTED = 0.325


@pytest.fixture
async def told(store: Store) -> Store:
    await tell(store)
    return store


async def state(store: Store, stated: float | Band = 0.8, **options: Any) -> Any:
    given = {"by": ANN, "reason": "New sponsor", "bands": BANDS, "now": NOW, **options}
    return await override(store, "acme", stated, **given)


async def run(store: Store, *, days_later: int = 0, **options: Any) -> ScoreReport:
    now = NOW + timedelta(days=days_later)
    return await score(store, BOOK, [], as_of=now.date(), now=now, **options)


async def cards(store: Store) -> list[Any]:
    async with store.reading() as connection:
        return (await find_history(connection, ["acme"]))["acme"]


async def rows(store: Store, table: Any) -> list[Any]:
    async with store.reading() as connection:
        return list((await connection.execute(select(table).order_by(table.c.set_at))).all())


async def test_an_override_is_in_force_and_the_computed_score_stays_beside_it(told: Store) -> None:
    made = await state(told, until=JUNE + timedelta(days=10))
    report = await run(told, customer_ids=["acme"])
    assert [(change.before, change.after) for change in report.changes] == [("warning", "healthy")]
    assert report.overridden == 1
    card = (await cards(told))[-1]
    assert (card.health, card.band, card.override_id) == (0.8, "healthy", made.id)
    assert (card.computed_health, card.computed_band) == (pytest.approx(COMPUTED), "warning")
    assert (
        card.reason
        == f"Overridden by {ANN} until {JUNE + timedelta(days=10)}: New sponsor; computed 32.5 of 100 (warning)"
    )
    assert sum(reading["contribution"] for reading in card.readings) == pytest.approx(card.computed_health, abs=1e-9)


async def test_no_run_loses_it_until_its_last_day_is_over(told: Store) -> None:
    await state(told, until=JUNE + timedelta(days=2))
    for later in range(4):
        await run(told, days_later=later)
    found = {(card.as_of - JUNE).days: (card.health, card.previous_band) for card in await cards(told)}
    assert {later: found[later] for later in range(4)} == {
        0: (0.8, "healthy"),
        1: (0.8, "healthy"),
        2: (0.8, "healthy"),
        3: (pytest.approx(0.29975), "healthy"),  # there is another ticket by then
    }


async def test_a_past_day_that_is_filled_in_later_has_what_was_in_force_then(told: Store) -> None:
    await state(told, 0.8, now=NOW - timedelta(days=9), until=JUNE + timedelta(days=20))
    await take_back(told, "override", "acme", by=ANN, now=NOW - timedelta(days=5))
    await backfill(told, BOOK, [], days=[JUNE - timedelta(days=ago) for ago in (10, 9, 6, 5)], now=NOW)
    found = {(JUNE - card.as_of).days: card.override_id is not None for card in await cards(told)}
    assert {ago: found[ago] for ago in (10, 9, 6, 5)} == {10: False, 9: True, 6: True, 5: False}


async def test_withdrawing_brings_the_computed_score_back(told: Store) -> None:
    await state(told)
    await run(told)
    later = NOW + timedelta(hours=1)
    assert await take_back(told, "override", "Acme", by="bob@cs.example", now=later) == "acme"
    await score(told, BOOK, [], as_of=JUNE, now=later, customer_ids=["acme"])
    card = (await cards(told))[-1]
    assert (card.health, card.override_id, card.reason) == (pytest.approx(COMPUTED), None, None)
    (row,) = await rows(told, health_override)
    assert (row.withdrawn_at, row.withdrawn_by, row.reason) == (later, "bob@cs.example", "New sponsor")
    with pytest.raises(RefusedError, match=r"no override of Acme \(acme\) is in force"):
        await take_back(told, "override", "acme", by=ANN, now=later)


async def test_a_new_one_takes_the_place_of_the_one_before(told: Store) -> None:
    first = await state(told, 0.8)
    later = NOW + timedelta(minutes=5)
    second = await state(told, 0.1, by="bob@cs.example", now=later)
    old, new = await rows(told, health_override)
    assert (old.id, old.withdrawn_at, old.withdrawn_by) == (first.id, later, "bob@cs.example")
    assert (new.id, new.withdrawn_at) == (second.id, None)
    await take_back(told, "override", "acme", by=ANN, now=later + timedelta(minutes=1))
    async with told.reading() as connection:
        assert await find_in_force(connection, "override", as_of=JUNE) == []


async def test_a_band_stands_for_its_middle_by_the_customers_own_definition(told: Store) -> None:
    assert (await state(told, Band.CRITICAL, bands=[("critical", 0.0), ("healthy", 0.9)])).value == pytest.approx(0.15)
    assert (await state(told, Band.HEALTHY)).value == pytest.approx(0.85)
    async with told.transaction() as connection:
        await connection.execute(scorecard.delete())
    assert (await state(told, Band.CRITICAL, bands=[("critical", 0.0), ("healthy", 0.9)])).value == pytest.approx(0.45)
    with pytest.raises(RefusedError, match="the definition has no band 'stable'; it has critical, healthy"):
        band_score(Band.STABLE, [("critical", 0.0), ("healthy", 0.9)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stated": 1.2}, "a score is from 0 to 1, such as 0.8; not 1.2"),
        ({"reason": " \n"}, "an override needs a reason: what you know that the data does not show"),
        ({"reason": "x" * 2001}, "the reason has 2,001 characters; at most 2,000"),
        (
            {"until": JUNE - timedelta(days=1)},
            "ends on a day from 2026-06-30 to 2026-12-27 (180 days), not on 2026-06-29",
        ),
        (
            {"until": JUNE + timedelta(days=181)},
            "ends on a day from 2026-06-30 to 2026-12-27 (180 days), not on 2026-12-28",
        ),
    ],
)
async def test_what_can_not_be_stated_is_refused_and_nothing_is_written(
    told: Store, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        await state(told, **options)
    assert message in str(caught.value)
    assert await rows(told, health_override) == []


async def test_of_nobody_nothing_is_stated(told: Store) -> None:
    with pytest.raises(NotFoundError):
        await override(told, "nobody", 0.5, by=ANN, reason="?", bands=BANDS, now=NOW)
    with pytest.raises(RefusedError, match="'Twin' could be 2 customers"):
        await feel(told, "Twin", 0.5, by=ANN, reason="?", now=NOW)
    assert await rows(told, health_override) + await rows(told, sentiment) == []


async def test_usual_terms(told: Store) -> None:
    assert (await state(told)).expires_on == JUNE + timedelta(days=30)
    assert (await feel(told, "acme", 1.0, by=ANN, reason="Glad", now=NOW)).expires_on == JUNE + timedelta(days=90)


@pytest.mark.parametrize(
    ("text", "value"), [("red", 0), (" Yellow", 0.5), ("GREEN", 1), ("1", 0), ("2", 0.25), ("4", 0.75), ("5", 1)]
)
def test_sentiment_in_words_and_marks(text: str, value: float) -> None:
    assert read_sentiment(text) == value


@pytest.mark.parametrize("text", ["0", "6", "3.5", "blue", "-1", ""])
def test_another_sentiment_names_the_choices(text: str) -> None:
    with pytest.raises(RefusedError, match="red, yellow, green, or a whole number from 1"):
        read_sentiment(text)


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(RefusedError):
        read_score(float("nan"))


async def test_sentiment_is_a_series_of_its_own_and_no_part_of_health(told: Store) -> None:
    await run(told)
    before = (await cards(told))[-1]
    await feel(told, "acme", 0.0, by=ANN, reason="Angry", now=NOW)
    await run(told)
    after = (await cards(told))[-1]
    assert (after.health, after.reason, after.readings) == (before.health, None, before.readings)
    assert after.facts["sentiment"] == 0
    (row,) = await rows(told, sentiment)
    assert (row.value, row.reason, row.by) == (0, "Angry", ANN)
    assert await rows(told, health_override) == []


async def test_what_is_stated_of_a_merged_customer_holds_for_the_one_it_became(told: Store) -> None:
    made = await override(told, "north", 0.9, by=ANN, reason="Ours", bands=BANDS, now=NOW)
    async with told.transaction() as connection:
        await connection.execute(update(customer).where(customer.c.id == "north").values(merged_into_id="acme"))
    await run(told)
    assert (await cards(told))[-1].override_id == made.id
    assert await take_back(told, "override", "acme", by=ANN, now=NOW + timedelta(hours=1)) == "acme"


async def test_without_a_computed_score_the_override_is_in_force(told: Store) -> None:
    made = await override(told, "south", 0.6, by=ANN, reason="I know them", bands=BANDS, now=NOW)
    await run(told)
    async with told.reading() as connection:
        (card,) = (await find_history(connection, ["south"]))["south"][-1:]
    assert (card.health, card.band, card.computed_health, card.override_id) == (0.6, "stable", None, made.id)
    assert card.reason is not None
    assert card.reason.startswith(f"Overridden by {ANN} until 2026-07-30: I know them; computed none. Only 0 %")


async def test_a_change_is_divided_into_what_was_computed_and_what_was_overridden(told: Store) -> None:
    made = await state(told, 0.8)
    await run(told)
    found = await explain(told, "acme", since=MAY)
    assert (found.score, found.band) == (0.8, Band.HEALTHY)
    assert (found.computed, found.computed_band) == (pytest.approx(COMPUTED), Band.WARNING)
    assert found.override == made
    assert sum(line.contribution.amount for line in found.lines) == pytest.approx(found.computed, abs=1e-9)
    comparison = found.comparison
    assert comparison is not None
    assert comparison.change == pytest.approx(0.8 - 0.7745, abs=1e-9)
    assert sum(line.amount for line in comparison.changes) == pytest.approx(comparison.change, abs=1e-9)
    assert comparison.causes == {
        Cause.DATA: pytest.approx(COMPUTED - 0.7745),
        Cause.OVERRIDE: pytest.approx(0.8 - COMPUTED),
    }
    (line,) = [line for line in comparison.changes if line.cause is Cause.OVERRIDE]
    assert (line.override, line.facts) == (made, {})
    logins = next(line for line in comparison.changes if line.measure == "login_frequency")
    assert logins.facts["sessions_28d"] == (24, 4)
    assert [record.what for record in logins.evidence["sessions_28d"][0].records] == ["1 user, 20 events, 4 sessions"]
    assert logins.evidence_before["sessions_28d"][0].total == 2


async def test_one_override_after_another_is_two_lines_and_the_same_one_is_one(told: Store) -> None:
    first = await state(told, 0.1, now=NOW - timedelta(days=20), until=JUNE)
    await backfill(told, BOOK, [], days=[JUNE - timedelta(days=12), JUNE - timedelta(days=5)], now=NOW)
    same = (await explain(told, "acme", as_of=JUNE - timedelta(days=5), since=JUNE - timedelta(days=12))).comparison
    assert same is not None
    assert (same.change, [line.override for line in same.changes if line.cause is Cause.OVERRIDE]) == (0, [first])
    assert sum(line.amount for line in same.changes) == pytest.approx(0, abs=1e-12)
    second = await state(told, 0.9)
    await run(told)
    comparison = (await explain(told, "acme", since=JUNE - timedelta(days=12))).comparison
    assert comparison is not None
    overrides = {line.override.id: line.amount for line in comparison.changes if line.override}
    before = next(card for card in await cards(told) if card.as_of == JUNE - timedelta(days=12))
    assert overrides == {
        first.id: pytest.approx(before.computed_health - 0.1),
        second.id: pytest.approx(0.9 - COMPUTED),
    }
    assert sum(line.amount for line in comparison.changes) == pytest.approx(0.8, abs=1e-9)


async def test_where_nothing_was_computed_the_change_is_the_overrides(told: Store) -> None:
    made = await state(told, 0.8)
    await run(told)
    async with told.transaction() as connection:
        await connection.execute(
            update(scorecard).where(scorecard.c.as_of == JUNE).values(computed_health=None, computed_band=None)
        )
    comparison = (await explain(told, "acme", since=MAY)).comparison
    assert comparison is not None
    assert [(line.cause, line.override) for line in comparison.changes] == [(Cause.OVERRIDE, made)]
    assert comparison.changes[0].amount == comparison.change
    assert comparison.note == f"Nothing could be computed on {JUNE}"


async def add_history(store: Store, count: int) -> None:
    """Customers c00…, who pay from 2025 on; each third left on 2026-03-01, the first of the fourth gave notice before."""
    created = datetime(2025, 1, 1, tzinfo=UTC)
    ids = [f"c{i:02}" for i in range(count)]
    async with store.transaction() as connection:
        await connection.execute(
            customer.insert(), [{"id": id_, "name": id_, "created_at": created, "updated_at": created} for id_ in ids]
        )
        term = Subscription(key="", version=1, company_key="", plan="Pro", mrr=100, started_on=date(2025, 1, 1))
        terms = [
            replace(term, key=id_, company_key=id_, ended_on=date(2026, 3, 1) if i % 3 == 0 else None)
            for i, id_ in enumerate(ids)
        ]
        await upsert(connection, terms, source="billing", now=created, historical=True)
        for table in RECORD_TABLES.values():
            await connection.execute(update(table).values(customer_id=table.c.company_key))
        card = {
            "as_of": date(2026, 1, 10),
            "coverage": 1.0,
            "facts": {},
            "readings": [],
            "definition_hash": "h",
            "computed_at": NOW,
            "latest": False,
        }
        await connection.execute(
            insert(scorecard),
            [
                {"id": f"{id_}:c", "customer_id": id_, "health": 0.5, "computed_health": 0.4 + (i % 5) / 20, **card}
                for i, id_ in enumerate(ids)
            ],
        )


async def test_judgement_is_scored_by_what_happened(store: Store) -> None:
    await add_history(store, 30)
    stated_at = datetime(2026, 1, 15, 12, tzinfo=UTC)
    for i in range(30):
        # Ann knows who will leave, and is wrong of one
        value = 0.1 if i % 3 == 0 and i else 0.9
        await override(store, f"c{i:02}", value, by=ANN, reason="?", bands=BANDS, now=stated_at)
    await override(store, "c01", 0.2, by="bob@cs.example", reason="?", bands=BANDS, now=NOW - timedelta(days=20))
    overrides, feelings = await judge_statements(store, horizon_days=90, grace_days=30, now=NOW)
    all_ = overrides.overall
    assert (all_.stated, all_.matured, all_.churned) == (31, 30, 10)
    assert (all_.raised, all_.raised_churned, all_.lowered, all_.lowered_churned) == (21, 1, 9, 9)
    assert all_.measured is not None
    assert all_.measured.brier.value == pytest.approx((29 * 0.1**2 + 0.9**2) / 30)
    # nine of ten who left are below all 20 who stayed, one is level with them
    assert all_.measured.auc.value == pytest.approx((9 + 0.5) / 10)
    assert all_.measured.auc_gain.low > 0
    assert "the stated scores told better who would leave from who would stay" in all_.sentence
    assert list(overrides.by_csm) == [ANN, "bob@cs.example"]
    assert overrides.by_csm["bob@cs.example"].sentence == "None of 1 has matured: what happened is not known yet"
    assert (feelings.kind, feelings.overall.stated, feelings.overall.sentence) == (
        "sentiment",
        0,
        "Nothing has been stated of customers who paid and had not given notice",
    )


async def test_of_who_had_given_notice_or_pays_nothing_no_judgement_counts(store: Store) -> None:
    await add_history(store, 4)
    async with store.transaction() as connection:
        subscription = RECORD_TABLES["subscription"]
        noticed = datetime(2026, 1, 14, tzinfo=UTC)
        await connection.execute(
            update(subscription).where(subscription.c.customer_id == "c00").values(cancelled_at=noticed)
        )
        ended = update(subscription).where(subscription.c.customer_id == "c01").values(ended_on=date(2026, 1, 15))
        await connection.execute(ended)
    for id_ in ("c00", "c01", "c02", "c03"):
        await feel(store, id_, 0.2, by=ANN, reason="?", now=datetime(2026, 1, 15, 23, 30, tzinfo=UTC))
    _, feelings = await judge_statements(store, horizon_days=90, grace_days=30, now=NOW)
    assert (feelings.overall.stated, feelings.overall.churned, feelings.left_out) == (2, 1, 2)
    assert feelings.overall.measured is None
    assert feelings.overall.sentence.startswith("Too few to judge: 2 of 2 have matured")
