"""Overrides and sentiment through the API: what is stated, shown, audited and refused, over the real use cases."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from hub.compose.actions import HubActions
from hub.compose.hub import Hub
from hub.model.actions import Role
from hub.store import Store, audit
from hub.store.tables import health_override, sentiment
from schema.nodes import global_id
from scoring.book import HealthBook
from scoring.churn_definition import ChurnDefinition
from tests.fakes.story import DEFINITION, JUNE, MAY, NOW, tell
from tests.schema.company import seed
from tests.schema.fakes import Ask, asking

ACME = global_id("customer", "acme")
OVERRIDE = """
mutation ($input: CustomerOverrideInput!) {
  customerOverride(input: $input) {
    customer {
      health { score band computedScore computedBand reason override { score reason by expiresOn } }
      override { score by expiresOn } overrides { totalCount }
    }
    errors { code message field }
  }
}
"""
WITHDRAW = """
mutation ($id: ID!) {
  customerOverrideWithdraw(input: {customerId: $id}) {
    customer { health { score override { score } } overrides { nodes { score withdrawnBy } } }
    errors { code message field }
  }
}
"""
FEEL = """
mutation ($input: SentimentSetInput!) {
  sentimentSet(input: $input) {
    customer { sentiment { value reason by expiresOn } health { score } } errors { code message field }
  }
}
"""


class HubOf(Hub):
    """A hub that has a store and a configuration, and nothing that runs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.settings = cast("Any", SimpleNamespace(health=HealthBook(DEFINITION), churn=ChurnDefinition()))

    @staticmethod
    def clock() -> datetime:
        return NOW


@pytest.fixture
async def ask_acme(store: Store) -> Ask:
    await tell(store)
    return asking(store, cast("Any", HubActions(HubOf(store))))


def given(**changes: Any) -> dict[str, Any]:
    return {"input": {"customerId": ACME, "reason": "New sponsor", **changes}}


async def outcomes(store: Store) -> list[tuple[str, str, str, str]]:
    async with store.reading() as connection:
        entries = await audit.find_latest(connection)
    deeds = [entry for entry in entries if entry.action != "personalRead"]
    return [(entry.actor, entry.action, entry.subject, entry.detail["outcome"]) for entry in deeds]


async def rows(store: Store, table: Any) -> list[Mapping[str, Any]]:
    async with store.reading() as connection:
        return list((await connection.execute(select(table))).mappings())


async def test_an_override_is_in_force_at_once_and_audited(ask_acme: Ask, store: Store) -> None:
    body = await ask_acme(OVERRIDE, given(score=0.8, until="2026-07-10"), role=Role.CSM)
    payload = body["data"]["customerOverride"]
    assert payload["errors"] == []
    health = payload["customer"]["health"]
    assert (health["score"], health["band"], health["computedBand"]) == (0.8, "HEALTHY", "WARNING")
    assert health["computedScore"] == pytest.approx(0.325)
    assert health["reason"] == "Overridden by a csm until 2026-07-10: New sponsor; computed 32.5 of 100 (warning)"
    assert health["override"] == {"score": 0.8, "reason": "New sponsor", "by": "a csm", "expiresOn": "2026-07-10"}
    assert payload["customer"]["overrides"] == {"totalCount": 1}
    assert await outcomes(store) == [("a csm", "customerOverride", "acme", "done")]


async def test_withdrawing_it_brings_the_computed_score_back(ask_acme: Ask, store: Store) -> None:
    await ask_acme(OVERRIDE, given(band="CRITICAL"), role=Role.CSM)
    body = await ask_acme(WITHDRAW, {"id": ACME}, role=Role.CSM)
    payload = body["data"]["customerOverrideWithdraw"]
    assert payload["errors"] == []
    assert payload["customer"]["health"] == {"score": pytest.approx(0.325), "override": None}
    assert payload["customer"]["overrides"]["nodes"] == [{"score": pytest.approx(0.15), "withdrawnBy": "a csm"}]
    again = (await ask_acme(WITHDRAW, {"id": ACME}, role=Role.CSM))["data"]["customerOverrideWithdraw"]
    assert again["customer"] is None
    assert again["errors"] == [
        {
            "code": "REFUSED",
            "message": "no override of Acme (acme) is in force, so there is none to withdraw",
            "field": None,
        }
    ]


