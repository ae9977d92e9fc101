"""playbookPlan and playbookReport through the API, over the real use cases: what they tell, whom they refuse, one at a time."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.compose.actions import HubActions
from hub.compose.hub import Hub
from hub.model.actions import Role
from hub.playbooks import load_all
from hub.settings.lifecycle import LifecycleFile
from hub.store import Store
from scoring.book import HealthBook
from scoring.churn_definition import ChurnDefinition
from tests.fakes.world import DEFINITION
from tests.playbooks.rehearsing import NOW, Past
from tests.schema.fakes import Ask, asking

LOW = """
playbook: low
version: 1
title: Health is low
when: {health: {lt: 0.5}}
rest: 10 days
holdout: 10 %
do:
  - task: {title: Call}
examples:
  - {facts: {health: 0.4}, fires: true}
  - {facts: {health: 0.5}, fires: false}
"""
PLAN = """
query ($definition: String, $name: String, $days: Int! = 30, $horizon: Int) {
  playbookPlan(definition: $definition, name: $name, days: $days, horizon: $horizon) {
    playbook days firstDay lastDay scoredDays replayedSince customers liveIs cautions markdown
    new { version hash firings customers matchingNow csms meanAWeek worstWeek worstCsm worstBegins mostAWeek messages calls
          asked heldOut atOnce loads { csm firings aWeek worstWeek }
          outcome { horizonDays firstDay lastDay customers left precision low high baseRate lift notAtStake immature
                    immatureLeft churners reached medianLeadDays } }
    live { version firings }
    difference { onlyNew onlyLive both newNames liveNames }
    examples { customerId name day csm facts later }
  }
}
"""
REPORT = """
{ playbookReport { playbook configured holdout runs firstRunAt messages calls approvals useful notUseful says
    experiment { horizonDays treated heldOut
      churn { treated heldOut value low high verdict needed } health { value } arr { value }
      earlyHealth { value needed } earlyArr { value } }
    became { customers seen healthBefore healthAfter better worse stands } } }
"""


class HubOf(Hub):
    """A hub that has a store and a configuration, and nothing that runs."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        (folder / "playbooks").mkdir()
        (folder / "playbooks" / "low.yaml").write_text(LOW, encoding="utf-8")
        self.settings = cast(
            "Any",
            SimpleNamespace(
                playbooks=load_all(folder / "playbooks", templates=folder / "templates"),
                health=HealthBook(DEFINITION),
                churn=ChurnDefinition(),
                lifecycle=LifecycleFile(),
                hub=SimpleNamespace(timezone="UTC"),
            ),
        )


@pytest.fixture
async def ask(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setattr("tests.schema.fakes.NOW", NOW)
    past = Past(sqlite_store)
    await past.customers("ann", "bob")
    for id_, ago in (("ann", 3), ("bob", 2)):
        await past.scores(id_, {each: 0.4 if each <= ago else 0.8 for each in range(29, -1, -1)})
    return asking(sqlite_store, cast("Any", HubActions(HubOf(sqlite_store, tmp_path))))


async def test_a_definition_is_planned_beside_the_live_one(ask: Ask) -> None:
    text = LOW.replace("version: 1", "version: 2").replace("lt: 0.5", "lt: 0.9").replace("health: 0.5}", "health: 0.9}")
    body = await ask(PLAN, {"definition": text}, role=Role.ADMIN)
    assert "errors" not in body, body
    found = body["data"]["playbookPlan"]
    assert (found["playbook"], found["scoredDays"], found["liveIs"]) == ("low", 30, "version 1, as configured")
    assert (found["new"]["version"], found["live"]["version"], found["live"]["firings"]) == (2, 1, 2)
    # everybody on the first day, and 19 and 9 days ago
    assert (found["new"]["atOnce"], found["new"]["firings"]) == (2, 4)
    assert found["difference"] == {"onlyNew": 0, "onlyLive": 0, "both": 2, "newNames": [], "liveNames": []}
    assert found["new"]["calls"] == {"task": 6}
    assert found["markdown"].startswith("### `low` v2: Health is low")
    assert {each["name"] for each in found["examples"]} == {"Ann", "Bob"}
    assert found["new"]["outcome"]["horizonDays"] == 90


async def test_a_configured_one_is_planned_by_name(ask: Ask) -> None:
    body = await ask(PLAN, {"name": "low", "horizon": 20}, role=Role.ADMIN)
    found = body["data"]["playbookPlan"]
    assert (found["new"]["firings"], found["live"], found["difference"]) == (2, None, None)
    assert found["liveIs"] == "it is the live version"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "give either the definition of a playbook or the name of one"),
        ({"name": "x"}, "there is no playbook 'x'; there are: low"),
        ({"name": "low", "days": 0}, "days must be 1 to 730, not 0"),
        (
            {"definition": LOW.replace("0.4}, fires: true", "0.6}, fires: true")},
            "says fires: true, but `when` says otherwise",
        ),
        ({"definition": "x" * 100_001}, "definition must have at most 100,000 characters"),
    ],
)
async def test_what_makes_no_sense_is_refused(ask: Ask, variables: dict[str, Any], said: str) -> None:
    body = await ask(PLAN, variables, role=Role.ADMIN)
    assert body["data"] is None
    assert said in body["errors"][0]["message"]


async def test_plans_are_for_admins_and_one_at_a_time(ask: Ask) -> None:
    refused = await ask(PLAN, {"name": "low"}, role=Role.CSM)
    assert "needs the role admin" in refused["errors"][0]["message"]
    bodies = await asyncio.gather(*(ask(PLAN, {"name": "low"}, role=Role.ADMIN) for _ in range(2)))
    errors = [body["errors"][0]["message"] for body in bodies if body.get("errors")]
    assert errors == ["a plan is being made; there is one at a time"]
    assert not (await ask(PLAN, {"name": "low"}, role=Role.ADMIN)).get("errors")


async def test_reports_are_for_everybody(ask: Ask) -> None:
    body = await ask(REPORT)
    assert "errors" not in body, body
    assert body["data"]["playbookReport"] == [
        {
            "playbook": "low",
            "configured": True,
            "holdout": 0.1,
            "runs": {},
            "firstRunAt": None,
            "messages": {},
            "calls": {},
            "approvals": {},
            "useful": 0,
            "notUseful": 0,
            "says": "Nothing can be said about its effect: nobody has been drawn for yet.",
            "experiment": None,
            "became": {
                "customers": 0,
                "seen": 0,
                "healthBefore": None,
                "healthAfter": None,
                "better": 0,
                "worse": 0,
                "stands": {},
            },
        }
    ]
