"""Every connector against its sandbox with everything going wrong: the store is right in the end, or the sync says what is not.

What goes wrong strikes each stream at its first request, at its second, or in the middle of its pages. A sync that says it
succeeded must have brought exactly what an undisturbed one brings; one that does not must say which stream and why, and
once nothing goes wrong any more the next sync must set it right.
"""

import shutil
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.http import Client
from connectors.kit.sandbox import Faults
from hub.model.actions import SyncState
from hub.store import Store
from tests.connectors.suite import SERVED, Held, Vendor, emptied, holds, vars_of
from tests.connectors.troubles import DEADLINE, TROUBLES, WORLD_RULES, Trouble
from tests.connectors.worlds import grown, later, pruned, tied, touched


@pytest.mark.parametrize("name", SERVED)
async def test_what_goes_wrong_on_the_way_is_made_good_or_told(
    name: str, serve: Any, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor, store = Vendor(name, serve, monkeypatch), sqlite_store
    await vendor.calm_sync(store, after="undisturbed")
    calm = await holds(store)
    await vendor.expect_truth(store, after="undisturbed")
    requests = {stream: len(asked) for stream, asked in vendor.asked.items()}
    wrong: list[str] = []
    for trouble in TROUBLES:
        vendor.time.pass_(hours=1)
        try:
            await _strike(vendor, await emptied(store), trouble, requests, calm, monkeypatch)
        except AssertionError as error:  # all of them are told at once
            wrong.append(str(error))
    assert not wrong, "\n".join(wrong)


async def _strike(
    vendor: Vendor,
    store: Store,
    trouble: Trouble,
    requests: dict[str, int],
    calm: Held,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    struck: set[tuple[str, int]] = set()
    seen: set[tuple[str, str]] = set()

    def before(path: str, number: int) -> None:
        stream = vendor.stream
        vendor.faults.drip = 0.0
        due = {each for each in trouble.at(requests.get(stream, 0)) if each <= number and (stream, each) not in struck}
        # a page that was never served cannot be served again
        if due and ("repeated_pages" not in trouble.faults or (stream, path) in seen):
            struck.update((stream, each) for each in due)
            for fault, value in trouble.faults.items():
                setattr(vendor.faults, fault, value)
        seen.add((stream, path))

    vendor.before = before
    with monkeypatch.context() as patch:
        if "drip" in trouble.faults:
            patch.setitem(Client.__init__.__kwdefaults__ or {}, "deadline", DEADLINE)
        report = await vendor.sync(store)
    # what could not strike, as a sandbox without pages has no page to serve again, does not strike later
    for fault in trouble.faults:
        setattr(vendor.faults, fault, type(getattr(vendor.faults, fault))())
    after = f"with {trouble.name}"
    if report.state is SyncState.SUCCEEDED:
        await vendor.expect_truth(store, after=f"{after}, and the sync says it succeeded", like=calm)
        return
    bad = {stream: each for stream, each in report.streams.items() if each.state != "done"}
    untold = [stream for stream, each in bad.items() if not each.error and each.state != "skipped"]
    assert report.error, f"{vendor.name}, {after}: the sync ended {report.state} and does not say why"
    assert bad, f"{vendor.name}, {after}: the sync ended {report.state} and does not say what is incomplete"
    assert not untold, f"{vendor.name}, {after}: nothing says why {untold} are incomplete"
    assert vendor.token not in report.error, f"{vendor.name}, {after}: the error shows the token"
    await vendor.settle(store, after=after)
    await vendor.expect_truth(store, after=f"{after}, told ({report.error}), then set right", like=calm)


@pytest.fixture
async def other(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """A second store, for the sync to compare with."""
    path = tmp_path / "other.db"
    shutil.copy(sqlite_template, path)
    async with Store.open(f"sqlite:///{path}") as opened:
        yield opened


@pytest.mark.parametrize("name", SERVED)
async def test_a_vendor_that_changes_meanwhile_is_caught_up_with(
    name: str, serve: Any, sqlite_store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor, store = Vendor(name, serve, monkeypatch), sqlite_store
    began, wrong = vendor.world, list[str]()

    async def compare(rule: str) -> None:
        """With the truth, and with what a sync finds that sees the World for the first time."""
        after = WORLD_RULES[rule]
        try:
            await vendor.settle(store, after=after)
            if rule == "deletions":  # of which a pull need not tell: then the vendor's list of ids does
                await vendor.reconcile(store)
            await vendor.calm_sync(await emptied(other), after=f"first sync after {after}")
            await vendor.expect_truth(store, after=after, like=await holds(other))
        except AssertionError as error:  # all of them are told at once
            if rule not in vendor.manifest.exempt:
                wrong.append(f"{rule}: {error}")
        else:
            if rule in vendor.manifest.exempt:
                wrong.append(f"{rule}: the manifest of {name} excuses it from a rule it keeps; take the exemption out")
        vendor.time.pass_(hours=1)

    vendor.world = tied(began)
    await vendor.sync(store)
    await compare("ties")

    vendor.world = began
    vendor.before = _while_paging(vendor)
    await vendor.sync(await emptied(store))
    await compare("moved")

    vendor.world = touched(vendor.world, 2, 8, 13)
    vendor.before = _while_paging(vendor, first=3)
    await vendor.sync(store)
    await compare("moved_later")

    # what the vendor shows late, stamped as it was when it happened, just within the lag it admits
    stamped = vendor.time.clock() - timedelta(seconds=vendor.manifest.lag_seconds * 0.9)
    await vendor.sync(store)
    vendor.world = grown(vendor.world, at=stamped)
    await compare("late")

    for ahead in (2, -2):
        vendor.time.skew = timedelta(minutes=ahead)
        await vendor.sync(store)
        vendor.world = touched(later(vendor.world, seconds=10), 1 if ahead > 0 else 6)
        vendor.time.pass_(seconds=20)
        await compare("skew_ahead" if ahead > 0 else "skew_behind")
    vendor.time.skew = timedelta(0)

    vendor.world = pruned(vendor.world, at=vendor.time.vendor())
    await compare("deletions")
    assert not wrong, "\n".join(wrong)


def _while_paging(vendor: Vendor, *, first: int = 1) -> Callable[[str, int], None]:
    """Before its second request of a stream its first rows change, before the third its last ones, now and then."""
    done: set[tuple[str, int]] = set()

    def before(_path: str, number: int) -> None:
        if number in (2, 3) and (vendor.stream, number) not in done:
            done.add((vendor.stream, number))
            rows = (first, first + 1) if number == 2 else (7, 16)
            vendor.world = touched(later(vendor.world, seconds=1), *rows)

    return before


def test_faults_are_all_tried() -> None:
    tried = {fault for trouble in TROUBLES for fault in trouble.faults}
    assert tried == set(vars_of(Faults())) - {"only"}
