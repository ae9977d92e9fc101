"""Drift from a store, on both databases: what is read, what is stored once, who is told and how often."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, insert, select, update

from hub.delivery import Message
from hub.delivery.console import ConsoleChannel
from hub.model.actions import DeliveryState
from hub.playbooks.ledger import Ledger
from hub.store import Store, deliveries
from hub.store.drift import StoredReading, find_alarming, find_newest
from hub.store.models import keep_model
from hub.store.tables import churn_model, drift_reading, scorecard, subscription
from hub.training.alarm import Operations, episode, in_words, raise_alarm, words
from hub.training.drift import DriftReport, check_drift, is_alarm, read_drift
from scoring.drift import SCORE, Alarms, Level, Reference
from scoring.encoding import Encoding
from scoring.facts import FACTS, FactTable
from tests.training.books import DEFINITION, JULY, LEAVERS, NAMES, NOW, TODAY, fill, knows, model, say
from tests.training.trained import fitted_predictor, stored_model

OPERATIONS = Operations("slack", "#cshub")
URL = "http://hub.example"
MAU = {name: float(place % 50) for place, name in enumerate(NAMES)}


def facts(**given: Any) -> dict[str, Any]:
    return dict.fromkeys(FACTS) | {"plan": "Pro", "csm_email": None, "segment": None} | given


async def cards(store: Store, day: date, mau: dict[str, float | None], **more: float) -> None:
    rows = [
        {
            "id": f"{name}:{day}",
            "customer_id": name,
            "as_of": day,
            "coverage": 1.0,
            "facts": facts(mau=mau[name], **more),
            "readings": [],
            "definition_hash": "h",
            "computed_at": NOW,
            "latest": False,
        }
        for name in mau
    ]
    async with store.transaction() as connection:
        await connection.execute(insert(scorecard), rows)


async def champion(store: Store, **given: Any) -> str:
    """A trained model, whose reference are 100 customers with 0 to 49 users each."""
    made = stored_model("m", trained_on_to=date(2025, 12, 1), role="champion")
    encoding = Encoding.from_json(made.parameters["encoding"])
    columns = {name: [facts()[name]] * len(NAMES) for name in FACTS}
    table = FactTable.of(JULY, {"customer_id": list(NAMES), **columns, "mau": [MAU[name] for name in NAMES]})
    matrix = encoding.matrix(table)
    reference = Reference.of(encoding.names, matrix, fitted_predictor().score(matrix), customers=np.arange(100))
    made = replace(made, parameters={**made.parameters, "reference": reference.as_json()}, **given)
    async with store.transaction() as connection:
        await keep_model(connection, made)
    return made.version


async def stays(store: Store) -> None:
    """Nobody leaves after all."""
    async with store.transaction() as connection:
        await connection.execute(update(subscription).values(ended_on=None))


async def test_the_same_book_has_not_drifted(store: Store) -> None:
    await fill(store)
    await stays(store)
    version = await champion(store)
    await cards(store, TODAY, dict(MAU))
    await say(store, version, TODAY, knows)
    (report,) = await check_drift(store, DEFINITION, now=NOW)
    assert (report.model_version, report.horizon, report.level, report.alarms) == (version, "90d", Level.STEADY, ())
    assert report.notes == (f"no prediction of {version} has matured yet",)
    by_name = {each.name: each for each in report.readings}
    assert {each.value for each in report.readings} == {0.0}
    score = by_name[SCORE]
    alarms = Alarms.of(100, 100)
    assert (score.kind, score.as_of, score.customers, score.warn, score.act) == (
        "psi",
        TODAY,
        100,
        alarms.warn,
        alarms.act,
    )
    assert by_name["mau"].detail == {"share_missing": 0.0, "share_missing_before": 0.0, "reference_customers": 100}


async def test_what_moved_is_found_and_kept(store: Store) -> None:
    await fill(store)
    await stays(store)
    version = await champion(store)
    await cards(store, TODAY, {name: None if place < 60 else 49.0 for place, name in enumerate(NAMES)})
    await say(store, version, TODAY, knows)
    (report,) = await check_drift(store, DEFINITION, now=NOW)
    assert report.level is Level.ACT
    alarming = {each.name for each in report.alarms}
    assert {SCORE, "mau"} <= alarming
    assert "tenure_days" not in alarming  # nothing is known of it, then and now
    mau = next(each for each in report.readings if each.name == "mau")
    assert (mau.level, mau.detail["share_missing"], mau.detail["share_missing_before"]) == ("act", 0.6, 0.0)
    assert report.readings[0].level == "act"  # the alarming ones first
    assert await read_drift(store, DEFINITION) == [replace(report, notes=())]
    assert await read_drift(store, DEFINITION, horizon="30d") == []


async def test_what_the_model_does_not_ask_for_is_shown_and_no_alarm(store: Store) -> None:
    await fill(store)
    await stays(store)
    version = await champion(store)
    asked = fitted_predictor().asked
    assert "mau" in asked
    assert "tickets_open" not in asked
    await cards(store, TODAY, dict(MAU), tickets_open=3.0)  # never known when it learned, known of everybody now
    await say(store, version, TODAY, knows)
    (report,) = await check_drift(store, DEFINITION, now=NOW)
    found = {each.name: each for each in report.readings}
    assert found["tickets_open"].value > 2
    assert (found["tickets_open"].level, found["mau"].level) == ("unused", "steady")
    assert (report.level, report.alarms) == (Level.STEADY, ())
    async with store.reading() as connection:
        assert await find_alarming(connection, version, since=NOW - timedelta(days=1)) == []
    assert {each.name for each in report.readings if each.level != "unused"} == {SCORE, *asked}


async def test_the_score_is_the_models_own(store: Store) -> None:
    """What was stored may have been brought in line with the other horizons: that is no drift of this model."""
    await fill(store)
    await stays(store)
    version = await champion(store)
    await cards(store, TODAY, dict(MAU))
    await say(store, version, TODAY, lambda _: 0.01)
    (report,) = await check_drift(store, DEFINITION, now=NOW)
    assert next(each.value for each in report.readings if each.name == SCORE) == 0.0


async def test_a_day_is_checked_once(store: Store) -> None:
    await fill(store)
    await stays(store)
    version = await champion(store)
    await cards(store, TODAY, dict(MAU))
    await say(store, version, TODAY, knows)
    (first,) = await check_drift(store, DEFINITION, now=NOW)
    (again,) = await check_drift(store, DEFINITION, now=NOW + timedelta(hours=1))
    assert again.readings == first.readings  # as they were, at the time they were made
    (asked,) = await check_drift(store, DEFINITION, now=NOW + timedelta(hours=2), again=True)
    assert {each.checked_at for each in asked.readings} == {NOW + timedelta(hours=2)}
    async with store.reading() as connection:
        count = (await connection.execute(select(func.count()).select_from(drift_reading))).scalar_one()
    assert count == len(first.readings)


async def test_only_who_would_be_a_row_of_the_training_is_looked_at(store: Store) -> None:
    """30 have left by now: their old scorecards and predictions of the day are nobody's business."""
    await fill(store)
    version = await champion(store)
    await cards(store, TODAY, dict(MAU))
    await say(store, version, TODAY, knows)
    (report,) = await check_drift(store, DEFINITION, now=NOW)
    assert {each.customers for each in report.readings} == {100 - LEAVERS}


