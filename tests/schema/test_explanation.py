"""`explanation` and `lift` of a customer: real use cases over a handmade store, exact sums, one customer at a time."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.compose.actions import HubActions
from hub.compose.hub import Hub
from hub.store import Store
from schema.nodes import global_id
from tests.fakes.story import DEFINITION, JUNE, MAY, tell
from tests.schema.fakes import Ask, asking

ACME = {"id": global_id("customer", "acme")}
QUERY = """
query ($id: ID!, $since: Date) {
  customer(id: $id) {
    explanation(since: $since, records: 1) {
      asOf score band coverage note
      parts {
        measure group contribution value weight input unit missing reason
        facts { name value unit evidence { kind since until total records { source key on what url } } }
      }
      comparison { since score band change causes { cause amount } changes { measure cause amount reweighting } note }
    }
    lift(to: STABLE) {
      target reached score band liftedScore liftedBand note
      moves { measure fact before after unit steps doing }
    }
  }
}
"""


@pytest.fixture
async def ask_acme(store: Store) -> Ask:
    await tell(store)
    hub = cast("Hub", SimpleNamespace(store=store, settings=SimpleNamespace(health=DEFINITION)))
    return asking(store, cast("Any", HubActions(hub)))


async def test_a_score_its_change_and_its_lift(ask_acme: Ask) -> None:
    body = await ask_acme(QUERY, {**ACME, "since": str(MAY)})
    assert "errors" not in body
    explanation, lift = body["data"]["customer"]["explanation"], body["data"]["customer"]["lift"]
    assert (explanation["asOf"], explanation["band"], explanation["note"]) == (str(JUNE), "WARNING", None)
    assert explanation["score"] == pytest.approx(0.325)
    parts = {part["measure"]: part for part in explanation["parts"]}
    assert sum(part["contribution"] for part in parts.values()) == pytest.approx(explanation["score"], abs=1e-9)
    urgent, tickets = parts["ticket_severity"]["facts"]
    assert (urgent["name"], urgent["value"], urgent["unit"], tickets["name"]) == (
        "urgent_tickets_90d",
        2.0,
        "tickets",
        "tickets_90d",
    )
    (evidence,) = urgent["evidence"]
    assert (evidence["kind"], evidence["total"], evidence["until"]) == ("ticket", 2, str(JUNE))
    assert evidence["records"] == [
        {
            "source": "desk",
            "key": "t2",
            "on": "2026-06-20",
            "what": "urgent: Ticket t2",
            "url": "https://desk.example/t2",
        }
    ]
    comparison = explanation["comparison"]
    assert (comparison["since"], comparison["band"], comparison["note"]) == (str(MAY), "HEALTHY", None)
    assert sum(change["amount"] for change in comparison["changes"]) == pytest.approx(comparison["change"], abs=1e-9)
    assert comparison["changes"][0] == {
        "measure": "login_frequency",
        "cause": "DATA",
        "amount": pytest.approx(-0.25),
        "reweighting": 0.0,
    }
    assert comparison["causes"] == [{"cause": "DATA", "amount": pytest.approx(comparison["change"])}]
    assert (lift["target"], lift["reached"], lift["band"], lift["liftedBand"]) == ("STABLE", True, "WARNING", "STABLE")
    assert lift["liftedScore"] >= 0.5 > lift["score"]
    assert lift["moves"]
    assert all(move["steps"] >= 1 and move["before"] != move["after"] for move in lift["moves"])


async def test_without_arguments_the_newest_alone(ask_acme: Ask) -> None:
    body = await ask_acme(
        "query ($id: ID!) { customer(id: $id) { explanation { asOf comparison { change } } lift { target } } }", ACME
    )
    assert body == {
        "data": {"customer": {"explanation": {"asOf": str(JUNE), "comparison": None}, "lift": {"target": "HEALTHY"}}}
    }


async def test_a_list_is_refused_but_a_page_of_one_is_not(ask_acme: Ask) -> None:
    body = await ask_acme("{ customers(first: 2) { nodes { lift { reached } } } }")
    assert body["data"] is None
    assert body["errors"][0]["message"] == "lift is for one Customer at a time: ask for it by id, or with first: 1"
    body = await ask_acme("{ customers(first: 1) { nodes { name explanation { band } } } }")
    assert body["data"]["customers"]["nodes"] == [{"name": "Acme", "explanation": {"band": "WARNING"}}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("records: 51", "records must be 1 to 50, not 51"),
        ('asOf: "2026-01-01"', f"Acme (acme) has no scorecard up to 2026-01-01; the first is of {MAY}"),
        (
            f'asOf: "2026-01-01", since: "{MAY}"',
            f"Acme (acme) has no scorecard up to 2026-01-01; the first is of {MAY}",
        ),
    ],
)
async def test_errors_are_of_the_field_and_say_what_there_is(ask_acme: Ask, arguments: str, message: str) -> None:
    query = f"query ($id: ID!) {{ customer(id: $id) {{ name explanation({arguments}) {{ band }} }} }}"
    body = await ask_acme(query, ACME)
    assert body["data"] == {"customer": {"name": "Acme", "explanation": None}}
    assert [error["message"] for error in body["errors"]] == [message]


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ("2026-01-01", f"Acme (acme) has no scorecard up to 2026-01-01; the first is of {MAY}"),
        (str(JUNE), f"the scorecard is of {JUNE}; compare it with a day before, not with {JUNE}"),
    ],
)
async def test_a_day_there_is_nothing_to_compare_with_leaves_the_parts(ask_acme: Ask, since: str, why: str) -> None:
    asked = "asOf comparison { change } comparisonNote parts { measure }"
    body = await ask_acme(
        f'query ($id: ID!) {{ customer(id: $id) {{ explanation(since: "{since}") {{ {asked} }} }} }}', ACME
    )
    assert "errors" not in body
    explanation = body["data"]["customer"]["explanation"]
    assert (explanation["asOf"], explanation["comparison"], explanation["comparisonNote"]) == (str(JUNE), None, why)
    assert len(explanation["parts"]) > 3


async def test_a_customer_without_a_score_has_neither_change_nor_lift(ask_acme: Ask) -> None:
    body = await ask_acme(QUERY, {"id": global_id("customer", "north"), "since": str(MAY)})
    assert "errors" not in body
    explanation, lift = body["data"]["customer"]["explanation"], body["data"]["customer"]["lift"]
    assert (explanation["score"], explanation["band"], explanation["coverage"]) == (None, None, 0.0)
    assert explanation["note"].startswith("Only 0 % of the weight has data")
    assert explanation["comparison"]["change"] is None
    assert explanation["comparison"]["note"].startswith(f"No score on {MAY}")
    assert (lift["reached"], lift["score"], lift["moves"]) == (False, None, [])
    assert lift["note"].startswith("there is no score to lift")
