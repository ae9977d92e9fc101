"""From a trained model over scorecards to drift and to a comparison, with nothing made by hand but the past."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from hub.scorecards import score
from hub.store import Store
from hub.store.labels import find_at_stake
from hub.store.models import find_champion, get_model, keep_model
from hub.training import Training, load_predictors, train
from hub.training.comparison import compare_models
from hub.training.drift import check_drift
from scoring.book import HealthBook
from scoring.churn_definition import Gate
from scoring.drift import SCORE, Reference
from tests.fakes.story import DEFINITION as HEALTH
from tests.test_training import DEFINITION, history, put

TRAINED = datetime(2026, 5, 2, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
# so early in the history no model is shown to be better than the base rate; here any will do
CHURN = DEFINITION.model_copy(update={"gate": Gate(bootstraps=20, skill_above=-99.0, roc_auc_above=0.0)})


@pytest.fixture
async def trained(sqlite_store: Store) -> Training:
    await put(sqlite_store, history(150))
    return await train(sqlite_store, CHURN, now=TRAINED)


async def test_training_keeps_what_the_model_learned_from(sqlite_store: Store, trained: Training) -> None:
    assert trained.shown, trained.why_not
    async with sqlite_store.reading() as connection:
        kept = await get_model(connection, trained.version)
    reference = Reference.from_json(kept.parameters["reference"])
    assert set(reference.features) == set(kept.features)
    # nobody was ever asked, billed or called by a CSM, and everybody has the same plan at the same price
    assert not set(kept.features) & {"nps_last", "csat_90d", "champions_lost_90d", "sentiment", "mrr", "plan=Pro"}
    assert {"tenure_days", "usage_trend", "events_28d:export"} <= set(kept.features)
    # the newest quarter of seven snapshots: those of November and December, with who was still there
    async with sqlite_store.reading() as connection:
        there = [
            await find_at_stake(connection, as_of=date(2025, month, 1), minimum_tenure_days=30) for month in (11, 12)
        ]
    assert trained.snapshots == 7
    assert reference.customers == len({*there[0], *there[1]}) < trained.customers
    rows = sum(reference.score.counts)
    assert {sum(bins.counts) for bins in reference.features.values()} == {rows}
    assert rows <= len(there[0]) + len(there[1])


async def test_the_customers_of_today_beside_those_it_learned_from(sqlite_store: Store, trained: Training) -> None:
    predictors = await load_predictors(sqlite_store, CHURN)
    await score(sqlite_store, HealthBook(HEALTH), predictors, as_of=NOW.date(), now=NOW)
    [report] = await check_drift(sqlite_store, CHURN, now=NOW)
    readings = {each.name: each for each in report.readings}
    assert report.model_version == trained.version
    assert {"usage_trend", "tenure_days", SCORE, "events_28d:export"} <= set(readings)
    assert readings["tenure_days"].level == "act"  # everybody is older now than anybody was
    assert "tenure_days" not in {each.name for each in report.alarms}
    assert "mrr" not in readings  # all pay the same: the model does not have it
    assert readings["events_28d:export"].detail["share_missing"] == 0.0
    assert readings[SCORE].customers == readings["usage_trend"].customers > 20


async def test_models_that_predict_anew(sqlite_store: Store, trained: Training) -> None:
    """A model beside a copy of itself says the same of the same customers, and is no better."""
    async with sqlite_store.transaction() as connection:
        champion = await find_champion(connection, horizon="90d")
        assert champion is not None
        copy = replace(champion, version="copy", role="challenger", promoted_at=None)
        await keep_model(connection, copy)
    assert (champion.kind, champion.trained_on_to) == ("xgboost", date(2025, 12, 1))
    found = await compare_models(sqlite_store, CHURN, champion, copy, until=NOW.date())
    # 97 days after the last it learned from, and 128 before today
    assert (found.source, found.days) == (
        "anew",
        (date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)),
    )
    assert found.verdict is not None
    assert (found.verdict.difference.value, found.verdict.difference.low, found.verdict.difference.high) == (0, 0, 0)
    assert found.verdict.champion_lift == found.verdict.challenger_lift > 1
    assert not found.better
    early = await compare_models(sqlite_store, CHURN, champion, copy, until=TRAINED.date() + timedelta(days=1))
    assert early.verdict is None
