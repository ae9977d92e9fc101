"""`cshub backtest`: numbers and plots of a definition tried on the past; refusals with every fault; stored scores verified."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hub.store import Store
from tests.cli.conftest import Cli
from tests.fakes.past import NOW, crowd

SHARP = """\
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
groups:
  login_frequency: {weight: 1, curve: {points: [[0, 0], [8, 1]]}}
"""


@pytest.fixture
def past(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A store with a past, and a clock that stands at its end."""
    monkeypatch.setattr("hub.cli.backtest.utc_now", lambda: NOW)
    monkeypatch.setattr("hub.cli.score.utc_now", lambda: NOW)
    asyncio.run(_fill(cli.store))
    return cli


async def _fill(path: Path, customers: int = 40) -> None:
    async with Store.open(f"sqlite:///{path}") as store:
        await crowd(store, customers=customers)


def test_a_definition_is_tried_beside_the_live_one(past: Cli, tmp_path: Path) -> None:
    tried = tmp_path / "sharp.yaml"
    tried.write_text(SHARP, encoding="utf-8")
    plots = tmp_path / "plots"
    done = past("backtest", "--definition", str(tried), "--months", "12", "--plots", str(plots))
    assert done.exit_code == 0, done.output
    assert "13 days, every month, 2025-06-01 to 2026-06-01; 0 of them from scorecards" in done.output
    assert "tried minus live" in done.output
    assert "segment small" in done.output
    assert min(path.name for path in plots.iterdir()) == "bands_live.svg"
    said = past("backtest", "--definition", str(tried), "--months", "12", "--json")
    report = json.loads(said.stdout)
    assert report["judged"]["tried"]["metrics"]["green_at_churn"]["value"] == 0.0
    assert report["differences"]["green_at_churn"]["verdict"] in ("better", "not told apart")


