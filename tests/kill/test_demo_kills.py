"""A demo killed at any moment, and started again until it is done, has learned and sent what an undisturbed one does: once.

Run by `make test-kill`. CSHUB_TEST_KILL_SEED repeats a run's moments; pytest -s shows them.
"""

import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.clock import utc_now
from hub.demo.outbox import Arrival, Outbox
from tests.fakes.hub import (
    Content,
    Ended,
    Process,
    Row,
    add_playbooks,
    content,
    differences,
    reading,
    rows,
    run,
    say,
)

pytestmark = pytest.mark.kill

KILLS = 15
KILLS_A_FOLDER = 8
MOST_STARTS = 50
WITHIN = 240
SEED = int(os.environ.get("CSHUB_TEST_KILL_SEED", time.time_ns() % 1_000_000))
SEGMENTS = ("enterprise", "mid-market", "smb")
ARGUMENTS = ("--customers", "18", "--months", "4", "--days", "0")
OPEN = ("reserved", "sent")
DAY_KILLS = 4


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What an undisturbed demo came to, and how long it took."""

    records: Content
    scores: Content
    dedup_keys: set[str]
    runs: set[str]
    seconds: float


def prepared(folder: Path) -> Path:
    folder.mkdir()
    add_playbooks(folder, *SEGMENTS)
    return folder


def arguments(folder: Path) -> tuple[str | Path, ...]:
    return ("demo", "--once", "--folder", folder, *ARGUMENTS)


def scores(path: Path) -> Content:
    """Every scorecard and prediction, without when it was computed; the registry's models by version."""
    clocks = ("computed_at", "trained_at", "promoted_at")

    def without_clock(row: Row) -> Row:
        return {name: value for name, value in row.items() if name not in clocks}

    return {
        table: {id_: without_clock(row) for id_, row in rows(path, table, key=key).items()}
        for table, key in (
            ("scorecard", "id"),
            ("extra_scorecard", "id"),
            ("churn_prediction", "id"),
            ("churn_model", "version"),
        )
    }


def arrivals(folder: Path) -> list[Arrival]:
    """What Slack and the mailboxes received, none of it twice."""
    outbox = Outbox(folder / "outbox.db")
    assert outbox.duplicates() == []
    found = outbox.arrivals(limit=-1)
    outbox.close()
    assert all(arrival.dedup for arrival in found)
    return found


def check_delivered(folder: Path, reference: Reference, ended: Ended) -> Counter[str]:
    """Each message of the reference was reserved, and received once, or is listed as unknown and received at most once."""
    messages = rows(folder / "cshub.db", "delivery")
    assert {row["dedup_key"] for row in messages.values()} == reference.dedup_keys
    assert set(rows(folder / "cshub.db", "playbook_run")) == reference.runs
    states = Counter(row["state"] for row in messages.values())
    assert set(states) <= {"confirmed", "unknown"}
    received: Counter[tuple[str, str | None]] = Counter((arrival.kind, arrival.dedup) for arrival in arrivals(folder))
    assert set(received.values()) == {1}
    for id_, row in messages.items():
        if row["state"] == "confirmed":
            assert received.pop(known_as(row)) == 1, row
            continue
        assert f"failed: delivery {id_} to {row['channel']} {row['address']} is unknown" in ended.complained
    assert len(received) <= states["unknown"], "what is left was received and is unknown"
    slack_left = {dedup for kind, dedup in received if kind == "slack"}
    assert slack_left <= {row["dedup_key"] for row in messages.values() if row["state"] == "unknown"}
    assert ended.code == (1 if states["unknown"] else 0), ended
    assert len([line for line in ended.complained.splitlines() if line.startswith("failed: ")]) == states["unknown"]
    return states


def known_as(row: dict[str, Any]) -> tuple[str, str]:
    """Kind and dedup of a confirmed message at the other side."""
    if row["channel"] == "slack":
        return "slack", row["dedup_key"]
    return "email", json.loads(row["receipt"])["message_id"]


