"""What people ask for in Slack: a row before it is answered, done once, and done even if the process dies in between.

Slack wants an answer within three seconds, so nothing is done before it: the request is kept, a durable job is asked for, and
Slack hears that all is well. A request that was kept and whose job was never asked for is found by the watch.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.durable import Argument, Durable
from hub.store import Store
from hub.store import slack as rows
from hub.store.slack import SlackRequest

REQUEST = "slack.request"
LOST_AFTER = timedelta(seconds=30)
MOST_ATTEMPTS = 10
"""The engine puts off what may work later by itself; one that takes its process down with it is left alone in the end."""
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

    def register(self) -> None:
        """Tell the durable engine who does requests. Before it starts."""
        self._durable.register(REQUEST, self._on_request)

    async def take(self, id_: str, *, kind: str, payload: Mapping[str, Any]) -> bool:
        """Keep a request and see to it that it is done; False where it came before."""
        async with self._store.transaction() as connection:
            new = await rows.take_request(connection, id_, kind=kind, payload=payload, now=self._clock())
        if new:
            await self._durable.enqueue(REQUEST, {"id": id_})
        return new

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
        async with self._store.transaction() as connection:
            request = await rows.find_request(connection, id_)
            await rows.begin_request(connection, id_)
        if request is None or request.done_at is not None:
            return
        await self._do(request)
        async with self._store.transaction() as connection:
            await rows.finish_request(connection, id_, now=self._clock())
