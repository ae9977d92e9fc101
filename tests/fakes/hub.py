"""The hub as a person runs it: `cshub` in processes that can be waited for and killed, and what they leave in a store.

async with sandboxes(folder, company) as url: …              the vendors, in a process of their own
process = await Process.start("--config", config, "sync")    then `await process.end()` or `await process.kill()`
content(folder / "cshub.db", since=began)                    all rows, without what a clock says about the run itself
"""

import asyncio
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from hub.store.tables import RECORD_TABLES

ROOT = Path(__file__).parents[2]
RECORDS = tuple(table.name for table in RECORD_TABLES.values())
BOOKKEEPING = {"synced_at", "decided_at"}
"""Columns of records that say when a sync ran, not what it found."""
DURING = "while a sync ran"
SETTLED = timedelta(minutes=2)
"""How long before its start a sync may place a bookmark that is a moment: what is younger may still change."""
Row = Mapping[str, Any]
Content = dict[str, dict[str, Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A process that is over, with all it started: its exit code (negative: the signal), and what it said."""

    code: int
    said: str
    complained: str


class Process:
    """A `cshub` that runs. What it starts holds its standard error, so that it is over when that is closed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ending = asyncio.create_task(process.communicate())

    @classmethod
    async def start(cls, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> Self:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cshub", *map(str, arguments)),
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "200", **(environment or {})},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return cls(process)

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def end(self, *, within: float) -> Ended:
        """Wait for it; kill it and fail where that takes longer than `within` seconds."""
        try:
            said, complained = await asyncio.wait_for(asyncio.shield(self._ending), within)
        except TimeoutError:
            raise AssertionError(f"still running after {within} s: {await self.kill()}") from None
        assert self._process.returncode is not None
        return Ended(code=self._process.returncode, said=said.decode(), complained=complained.decode())

    async def ends_within(self, seconds: float) -> bool:
        """Wait so long, or until it is over."""
        return bool((await asyncio.wait([self._ending], timeout=seconds))[0])

    async def kill(self) -> Ended:
        """SIGKILL, and wait until it and all it started are gone."""
        if self.running:
            self._process.kill()
        return await self.end(within=60)


async def run(*arguments: str | Path, within: float, environment: Mapping[str, str] | None = None) -> Ended:
    """`cshub` with `arguments`, to its end."""
    return await (await Process.start(*arguments, environment=environment)).end(within=within)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallCompany:
    """A simulated company that has lived until the last midnight."""

    customers: int
    months: int
    seed: int = 7
    today: date

    @property
    def started_on(self) -> date:
        return self.today - timedelta(days=round(self.months * 30.4375))

    @property
    def history_days(self) -> int:
        return (self.today - self.started_on).days + 1


@asynccontextmanager
async def sandboxes(folder: Path, company: SmallCompany) -> AsyncIterator[dict[str, Any]]:
    """What the sandboxes said when they were ready; they limit no rates and stand still at the company's last midnight."""
    arguments = {
        "folder": folder,
        "seed": company.seed,
        "customers": company.customers,
        "months": company.months,
        "started-on": company.started_on,
        "until": datetime.combine(company.today, datetime.min.time(), UTC).isoformat(),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.vendors", *(f"--{name}={value}" for name, value in arguments.items())),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    finally:
        process.terminate()
        await process.communicate()


def say(line: str) -> None:
    """A line for whoever runs pytest -s, or looks at what a failed test printed."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


PLAYBOOK = """\
playbook: greet_{name}
version: 1
title: Greet {segment}
when: {{segment: {{eq: {segment}}}}}
rest: 30 days
do:
  - slack: {{channel: "#{segment}", template: churn_save}}
  - email: {{to: csm, template: churn_save}}
examples:
  - {{facts: {{segment: {segment}}}, fires: true}}
  - {{facts: {{}}, fires: false}}
"""


def add_playbooks(folder: Path, *segments: str) -> None:
    """To a demo's folder: the playbooks that ship with the hub, and one for each segment that fires for all of it."""
    playbooks = folder / "config" / "playbooks"
    shutil.copytree(ROOT / "config" / "playbooks", playbooks)
    for segment in segments:
        name = segment.replace("-", "_")
        (playbooks / f"greet_{name}.yaml").write_text(PLAYBOOK.format(segment=segment, name=name), encoding="utf-8")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """An SQLite store, to look at while others write it."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def rows(path: Path, table: str, *, key: str = "id") -> dict[str, dict[str, Any]]:
    with reading(path) as connection:
        return {row[key]: dict(row) for row in connection.execute(f"SELECT * FROM {table}")}


def content(path: Path, *, since: datetime) -> Content:
    """{table: {id: row}} of records (evidence is one kind of them), customers and bookmarks.

    A `learned_at` or a bookmark from `since` on is the moment of some sync, and none of an event: only that is kept of it.
    """
    during = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    def plain(row: Mapping[str, Any], *without: str) -> Row:
        kept = {name: value for name, value in row.items() if name not in BOOKKEEPING and name not in without}
        if kept.get("learned_at", "") >= during:
            kept["learned_at"] = DURING
        return kept

    found: Content = {name: {id_: plain(row) for id_, row in rows(path, name).items()} for name in RECORDS}
    customers = rows(path, "customer")
    found["customer"] = {id_: plain(row, "created_at", "updated_at") for id_, row in customers.items()}
    found["bookmark"] = {
        id_: {"complete": row["complete"], "value": _timeless(json.loads(row["value"] or "null"), since - SETTLED)}
        for id_, row in rows(path, "bookmark").items()
    }
    return found


def _timeless(value: Any, since: datetime) -> Any:
    """A bookmark whose moments (seconds or milliseconds since 1970) from `since` on are all the same one."""
    if isinstance(value, dict):
        return {name: _timeless(inner, since) for name, inner in value.items()}
    seconds = since.timestamp()
    is_moment = isinstance(value, int) and (seconds <= value < 10 * seconds or seconds <= value / 1_000 < 10 * seconds)
    return DURING if is_moment else value


def differences(one: Content, other: Content, *, most: int = 12) -> list[str]:
    """Where two contents differ, in words; at most so many."""
    found = []
    for table in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(table, {}), other.get(table, {})
        for id_ in sorted(mine.keys() | theirs.keys()):
            before, after = mine.get(id_), theirs.get(id_)
            if before is None or after is None:
                found.append(f"{table} {id_} is only in the {'second' if before is None else 'first'}")
            elif before != after:
                names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
                found += [f"{table} {id_} {name}: {before.get(name)!r} / {after.get(name)!r}" for name in sorted(names)]
    more = [f"… and {len(found) - most} more"] if len(found) > most else []
    return found[:most] + more
