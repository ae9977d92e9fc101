"""Ten thousand runs, a hundred kills: every run ends, and what its steps did is there once, or listed as unknown.

Runs wait for days, for conditions and for other runs while their processes are killed with SIGKILL at random moments, on
SQLite with one worker and on PostgreSQL with two. The other side of every channel counts what it gets, and at the end its
count is held against the ledger. Days pass while no worker lives, so that waits fall due in all of the kills.

Run by `make test-kill`. CSHUB_TEST_KILL_SEED repeats a run's moments; pytest -s shows them.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.clock import utc_now
from hub.playbooks import Playbook, load_all
from hub.playbooks.rows import definition_row, run_row
from hub.store import Store, runs
from hub.store.tables import alert, customer, delivery, executor, playbook_run, playbook_step, scorecard
from tests.databases import administer
from tests.fakes.hub import ROOT, say
from tests.fakes.serving import serving

pytestmark = pytest.mark.kill

RUNS = int(os.environ.get("CSHUB_TEST_KILL_RUNS", "10000"))
KILLS = int(os.environ.get("CSHUB_TEST_KILL_KILLS", "100"))
SEED = int(os.environ.get("CSHUB_TEST_KILL_SEED", time.time_ns() % 1_000_000))
STEP = timedelta(hours=18)
"""How far time moves between two deaths; the waits are of three days and one."""
WITHIN = 1200.0
LANES = 8
"""So many copies of the playbook, each with addresses of its own: one address is given a few messages at a time."""
PROOF = """
playbook: proof{lane}
version: 1
title: Proof
by: hand
rest: 0 days
do:
  - webhook: {{endpoint: sink{lane}, event: proof.begun}}
  - slack: {{channel: "#proof{lane}", template: note}}
  - wait: 3 days
  - branch:
      when: {{segment: {{eq: odd}}}}
      then: [task: {{title: "Call {{{{ customer.name }}}}"}}]
      else: [alert: {{title: "Look at {{{{ customer.name }}}}"}}]
  - wait:
      until: {{health: {{gte: 0.9}}}}
      at_most: 1 day
      else: [slack: {{channel: "#proof{lane}", template: note}}]
  - playbook: echo{lane}
  - webhook: {{endpoint: sink{lane}, event: proof.over, on_failure: stop}}
"""
ECHO = """
playbook: echo{lane}
version: 1
title: Echo
by: hand
rest: 0 days
do:
  - slack: {{channel: "#proof{lane}", template: note}}
"""
NOTE = """
text: "{{ customer.name }}"
blocks: [{type: section, text: {type: mrkdwn, text: "{{ customer.name }}"}}]
"""
STEPS = {"proof": 9, "echo": 1}
"""Steps that a run of each takes: of the branch one way."""
MESSAGES = {"proof": 4, "echo": 1}


@dataclass
class Sink:
    """What the channels' other sides got: {key: how often}."""

    posts: Counter[str] = field(default_factory=Counter)
    hooks: Counter[str] = field(default_factory=Counter)

    async def slack(self, request: Request) -> Response:
        try:
            body = await request.json()
        except ClientDisconnect:  # killed before all of it was here
            return Response(status_code=400)
        self.posts[body["metadata"]["event_payload"]["dedup_key"]] += 1
        return JSONResponse({"ok": True, "channel": "C0000001", "ts": f"1700000000.{sum(self.posts.values()):06}"})

    async def hook(self, request: Request) -> Response:
        try:
            await request.body()
        except ClientDisconnect:
            return Response(status_code=400)
        self.hooks[request.headers["webhook-id"]] += 1
        return Response(status_code=204)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        routes = [
            Route("/slack/chat.postMessage", self.slack, methods=["POST"]),
            Route("/hook", self.hook, methods=["POST"]),
        ]
        async with serving(Starlette(routes=routes)) as address:
            yield address