async def test_what_came_of_it(store: Store) -> None:
    """Of 100 in July 30 left; the model had expected 30 * 0.9 + 70 * 0.05, and told them apart without a fault."""
    await fill(store)
    version = await champion(store)
    for day in (date(2026, 5, 1), JULY, JULY + timedelta(days=1), TODAY):
        await say(store, version, day, knows)
    (report,) = await check_drift(store, DEFINITION, now=NOW)
    large, auc = [next(each for each in report.readings if each.kind == kind) for kind in ("calibration", "roc_auc")]
    expected = 30 * 0.9 + 70 * 0.05
    assert (large.as_of, large.value, large.level) == (JULY, pytest.approx(30 / expected), "steady")
    assert (large.detail["observed"], large.detail["expected"]) == (30, pytest.approx(expected))
    assert large.detail["low"] < 1 < large.detail["high"]
    assert (auc.as_of, auc.value, auc.level) == (JULY, 1.0, "steady")
    assert "30 left where 30.5 were expected: 0.98 times" in in_words(large)


@pytest.mark.parametrize(("said", "level"), [(0.15, "warn"), (0.5, "warn"), (0.3, "steady")])
async def test_more_or_fewer_left_than_chance_explains(store: Store, said: float, level: str) -> None:
    await fill(store)
    version = await champion(store)
    await say(store, version, JULY, lambda _: said)
    (report,) = await check_drift(store, DEFINITION, now=NOW)
    large, auc = [next(each for each in report.readings if each.kind == kind) for kind in ("calibration", "roc_auc")]
    assert large.level == level
    assert (auc.value, auc.level) == (0.5, "act")  # who says the same of everybody tells nobody apart
    assert is_alarm(auc)


