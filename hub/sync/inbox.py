"""Where webhooks are kept before they are answered: many that arrive together are one transaction.

    inbox = Inbox(store)
    await inbox.put(rows)       returns when they are stored, or raises; the answer to the vendor waits for it

Whoever finds nobody writing begins to; who comes meanwhile is written next, together with everybody else who did.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from hub.store import Store
from hub.store.source_events import keep

Rows = Sequence[Mapping[str, Any]]
MOST_AT_ONCE = 5_000


class Inbox:
    """See the module. Of one process; others may write to the same store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Rows, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, rows: Rows) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(done)  # of a request that goes away the others' rows are written all the same

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, count = [], 0
                while self._waiting and count < MOST_AT_ONCE:
                    batch.append(self._waiting.pop(0))
                    count += len(batch[-1][0])
                await self._keep(batch)
        finally:
            self._writer = None

    async def _keep(self, batch: Sequence[tuple[Rows, "asyncio.Future[None]"]]) -> None:
        by_id = {row["id"]: row for rows, _ in batch for row in rows}
        rows = [by_id[id_] for id_ in sorted(by_id)]  # in one order, so that processes do not wait in a circle
        try:
            async with self._store.transaction() as connection:
                await keep(connection, rows)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told, and answer accordingly
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
        else:
            for _, done in batch:
                if not done.done():
                    done.set_result(None)
