"""Carry out what a viewer asks for: noted in the audit log before and after, and at most once for an idempotency key.

The same key with the same request gets the stored result, and nothing is done again; with another request it is a conflict.
Only what was carried out keeps its key: after a refusal or a failure the key is free, and the request may be put again.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from hub.access.viewer import Viewer
from hub.errors import BusyError, CshubError, RefusedError
from hub.store import Store, audit, idempotency

ABANDONED_AFTER = timedelta(minutes=5)
LONGEST_REFUSAL = 1_000
"""Characters of a refusal in the log."""
UNNAMED = "a person"
"""The subject of what is about one: it stays in the log for ever. Who it is stands in the request, which can be taken out."""
Result = Mapping[str, Any]


class KeyConflictError(RefusedError):
    """An idempotency key that stands for another request."""


async def act(
    store: Store,
    viewer: Viewer,
    *,
    action: str,
    subject: str,
    request: Mapping[str, Any],
    now: datetime,
    run: Callable[[], Awaitable[Result]],
    key: str | None = None,
) -> Result:
    """Run `run` for the viewer and return its result, a JSON object, or the stored one of the same `key`.

    Raises what `run` raises; KeyConflictError for a key that was used for another request; BusyError while the same
    request is being carried out.
    """
    key_id = None if key is None else f"{viewer.token_id}:{action}:{key}"
    if key_id is not None:
        stored = await _claim(store, key_id, digest=_digest(request), now=now)
        if stored is not None:
            return stored
    entry_id = audit.new_entry()
    async with store.transaction() as connection:
        await audit.insert(
            connection,
            entry_id=entry_id,
            at=now,
            actor=viewer.actor,
            token_id=viewer.token_id,
            action=action,
            subject=subject,
            request=request,
        )
    outcome = "failed"
    result: Result | None = None
    try:
        result = await run()
        outcome = "done"
    except CshubError as error:
        outcome = f"refused: {_plain(str(error))}"
        raise
    finally:
        async with store.transaction() as connection:
            await audit.finish(connection, entry_id, at=now, outcome=outcome)
            if key_id is not None and result is not None:
                await idempotency.finish(connection, key_id, result=result)
            elif key_id is not None:
                await idempotency.release(connection, key_id)
    return result


async def _claim(store: Store, key_id: str, *, digest: str, now: datetime) -> Result | None:
    """The stored result of a key, or None when it is ours to carry out."""
    async with store.transaction() as connection:
        if await idempotency.claim(connection, key_id, request_digest=digest, now=now):
            return None
        known = await idempotency.find(connection, key_id)
        assert known is not None, "a key that is not free is known"
        if known.request_digest != digest:
            raise KeyConflictError("this idempotency key was used for another request: take a new one")
        if known.result is not None:
            return known.result
        if now - known.at < ABANDONED_AFTER or not await idempotency.take_over(
            connection, key_id, since=known.at, now=now
        ):
            raise BusyError("the same request is being carried out: ask again in a moment, with the same key")
    return None


def _plain(text: str) -> str:
    """What the log keeps of a refusal, which may quote whatever was sent: one line that anything can show."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return shown if len(shown) <= LONGEST_REFUSAL else f"{shown[: LONGEST_REFUSAL - 1]}…"


def _digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()
