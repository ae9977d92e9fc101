"""Churn models, drift and post-mortems by GraphQL: real use cases over a small book, on both databases."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.compose.actions import HubActions
from hub.compose.hub import Hub
from hub.compose.models import Models
from hub.model.actions import Role
from hub.store import Store, audit
from hub.store.models import find_champion
from schema.nodes import global_id
from tests.schema.fakes import Ask, asking
from tests.training.books import DEFINITION, JULY, NOW, fill, guesses, knows, model, say

PROMOTE = """
mutation ($version: String!, $force: Boolean! = false, $reason: String, $key: String! = "k") {
  churnModelPromote(input: {version: $version, force: $force, reason: $reason, idempotencyKey: $key}) {
    churnModel { version role champion horizon } previous errors { code message }
  }
}
"""
ROLLBACK = """
mutation ($horizon: String, $key: String! = "r") {
  churnModelRollback(input: {horizon: $horizon, idempotencyKey: $key}) {
    churnModel { version role } previous errors { code message }
  }
}
"""


@pytest.fixture
async def ask_models(store: Store) -> Ask:
    await fill(store)
    await model(store, "old", role="champion", trained_at=NOW - timedelta(days=300))
    await model(store, "new", role="challenger")
    await say(store, "old", JULY, guesses)
    await say(store, "new", JULY, knows)
    models = Models(store, DEFINITION, operations=None, hub_url="http://hub.example", clock=lambda: NOW)
    hub = cast("Hub", SimpleNamespace(store=store, settings=SimpleNamespace(churn=DEFINITION), models=models))
    return asking(store, cast("Any", HubActions(hub)))


async def champion(store: Store) -> str | None:
    async with store.reading() as connection:
        found = await find_champion(connection, horizon="90d")
    return found.version if found else None


async def test_the_registry(ask_models: Ask) -> None:
    body = await ask_models("{ churnModels { totalCount nodes { version role champion trainedOnTo } } }")
    assert body["data"]["churnModels"] == {
        "totalCount": 2,
        "nodes": [
            {"version": "new", "role": "challenger", "champion": False, "trainedOnTo": "2025-12-01"},
            {"version": "old", "role": "champion", "champion": True, "trainedOnTo": "2025-12-01"},
        ],
    }
    asked = '{ churnModels(horizon: "90d", role: ["champion"]) { nodes { version } } churnModel(horizon: "90d") { version } }'
    body = await ask_models(asked)
    assert body["data"] == {"churnModels": {"nodes": [{"version": "old"}]}, "churnModel": {"version": "old"}}
    body = await ask_models('{ churnModels(horizon: "30d") { totalCount } }')
    assert body["data"]["churnModels"]["totalCount"] == 0


async def test_a_comparison(ask_models: Ask) -> None:
    body = await ask_models(
        "{ churnModelComparisons { horizon champion challenger days source customers churned difference differenceHigh "
        "championLift better whyNot } }"
    )
    [found] = body["data"]["churnModelComparisons"]
    assert found["difference"] < found["differenceHigh"] < 0
    del found["difference"], found["differenceHigh"]
    assert found == {
        "horizon": "90d",
        "champion": "old",
        "challenger": "new",
        "days": ["2026-07-01"],
        "source": "stored",
        "customers": 100,
        "churned": 30,
        "championLift": 1.0,
        "better": True,
        "whyNot": None,
    }


async def test_promote_and_roll_back(ask_models: Ask, store: Store) -> None:
    body = await ask_models(PROMOTE, {"version": "new"}, role=Role.ADMIN)
    made = {
        "churnModel": {"version": "new", "role": "champion", "champion": True, "horizon": "90d"},
        "previous": "old",
        "errors": [],
    }
    assert body["data"]["churnModelPromote"] == made
    again = await ask_models(PROMOTE, {"version": "new"}, role=Role.ADMIN)  # the same key
    assert again["data"]["churnModelPromote"] == made
    body = await ask_models(ROLLBACK, role=Role.ADMIN)
    assert body["data"]["churnModelRollback"] == {
        "churnModel": {"version": "old", "role": "champion"},
        "previous": "new",
        "errors": [],
    }
    assert await champion(store) == "old"
    body = await ask_models("{ churnModelPromotions { version previous kind by undoneAt } }")
    kept = sorted((each["kind"], each["version"], each["previous"]) for each in body["data"]["churnModelPromotions"])
    assert kept == [("by_hand", "new", "old"), ("rollback", "old", "new")]
    async with store.reading() as connection:
        entries = await audit.find_latest(connection)
    assert {(each.action, each.subject, each.detail["outcome"]) for each in entries} == {
        ("churnModelPromote", "new", "done"),
        ("churnModelRollback", "the primary horizon", "done"),
    }


async def test_what_is_refused_changes_nothing(ask_models: Ask, store: Store) -> None:
    await model(store, "worse", role="candidate", rate=0.99)
    body = await ask_models(PROMOTE, {"version": "worse"}, role=Role.ADMIN)
    payload = body["data"]["churnModelPromote"]
    assert payload["churnModel"] is None
    assert "worse is not better than the champion old beyond noise" in payload["errors"][0]["message"]
    body = await ask_models(PROMOTE, {"version": "worse", "force": True, "key": "f"}, role=Role.ADMIN)
    assert body["data"]["churnModelPromote"]["errors"][0]["message"] == "a promotion against the numbers needs a reason"
    body = await ask_models(PROMOTE, {"version": "nobody", "key": "n"}, role=Role.ADMIN)
    assert "no churn model 'nobody'" in body["data"]["churnModelPromote"]["errors"][0]["message"]
    body = await ask_models(ROLLBACK, role=Role.ADMIN)
    assert "there is none to go back to" in body["data"]["churnModelRollback"]["errors"][0]["message"]
    for role in (Role.VIEWER, Role.CSM):
        body = await ask_models(PROMOTE, {"version": "new"}, role=role)
        assert "needs the role admin" in body["errors"][0]["message"]
    assert await champion(store) == "old"


async def test_drift(ask_models: Ask, store: Store) -> None:
    query = "{ drift { horizon modelVersion level alarms { name } readings { kind name level value text asOf customers } } }"
    body = await ask_models(query)
    assert body["data"]["drift"] == [
        {"horizon": "90d", "modelVersion": "old", "level": "STEADY", "alarms": [], "readings": []}
    ]
    await Models(store, DEFINITION, operations=None, hub_url="", clock=lambda: NOW).check_drift()
    [found] = (await ask_models(query))["data"]["drift"]
    assert (found["level"], found["alarms"]) == ("ACT", [{"name": "roc_auc"}])
    assert [(each["kind"], each["level"], each["asOf"], each["customers"]) for each in found["readings"]] == [
        ("roc_auc", "ACT", "2026-07-01", 100),
        ("calibration", "STEADY", "2026-07-01", 100),
    ]
    assert (await ask_models('{ drift(horizon: "30d") { level } }'))["data"]["drift"] == []


async def test_post_mortems(ask_models: Ask) -> None:
    body = await ask_models(
        '{ postmortems(since: "2026-08-01") { everybody { churned shareGreen shareWithSignal medianLeadDays shareActed } '
        "bySegment { group churned } customers(first: 2) { customerName churnedOn kind summary greenAtChurn acted "
        "scorecards { daysBefore scorecard { health } } firstSignal { kind } } "
        "signs { kind text left leftWith shareLeft stayed stayedWith shareStayed ratio ratioLow ratioHigh tells } } }"
    )
    found = body["data"]["postmortems"]
    assert found["everybody"] == {
        "churned": 30,
        "shareGreen": None,
        "shareWithSignal": 0.0,
        "medianLeadDays": None,
        "shareActed": None,
    }
    assert (len(found["signs"]), found["signs"][0]) == (
        11,
        {
            "kind": "any",
            "text": "any of them",
            "left": 30,
            "leftWith": 0,
            "shareLeft": 0.0,
            "stayed": 70,
            "stayedWith": 0,
            "shareStayed": 0.0,
            **dict.fromkeys(("ratio", "ratioLow", "ratioHigh")),
            "tells": False,
        },
    )
    assert found["bySegment"] == [{"group": "(none)", "churned": 30}]
    assert [one["customerName"] for one in found["customers"]] == ["C000", "C001"]
    assert found["customers"][0]["scorecards"] == [{"daysBefore": days, "scorecard": None} for days in (90, 60, 30)]
    assert found["customers"][0]["summary"].startswith("C000 left on 2026-08-15: nothing had been noted")
    body = await ask_models("{ postmortems { customers(first: 501) { kind } } }")
    assert "first must be 1 to 500" in body["errors"][0]["message"]


async def test_the_post_mortem_of_one_customer(ask_models: Ask) -> None:
    query = "query ($id: ID!) { customer(id: $id) { name postmortem { churnedOn lastScorecard { band } } } }"
    body = await ask_models(query, {"id": global_id("customer", "c001")})
    assert body["data"]["customer"] == {
        "name": "C001",
        "postmortem": {"churnedOn": "2026-08-15", "lastScorecard": None},
    }
    body = await ask_models(query, {"id": global_id("customer", "c099")})
    assert body["data"]["customer"]["postmortem"] is None
    body = await ask_models("{ customers(first: 2) { nodes { postmortem { kind } } } }")
    assert "one Customer at a time" in body["errors"][0]["message"]
