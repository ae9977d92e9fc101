"""Let go of what ran out of its time: by the daily job, in batches that are a transaction each, kind by kind.

    plan = await plan_retention(store, ages, now=now)      what would go, counted
    done = await retain(store, ages, now=now)              killed anywhere, the next run does the rest

It also ends erasures that a killed process left half done.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hub.access.privacy.erasing import go_on
from hub.store import Store, audit
from hub.store.events import prune_events
from hub.store.privacy import retentions
from hub.store.privacy.keeping import Kind, Sweep, Test, count_due, due, find_kept_days, sweep_batch
from hub.store.store import Connection

log = logging.getLogger(__name__)
BATCH = 2_000
LOOK_BACK = timedelta(days=70)
"""How far before the last run's day thinning looks again: whole months, and days that were scored late."""
Ages = Mapping[Kind, timedelta | None]
Progress = Callable[[int, int, str, int], None]
"""Called with the kinds done, their number, the kind that is worked on and the rows so far."""


def silent(_done: int, _of: int, _kind: str, _rows: int) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Due:
    """A kind, up to which day its time is over (None: it is kept for ever), and how many rows that concerns."""

    kind: Kind
    age: timedelta | None
    before: date | None
    rows: int


async def plan_retention(store: Store, ages: Ages, *, now: datetime) -> list[Due]:
    """What the next run would do; nothing changes."""
    found = []
    async with store.reading() as connection:
        last = await retentions.find_newest(connection, finished=True)
        for kind, age in ages.items():
            before = _before(age, now)
            rows = 0
            for sweep in kind.sweeps if before is not None else ():
                assert before is not None, "asked above"
                test = await _test(connection, kind, sweep, before, last)
                rows += await count_due(connection, sweep.table, test)
            found.append(Due(kind, age, before, rows))
    return found


async def retain(store: Store, ages: Ages, *, now: datetime, progress: Progress = silent) -> dict[str, int]:
    """Do it; {kind: rows}."""
    await go_on(store, now=now)
    run_id = f"ret_{secrets.token_hex(12)}"
    async with store.transaction() as connection:
        last = await retentions.find_newest(connection, finished=True)
        await retentions.start(connection, run_id, now=now)
    counts: dict[str, Any] = {}
    total = 0
    for done, (kind, age) in enumerate(ages.items()):
        progress(done, len(ages), kind.name, total)
        before = _before(age, now)
        if before is None:
            continue
        rows = await _special(store, kind, before, now=now)
        for sweep in kind.sweeps:
            rows += await _sweep(store, kind, sweep, before, last)
        total += rows
        counts[kind.name] = {"rows": rows, "before": before.isoformat()}
        async with store.transaction() as connection:
            await retentions.save(connection, run_id, counts)
    async with store.transaction() as connection:
        await retentions.save(connection, run_id, counts, finished_at=now)
    progress(len(ages), len(ages), "", total)
    return {name: each["rows"] for name, each in counts.items()}


async def find_last(store: Store) -> retentions.Run | None:
    async with store.reading() as connection:
        return await retentions.find_newest(connection)


async def _sweep(store: Store, kind: Kind, sweep: Sweep, before: date, last: retentions.Run | None) -> int:
    async with store.reading() as connection:
        test = await _test(connection, kind, sweep, before, last)
    rows = 0
    while True:
        async with store.transaction() as connection:
            done = await sweep_batch(connection, sweep, test, most=BATCH)
        rows += done
        if done < BATCH:
            return rows


async def _test(connection: Connection, kind: Kind, sweep: Sweep, before: date, last: retentions.Run | None) -> Test:
    if not sweep.monthly:
        return due(sweep, before=before)
    kept = await find_kept_days(connection, sweep.table, before=before)
    done = last.counts.get(kind.name) if last is not None else None
    since = None if done is None else min(date.fromisoformat(done["before"]), before) - LOOK_BACK
    return due(sweep, before=before, kept=kept, since=since)


async def _special(store: Store, kind: Kind, before: date, *, now: datetime) -> int:
    """Logs that look after themselves."""
    moment = datetime.combine(before, time.min, UTC)
    if kind.name == "events":
        async with store.transaction() as connection:
            return await prune_events(connection, before=moment)
    rows = 0
    while kind.name == "audit_details":
        async with store.transaction() as connection:
            numbers = await retentions.find_audit_details(connection, before=moment, most=BATCH)
            if numbers:
                rows += await audit.redact(connection, numbers, at=now, actor="retention", reason="their time is over")
        if len(numbers) < BATCH:
            break
    return rows


def _before(age: timedelta | None, now: datetime) -> date | None:
    return None if age is None else (now - age).date()
