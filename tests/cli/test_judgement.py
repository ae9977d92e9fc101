"""`cshub override`, `sentiment`, `judgement`, and `explain` beside them.

Over the handmade story; nothing is written where something is refused.
"""

import asyncio
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.clock import utc_now
from hub.resources import CONFIG
from hub.store import Store
from tests.fakes.story import tell

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(sqlite_template: Path, tmp_path: Path) -> Run:
    url = f"sqlite:///{tmp_path / 'cshub.db'}"
    shutil.copy(sqlite_template, tmp_path / "cshub.db")

    async def fill() -> None:
        async with Store.open(url) as store:
            await tell(store)

    asyncio.run(fill())
    config = tmp_path / "config"
    shutil.copytree(CONFIG, config)
    (config / "sources.yaml").write_text("sources: {}\n", encoding="utf-8")
    text = (config / "hub.yaml").read_text(encoding="utf-8")
    (config / "hub.yaml").write_text(re.sub("^store: .*$", f"store: {url}", text, flags=re.MULTILINE), encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["--config", str(config), *arguments], env={"COLUMNS": "200"})
        return result.exit_code, result.output

    return run


@pytest.fixture
def rows(run: Run, tmp_path: Path) -> Callable[[str], list[dict[str, Any]]]:
    def rows(table: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(tmp_path / "cshub.db")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1")]

    return rows


def test_an_override_is_stated_shown_and_withdrawn(run: Run, rows: Callable[[str], list[dict[str, Any]]]) -> None:
    until = utc_now().date() + timedelta(days=30)
    code, text = run("override", "acme.example", "--score", "0.8", "--reason", "New sponsor", "--by", "ann@cs.example")
    assert code == 0, text
    assert f"Override of acme: 80.0 of 100 until {until}, by ann@cs.example: New sponsor" in text
    assert f"acme on {utc_now().date()}: 80.0 of 100, healthy; computed: " in text
    code, text = run("explain", "acme")
    assert code == 0, text
    assert "80.0 of 100, healthy as of" in text
    assert f"Overridden by ann@cs.example until {until}: New sponsor; computed " in text
    assert "80.0 is in force" in " ".join(text.split())
    assert "How often this has been right" in text
    code, text = run("override", "acme", "--withdraw", "--by", "bob@cs.example")
    assert code == 0, text
    assert "Override of" not in text
    (row,) = rows("health_override")
    assert (row["score"], row["withdrawn_by"]) == (0.8, "bob@cs.example")


def test_a_band_and_a_day(run: Run, rows: Callable[[str], list[dict[str, Any]]]) -> None:
    until = utc_now().date() + timedelta(days=100)
    code, text = run("override", "acme", "--band", "critical", "--reason", "?", "--until", str(until))
    assert code == 0, text
    (row,) = rows("health_override")
    assert (row["score"], row["expires_on"], row["by"]) == (0.15, str(until), "command line")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--score", "0.5"], 1, "an override needs a reason"),
        (["--reason", "?"], 2, "say either --score 0-1 or --band, or --withdraw"),
        (["--score", "0.5", "--band", "stable", "--reason", "?"], 2, "say either --score 0-1 or --band"),
        (["--score", "50", "--reason", "?"], 2, "0<=x<=1"),
        (["--band", "green", "--reason", "?"], 2, "'critical', 'warning', 'stable', 'healthy'"),
        (["--score", "0.5", "--reason", "?", "--until", "2020-01-01"], 1, "an override ends on a day from"),
        (["--score", "0.5", "--withdraw"], 2, "--withdraw ends what is in force and takes nothing but --by"),
        (["--withdraw"], 1, "no override of Acme (acme) is in force"),
    ],
)
def test_an_override_that_can_not_be_stated(
    run: Run, rows: Callable[[str], list[dict[str, Any]]], arguments: list[str], code: int, message: str
) -> None:
    ended, text = run("override", "acme", *arguments)
    assert (ended, message in " ".join(text.split())) == (code, True), text
    assert rows("health_override") == []


def test_sentiment_is_stated_and_withdrawn(run: Run, rows: Callable[[str], list[dict[str, Any]]]) -> None:
    code, text = run("sentiment", "acme", "green", "--reason", "Glad")
    assert code == 0, text
    assert (
        f"Sentiment of acme: 100.0 of 100 until {utc_now().date() + timedelta(days=90)}, by command line: Glad" in text
    )
    code, text = run("sentiment", "acme", "2", "--reason", "Silent")
    assert code == 0, text
    assert [row["value"] for row in sorted(rows("sentiment"), key=lambda row: row["set_at"])] == [1, 0.25]
    code, text = run("sentiment", "acme", "--withdraw")
    assert (code, text) == (0, "The sentiment of acme is withdrawn\n")
    assert all(row["withdrawn_at"] for row in rows("sentiment"))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["blue", "--reason", "?"], 1, "a sentiment is red, yellow, green, or a whole number from 1"),
        (["green"], 1, "a sentiment needs a reason"),
        ([], 2, "say red, yellow, green, or 1 to 5; or --withdraw"),
        (["green", "--withdraw"], 2, "--withdraw ends what is in force"),
    ],
)
def test_a_sentiment_that_can_not_be_stated(
    run: Run, rows: Callable[[str], list[dict[str, Any]]], arguments: list[str], code: int, message: str
) -> None:
    ended, text = run("sentiment", "acme", *arguments)
    assert (ended, message in " ".join(text.split())) == (code, True), text
    assert rows("sentiment") == []