@pytest.mark.parametrize(
    ("changes", "code", "message", "field"),
    [
        ({}, "BAD_INPUT", "give one of score or band, and not the other", "score"),
        ({"score": 0.5, "band": "STABLE"}, "BAD_INPUT", "give one of score or band, and not the other", "score"),
        ({"score": 45}, "REFUSED", "a score is from 0 to 1, such as 0.8; not 45", "score"),
        ({"score": 0.5, "reason": " "}, "REFUSED", "an override needs a reason", "reason"),
        ({"score": 0.5, "until": "2027-06-30"}, "REFUSED", "from 2026-06-30 to 2026-12-27 (180 days)", "until"),
        ({"score": 0.5, "customerId": "x"}, "BAD_INPUT", "'x' is not an id of this API", "customerId"),
    ],
)
async def test_what_can_not_be_stated_says_why_and_writes_nothing(
    ask_acme: Ask, store: Store, changes: dict[str, Any], code: str, message: str, field: str | None
) -> None:
    (error,) = (await ask_acme(OVERRIDE, given(**changes), role=Role.CSM))["data"]["customerOverride"]["errors"]
    assert (error["code"], error["field"]) == (code, field)
    assert message in error["message"]
    assert await rows(store, health_override) == []


@pytest.mark.parametrize(("change", "value"), [({"colour": "RED"}, 0.0), ({"mark": 4}, 0.75)])
async def test_sentiment(ask_acme: Ask, store: Store, change: dict[str, Any], value: float) -> None:
    payload = (await ask_acme(FEEL, given(**change), role=Role.CSM))["data"]["sentimentSet"]
    until = str(JUNE + timedelta(days=90))
    stated = {"value": value, "reason": "New sponsor", "by": "a csm", "expiresOn": until}
    # the day of the request is later: it is said in the past of the story, and holds no more
    assert payload["errors"] == []
    (row,) = await rows(store, sentiment)
    assert {
        "value": row["value"],
        "reason": row["reason"],
        "by": row["by"],
        "expiresOn": str(row["expires_on"]),
    } == stated
    assert payload["customer"]["health"]["score"] == pytest.approx(0.325)


async def test_a_sentiment_there_is_no_such_mark_for(ask_acme: Ask, store: Store) -> None:
    for changes in ({"mark": 6}, {}, {"mark": 3, "colour": "RED"}):
        (error,) = (await ask_acme(FEEL, given(**changes), role=Role.CSM))["data"]["sentimentSet"]["errors"]
        assert error["code"] in ("REFUSED", "BAD_INPUT")
    assert await rows(store, sentiment) == []