async def test_demos_killed_at_random_moments_send_nothing_twice_and_end_alike(tmp_path: Path) -> None:
    say(f"\nseed {SEED}")
    dice, began, today = random.Random(SEED), datetime.now(UTC), utc_now().date()
    reference = await undisturbed(prepared(tmp_path / "undisturbed"), began)
    kills, starts, folders = 0, 0, 0
    places: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    while kills < KILLS:
        folders += 1
        folder, killed_here = prepared(tmp_path / f"killed{folders}"), 0
        while True:
            starts += 1
            assert starts <= MOST_STARTS, f"only {kills} of {starts} starts were killed"
            process = await Process.start(*arguments(folder))
            if kills < KILLS and killed_here < KILLS_A_FOLDER:
                place = await strike(process, folder, dice, reference)
                if place is not None:
                    kills, killed_here = kills + 1, killed_here + 1
                    places[place.split(",")[0]] += 1
                    say(f"kill {kills}, folder {folders}: {place}")
                    continue
            ended = await process.end(within=WITHIN)
            break
        if utc_now().date() != today:
            pytest.skip("the day changed while it ran, and with it the company")
        assert "Traceback" not in ended.complained, ended
        states = check_delivered(folder, reference, ended)
        assert differences(reference.records, content(folder / "cshub.db", since=began)) == []
        assert differences(reference.scores, scores(folder / "cshub.db")) == []
        assert "running" not in {row["state"] for row in rows(folder / "cshub.db", "sync_run").values()}
        totals += states
        say(f"folder {folders} is done: {dict(states)}")
        if folders == 1:
            again = await run(*arguments(folder), within=WITHIN)
            assert check_delivered(folder, reference, again) == states
    seconds = (datetime.now(UTC) - began).total_seconds()
    say(f"{kills} kills in {starts} starts, {folders} folders, {seconds:.0f} s: {dict(places)}; {dict(totals)}")
    assert places["while it sent"] >= KILLS // 4
    assert len(places) >= 2


async def test_days_that_are_killed_go_on_where_they_were(tmp_path: Path) -> None:
    """What was sent before a kill is not sent again, and the days after it come to what undisturbed days come to."""
    say(f"\nseed {SEED}")
    dice, today = random.Random(SEED), utc_now().date()
    whole = prepared(tmp_path / "undisturbed")
    ended = await run(*lived(whole), within=WITHIN)
    assert (ended.code, ended.complained) == (0, ""), ended
    expected = set(rows(whole / "cshub.db", "playbook_run"))
    folder, kills, reached = prepared(tmp_path / "killed"), 0, [0]
    for target in [*sorted(dice.sample(range(1, 17), DAY_KILLS)), None]:
        process = await Process.start(*lived(folder))
        while target is not None and steps(folder) < target and not await process.ends_within(0.02):
            pass
        if target is not None and process.running:
            await process.ends_within(dice.uniform(0.0, 1.0))
            await process.kill()
            kills += 1
            reached.append(steps(folder))
            say(f"kill {kills}: after step {reached[-1]}")
        else:
            ended = await process.end(within=WITHIN)
    if utc_now().date() != today:
        pytest.skip("the day changed while it ran, and with it the company")
    assert kills == DAY_KILLS
    assert reached == sorted(reached), "no day is begun anew"
    messages = rows(folder / "cshub.db", "delivery")
    unknown = [row for row in messages.values() if row["state"] == "unknown"]
    assert ended.code == (1 if unknown else 0), ended
    assert "Traceback" not in ended.complained, ended
    assert json.loads((folder / "month.json").read_text())["over"]
    outbox = Outbox(folder / "outbox.db")
    assert outbox.duplicates() == []
    received: Counter[tuple[str, str | None]] = Counter(
        (kind, dedup) for kind, dedup, many in outbox.known() for _ in range(many)
    )
    outbox.close()
    for row in messages.values():
        if row["state"] == "confirmed" and row["channel"] in ("slack", "email"):
            assert received[known_as(row)] == 1, row
    runs = set(rows(folder / "cshub.db", "playbook_run"))
    say(f"{kills} kills, {len(unknown)} unknown, {len(runs)} runs, undisturbed {len(expected)}")
    # who was never shown an unknown message answers none, so what follows from that answer may be missing
    assert len(runs ^ expected) <= len(unknown)