class Nursery:
    """`tests.kill.playing` as a process: where workers come from."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._orders, self._lines = process, process.stdin, process.stdout

    @classmethod
    async def open(cls, *arguments: str | Path, log: Path) -> Self:
        with log.open("ab") as errors:
            return cls(
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.kill.playing", *map(str, arguments)),
                    cwd=ROOT,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=errors,
                )
            )

    async def begin(self, many: int) -> list[int]:
        """So many workers, which take jobs by now; their process ids."""
        self._orders.write(b"go\n" * many)
        await self._orders.drain()
        ready: list[int] = []
        while len(ready) < many:
            line = (await asyncio.wait_for(self._lines.readline(), 60)).decode().split()
            assert line, "the nursery is dead"
            if line[0] == "ready":
                ready.append(int(line[1]))
        return ready

    async def close(self) -> None:
        self._orders.close()
        await self._process.wait()


def die(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def world(folder: Path) -> list[Playbook]:
    """The folder of playbooks and templates; the playbooks that runs begin with, one a lane."""
    texts = {f"playbooks/proof{lane}.yaml": PROOF.format(lane=lane) for lane in range(LANES)}
    texts |= {f"playbooks/echo{lane}.yaml": ECHO.format(lane=lane) for lane in range(LANES)}
    for path, text in {**texts, "templates/slack/note.yaml": NOTE}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    made = load_all(folder / "playbooks", templates=folder / "templates").playbooks
    return [made[f"proof{lane}"] for lane in range(LANES)]


async def add_customers(store: Store) -> list[str]:
    now = utc_now()
    ids = [f"c{number:05}" for number in range(RUNS)]
    created = {"created_at": now, "updated_at": now}
    people = [{"id": id_, "name": id_, "segment": "odd" if int(id_[1:]) % 2 else "even", **created} for id_ in ids]
    card = {"as_of": now.date(), "health": 0.4, "coverage": 1.0, "facts": {}, "readings": [], "latest": True}
    cards = [{**card, "id": id_, "customer_id": id_, "definition_hash": "x", "computed_at": now} for id_ in ids]
    async with store.transaction() as connection:
        await connection.execute(customer.insert(), people)
        await connection.execute(scorecard.insert(), cards)
    return ids


async def fire(store: Store, playbooks: Sequence[Playbook], ids: Sequence[str], clock_file: Path) -> None:
    """As firing does, but for asking the engine: whoever starts next finds them."""
    now = time_of(clock_file)
    rows = [
        run_row(
            playbooks[int(id_[1:]) % LANES], id_, {"health": 0.4}, episode="proof", cause="hand", by="proof", now=now
        )
        for id_ in ids
    ]
    async with store.transaction() as connection:
        await runs.insert(connection, rows, definitions=[definition_row(each, now=now) for each in playbooks])


async def open_runs(store: Store) -> int:
    async with store.reading() as connection:
        states = ("running", "waiting")
        many = await connection.execute(
            select(func.count()).select_from(playbook_run).where(playbook_run.c.state.in_(states))
        )
        moving = await connection.execute(
            select(func.count()).select_from(delivery).where(delivery.c.state.in_(("reserved", "sent")))
        )
        return int(many.scalar_one()) + int(moving.scalar_one())


def time_of(clock_file: Path) -> datetime:
    """What the workers' clocks show."""
    return utc_now() + timedelta(seconds=float(clock_file.read_text(encoding="utf-8")))


def move(clock_file: Path, by: timedelta) -> None:
    seconds = float(clock_file.read_text(encoding="utf-8")) + by.total_seconds()
    new = clock_file.with_suffix(".new")
    new.write_text(str(seconds), encoding="utf-8")
    new.replace(clock_file)


async def strike(workers: list[int], sink: Sink, dice: random.Random) -> int:
    """Kill one worker after another, each at a random moment; how many died with something under way."""
    at_work = 0
    for pid in dice.sample(workers, len(workers)):
        before = sum(sink.posts.values()) + sum(sink.hooks.values())
        await asyncio.sleep(dice.expovariate(1.5) if dice.random() < 0.2 else dice.uniform(0.2, 2.5))
        die(pid)
        at_work += sum(sink.posts.values()) + sum(sink.hooks.values()) > before
    return at_work


