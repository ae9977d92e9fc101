"""A request is carried out at most once for its key, and every one is in the audit log."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.access import Viewer
from hub.access.acting import ABANDONED_AFTER, KeyConflictError, act
from hub.errors import BusyError, RefusedError
from hub.model.actions import Role
from hub.store import Store, audit, idempotency

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ANN = Viewer(token_id="tok_ann", name="ann", role=Role.CSM, csm_email="ann@cs.example")


class Deed:
    """Something to be done; counts how often it was."""

    def __init__(self, *, fails: Exception | None = None) -> None:
        self.done = 0
        self.fails = fails
        self.gate: asyncio.Event | None = None

    async def __call__(self) -> Mapping[str, Any]:
        if self.gate is not None:
            await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        self.done += 1
        return {"number": self.done}


async def doing(store: Store, deed: Deed, *, key: str | None = "k", now: datetime = NOW, **request: Any) -> Any:
    return await act(
        store, ANN, action="playbookFire", subject="save", request=request or {"a": 1}, now=now, run=deed, key=key
    )


async def outcomes(store: Store) -> list[str]:
    async with store.reading() as connection:
        return sorted(entry.detail["outcome"] for entry in await audit.find_latest(connection))


async def test_the_same_key_is_done_once(store: Store) -> None:
    deed = Deed()
    assert await doing(store, deed) == {"number": 1}
    assert await doing(store, deed, now=NOW + timedelta(days=3)) == {"number": 1}
    assert deed.done == 1
    assert await outcomes(store) == ["done"]


async def test_without_a_key_it_is_done_each_time(sqlite_store: Store) -> None:
    deed = Deed()
    await doing(sqlite_store, deed, key=None)
    await doing(sqlite_store, deed, key=None)
    assert deed.done == 2


async def test_another_request_under_the_key_is_a_conflict(store: Store) -> None:
    deed = Deed()
    await doing(store, deed)
    with pytest.raises(KeyConflictError):
        await doing(store, deed, a=2)
    assert deed.done == 1


async def test_two_at_once_are_done_once(store: Store) -> None:
    deed = Deed()
    deed.gate = asyncio.Event()
    first = asyncio.create_task(doing(store, deed))
    for _ in range(1_000):
        await asyncio.sleep(0.01)
        async with store.reading() as connection:
            if await idempotency.find(connection, "tok_ann:playbookFire:k"):
                break
    with pytest.raises(BusyError):
        await doing(store, deed)
    deed.gate.set()
    assert await first == {"number": 1}
    assert await doing(store, deed) == {"number": 1}


async def test_a_refusal_frees_the_key_and_is_noted(store: Store) -> None:
    with pytest.raises(RefusedError):
        await doing(store, Deed(fails=RefusedError("not today")))
    deed = Deed()
    assert await doing(store, deed, a=2) == {"number": 1}
    assert await outcomes(store) == ["done", "refused: not today"]


async def test_a_bug_frees_the_key_and_tells_the_log_nothing_of_itself(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await doing(store, Deed(fails=ZeroDivisionError("secret")))
    assert await outcomes(store) == ["failed"]
    assert await doing(store, Deed()) == {"number": 1}


async def test_a_claim_of_a_dead_process_is_taken_over_after_a_while(store: Store) -> None:
    from hub.access.acting import _digest

    async with store.transaction() as connection:
        await idempotency.claim(connection, "tok_ann:playbookFire:k", request_digest=_digest({"a": 1}), now=NOW)
    deed = Deed()
    with pytest.raises(BusyError):
        await doing(store, deed, now=NOW + ABANDONED_AFTER - timedelta(seconds=1))
    assert deed.done == 0
    assert await doing(store, deed, now=NOW + ABANDONED_AFTER) == {"number": 1}


async def test_the_log_says_who_what_and_on_what(store: Store) -> None:
    await doing(store, Deed())
    async with store.reading() as connection:
        (entry,) = await audit.find_latest(connection, subject="save")
    assert (entry.actor, entry.action, entry.subject, entry.at) == ("ann@cs.example", "playbookFire", "save", NOW)
    assert entry.detail == {"request": {"a": 1}, "outcome": "done"}
