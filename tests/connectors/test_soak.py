"""All sandboxes with anything going wrong at any time, for minutes: `make soak`, `make soak SECONDS=60`, `SEED=7`.

Turn after turn a connector at random has its vendor's rows changed, the clocks set apart, and requests struck by faults, and is
synced in the middle of it. A sync may fail, if it says why. Now and then, and for all of them in the end, nothing goes wrong
any more: then the store is the truth, and what an undisturbed first sync brings. It stops by itself, by time and by count: a
seed goes the same way on any machine, and what it found after 681 turns is found again by `make soak SEED=23 TURNS=700`.
ONLY=hubspot leaves the others out.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.kit.sandbox import Faults
from hub.model.actions import SyncState
from hub.store import Store
from tests.connectors.suite import SERVED, FakeTime, Vendor, emptied, holds, vars_of
from tests.connectors.troubles import TROUBLES
from tests.connectors.worlds import ACCOUNTS, NOON, grown, later, pruned, touched

SECONDS = float(os.environ.get("CSHUB_TEST_SOAK_SECONDS", "600"))
SEED = int(os.environ.get("CSHUB_TEST_SOAK_SEED", str(int(time.time()))))
TURNS = int(os.environ.get("CSHUB_TEST_SOAK_TURNS", "20000"))
ONLY = os.environ.get("CSHUB_TEST_SOAK_ONLY", "").split() or SERVED
PAUSES = [trouble.faults for trouble in TROUBLES if "drip" not in trouble.faults]
CALM = vars_of(Faults())
STRIKES = 0.15
"""Of all requests."""


@pytest.mark.soak
async def test_everything_at_random_ends_with_the_truth(
    serve: Any,
    sqlite_template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    random, clock, began, turns = Random(SEED), FakeTime(NOON), time.monotonic(), 0
    told: dict[str, int] = {}
    async with AsyncExitStack() as stack:

        async def opened(name: str) -> Store:
            path = tmp_path / f"{name}.db"
            shutil.copy(sqlite_template, path)
            return await stack.enter_async_context(Store.open(f"sqlite:///{path}"))

        vendors = [(Vendor(name, serve, monkeypatch, time=clock), await opened(name)) for name in ONLY]
        other = await opened("other-store")
        while turns < TURNS and time.monotonic() - began < SECONDS:
            turns += 1
            vendor, store = random.choice(vendors)
            await _turn(vendor, store, random, told)
            if random.random() < 0.1:
                await _compare(vendor, store, other, after=f"{turns} turns of seed {SEED}")
        for vendor, store in vendors:
            await _compare(vendor, store, other, after=f"all {turns} turns of seed {SEED}")
    with capsys.disabled():
        ended = ", ".join(f"{count} {state}" for state, count in sorted(told.items()))
        sys.stdout.write(
            f"\n{turns} syncs of {len(vendors)} connectors in {time.monotonic() - began:.0f} s, seed {SEED}: {ended}\n"
        )


async def _turn(vendor: Vendor, store: Store, random: Random, told: dict[str, int]) -> None:
    exempt = vendor.manifest.exempt
    vendor.time.pass_(minutes=random.uniform(1, 90))
    vendor.world = later(vendor.world, seconds=(vendor.time.vendor() - vendor.world.until).total_seconds())
    vendor.world = touched(vendor.world, *random.sample(range(1, 17), 3))
    if random.random() < 0.1:
        lag = 0 if "late" in exempt else vendor.manifest.lag_seconds * 0.9 * random.random()
        vendor.world = grown(vendor.world, at=vendor.time.vendor() - timedelta(seconds=lag))
    if random.random() < 0.1 and "deletions" not in exempt and _has_the_last_account(vendor):
        vendor.world = pruned(vendor.world, at=vendor.time.vendor())
    ahead, behind = "skew_ahead" not in exempt, "skew_behind" not in exempt
    vendor.time.skew = timedelta(seconds=random.uniform(-120 * behind, 120 * ahead))
    vendor.before = _striking(vendor, random)
    report = await vendor.sync(store)
    vendor.time.skew = timedelta(0)
    told[report.state] = told.get(report.state, 0) + 1
    assert report.state is SyncState.SUCCEEDED or report.error, f"{vendor.name} ended {report.state} without a word"
    assert vendor.token not in (report.error or "")


def _striking(vendor: Vendor, random: Random) -> Callable[[str, int], None]:
    seen: set[tuple[str, str]] = set()

    def before(path: str, _number: int) -> None:
        for name, nothing in CALM.items():
            setattr(vendor.faults, name, nothing)
        if random.random() < STRIKES:
            faults = random.choice(PAUSES)
            if "repeated_pages" not in faults or (vendor.stream, path) in seen:
                for name, value in faults.items():
                    setattr(vendor.faults, name, value)
        if random.random() < STRIKES and "moved" not in vendor.manifest.exempt:
            vendor.world = touched(later(vendor.world, seconds=1), random.randint(1, 16))
        seen.add((vendor.stream, path))

    return before


async def _compare(vendor: Vendor, store: Store, other: Store, *, after: str) -> None:
    await vendor.settle(store, after=after)
    await vendor.reconcile(store)
    await vendor.calm_sync(await emptied(other), after=f"a first sync after {after}")
    await vendor.expect_truth(store, after=after, like=await holds(other))


def _has_the_last_account(vendor: Vendor) -> bool:
    return any(account.number == ACCOUNTS for account in vendor.world.accounts)