async def test_a_viewer_states_nothing(ask_acme: Ask, store: Store) -> None:
    for query, changes in ((OVERRIDE, {"score": 0.5}), (FEEL, {"mark": 3})):
        body = await ask_acme(query, given(**changes), role=Role.VIEWER)
        assert body["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
    assert await rows(store, health_override) + await rows(store, sentiment) == []


async def test_the_series_and_what_hangs_on_a_customer(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    query = """
    query ($id: ID!) { customer(id: $id) {
      override { score inForce } overrides(first: 1) { nodes { score inForce } pageInfo { hasNextPage } }
      sentiment { value } sentiments { nodes { value withdrawnBy inForce } }
      extraScorecards { name score readings { measure value } }
      rollup { score method customers parts { customerId weight contribution } }
      churnRisk { horizon probability } churnRisks { horizon band }
    } }
    """
    found = (await ask(query, {"id": global_id("customer", "c000")}))["data"]["customer"]
    assert found == {
        "override": {"score": 0.75, "inForce": True},
        "overrides": {"nodes": [{"score": 0.75, "inForce": True}], "pageInfo": {"hasNextPage": True}},
        "sentiment": {"value": 0.75},
        "sentiments": {
            "nodes": [
                {"value": 0.75, "withdrawnBy": None, "inForce": True},
                {"value": 0.25, "withdrawnBy": "bob@cs.example", "inForce": False},
            ]
        },
        "extraScorecards": [{"name": "adoption", "score": 0.5, "readings": [{"measure": "adoption", "value": 0.5}]}],
        "rollup": {
            "score": 0.5,
            "method": "value",
            "customers": 1,
            "parts": [{"customerId": global_id("customer", "c000"), "weight": 1.0, "contribution": 0.5}],
        },
        "churnRisk": {"horizon": "90d", "probability": 0.1},
        "churnRisks": [{"horizon": "90d", "band": "LOW"}],
    }


async def test_a_change_names_the_override_behind_it(ask_acme: Ask) -> None:
    await ask_acme(OVERRIDE, given(score=0.8), role=Role.CSM)
    query = """
    query ($id: ID!, $since: Date!) { customer(id: $id) { explanation(since: $since) {
      score computedScore computedBand override { score by } definition { name }
      parts { contribution }
      comparison {
        change computedScore definitionBefore { name hash } definition { hash }
        changes {
          measure cause amount override { reason by }
          facts { name before after evidence { total } evidenceBefore { total } }
        }
      }
    } } }
    """
    body = await ask_acme(query, {"id": ACME, "since": str(MAY)})
    found = body["data"]["customer"]["explanation"]
    assert (found["score"], found["computedBand"]) == (0.8, "WARNING")
    assert found["override"] == {"score": 0.8, "by": "a csm"}
    assert sum(part["contribution"] for part in found["parts"]) == pytest.approx(found["computedScore"], abs=1e-9)
    comparison = found["comparison"]
    assert sum(change["amount"] for change in comparison["changes"]) == pytest.approx(comparison["change"], abs=1e-9)
    assert comparison["definitionBefore"] == {"name": "main", "hash": DEFINITION.hash}
    by_cause = {change["cause"]: change for change in comparison["changes"]}
    assert by_cause["OVERRIDE"]["override"] == {"reason": "New sponsor", "by": "a csm"}
    assert by_cause["OVERRIDE"]["facts"] == []
    logins = next(change for change in comparison["changes"] if change["measure"] == "login_frequency")
    sessions = next(fact for fact in logins["facts"] if fact["name"] == "sessions_28d")
    assert (sessions["before"], sessions["after"]) == (24, 4)
    assert (sessions["evidenceBefore"], sessions["evidence"]) == ([{"total": 2}], [{"total": 1}])


async def test_what_judgement_was_worth(ask_acme: Ask) -> None:
    await ask_acme(OVERRIDE, given(score=0.8), role=Role.CSM)
    query = """
    { judgement(since: "2026-01-01") {
      kind horizonDays since until leftOut
      overall { stated matured quality { auc { value } } sentence } byCsm { csm verdict { stated } }
    } }
    """
    body = await ask_acme(query)
    overrides, feelings = body["data"]["judgement"]
    assert overrides["overall"] == {
        "stated": 1,
        "matured": 0,
        "quality": None,
        "sentence": "None of 1 has matured: what happened is not known yet",
    }
    assert (overrides["kind"], overrides["horizonDays"], overrides["until"]) == ("OVERRIDE", 90, "2026-05-30")
    assert overrides["byCsm"] == [{"csm": "a csm", "verdict": {"stated": 1}}]
    assert (feelings["kind"], feelings["overall"]["stated"], feelings["leftOut"]) == ("SENTIMENT", 0, 0)
