"""Days that are played: people act through the real doors, every message arrives once, and nothing is played again."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hub.clock import utc_now
from hub.demo.outbox import Outbox
from tests.fakes.hub import Ended, rows, run

pytestmark = pytest.mark.long

WITHIN = 240
SIZE = ("--customers=18", "--months=4", "--days=4", "--seed=7")
COUNTED = ("slack", "email")
DONE = {(channel, "confirmed") for channel in COUNTED}


async def demo(folder: Path) -> Ended:
    return await run("demo", "--once", "--folder", folder, *SIZE, within=WITHIN)


def arrived(folder: Path) -> Counter[tuple[str, str | None]]:
    outbox = Outbox(folder / "outbox.db")
    assert outbox.duplicates() == []
    found: Counter[tuple[str, str | None]] = Counter(
        (each.kind, each.dedup) for each in outbox.arrivals(limit=-1) if each.kind in COUNTED
    )
    outbox.close()
    return found


def known_as(row: dict[str, Any]) -> tuple[str, str]:
    return (
        ("slack", row["dedup_key"])
        if row["channel"] == "slack"
        else ("email", json.loads(row["receipt"])["message_id"])
    )


async def test_days_pass_people_act_and_nothing_is_played_twice(tmp_path: Path) -> None:
    first = await demo(tmp_path)
    assert (first.code, first.complained) == (0, ""), first
    assert first.said.count(" messages") >= 3  # a line a day
    assert "\nAfter 4 days" in first.said
    assert "What playbooks did, and whether it helped" in first.said
    store = tmp_path / "cshub.db"

    diary = json.loads((tmp_path / "month.json").read_text())
    messages = rows(store, "delivery")
    days = {row["confirmed_at"][:10] for row in messages.values() if row["confirmed_at"]}
    assert diary["over"]
    assert diary["begins"] in days
    assert len(days) >= 3

    confirmed = Counter(known_as(row) for row in messages.values() if (row["channel"], row["state"]) in DONE)
    assert confirmed == arrived(tmp_path)
    assert set(confirmed.values()) == {1}
    assert not {row["state"] for row in messages.values()} & {"failed", "unknown", "sent"}

    audited = rows(store, "audit_record", key="number").values()
    pressed = [row for row in audited if str(row["action"]).startswith("slack")]
    assert pressed
    taken = [row for row in rows(store, "alert").values() if row["state"] == "in_progress"]
    assert {row["changed_by"] for row in taken} <= {row["actor"] for row in pressed}
    assert taken
    decided = [row for row in rows(store, "approval").values() if row["state"] in ("approved", "declined")]
    assert {row["decided_by"] for row in decided} <= {row["actor"] for row in pressed}
    states = Counter(row["state"] for row in rows(store, "alert").values())
    assert states["open"]
    assert states["closed"]

    begun, today = set(rows(store, "playbook_run")), utc_now().date()

    second = await demo(tmp_path)
    assert (second.code, second.complained) == (0, ""), second
    if utc_now().date() != today:
        pytest.skip("the day changed while it ran, and the company lived on")
    assert "living through" not in second.said
    told = dict(
        re.findall(r"^(new or changed in this run|… of them fired in this run) +(\S+)", second.said, re.MULTILINE)
    )
    assert told == {"new or changed in this run": "0", "… of them fired in this run": "0"}
    assert arrived(tmp_path) == confirmed
    assert set(rows(store, "playbook_run")) == begun