async def test_every_run_ends_and_no_effect_is_lost_or_doubled(
    store_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    say(f"seed {SEED}")
    dice, began = random.Random(SEED), time.monotonic()
    together = 2 if store_url.startswith("postgresql") else 1
    if together > 1:  # the tests' server leaves tidying to nobody; one that serves for hours does not
        tidying = ("ALTER SYSTEM SET autovacuum = on", "ALTER SYSTEM SET autovacuum_naptime = '10s'")
        await administer(store_url, *tidying, "SELECT pg_reload_conf()")
    clock_file = tmp_path / "clock"
    clock_file.write_text("0", encoding="utf-8")
    playbooks, sink = world(tmp_path), Sink()
    async with Store.open(store_url) as store, sink.serving() as address:
        ids = await add_customers(store)
        nursery = await Nursery.open(store_url, tmp_path, address, clock_file, log=tmp_path / "workers.log")
        kills, at_work, rounds = 0, 0, -(-KILLS // together)
        for number in range(rounds):
            await fire(store, playbooks, ids[number * RUNS // rounds : (number + 1) * RUNS // rounds], clock_file)
            workers = await nursery.begin(together)
            at_work += await strike(workers, sink, dice)
            kills += together
            move(clock_file, STEP)
            if kills % 20 < together:
                say(
                    f"{kills} kills, {await open_runs(store):,} runs and messages open, {time.monotonic() - began:.0f} s"
                )
        await finish(store, nursery, together, clock_file)
        await nursery.close()
        say(f"{kills} kills, {at_work} amid messages, {time.monotonic() - began:.0f} s")
        await check(store, sink, ids)
    assert kills >= KILLS
    assert at_work >= kills // 2, "most kills fell on idle workers"


async def finish(store: Store, nursery: Nursery, together: int, clock_file: Path) -> None:
    """Let what is left come to its end, undisturbed but for the days that pass."""
    until = time.monotonic() + WITHIN
    while left := await open_runs(store):
        assert time.monotonic() < until, f"{left} runs and messages are open still"
        workers = await nursery.begin(together)
        quiet = left
        while (left := await open_runs(store)) and time.monotonic() < until:
            await asyncio.sleep(2.0)
            if left == quiet:
                break  # all of them wait for a day
            quiet = left
        die(*workers)
        move(clock_file, STEP)


async def check(store: Store, sink: Sink, ids: Sequence[str]) -> None:
    """Every run ended, with every step; every message is accounted for, on both sides."""
    async with store.reading() as connection:
        kind = func.substr(playbook_run.c.playbook, 1, 4)
        ended = await connection.execute(
            select(kind, playbook_run.c.state, func.count()).group_by(kind, playbook_run.c.state)
        )
        assert sorted(map(tuple, ended)) == [("echo", "done", len(ids)), ("proo", "done", len(ids))]
        taken = await connection.execute(
            select(kind, func.count()).join(playbook_step, playbook_step.c.run_id == playbook_run.c.id).group_by(kind)
        )
        assert {row[0]: row[1] for row in taken} == {name[:4]: many * len(ids) for name, many in STEPS.items()}
        called = await connection.execute(select(alert.c.kind, func.count()).group_by(alert.c.kind))
        assert {row[0]: row[1] for row in called} == {"task": len(ids) // 2, "alert": len(ids) - len(ids) // 2}
        columns = (delivery.c.id, delivery.c.dedup_key, delivery.c.channel, delivery.c.state, delivery.c.doubted_at)
        rows = (await connection.execute(select(*columns))).all()
        alive = (await connection.execute(select(func.count()).select_from(executor))).scalar_one()
    say(f"states {dict(Counter((row.channel, row.state) for row in rows))}, {alive} processes thought alive")
    assert len(rows) == sum(MESSAGES.values()) * len(ids)
    assert {row.state for row in rows} <= {"confirmed", "unknown"}
    arrived = {row.id: (sink.posts[row.dedup_key] if row.channel == "slack" else sink.hooks[row.id]) for row in rows}
    lost = [row.id for row in rows if row.state == "confirmed" and not arrived[row.id]]
    assert lost == []
    # Slack knows no keys, so nothing is sent to it twice at all; a webhook is, under its id, where its answer got lost
    doubled = [row for row in rows if arrived[row.id] > 1]
    assert [row.id for row in doubled if row.channel == "slack"] == []
    assert [row.id for row in doubled if row.doubted_at is None] == []
    unknown = [row for row in rows if row.state == "unknown"]
    assert {row.channel for row in unknown} <= {"slack"}
    assert set(sink.posts) <= {row.dedup_key for row in rows}
    assert set(sink.hooks) <= {row.id for row in rows}
    say(
        f"{len(rows):,} messages: {len(unknown)} unknown ({sum(arrived[row.id] for row in unknown)} of them arrived), "
        f"{len(doubled)} webhooks repeated under their id"
    )
