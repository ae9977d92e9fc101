"""The registry as a hub runs it: what the schedule does is audited, and people are told where they want to be."""

import logging
from datetime import timedelta

import pytest

from hub.compose.models import Models
from hub.store import Store, audit, deliveries
from hub.training.alarm import Operations
from hub.training.promotion import TRAINING
from tests.training.books import DEFINITION, JULY, NOW, fill, guesses, knows, model, say


def models(store: Store, operations: Operations | None = None, *, days: int = 0) -> Models:
    now = NOW + timedelta(days=days)
    return Models(store, DEFINITION, operations=operations, hub_url="http://hub.example", clock=lambda: now)


@pytest.fixture
async def rivals(store: Store) -> Store:
    await fill(store)
    await model(store, "old", role="champion")
    await model(store, "new", role="challenger")
    await say(store, "old", JULY, guesses)
    await say(store, "new", JULY, knows)
    return store


async def test_what_training_promotes_is_in_the_audit_log(rivals: Store) -> None:
    [settled] = await models(rivals).settle()
    assert settled.promoted == "new"
    async with rivals.reading() as connection:
        [entry] = await audit.find_latest(connection)
    assert (entry.actor, entry.action, entry.subject) == (TRAINING, "churnModelPromote", "new")
    assert entry.detail == {"request": {"version": "new", "horizon": "90d"}, "outcome": "done"}
    assert [each.version for each in await models(rivals).promotions()] == ["new"]
    await models(rivals).settle()  # there is no challenger any more
    async with rivals.reading() as connection:
        assert len(await audit.find_latest(connection)) == 1


async def test_people_hear_of_drift_where_they_want_to(rivals: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        [report] = await models(rivals).check_drift()
    assert report.level == "act"
    assert "churn model old has drifted: act" in caplog.text
    async with rivals.reading() as connection:
        assert await deliveries.find_deliveries(connection) == []
    told = Operations("email", "ops@x.example")
    await models(rivals, told).check_drift()
    await models(rivals, told, days=1).check_drift()
    async with rivals.reading() as connection:
        [sent] = await deliveries.find_deliveries(connection)
    assert (sent.channel, sent.address, sent.customer_id) == ("email", "ops@x.example", None)
    assert "ROC-AUC 0.500" in sent.payload["text"]
