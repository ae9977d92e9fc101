"""Everything that goes wrong between a connector and its vendor, and what must come of it; see test_hostile.py."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.kit.http import Client
from hub.model.actions import SyncState
from hub.store import Store
from tests.connectors.suite import Held, Vendor, emptied, holds
from tests.connectors.troubles import DEADLINE, TROUBLES, WORLD_RULES, Trouble
from tests.connectors.worlds import grown, later, pruned, tied, touched


async def troubled(vendor: Vendor, store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is wrong after each of `TROUBLES`, each from an empty store."""
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
    return wrong


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


async def changing(vendor: Vendor, store: Store, other: Store) -> list[str]:
    """What is wrong after the vendor's rows have changed in each of the ways of `WORLD_RULES`. `other`: to compare with."""
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
                wrong.append(
                    f"{rule}: the manifest of {vendor.name} excuses it from a rule it keeps; take the exemption out"
                )
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
    return wrong


def _while_paging(vendor: Vendor, *, first: int = 1) -> Callable[[str, int], None]:
    """Before its second request of a stream its first rows change, before the third its last ones, now and then."""
    done: set[tuple[str, int]] = set()

    def before(_path: str, number: int) -> None:
        if number in (2, 3) and (vendor.stream, number) not in done:
            done.add((vendor.stream, number))
            rows = (first, first + 1) if number == 2 else (7, 16)
            vendor.world = touched(later(vendor.world, seconds=1), *rows)

    return before