async def test_predictions_of_what_was_learned_from_do_not_count(store: Store) -> None:
    await fill(store)
    version = await champion(store, trained_on_to=date(2026, 4, 1))
    await say(store, version, JULY, knows)  # the labels of April reach to 7 July
    (report,) = await check_drift(store, DEFINITION, now=NOW)
    assert not [each for each in report.readings if each.kind != "psi"]
    assert f"no prediction of {version} has matured yet" in report.notes


async def test_what_cannot_be_checked_says_why(store: Store) -> None:
    assert await check_drift(store, DEFINITION, now=NOW) == []  # there is no champion
    await model(store, "rate", role="champion")
    (report,) = await check_drift(store, DEFINITION, now=NOW)
    assert report.notes == (
        "rate is the book's own rate, which has no features to drift",
        "no prediction of rate has matured yet",
    )
    async with store.transaction() as connection:
        await connection.execute(update(churn_model).values(kind="xgboost"))
    (report,) = await check_drift(store, DEFINITION, now=NOW)
    assert report.notes[0] == "rate keeps no reference of what it learned from: the next training's does"


def reading(**given: Any) -> StoredReading:
    usual: dict[str, Any] = {
        "model_version": "m",
        "horizon": "90d",
        "as_of": TODAY,
        "kind": "psi",
        "name": SCORE,
        "value": 0.31,
        "warn": 0.1,
        "act": 0.25,
        "level": "act",
        "customers": 812,
        "detail": {"share_missing": 0.4, "share_missing_before": 0.05, "reference_customers": 900},
        "checked_at": NOW,
    }
    return StoredReading(**usual | given)


@pytest.mark.parametrize(
    ("given", "alarming"),
    [
        ({"level": "warn"}, True),
        ({"level": "steady"}, False),
        ({"name": "mau", "level": "warn"}, False),
        ({"name": "mau", "level": "act"}, True),
        ({"name": "mau", "level": "unused"}, False),
        ({"name": "tenure_days", "level": "act"}, False),  # everybody grows older
        ({"kind": "calibration", "name": "observed / expected", "level": "warn"}, True),
    ],
)
def test_what_people_hear_of(given: dict[str, Any], alarming: bool) -> None:
    assert is_alarm(reading(**given)) is alarming


def test_a_message_in_words() -> None:
    report = DriftReport(horizon="90d", model_version="m", readings=(reading(), reading(name="mau", level="warn")))
    subject, text = words(report, hub_url=URL)
    assert subject == "Churn model m: act, 1 readings have drifted"
    assert text == (
        "Churn model m: act, 1 readings have drifted\n\n"
        "the score: PSI 0.31 (warn 0.10, act 0.25), 812 customers of 2026-11-22; missing 40%, 5% in training\n"
        "All of them: cshub model drift. Health and churn risk: http://hub.example"
    )


@pytest.mark.parametrize(
    ("ago", "begun"),
    [([], 0), ([0], 0), ([0, 1, 2], 2), ([0, 7], 7), ([0, 8], 0), ([0, 7, 14, 22], 14)],
)
def test_an_episode_ends_after_a_week_of_calm(ago: Sequence[int], begun: int) -> None:
    days = sorted(TODAY - timedelta(days=each) for each in ago)
    assert episode(days, until=TODAY) == TODAY - timedelta(days=begun)


