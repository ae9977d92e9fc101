"""`cshub playbook plan` and `report`, as a person or a CI job runs them; and what `cshub check` says of examples."""

import asyncio
import json
from pathlib import Path

import pytest

from hub.store import Store
from tests.cli.conftest import Cli
from tests.playbooks.rehearsing import NOW, Past

LOW = """
playbook: low
version: 2
title: Health is low
when: {health: {lt: 0.5}}
rest: 10 days
do:
  - task: {title: Call}
examples:
  - {facts: {health: 0.4}, fires: true}
  - {facts: {health: 0.5}, fires: false}
"""


@pytest.fixture
def past(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setattr("hub.cli.playbook_plan.utc_now", lambda: NOW)
    asyncio.run(_fill(cli.store))
    return cli


async def _fill(path: Path) -> None:
    async with Store.open(f"sqlite:///{path}") as store:
        made = Past(store)
        await made.customers("ann", "bob", "cia")
        for id_, ago in (("ann", 3), ("bob", 2), ("cia", 4)):
            await made.scores(id_, {each: 0.4 if each <= ago else 0.8 for each in range(29, -1, -1)})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "low.yaml"
    found.write_text(LOW, encoding="utf-8")
    return found


def test_a_plan_in_a_pipe_is_markdown(past: Cli, file: Path) -> None:
    before = past.store.read_bytes()
    done = past("playbook", "plan", str(file), "--days", "30")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(
        "### `low` v2: Health is low\n\nRehearsed on 2026-06-01 to 2026-06-30 (30 days, 30 with"
    )
    assert "| Firings | 3 |" in done.stdout
    assert "| Per CSM and week, worst | 3 (ann@x.example, from 2026-06-22) |" in done.stdout
    assert "Compared with nothing: there is no live version of this name." in done.stdout
    assert past("playbook", "plan", str(file), "--days", "30", "--markdown").stdout == done.stdout
    assert past.store.read_bytes() == before


def test_a_plan_as_json_has_all_of_it(past: Cli, file: Path) -> None:
    done = past("playbook", "plan", str(file), "--days", "30", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["playbook"], found["new"]["firings"], found["new"]["calls"]) == ("low", 3, {"task": 3})
    assert found["new"]["outcome"]["precision"] is None
    assert {each["customer_id"] for each in found["examples"]} == {"ann", "bob", "cia"}
    assert past("playbook", "plan", str(file), "--json", "--markdown").exit_code == 2


@pytest.mark.parametrize(
    ("budget", "code", "said"),
    [
        ("3 per csm per week", 0, ""),
        (
            "2 per CSM per week",
            1,
            "low would have fired 3 times (ann@x.example, the week from 2026-06-22); the budget is 2",
        ),
        ("2 per week", 1, "low would have fired 3 times; the budget is 2 per week"),
        ("few", 1, "'few' is no budget: say such as '10 per csm per week' or '200 per week'"),
    ],
)
def test_a_budget_ends_with_code_1_after_all_was_said(past: Cli, file: Path, budget: str, code: int, said: str) -> None:
    done = past("playbook", "plan", str(file), "--days", "30", "--fail-above", budget)
    assert done.exit_code == code
    assert said in done.stderr
    assert ("| Firings | 3 |" in done.stdout) is (budget != "few")


def test_it_is_compared_with_the_live_version_or_a_file(past: Cli, file: Path, tmp_path: Path) -> None:
    live = LOW.replace("version: 2", "version: 1").replace("lt: 0.5", "lt: 0.1").replace("0.4", "0.05")
    past.write("playbooks/low.yaml", live)
    done = past("playbook", "plan", str(file), "--days", "30")
    assert (
        "**Beside the live version** (version 1, as configured), customers: 3 only by this one, 0 only" in done.stdout
    )
    other = tmp_path / "old.yaml"
    other.write_text(LOW.replace("rest: 10", "rest: 1"), encoding="utf-8")
    against = past("playbook", "plan", str(file), "--days", "30", "--against", str(other))
    assert "(version 2, of the file given), customers: 0 only by this one, 0 only by the live one, 3 by both" in (
        against.stdout
    )
    by_hand = LOW.replace("when: {health: {lt: 0.5}}", "by: hand")
    past.write("playbooks/low.yaml", by_hand[: by_hand.index("examples")])
    alone = past("playbook", "plan", str(file), "--days", "30")
    assert "| Firings | 3 |" in alone.stdout
    assert "Compared with nothing: version 2, as configured, which cannot be replayed: low is fired by a person" in (
        alone.stdout
    )
    past.write("playbooks/low.yaml", live)
    named = past("playbook", "plan", "low", "--days", "30")
    assert "Compared with nothing: it is the live version." in named.stdout


def test_examples_run_before_and_say_file_and_line(past: Cli, file: Path) -> None:
    wrong = LOW.replace("health: 0.5}, fires: false", "health: 0.5}, fires: true").replace("title: Call", "titel: Call")
    file.write_text(wrong, encoding="utf-8")
    done = past("playbook", "plan", str(file))
    assert done.exit_code == 2
    assert f"{file}:8: do.0.task" in done.stderr
    assert f"{file}:11: examples.1: says fires: true, but `when` says otherwise" in done.stderr
    assert f"{file}:9: examples: there is none with fires: false" in done.stderr
    assert done.stdout == ""
    past.write("playbooks/low.yaml", wrong)
    checked = past("check")
    assert checked.exit_code == 2
    assert "playbooks/low.yaml:11: examples.1: says fires: true, but `when` says otherwise" in checked.stderr
    missing = past("playbook", "plan", "lwo")
    assert missing.exit_code == 2


def test_a_report_says_what_can_be_said(past: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    past.write("playbooks/low.yaml", LOW.replace("rest: 10 days", "rest: 10 days\nholdout: 10 %"))
    done = past("playbook", "report", "low")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "low, 10 % held out",
        "  never ran",
        "  Nothing can be said about its effect: nobody has been drawn for yet.",
        "",
    ]
    found = json.loads(past("playbook", "report", "low", "--json").stdout)
    assert [(each["playbook"], each["share"], each["experiment"]) for each in found] == [("low", 0.1, None)]
    unknown = past("playbook", "report", "other")
    assert unknown.exit_code == 1
    assert "there is no playbook 'other'" in unknown.stderr
