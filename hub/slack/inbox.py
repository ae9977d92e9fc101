"""What people ask for in Slack: a row before it is answered, done once, and done even if the process dies in between.

Slack wants an answer within three seconds, so nothing is done before it: the request is kept, a durable job is asked for, and
Slack hears that all is well. A request that was kept and whose job was never asked for is found by the watch.

Where the store is held up by a long write (SQLite takes one writer at a time), the request goes to the durable engine with all
that it says, for the engine keeps its jobs elsewhere; the job puts it into the store once it can be written to.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.durable import Argument, Durable
from hub.errors import TransientError
from hub.store import Store
from hub.store import slack as rows
from hub.store.slack import SlackRequest

log = logging.getLogger(__name__)

REQUEST = "slack.request"
LOST_AFTER = timedelta(seconds=30)
MOST_ATTEMPTS = 10
"""The engine puts off what may work later by itself; one that takes its process down with it is left alone in the end."""
PATIENCE_SECONDS = 1.0
"""So long the store is waited for before the engine takes the request; two more of Slack's three are left for that."""
JOB_PATIENCE_SECONDS = 20.0
KEPT = timedelta(days=1)
"""For how long a request that comes again is known; Slack's own signature is too old after five minutes."""


class Inbox:
    """`do` carries out a request; twice must be harmless."""

    def __init__(
        self,
        store: Store,
        durable: Durable,
        do: Callable[[SlackRequest], Awaitable[None]],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._durable, self._do, self._clock = store, durable, do, clock
        self._late: set[asyncio.Task[bool]] = set()

    def register(self) -> None:
        """Tell the durable engine who does requests. Before it starts."""
        self._durable.register(REQUEST, self._on_request)

    async def take(self, id_: str, *, kind: str, payload: Mapping[str, Any]) -> bool:
        """Keep a request and see to it that it is done; False where it came before."""
        at = self._clock()
        new = await self._keep(id_, kind, payload, at=at, patience=PATIENCE_SECONDS)
        if new is None:
            whole: Argument = {"id": id_, "kind": kind, "payload": dict(payload), "at": at.isoformat()}
            await self._durable.enqueue(REQUEST, whole, key=id_)
        elif new:
            await self._durable.enqueue(REQUEST, {"id": id_})
        return new is not False

    async def _keep(
        self, id_: str, kind: str, payload: Mapping[str, Any], *, at: datetime, patience: float
    ) -> bool | None:
        """Whether it is new; None where the store did not take it in time. It may take it later, which does no harm."""

        async def write() -> bool:
            async with self._store.transaction() as connection:
                return await rows.take_request(connection, id_, kind=kind, payload=payload, now=at)

        task = asyncio.create_task(write())
        done, _ = await asyncio.wait({task}, timeout=patience)  # cancelled, it would wait for the store all the same
        if done:
            return task.result()
        self._late.add(task)
        task.add_done_callback(self._ended)
        return None

    def _ended(self, task: asyncio.Task[bool]) -> None:
        self._late.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("the store did not take a request of Slack, the engine has it: %s", type(error).__name__)

    async def watch(self) -> int:
        """Ask again for what was kept and not done, and forget what was done long ago; how many were found."""
        now = self._clock()
        async with self._store.transaction() as connection:
            await rows.forget_requests(connection, done_by=now - KEPT)
            waiting = await rows.find_waiting_requests(connection, received_by=now - LOST_AFTER, attempts=MOST_ATTEMPTS)
        for id_ in waiting:
            await self._durable.enqueue(REQUEST, {"id": id_}, key=id_)
        return len(waiting)

    async def _on_request(self, argument: Argument) -> None:
        id_ = str(argument["id"])
        if isinstance(payload := argument.get("payload"), dict):
            at, kind = datetime.fromisoformat(str(argument["at"])), str(argument["kind"])
            if await self._keep(id_, kind, payload, at=at, patience=JOB_PATIENCE_SECONDS) is None:
                raise TransientError("the store is held up by a long write")
        async with self._store.transaction() as connection:
            request = await rows.find_request(connection, id_)
            await rows.begin_request(connection, id_)
        if request is None or request.done_at is not None:
            return
        await self._do(request)
        async with self._store.transaction() as connection:
            await rows.finish_request(connection, id_, now=self._clock())
