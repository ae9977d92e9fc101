"""Subscriptions put together: the log's broadcast, the API that says what is told, and the wires it goes over.

live = Live(hub, find_viewer=…, guard=…, origins=…)
live.socket, live.streaming(otherwise)        ASGI applications for /graphql
await live.close()                            ends every stream: 1001 on a WebSocket, complete on server-sent events
"""

from collections.abc import Collection

import orjson

from hub.access import Viewer
from hub.access.reading import Reads
from hub.access.standing import find_ended
from hub.compose.asking import HubLike, context_of
from hub.events import Broadcast, EndedError
from hub.settings import Settings
from hub.web.browsers import Browsers
from hub.web.graphql.endpoint import Endpoint, FindViewer
from hub.web.graphql.origins import Origins
from hub.web.graphql.reading import Asked
from hub.web.live import Limits, Refused, Sessions, Socket, Streamed, Streaming
from schema.answering import Answer, answer, is_subscription
from schema.context import Context
from schema.guard.guard import Guard
from schema.subscriptions.cursors import event_cursor
from schema.subscriptions.opening import ended, open_stream


def limits_of(settings: Settings) -> Limits:
    """As hub.yaml's `live` says."""
    live = settings.hub.live
    patience = live.patience.total_seconds()
    return Limits(
        connections=live.connections,
        of_token=live.of_token,
        operations=live.operations,
        init_seconds=patience,
        send_seconds=patience,
        check_seconds=live.check.total_seconds(),
    )


class Live:
    """See the module."""

    def __init__(
        self,
        hub: HubLike,
        *,
        find_viewer: FindViewer,
        guard: Guard,
        reads: Reads,
        origins: Origins,
        limits: Limits | None = None,
        browsers: Browsers | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.broadcast = Broadcast(hub.store)
        self.port = _Port(hub, self.broadcast, find_viewer, guard, reads)
        self.sessions = Sessions(self.port, self.limits)
        self._origins = origins
        self._browsers = browsers
        self.socket = Socket(self.port, self.sessions, self.limits, origins=origins, browsers=browsers)

    def streaming(self, otherwise: Endpoint) -> Streaming:
        """Server-sent events for those who accept them; `otherwise` answers the others."""
        return Streaming(
            self.port,
            self.sessions,
            self.limits,
            origins=self._origins,
            otherwise=otherwise,
            browsers=self._browsers,
        )

    async def close(self) -> None:
        """End every stream, and take no more."""
        await self.broadcast.close()
        await self.sessions.close()


class _Port:
    """hub.web.live.port.Port over the schema."""

    def __init__(self, hub: HubLike, broadcast: Broadcast, find_viewer: FindViewer, guard: Guard, reads: Reads) -> None:
        self._hub = hub
        self._broadcast = broadcast
        self.find_viewer = find_viewer
        self._guard = guard
        self._reads = reads

    def _context(self, viewer: Viewer) -> Context:
        return context_of(self._hub, viewer, guard=self._guard, reads=self._reads)

    async def find_ended(self, viewers: Collection[Viewer]) -> Collection[Viewer]:
        return await find_ended(self._hub.store, viewers, now=self._hub.clock())

    def streams(self, asked: Asked, viewer: Viewer) -> bool:
        return is_subscription(self._context(viewer), asked.query, asked.operation, document_id=asked.document_id)

    async def answer(self, asked: Asked, viewer: Viewer, *, reading_only: bool = False) -> bytes | Refused:
        given = await answer(
            self._context(viewer),
            asked.query,
            asked.variables,
            asked.operation,
            document_id=asked.document_id,
            reading_only=reading_only,
        )
        return given.encoded() if given.status == 200 else _refused(given)

    async def subscribe(self, asked: Asked, viewer: Viewer, after: str | None) -> Streamed | Refused:
        opened = await open_stream(
            self._broadcast,
            self._context(viewer),
            asked.query,
            asked.variables,
            asked.operation,
            document_id=asked.document_id,
            after=after,
            clock=self._hub.clock,
        )
        if isinstance(opened, Answer):
            return _refused(opened)
        return Streamed(opened.parcels, opened.cursor)

    def cursor(self, number: int) -> str:
        return event_cursor(number)

    def ended(self, error: EndedError) -> bytes:
        return orjson.dumps([ended(error).formatted])


def _refused(given: Answer) -> Refused:
    body = given.encoded()
    return Refused(body, orjson.dumps(orjson.loads(body)["errors"]), given.status)