async def drifted(store: Store) -> str:
    await fill(store)
    await stays(store)
    return await champion(store)


async def check(store: Store, version: str, day: date, *, moved: bool) -> str | None:
    now = datetime(day.year, day.month, day.day, 5, tzinfo=UTC)
    await say(store, version, day, knows)
    await cards(store, day, dict.fromkeys(NAMES, 49.0) if moved else dict(MAU))
    (report,) = await check_drift(store, DEFINITION, now=now)
    return await raise_alarm(store, report, OPERATIONS, hub_url=URL, now=now)


async def test_people_are_told_once_an_episode(store: Store) -> None:
    version = await drifted(store)
    days = [TODAY + timedelta(days=each) for each in range(5)]
    told = [await check(store, version, day, moved=moved) for day, moved in zip(days, (0, 1, 1, 0, 1), strict=True)]
    assert [each is not None for each in told] == [False, True, False, False, False]
    after = await check(store, version, TODAY + timedelta(days=12), moved=True)  # more than a week after the last
    assert after is not None
    async with store.reading() as connection:
        sent = await deliveries.find_deliveries(connection)
    assert [each.id for each in sent] == [told[1], after]
    first = sent[0]
    assert (first.customer_id, first.run_id, first.channel, first.address) == (None, None, "slack", "#cshub")
    assert first.dedup_key == f"drift.{version}.2026-11-23"
    assert first.state is DeliveryState.RESERVED
    assert first.payload["text"] == first.subject
    assert first.payload["blocks"][0]["text"]["type"] == "plain_text"
    assert "the score: PSI" in first.payload["blocks"][0]["text"]["text"]


async def test_two_processes_tell_once(store: Store) -> None:
    version = await drifted(store)
    assert await check(store, version, TODAY, moved=True) is not None
    (report,) = await read_drift(store, DEFINITION)
    assert await raise_alarm(store, report, OPERATIONS, hub_url=URL, now=NOW) is None


class Sent(ConsoleChannel):
    def __init__(self) -> None:
        super().__init__("slack")
        self.messages: list[Message] = []

    async def send(self, message: Message) -> dict[str, Any]:
        self.messages.append(message)
        return {"ts": "1"}


async def test_the_ledger_sends_it_like_any_other(store: Store) -> None:
    version = await drifted(store)
    id_ = await check(store, version, TODAY, moved=True)
    slack = Sent()
    ledger = Ledger(store, {"slack": slack}, executor="me", clock=lambda: NOW + timedelta(days=1))
    await ledger.drain()
    await ledger.drain()
    assert [message.address for message in slack.messages] == ["#cshub"]
    async with store.reading() as connection:
        (sent,) = await deliveries.find_deliveries(connection, ids=[id_ or ""])
    assert sent.state is DeliveryState.CONFIRMED


async def test_by_mail_the_names_of_features_are_no_markup(sqlite_store: Store) -> None:
    report = DriftReport(horizon="90d", model_version="m", readings=(reading(name="events_28d:<b>"),))
    id_ = await raise_alarm(sqlite_store, report, Operations("email", "ops@x.example"), hub_url=URL, now=NOW)
    async with sqlite_store.reading() as connection:
        (kept,) = await deliveries.find_deliveries(connection, ids=[id_ or ""])
    assert "events_28d:&lt;b&gt;: PSI 0.31" in kept.payload["html"]
    assert "events_28d:<b>: PSI 0.31" in kept.payload["text"]


async def test_nothing_to_tell_writes_nothing(sqlite_store: Store) -> None:
    report = DriftReport(horizon="90d", model_version="m", readings=(reading(level="steady"),))
    assert await raise_alarm(sqlite_store, report, OPERATIONS, hub_url=URL, now=NOW) is None
    async with sqlite_store.reading() as connection:
        assert await deliveries.find_deliveries(connection) == []
        assert await find_newest(connection, "m") == []
