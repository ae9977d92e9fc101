"""Opportunities to expand through the API, over the real use cases: listed with evidence, stated by people, and refused."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from hub.compose.actions import HubActions
from hub.compose.hub import Hub
from hub.lifecycle.expansion import ExpansionSettings, keep_expansion
from hub.model.actions import Role
from hub.store import Store
from hub.store.tables import audit_record, scorecard
from schema.nodes import global_id
from tests.schema.company import NOW, seed
from tests.schema.fakes import Ask, asking
from tests.schema.test_onboarding import Looks

SETTINGS = ExpansionSettings.model_validate(
    {
        "rules": [
            {
                "name": "full", "kind": "seats", "title": "More seats", "when": {"seat_utilisation": {"gt": 0.9}},
                "evidence": ["seat_utilisation", "plan"], "value": {"seats": {"to": 1.2}}, "probability": 0.5,
            },
            {
                "name": "any", "kind": "add_on", "title": "An add-on", "when": {"mau": {"gt": 1}},
                "evidence": ["mau"], "value": {"amount": 100}, "probability": 0.5,
            },
        ]
    }
)  # fmt: skip
FIRST = global_id("customer", "c001")
LIST = """
query ($state: [ExpansionState!], $kind: [ExpansionKind!], $customer: ID) {
  expansionOpportunities(state: $state, kind: $kind, customerId: $customer) {
    totalCount
    nodes { id rule kind title state value expected seats evidence { fact value } customer { name } foundOn }
  }
}
"""
UPDATE = """
mutation ($input: ExpansionOpportunityUpdateInput!) {
  expansionOpportunityUpdate(input: $input) {
    opportunity { state wonAmount reason decidedBy closedOn } errors { code message field }
  }
}
"""


class HubOf(Hub):
    """A hub that has a store and a configuration, and nothing that runs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.settings = cast("Any", SimpleNamespace(lifecycle=SimpleNamespace(expansion=SETTINGS)))
        self.playbooks = cast("Any", Looks())

    @staticmethod
    def clock() -> datetime:
        return NOW


@pytest.fixture
async def ask(store: Store) -> Ask:
    await seed(store, 3)
    facts = {"seat_utilisation": 1.0, "mau": 50.0, "seats_purchased": 50.0, "mrr": 500.0, "plan": "Pro"}
    async with store.transaction() as connection:
        mine = update(scorecard).where(scorecard.c.customer_id == "c001", scorecard.c.latest)
        await connection.execute(mine.values(facts=facts))
    await keep_expansion(store, SETTINGS, now=NOW)
    return asking(store, cast("Any", HubActions(HubOf(store))))


async def found(ask: Ask, **given: Any) -> list[dict[str, Any]]:
    body = await ask(LIST, given)
    assert "errors" not in body, body
    return cast("list[dict[str, Any]]", body["data"]["expansionOpportunities"]["nodes"])


async def test_listed_with_evidence(ask: Ask) -> None:
    seats, extra = await found(ask)
    assert {name: value for name, value in seats.items() if name != "id"} == {
        "rule": "full",
        "kind": "SEATS",
        "title": "More seats",
        "state": "OPEN",
        "value": 1200,
        "expected": 600,
        "seats": 10,
        "evidence": [{"fact": "seat_utilisation", "value": 1.0}, {"fact": "plan", "value": "Pro"}],
        "customer": {"name": "Customer 001"},
        "foundOn": "2026-11-01",
    }
    assert [row["rule"] for row in await found(ask, kind=["ADD_ON"])] == ["any"] == [extra["rule"]]
    assert await found(ask, state=["WON"]) == []
    assert await found(ask, customer=global_id("customer", "c000")) == []
    body = await ask(
        f'{{ customer(id: "{FIRST}") {{ expansionOpportunities(state: [OPEN], first: 1) {{ totalCount nodes {{ rule }} }} }} '
        f'node(id: "{seats["id"]}") {{ ... on ExpansionOpportunity {{ rule }} }} }}'
    )
    assert body["data"] == {
        "customer": {"expansionOpportunities": {"totalCount": 2, "nodes": [{"rule": "full"}]}},
        "node": {"rule": "full"},
    }


async def test_stated(ask: Ask, store: Store) -> None:
    seats, extra = await found(ask)

    async def say(id_: str, **given: Any) -> Any:
        body = await ask(UPDATE, {"input": {"id": id_, **given}}, role=Role.CSM)
        return body["data"]["expansionOpportunityUpdate"]

    offered = await say(seats["id"], state="OFFERED")
    assert offered["opportunity"] == {
        "state": "OFFERED", "wonAmount": None, "reason": None, "decidedBy": "a csm", "closedOn": None,
    }  # fmt: skip
    won = await say(seats["id"], state="WON", amount=900)
    assert (won["opportunity"]["wonAmount"], won["opportunity"]["closedOn"]) == (900, "2026-11-01")
    again = await say(seats["id"], state="LOST", reason="x")
    assert (again["opportunity"], again["errors"][0]["code"]) == (None, "REFUSED")
    refused = await say(extra["id"], state="LOST")
    assert refused["errors"] == [{"code": "REFUSED", "message": "why is it lost? A reason is needed", "field": None}]
    wrong = await say(FIRST, state="WON")
    assert (wrong["errors"][0]["code"], wrong["errors"][0]["field"]) == ("BAD_INPUT", "id")
    assert [row["state"] for row in await found(ask)] == ["WON", "OPEN"]
    async with store.reading() as connection:
        actions = await connection.execute(select(audit_record.c.action))
        assert set(actions.scalars()) == {"expansionOpportunityUpdate", "personalRead"}


async def test_a_viewer_may_not(ask: Ask) -> None:
    seats, _ = await found(ask)
    body = await ask(UPDATE, {"input": {"id": seats["id"], "state": "WON"}}, role=Role.VIEWER)
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
