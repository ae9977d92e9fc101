"""The past replayed: who left is found by a definition that sees their use fall, and what peeks is refused; both databases."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import func, select, update

from hub.backtest import Ask, PeekingError, Rule, find_record, run
from hub.backtest.ask import days_back
from hub.backtest.plots import write_plots
from hub.backtest.record import NOT_YET
from hub.documents import Document
from hub.errors import RefusedError
from hub.model.conditions import parse
from hub.playbooks.vocabulary import VOCABULARY
from hub.scorecards import backfill
from hub.store import Connection, Store
from hub.store.facts import table as facts_table
from hub.store.facts.columns import Columns
from hub.store.facts.window import Window
from hub.store.tables import audit_record, churn_model, churn_prediction, metadata, scorecard, subscription
from scoring.book import HealthBook
from scoring.churn_definition import ChurnDefinition
from scoring.definition import load
from tests.fakes.past import NOW, TODAY, at, crowd, day, left_ago

BANDS = """
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
groups:
"""


def book(groups: str) -> HealthBook:
    return HealthBook(load(Document.from_text(BANDS + groups, name="health.yaml")))


# sessions a user and week: about 8 of who stays, about 2 of who is about to leave
SHARP = book("  login_frequency: {weight: 1, curve: {points: [[0, 0], [8, 1]]}}\n")
# tenure moves nobody apart; through mau everybody is alike
BLIND = book("  mau: {weight: 1, curve: {points: [[0, 0], [1, 1]]}}\n")
CHURN = ChurnDefinition(horizons=("90d",))
ASK = Ask(live=BLIND, tried=SHARP, name="tried", churn=CHURN, months=12, bootstraps=40)


def rule(when: Mapping[str, Any], **changes: Any) -> Rule:
    return Rule(name="rule", when=parse(when, VOCABULARY), **changes)


async def rows_of(store: Store) -> dict[str, int]:
    async with store.reading() as connection:
        return {
            name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in metadata.tables.items()
        }


async def test_the_better_definition_is_told_apart_and_nothing_is_written(store: Store) -> None:
    await crowd(store)
    before = await rows_of(store)
    seen: list[tuple[int, int]] = []
    report = await run(store, ASK, now=NOW, progress=lambda _, done, total: seen.append((done, total)))
    assert await rows_of(store) == before
    assert seen == [(number, 13) for number in range(1, 14)]
    assert (report.what, report.names, report.too_few, report.peeks) == ("definition", ("tried", "live"), None, ())
    assert (report.days, report.stored_days) == (13, 0)
    assert report.hashes == {"tried": (SHARP.main.hash,), "live": (BLIND.main.hash,)}
    assert report.churned == len([n for n in range(40) if (ago := left_ago(n)) and ago <= 330])
    tried, live = (report.judged[name].metrics for name in report.names)
    assert tried["roc_auc"].value > 0.9 > 0.7 > live["roc_auc"].value
    assert tried["green_at_churn"].value == 0.0
    assert live["green_at_churn"].value == 1.0
    assert tried["warned"].value == 1.0
    assert 30 <= tried["warning_lead"].value <= 120
    assert report.differences["pr_auc"].verdict == report.differences["green_at_churn"].verdict == "better"
    assert [segment.name for segment in report.segments] == ["large", "small"]
    assert sum(segment.customers for segment in report.segments) == report.customers
    assert report.csms == 3.0
    assert any(line.startswith("PR-AUC") and line.endswith("better") for line in report.lines())


async def test_scorecards_and_records_tell_the_same(sqlite_store: Store) -> None:
    """The past read from stored scorecards, or counted anew from the records it was made of."""
    await crowd(sqlite_store)
    counted = await run(sqlite_store, ASK, now=NOW)
    days = days_back(TODAY, months=12, every="month")
    await backfill(sqlite_store, SHARP, [], days=days, now=NOW)
    stored = await run(sqlite_store, ASK, now=NOW)
    assert (counted.stored_days, stored.stored_days) == (0, len(days))
    assert replace(stored, stored_days=0) == counted


async def test_facts_younger_than_the_scorecards_come_from_the_records(sqlite_store: Store) -> None:
    await crowd(sqlite_store)
    await backfill(sqlite_store, SHARP, [], days=days_back(TODAY, months=12, every="month"), now=NOW)
    async with sqlite_store.transaction() as connection:
        for row in (await connection.execute(select(scorecard.c.id, scorecard.c.facts))).all():
            facts = {name: value for name, value in row.facts.items() if name != "logins_per_user_week"}
            await connection.execute(scorecard.update().where(scorecard.c.id == row.id).values(facts=facts))
    report = await run(sqlite_store, ASK, now=NOW)
    assert report.stored_days == report.days == 13
    assert report.judged["tried"].metrics["green_at_churn"].value == 0.0


async def test_a_rule_fires_after_its_rest(sqlite_store: Store) -> None:
    """Who leaves has less than 4 sessions a week for the last 100 days: each fires once a rest of 30, or of 60 days."""
    await crowd(sqlite_store)
    when = {"all": [{"health": {"lt": 0.5}}, {"industry": {"eq": "retail"}}]}
    ask = replace(ASK, live=SHARP, tried=rule(when), every="week")
    often = await run(sqlite_store, ask, now=NOW)
    seldom = await run(sqlite_store, replace(ask, tried=rule(when, rest=timedelta(days=60))), now=NOW)
    never_twice = await run(sqlite_store, replace(ask, tried=rule(when, busy=timedelta(days=300))), now=NOW)
    alerts = [each.judged["tried"].metrics["alerts_per_csm_week"].value for each in (often, seldom, never_twice)]
    entries = often.judged["live"].metrics["alerts_per_csm_week"].value
    assert alerts[0] > alerts[1] > alerts[2]
    assert alerts[2] == pytest.approx(entries), "once each, as they enter"
    assert often.what == "playbook"
    assert often.hashes == {"live": (SHARP.main.hash,)}
    assert [rate.name for rate in often.judged["tried"].bands] == ["condition held", "condition did not hold"]
    assert often.judged["tried"].metrics["green_at_churn"] == often.judged["live"].metrics["green_at_churn"]
    assert "industry is today's on every day" in often.cautions


async def test_a_rule_may_ask_for_the_change_and_the_band_before(sqlite_store: Store) -> None:
    await crowd(sqlite_store)
    when = {"previous_band": {"in": ["stable", "healthy"]}, "health_change_30d": {"lt": -0.2}}
    report = await run(sqlite_store, replace(ASK, live=SHARP, tried=rule(when), every="week"), now=NOW)
    held = report.judged["tried"].bands[0]
    assert held.rate is not None
    assert held.rows > 0
    assert report.judged["tried"].metrics["alerts_per_csm_week"].value > 0


async def test_with_too_few_who_left_the_number_needed_is_said(sqlite_store: Store) -> None:
    await crowd(sqlite_store, customers=12)
    report = await run(sqlite_store, ASK, now=NOW)
    assert report.too_few is not None
    assert report.too_few.startswith("6 customers left among those at stake, and 10 are needed")
    assert "coverage" in report.judged["tried"].metrics
    assert "pr_auc" not in report.judged["tried"].metrics
    assert any("of" in line and "stable" in line for line in report.lines())


async def test_an_empty_past_is_refused(sqlite_store: Store) -> None:
    with pytest.raises(RefusedError, match="nobody was a customer in the last 12 months"):
        await run(sqlite_store, ASK, now=NOW)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"months": 61}, "months must be 1 to 60, not 61"),
        ({"horizon": 5}, "the horizon must be 7 to 365 days, not 5"),
        ({"horizon": 7}, "longer than the 7 days"),
        ({"lead": 181}, "the lead must be 0 to 180 days, not 181"),
        ({"name": "live"}, "what is tried can't be called 'live'"),
    ],
)
async def test_what_makes_no_sense_is_refused(sqlite_store: Store, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RefusedError, match=re.escape(message)):
        await run(sqlite_store, replace(ASK, **changes), now=NOW)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """mau as somebody might get it wrong: nobody uses the product whose subscription will have ended by today."""
    honest = facts_table.billing.add

    async def add(connection: Connection, window: Window, columns: Columns) -> None:
        await honest(connection, window, columns)
        ended = select(subscription.c.customer_id).where(subscription.c.ended_on.is_not(None))
        gone = set((await connection.execute(ended)).scalars())
        columns.put("tickets_90d", [15.0 * (id_ in gone) for id_ in columns.customers])

    async def nothing(*_: Any) -> None:
        return None

    monkeypatch.setattr(facts_table.billing, "add", add)
    monkeypatch.setattr(facts_table.support, "add", nothing)


@pytest.mark.usefixtures("planted")
async def test_a_fact_that_peeks_is_refused_and_named(store: Store) -> None:
    await crowd(store)
    peeking = book("  ticket_count: {weight: 1, curve: {points: [[0, 1], [1, 0]]}}\n")
    with pytest.raises(PeekingError) as refused:
        await run(store, replace(ASK, tried=peeking), now=NOW)
    (peek,) = refused.value.peeks
    assert re.match(
        r"tickets_90d peeks into the future: on 20\d\d-\d\d-01 it said 15 of c\d\d, while by what could", peek
    )
    assert "--allow-peeking" in str(refused.value)
    report = await run(store, replace(ASK, tried=peeking, allow_peeking=True), now=NOW)
    assert report.peeks == (peek,)
    assert report.lines()[0] == f"PEEKS INTO THE FUTURE: {peek}"
    assert report.judged["tried"].metrics["roc_auc"].value > 0.7, "which is why it is refused"


@pytest.mark.usefixtures("planted")
async def test_a_fact_that_peeks_and_is_not_used_hinders_nobody(sqlite_store: Store) -> None:
    await crowd(sqlite_store)
    assert (await run(sqlite_store, ASK, now=NOW)).peeks == ()


async def test_a_model_that_saw_the_future_is_named(sqlite_store: Store) -> None:
    await crowd(sqlite_store)
    await backfill(sqlite_store, SHARP, [], days=[day(100), day(10)], now=NOW)
    model = {"version": "m", "kind": "xgboost", "horizon": "90d", "horizon_days": 90, "trained_at": at(50)}
    said = {"customer_id": "c01", "model_version": "m", "horizon": "90d", "horizon_days": 90, "probability": 0.5}
    said |= {"band": "high", "confidence": "normal", "reasons": [], "computed_at": NOW}
    async with sqlite_store.transaction() as connection:
        await connection.execute(churn_model.insert(), [model | {"features": [], "evaluation": {}, "parameters": {}}])
        await connection.execute(churn_prediction.insert(), [{"id": "2", "as_of": day(10), **said}])
    ask = replace(ASK, tried=rule({"churn_risk": {"gt": 0.4}}))
    report = await run(sqlite_store, ask, now=NOW)
    assert report.peeks == (), "the model is older than the day it spoke of"
    assert "churn_risk: only of days that have scorecards; missing on the others" in report.cautions
    async with sqlite_store.transaction() as connection:
        await connection.execute(churn_prediction.insert(), [{"id": "1", "as_of": day(100), **said}])
    with pytest.raises(
        PeekingError, match=rf"churn_risk peeks into the future: of c01 on {day(100)} it comes from model m"
    ):
        await run(sqlite_store, ask, now=NOW)


def test_days_go_back_by_months_or_mondays() -> None:
    months = days_back(TODAY, months=3, every="month")
    assert [each.isoformat() for each in months] == ["2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01"]
    weeks = days_back(TODAY, months=1, every="week")
    assert [each.isoformat() for each in weeks][::4] == ["2026-05-04", "2026-06-01", "2026-06-29"]
    assert {each.weekday() for each in weeks} == {0}


async def test_plots_hold_what_the_report_says(sqlite_store: Store, tmp_path: Path) -> None:
    await crowd(sqlite_store)
    report = await run(sqlite_store, ASK, now=NOW)
    files = write_plots(report, tmp_path / "plots")
    assert {path.name for path in files} >= {"precision_recall.svg", "lift.svg", "deciles_tried.svg", "bands_live.svg"}
    assert files == write_plots(report, tmp_path / "plots")
    svg = (tmp_path / "plots" / "bands_tried.svg").read_text(encoding="utf-8")
    titles = [node.text or "" for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")]
    healthy = next(rate for rate in report.judged["tried"].bands if rate.name == "healthy")
    assert any(title.startswith("healthy: ") and title.endswith(f"{healthy.rows} rows") for title in titles)


async def test_the_track_record_is_that_of_the_backtest(store: Store) -> None:
    """Two ways to the same numbers: stored scorecards counted by the database, and the same days replayed."""
    await crowd(store)
    days = days_back(TODAY, months=14, every="month")
    await backfill(store, SHARP, [], days=days, now=NOW)
    record = await find_record(store, SHARP, CHURN, now=NOW)
    report = await run(store, replace(ASK, tried=None, live=SHARP, months=14), now=NOW)
    judged = report.judged["live"]
    bands = {rate.name: (rate.rows, rate.left) for rate in judged.bands if rate.rows}
    # who left within the lead is unused by the one and in no count of the other
    assert {rate.name: (rate.rows, rate.left) for rate in record.bands if rate.rows} == bands
    assert record.base_rate.rate == pytest.approx(report.base_rate)
    assert record.lift == pytest.approx(judged.metrics["lift"].value)
    assert record.green_at_churn.rate == judged.metrics["green_at_churn"].value == 0.0
    assert record.warned.rate == judged.metrics["warned"].value
    assert record.warning_lead == judged.metrics["warning_lead"].value
    assert record.band("warning") is not None
    assert record.too_few is None
    assert await find_record(store, SHARP, CHURN, now=NOW) is record, "kept for the day"
    assert (await find_record(store, BLIND, CHURN, now=NOW)).base_rate.rows == 0
    assert (await find_record(store, BLIND, CHURN, now=NOW)).lines() == [NOT_YET]


async def test_where_failed_payments_are_not_counted_the_record_is_that_of_the_backtest_too(store: Store) -> None:
    await crowd(store)
    async with store.transaction() as connection:
        lost = subscription.c.customer_id.in_(["c04", "c10", "c16", "c22"])
        await connection.execute(update(subscription).where(lost).values(cancellation_kind="involuntary"))
    await backfill(store, SHARP, [], days=days_back(TODAY, months=14, every="month"), now=NOW)
    chosen = CHURN.model_copy(update={"count_involuntary": False})
    record = await find_record(store, SHARP, chosen, now=NOW)
    report = await run(store, replace(ASK, tried=None, live=SHARP, months=14, churn=chosen), now=NOW)
    assert (record.base_rate.rows, record.base_rate.rate) == (report.rows, report.base_rate)
    assert record.base_rate.rows < (await find_record(store, SHARP, CHURN, now=NOW)).base_rate.rows
    bands = {rate.name: (rate.rows, rate.left) for rate in report.judged["live"].bands if rate.rows}
    assert {rate.name: (rate.rows, rate.left) for rate in record.bands if rate.rows} == bands


async def test_nobody_is_audited_or_told(sqlite_store: Store) -> None:
    await crowd(sqlite_store, customers=12)
    await run(sqlite_store, ASK, now=NOW)
    async with sqlite_store.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(audit_record))).scalar_one() == 0
