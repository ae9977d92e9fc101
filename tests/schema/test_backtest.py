"""backtestRun through the API: what it tells, whom it refuses, one at a time; over the real use case."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import func, select

from hub.compose.actions import HubActions
from hub.compose.hub import Hub
from hub.documents import Document
from hub.model.actions import Role
from hub.playbooks.spec import Sheet, assemble, condition
from hub.store import Store, audit
from hub.store.tables import scorecard
from scoring.book import HealthBook
from scoring.churn_definition import ChurnDefinition
from scoring.definition import load
from tests.cli.test_backtest import SHARP
from tests.fakes.past import NOW, crowd
from tests.schema.fakes import Ask, asking

RUN = """
mutation ($input: BacktestRunInput!) {
  backtestRun(input: $input) {
    backtest {
      what firstDay days storedDays rows churned baseRate tooFew peeks cautions
      candidates { name hashes metrics { name value low high } bands { name rows left rate low high }
                   deciles { name rate } precisionRecall { x y } }
      differences { name value low high verdict }
      segments { name customers churned tooFew candidates { metrics { name } } }
    }
    errors { code message field }
  }
}
"""
WHEN = {"logins_per_user_week": {"lt": 4}}


class HubOf(Hub):
    """A hub that has a store and a configuration, and nothing that runs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        sheet = Sheet(playbook="save", version=1, title="Save", when=WHEN, do=[{"wait": "1 day"}])
        save = assemble(sheet, when=condition(WHEN), steps=(), definition={})
        self.settings = cast(
            "Any",
            SimpleNamespace(
                health=HealthBook(load(Document.from_text(SHARP, name="health.yaml"))),
                churn=ChurnDefinition(),
                playbooks=SimpleNamespace(playbooks={"save": save}),
            ),
        )


@pytest.fixture
async def ask(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setattr("tests.schema.fakes.NOW", NOW)
    await crowd(sqlite_store)
    return asking(sqlite_store, cast("Any", HubActions(HubOf(sqlite_store))))


async def payload(ask: Ask, role: Role = Role.ADMIN, **given: Any) -> Any:
    body = await ask(RUN, {"input": {"months": 12, **given}}, role=role)
    return body["data"]["backtestRun"]


async def test_a_definition_is_tried_beside_the_live_one(ask: Ask, sqlite_store: Store) -> None:
    found = await payload(ask, definition=SHARP.replace("[8, 1]", "[80, 1]"))
    assert found["errors"] == []
    backtest = found["backtest"]
    assert (backtest["what"], backtest["days"], backtest["tooFew"]) == ("definition", 13, None)
    assert [each["name"] for each in backtest["candidates"]] == ["tried", "live"]
    tried, live = ({each["name"]: each for each in one["metrics"]} for one in backtest["candidates"])
    assert tried["warned"]["value"] == live["warned"]["value"] == 1.0
    assert tried["green_at_churn"]["low"] is not None
    assert {each["name"]: each["verdict"] for each in backtest["differences"]}["coverage"] == "not told apart"
    assert [each["name"] for each in backtest["candidates"][0]["bands"]] == ["critical", "warning", "stable", "healthy"]
    assert [each["name"] for each in backtest["segments"]] == ["large", "small"]
    async with sqlite_store.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(scorecard))).scalar_one() == 0
        (entry,) = await audit.find_latest(connection)
    assert (entry.action, entry.detail["outcome"]) == ("backtestRun", "done")


async def test_every_fault_of_a_definition_has_its_line(ask: Ask) -> None:
    wrong = SHARP.replace("below: 0.3", "below: 0.2").replace("login_frequency", "logins")
    found = await payload(ask, definition=wrong)
    assert found["backtest"] is None
    assert {(each["code"], each["field"]) for each in found["errors"]} == {("BAD_INPUT", "definition")}
    assert [each["message"].split(": ")[0] for each in found["errors"]] == ["definition:3", "definition:7"]


async def test_a_playbook_or_a_condition_is_tried(ask: Ask) -> None:
    by_name = (await payload(ask, playbook="save"))["backtest"]
    by_condition = (await payload(ask, when='{"logins_per_user_week": {"lt": 4}}'))["backtest"]
    assert [each["name"] for each in by_name["candidates"]] == ["save", "live"]
    assert by_name["candidates"][0]["metrics"] == by_condition["candidates"][0]["metrics"]
    unknown = await payload(ask, playbook="/etc/passwd")
    assert unknown["errors"][0]["message"] == "there is no playbook '/etc/passwd'; there are: save"


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"when": "{}", "playbook": "save"}, "definition", "give at most one of definition, playbook and when"),
        ({"restDays": 900}, "restDays", "restDays must be 0 to 365"),
        ({"months": 90}, None, "months must be 1 to 60, not 90"),
        ({"when": "{healht: {lt: 1}}"}, "when", "when:1: healht: is no fact (choices: health)"),
        ({"definition": "x" * 100_001}, "definition", "definition must have at most 100,000 characters"),
    ],
)
async def test_what_makes_no_sense_is_refused(ask: Ask, given: dict[str, Any], field: str | None, message: str) -> None:
    found = await payload(ask, **given)
    assert found["backtest"] is None
    assert [(each["field"], each["message"]) for each in found["errors"]] == [(field, message)]


async def test_there_is_one_at_a_time(ask: Ask) -> None:
    first, second = await asyncio.gather(payload(ask), payload(ask))
    busy = [each for each in (first, second) if each["errors"]]
    assert [each["errors"][0]["code"] for each in busy] == ["BUSY"]
    assert (await payload(ask))["errors"] == [], "and the next one may"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CSM])
async def test_it_is_for_admins(ask: Ask, role: Role) -> None:
    body = await ask(RUN, {"input": {}}, role=role)
    assert "data" not in body
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
