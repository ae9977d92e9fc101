"""`cshub sync`, killed again and again, ends with what a sync holds that nobody disturbed: every row, once, and who it means.

Run by `make test-kill`. CSHUB_TEST_KILL_SEED repeats a run's moments; pytest -s shows them.
"""

import asyncio
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import pytest

from hub.clock import utc_now
from hub.demo.configuration import Places, write
from hub.demo.sandboxes import token
from tests.fakes.hub import ROOT, Content, Process, SmallCompany, content, differences, rows, run, sandboxes, say

pytestmark = pytest.mark.kill

KILLS = 15
MOST_STARTS = 60
SEED = int(os.environ.get("CSHUB_TEST_KILL_SEED", time.time_ns() % 1_000_000))
NAMES = ("hubspot", "zendesk", "mixpanel", "csvfile")
FAULTS: tuple[dict[str, float], ...] = (
    {},
    {"server_errors": 2},
    {"truncated": 1},
    {"server_errors": 1, "truncated": 1},
    {"drip": 0.02},
    {"drip": 0.04, "resets": 1},
)
CALM = {"server_errors": 0, "truncated": 0, "resets": 0, "drip": 0.0}


@dataclass
class Vendors:
    """The sandboxes, and folders of configuration that lead to them, each with an empty store."""

    ready: dict[str, Any]
    company: SmallCompany
    folder: Path
    template: Path
    made: int = 0

    def fresh(self) -> Path:
        """A new folder with `config/` and a migrated `cshub.db`."""
        self.made += 1
        folder = self.folder / f"hub{self.made}"
        folder.mkdir()
        shutil.copy(self.template, folder / "cshub.db")
        port = urlsplit(self.ready["url"]).port
        assert port is not None
        places = Places(
            folder=folder,
            port=8000,
            sandbox=port,
            smtp=self.ready["smtp_port"],
            history_days=self.company.history_days,
        )
        write(places, tokens={name: token(name) for name in (*NAMES, "slack", "slack_signing", "pagerduty", "hooks")})
        return folder

    async def wrong(self, faults: dict[str, float]) -> None:
        async with httpx.AsyncClient(base_url=self.ready["url"]) as client:
            for name in NAMES:
                answer = await client.post(f"/{name}/_faults", json={**CALM, **faults})
                assert answer.status_code == 200, answer.text


@pytest.fixture
async def vendors(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Vendors]:
    customers, months = request.param
    company = SmallCompany(customers=customers, months=months, today=utc_now().date())
    async with sandboxes(tmp_path, company) as ready:
        yield Vendors(ready=ready, company=company, folder=tmp_path, template=sqlite_template)
    if utc_now().date() != company.today:
        pytest.skip("the day changed while it ran, and with it what a sync asks for")


def at_work(path: Path, *, before: set[str]) -> dict[str, int]:
    """{source: rows pulled} of the syncs that say they run, without those of `before`."""
    return {
        row["source"]: row["pulled"]
        for id_, row in rows(path, "sync_run").items()
        if row["state"] == "running" and id_ not in before
    }


def check_whole(path: Path, reference: Content, began: datetime) -> None:
    """The store holds what the reference holds, and no sync thinks that it still runs."""
    assert differences(reference, content(path, since=began)) == []
    assert {row["locked_by"] for row in rows(path, "source", key="name").values()} == {None}
    assert set(Counter(row["state"] for row in rows(path, "sync_run").values())) <= {"succeeded", "interrupted"}
    assert rows(path, "quarantine") == {}


async def reference_of(vendors: Vendors, began: datetime) -> tuple[Content, float]:
    """What an undisturbed sync holds, and the seconds it worked after its start-up."""
    path = (folder := vendors.fresh()) / "cshub.db"
    ended = await run("--config", folder / "config", "sync", within=120)
    assert ended.code == 0, ended
    runs = rows(path, "sync_run").values()
    assert {row["source"]: row["state"] for row in runs} == dict.fromkeys(
        ("crm", "helpdesk", "usage", "billing", "invoices", "nps"), "succeeded"
    )
    moments = [datetime.fromisoformat(row[name]) for row in runs for name in ("started_at", "finished_at")]
    return content(path, since=began), (max(moments) - min(moments)).total_seconds()