def steps(folder: Path) -> int:
    """How many steps of its days a demo has done."""
    path = folder / "month.json"
    return int(json.loads(path.read_text())["steps"]) if path.exists() else 0


def lived(folder: Path) -> tuple[str | Path, ...]:
    return ("demo", "--once", "--folder", folder, *ARGUMENTS[:-1], "3")


async def undisturbed(folder: Path, began: datetime) -> Reference:
    started = time.monotonic()
    ended = await run(*arguments(folder), within=WITHIN)
    seconds = time.monotonic() - started
    assert (ended.code, ended.complained) == (0, "")
    path = folder / "cshub.db"
    messages = rows(path, "delivery")
    assert len(messages) >= 2 * 18 - 2
    assert {row["state"] for row in messages.values()} == {"confirmed"}
    assert len(arrivals(folder)) == len(messages)
    return Reference(
        records=content(path, since=began),
        scores=scores(path),
        dedup_keys={row["dedup_key"] for row in messages.values()},
        runs=set(rows(path, "playbook_run")),
        seconds=seconds,
    )


async def strike(process: Process, folder: Path, dice: random.Random, reference: Reference) -> str | None:
    """Kill `process`, at any moment or while it sends; what it was at, or None where it ended before."""
    path = folder / "cshub.db"
    before = ledger(path)
    if dice.random() < 0.5:
        await process.ends_within(dice.uniform(0.2, reference.seconds))
    else:
        await until_it_sends(process, folder, before, after=dice.randint(0, 8), delay=dice.choice([0.0, 0.1, 0.3]))
        await process.ends_within(dice.uniform(0.0, 0.03))
    if not process.running:
        return None
    await process.kill()
    now = ledger(path)
    moved = {id_ for id_, state in now.items() if state != before.get(id_, "reserved")}
    if moved and set(now.values()) & set(OPEN):
        return f"while it sent, {dict(Counter(now.values()))}"
    if moved:
        return f"after it had sent, {dict(Counter(now.values()))}"
    return f"before it sent, with {record_count(path)} records"


async def until_it_sends(
    process: Process, folder: Path, before: Mapping[str, str], *, after: int, delay: float
) -> None:
    """Wait until a message of this process is under way, and `after` others have arrived."""
    slowed = False
    while not await process.ends_within(0.005):
        now = ledger(folder / "cshub.db")
        moved = Counter(state for id_, state in now.items() if state != before.get(id_, "reserved"))
        if moved and not slowed:
            await slow_slack(folder, delay)
            slowed = True
        if moved["sent"] and moved["confirmed"] >= after:
            return


async def slow_slack(folder: Path, seconds: float) -> None:
    """Make Slack think before each answer, so that a message is under way for longer."""
    written = (folder / "config" / "hub.yaml").read_text(encoding="utf-8")
    [port] = re.findall(r"base_url: http://127\.0\.0\.1:(\d+)/slack/api/", written)
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"http://127.0.0.1:{port}/slack/_faults", json={"delay": seconds})
        assert answer.status_code == 200


def ledger(path: Path) -> dict[str, str]:
    """{message: state}; empty where there is no ledger yet."""
    if not has_table(path, "delivery"):
        return {}
    with reading(path) as connection:
        return {row["id"]: row["state"] for row in connection.execute("SELECT id, state FROM delivery")}


def record_count(path: Path) -> int:
    if not has_table(path, "user_activity_day"):
        return 0
    with reading(path) as connection:
        found: int = connection.execute("SELECT count(*) FROM user_activity_day").fetchone()[0]
        return found


def has_table(path: Path, name: str) -> bool:
    if not path.exists():
        return False
    with reading(path) as connection:
        return bool(connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (name,)).fetchone())