def test_a_whole_folder_of_definitions_is_tried_as_a_book(past: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "proposed"
    (folder / "health").mkdir(parents=True)
    (folder / "health.yaml").write_text(SHARP, encoding="utf-8")
    variant = f"{SHARP}when: {{segment: {{eq: large}}}}\npriority: 1\n"
    (folder / "health" / "large.yaml").write_text(variant, encoding="utf-8")
    said = past("backtest", "--definition", str(folder), "--months", "12", "--json")
    assert said.exit_code == 0, said.output
    report = json.loads(said.stdout)
    assert report["what"] == "book"
    assert len(report["hashes"]["tried"]) == 2
    assert any(caution.startswith("segment is today's") for caution in report["cautions"])


def test_a_definition_for_some_is_tried_in_its_place_among_the_live_ones(past: Cli, tmp_path: Path) -> None:
    past.write("health.yaml", SHARP)
    past.write("health/large.yaml", f"{SHARP}when: {{segment: {{eq: large}}}}\npriority: 1\n")
    folder = tmp_path / "2026 ideas"
    folder.mkdir()
    tried = folder / "small.yaml"
    blind = SHARP.replace("[8, 1]", "[0.01, 1]")
    tried.write_text(f"{blind}enabled: false\nwhen: {{segment: {{eq: small}}}}\npriority: 2\n", encoding="utf-8")

    def replayed(path: Path) -> Any:
        said = past("backtest", "--definition", str(path), "--months", "12", "--json")
        assert said.exit_code == 0, said.output
        return json.loads(said.stdout)

    report = replayed(tried)
    assert (report["what"], len(report["hashes"]["tried"]), len(report["hashes"]["live"])) == ("book", 3, 2)
    assert report["cautions"][:2] == [
        "live: large for the customers they choose, main for all others",
        "tried: small, large for the customers they choose, main for all others",
    ]
    by_name = {each["name"]: each["judged"] for each in report["segments"]}
    assert by_name["large"]["tried"]["bands"] == by_name["large"]["live"]["bands"]
    assert by_name["small"]["tried"]["bands"] != by_name["small"]["live"]["bands"]
    # of its priority there is one already: that one gives way
    tried.write_text(tried.read_text(encoding="utf-8").replace("priority: 2", "priority: 1"), encoding="utf-8")
    assert len(replayed(tried)["hashes"]["tried"]) == 2
    # and a folder of such files stands beside the main definition that is live, wherever that comes from
    text = tried.read_text(encoding="utf-8")
    tried.write_text(text.replace("enabled: false", "enabled: true"), encoding="utf-8")
    (past.config / "health.yaml").unlink()
    assert len(replayed(folder)["hashes"]["tried"]) == 2


def test_every_fault_of_a_definition_is_told_with_its_line(past: Cli, tmp_path: Path) -> None:
    tried = tmp_path / "wrong.yaml"
    tried.write_text(SHARP.replace("below: 0.3", "below: 0.2").replace("login_frequency", "logins"), encoding="utf-8")
    done = past("backtest", "--definition", str(tried))
    assert done.exit_code == 2
    assert "wrong.yaml:3: bands.warning.from" in done.stderr
    assert "wrong.yaml:7: groups.logins" in done.stderr


def test_a_condition_may_be_tried_by_itself(past: Cli) -> None:
    done = past("backtest", "--when", "{logins_per_user_week: {lt: 4}}", "--months", "12")
    assert done.exit_code == 0, done.output
    assert "condition held" in done.output
    wrong = past("backtest", "--when", "{logins: {lt: 4}}")
    assert (wrong.exit_code, "--when:1: logins: is no fact" in wrong.stderr) == (2, True)


HIGH = """
playbook: high
version: 1
title: High
when: {churn_band: {eq: high}, mrr: {gt: 0}}
do: [{task: {title: Call}}]
examples:
  - {facts: {churn_band: high, mrr: 1}, fires: true}
  - {facts: {churn_band: low, mrr: 1}, fires: false}
"""


def test_playbooks_are_tried_by_name_or_file(past: Cli, tmp_path: Path) -> None:
    unknown = past("backtest", "--playbook", "churn_sav")
    assert unknown.exit_code == 2
    assert "there is no playbook 'churn_sav', and no such file (choices: " in unknown.stderr
    done = past("backtest", "--playbook", "nps_detractor", "--months", "12")
    assert done.exit_code == 0, done.output
    high = tmp_path / "high.yaml"
    high.write_text(HIGH, encoding="utf-8")
    done = past("backtest", "--playbook", str(high), "--months", "12")
    assert done.exit_code == 0, done.output
    assert "churn_band" in done.output, "which no stored scorecard has"
    now_only = past("backtest", "--playbook", "churn_save", "--months", "12")
    assert (now_only.exit_code, "cshub playbook plan" in now_only.output) == (1, True)
    both = past("backtest", "--playbook", "churn_save", "--when", "{health: {lt: 0.4}}")
    assert (both.exit_code, "give one of --definition, --playbook and --when" in both.stderr) == (2, True)


def test_too_few_who_left_is_an_error_after_what_can_be_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.cli.backtest.utc_now", lambda: NOW)
    asyncio.run(_fill(cli.store, customers=12))
    done = cli("backtest", "--months", "12")
    assert done.exit_code == 1
    assert "6 customers left among those at stake, and 10 are needed" in done.stderr
    assert "coverage" in done.stdout


def test_stored_scores_are_verified(past: Cli) -> None:
    assert past("score", "--backfill", "3", "--no-fire").exit_code == 0
    done = past("backtest", "--verify")
    assert done.exit_code == 0, done.output
    assert "0 did not" in done.output
    said = json.loads(past("backtest", "--verify", "--json").stdout)
    assert (said["wrong"], said["exact"], said["cards"] > 0) == (0, said["cards"], True)


def test_without_scorecards_there_is_nothing_to_verify(cli: Cli) -> None:
    done = cli("backtest", "--verify")
    assert (done.exit_code, "there are no scorecards yet: cshub score makes them" in done.output) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--verify", "--when", "{health: {lt: 0.4}}"], "--verify replays the scorecards there are, and tries nothing"),
        (["--verify", "--plots", "plots"], "--verify replays the scorecards there are, and tries nothing"),
        (["--rest", "3"], "--rest is for --when"),
        (["--rest", "3", "--playbook", "churn_save"], "--rest is for --when"),
    ],
)
def test_options_that_would_do_nothing_are_refused(cli: Cli, arguments: list[str], message: str) -> None:
    done = cli("backtest", *arguments)
    assert (done.exit_code, message in " ".join(done.stderr.split())) == (2, True), done.stderr


def test_where_customers_stand_is_refused_as_it_would_peek(past: Cli) -> None:
    done = past("backtest", "--when", "{watch_level: {eq: critical}, renewal_days: {lt: 30}}", "--months", "6")
    assert done.exit_code == 1
    assert "renewal_days, watch_level: where customers stand in the lifecycle is kept as of now" in done.stderr
    assert "cshub playbook plan" in done.stderr
    assert "live" not in done.stdout