@pytest.mark.parametrize("vendors", [(60, 8)], indirect=True)
async def test_syncs_killed_at_random_moments_end_where_an_undisturbed_one_does(vendors: Vendors) -> None:
    say(f"seed {SEED}")
    dice, began = random.Random(SEED), datetime.now(UTC)
    reference, works_for = await reference_of(vendors, began)
    places: Counter[str] = Counter()
    starts, rounds, kills = 0, 0, 0
    while kills < KILLS:
        folder, finished = vendors.fresh(), False
        path, rounds = folder / "cshub.db", rounds + 1
        while not finished:
            starts += 1
            assert starts <= MOST_STARTS, f"only {kills} of {starts} starts were killed at work"
            await vendors.wrong(dice.choice(FAULTS))
            process = await Process.start("--config", folder / "config", "sync")
            if kills < KILLS:
                struck = await strike(process, path, dice, works_for)
                if struck:
                    kills += 1
                    places.update(f"{source} after {pulled} rows" for source, pulled in struck.items())
                    say(f"kill {kills}, start {starts} of store {rounds}: {struck}")
                finished = not struck and (await process.end(within=120)).code == 0
            else:
                ended = await process.end(within=120)
                assert ended.code == 0, ended
                finished = True
        check_whole(path, reference, began)
    say(f"{kills} kills in {starts} starts, {rounds} stores, {(datetime.now(UTC) - began).total_seconds():.0f} s")
    assert len({place.split()[0] for place in places}) >= 3, places
    assert len(places) >= KILLS // 2, "the kills fell on few places"


async def strike(process: Process, path: Path, dice: random.Random, works_for: float) -> dict[str, int]:
    """Kill `process` at a random moment of its work; {source: rows it had pulled} of the syncs this ended, or nothing."""
    before = set(rows(path, "sync_run"))
    early = dice.random() < 0.1  # some die before they have begun
    moment = time.monotonic() + dice.uniform(0.2, 3.0) if early else None
    while process.running and (moment is None or time.monotonic() < moment):
        await asyncio.sleep(0.01)
        if moment is None and set(rows(path, "sync_run")) - before:
            moment = time.monotonic() + dice.uniform(0.0, works_for)
    if not process.running:
        return {}
    await process.kill()
    return at_work(path, before=before)


class Dying:
    """`tests.kill.dying` as a process: syncs that kill themselves after so many commits."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._orders, self._ends = process, process.stdin, process.stdout

    @classmethod
    async def start(cls) -> Self:
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.kill.dying"),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        )

    async def sync(self, folder: Path, *, after: int | None, here: bool = False) -> int:
        """Its exit code; -9 where it died."""
        order = {"after": after, "here": here, "arguments": ["--config", str(folder / "config"), "sync"]}
        self._orders.write(json.dumps(order).encode() + b"\n")
        return int(json.loads(await asyncio.wait_for(self._ends.readline(), 120)))

    async def stop(self) -> None:
        self._orders.close()
        await self._process.wait()


@pytest.mark.parametrize("vendors", [(20, 3)], indirect=True)
async def test_a_sync_killed_after_any_of_its_commits_ends_where_an_undisturbed_one_does(vendors: Vendors) -> None:
    began = datetime.now(UTC)
    reference, _ = await reference_of(vendors, began)
    wrong: dict[int, list[str]] = {}

    async def try_every_second(first: int) -> int:
        """Die after the first commit, the third, …; return how many a sync has at least that nobody kills."""
        dying, commits = await Dying.start(), first
        assert await dying.sync(vendors.fresh(), after=None, here=True) == 0
        while True:
            folder = vendors.fresh()
            path = folder / "cshub.db"
            code = await dying.sync(folder, after=commits)
            if code == 0:
                break
            assert code == -9
            assert await dying.sync(folder, after=None) == 0
            if found := differences(reference, content(path, since=began), most=4):
                wrong[commits] = found
            else:
                check_whole(path, reference, began)
            commits += 2
        await dying.stop()
        return commits - 1

    commits = await asyncio.gather(try_every_second(1), try_every_second(2))
    say(f"died after each of {max(commits)} commits, {(datetime.now(UTC) - began).total_seconds():.0f} s")
    assert min(commits) > 30
    assert wrong == {}