def test_what_was_stated_is_listed(run: Run) -> None:
    assert run("override", "--list") == (0, "no override is in force\n")
    assert run("sentiment", "acme", "--list") == (0, "no sentiment was ever stated of it\n")
    run("override", "acme", "--score", "0.8", "--reason", "New sponsor", "--by", "ann@cs.example")
    run("override", "acme", "--band", "warning", "--reason", "Gone again", "--by", "bob@cs.example")
    today = utc_now().date()

    def listed(*arguments: str) -> list[str]:
        code, text = run(*arguments)
        assert code == 0, text
        return [" ".join(line.split()) for line in text.splitlines()]

    newest = f"Acme (acme) 40.0 {today} in force until {today + timedelta(days=30)} bob@cs.example Gone again"
    ended = f"Acme (acme) 80.0 {today} ended on {today} by bob@cs.example ann@cs.example New sponsor"
    assert listed("override", "--list")[1:] == [newest]
    assert listed("override", "acme.example", "--list")[1:] == [newest, ended]
    run("override", "acme", "--withdraw")
    assert listed("override", "--list") == ["no override is in force"]
    for arguments in (["--score", "0.5"], ["--withdraw"]):
        code, text = run("override", "acme", "--list", *arguments)
        assert (code, "--list lists, and takes nothing but CUSTOMER" in text) == (2, True)
    code, text = run("override", "--score", "0.5", "--reason", "?")
    assert (code, "Missing argument 'CUSTOMER'" in text) == (2, True)


def test_who_had_given_notice_is_left_out_and_said(run: Run, tmp_path: Path) -> None:
    run("sentiment", "acme", "red", "--reason", "Gave notice last week")
    with closing(sqlite3.connect(tmp_path / "cshub.db")) as connection, connection:
        connection.execute("UPDATE subscription SET cancelled_at = '2020-01-01 00:00:00.000000'")
    code, text = run("judgement")
    assert code == 0, text
    assert "1 left out: of customers who did not pay then, or had given notice." in text


def test_what_it_was_worth(run: Run) -> None:
    run("override", "acme", "--score", "0.8", "--reason", "?", "--by", "ann@cs.example")
    code, text = run("judgement")
    assert code == 0, text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "all 1 0 0 0 0 0 0" in lines
    assert "ann@cs.example 1 0 0 0 0 0 0" in lines
    assert "None of 1 has matured: what happened is not known yet." in lines
    assert "Nothing has been stated of customers who paid and had not given notice." in lines


def test_a_change_has_the_records_of_both_days(run: Run, rows: Callable[[str], list[dict[str, Any]]]) -> None:
    run("score", "--no-fire", "--backfill", "2")
    first, *_, last = [row["as_of"] for row in sorted(rows("scorecard"), key=lambda row: row["as_of"])]
    code, text = run("explain", "acme", "--since", first, "--records", "2", "--no-record")
    assert code == 0, text
    now, _, then = text.partition(f"What they were counted from on {first}")
    assert f" to {last}: " in now
    assert f" to {first}: " not in now
    assert f" to {first}: " in then
    assert f" to {last}: " not in then
    assert "What they were counted from" not in run("explain", "acme", "--since", first, "--no-record")[1]


def test_an_override_of_who_is_no_customer_any_more_says_so(run: Run, tmp_path: Path) -> None:
    run("score", "--no-fire")
    with closing(sqlite3.connect(tmp_path / "cshub.db")) as connection, connection:
        connection.execute("DELETE FROM scorecard WHERE NOT latest")
        connection.execute("UPDATE scorecard SET as_of = '2020-01-01'")
        connection.execute("UPDATE subscription SET ended_on = '2020-01-02'")
    code, text = run("override", "acme", "--score", "0.8", "--reason", "They may come back")
    assert code == 0, text
    assert "acme is no customer today, so nothing is scored; an override counts if it comes back in time" in text


def test_an_extra_scorecard_is_explained_by_its_name(run: Run) -> None:
    run("score", "--no-fire")
    code, text = run("explain", "acme", "--scorecard", "adoption")
    assert code == 0, text
    assert "Acme (acme, acme.example), scorecard adoption" in text
    code, text = run("explain", "acme", "--scorecard", "nothing")
    assert (code, "has no extra scorecard 'nothing'; there are: adoption" in text) == (1, True)
    assert run("explain", "acme", "--scorecard", "adoption", "--lift", "stable")[0] == 2
