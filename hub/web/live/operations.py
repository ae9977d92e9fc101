"""What runs on one WebSocket: subscriptions, queries and mutations, each a task with the id its client gave it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import orjson
from starlette.datastructures import Headers

from hub.access import Viewer
from hub.events import EndedError, Ending
from hub.web.graphql.reading import Asked, BadRequestError, posted
from hub.web.live.port import Limits, Port, Refused

Send = Callable[[bytes], Awaitable[None]]
_LONGEST_ID = 200


class ClosedError(Exception):
    """The connection has to be closed, with this code of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Operations:
    """See the module. send: one text; ended: called when a stream ends because the process does."""

    def __init__(
        self, port: Port, limits: Limits, viewer: Viewer, *, send: Send, stop: Callable[[ClosedError], None]
    ) -> None:
        self._port = port
        self._limits = limits
        self._viewer = viewer
        self._send = send
        self._stop = stop
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def begin(self, id_: object, payload: object) -> None:
        """A `subscribe` message."""
        if not isinstance(id_, str) or not 1 <= len(id_) <= _LONGEST_ID:
            raise ClosedError(4400, "a subscribe message has an id: a text")
        if id_ in self._tasks:
            raise ClosedError(4409, f"Subscriber for {id_[:60]} already exists")
        if not isinstance(payload, dict):
            raise ClosedError(4400, "a subscribe message has a payload: an object with a query")
        try:
            asked = posted(orjson.dumps(payload))
        except BadRequestError as error:
            raise ClosedError(4400, str(error)[:120]) from None
        except orjson.JSONEncodeError:
            raise ClosedError(4400, "a message is nested too deeply") from None
        if len(self._tasks) >= self._limits.operations:
            message = f"{self._limits.operations} operations run on this connection already, as many as may"
            errors = [{"message": message, "extensions": {"code": "TOO_MANY"}}]
            await self._send(_message(id_, "error", orjson.dumps(errors)))
            return
        self._tasks[id_] = asyncio.create_task(self._run(id_, asked))

    def end(self, id_: object) -> None:
        """A `complete` message; one of an operation that is over already means nothing."""
        task = self._tasks.pop(id_, None) if isinstance(id_, str) else None
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """End all of them; a mutation that was begun is finished all the same (schema.guard.timing)."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, id_: str, asked: Asked) -> None:
        try:
            streams = self._port.streams(asked, self._viewer)
            last = await (self._stream(id_, asked) if streams else self._answer(id_, asked))
            self._forget(id_)  # before the other side can know that it is over, so that it may use the id again
            await self._send(last)
        except ClosedError as error:
            self._stop(error)
        finally:
            self._forget(id_)

    async def _answer(self, id_: str, asked: Asked) -> bytes:
        given = await self._port.answer(asked, self._viewer)
        if isinstance(given, Refused):
            return _message(id_, "error", given.errors)
        await self._send(_message(id_, "next", given))
        return _message(id_, "complete")

    async def _stream(self, id_: str, asked: Asked) -> bytes:
        """Tell until it ends; return the message that says so."""
        given = await self._port.subscribe(asked, self._viewer, None)
        if isinstance(given, Refused):
            return _message(id_, "error", given.errors)
        head = _message(id_, "next", b"")[:-1]
        try:
            async with aclosing(given.parcels) as parcels:
                async for parcel in parcels:
                    await self._send(head + parcel.body + b"}")
        except EndedError as error:
            if error.ending is Ending.CLOSING:
                raise ClosedError(1001, "Going away") from None
            return _message(id_, "error", self._port.ended(error))
        return _message(id_, "complete")

    def _forget(self, id_: str) -> None:
        if self._tasks.get(id_) is asyncio.current_task():
            del self._tasks[id_]


def authorization(payload: object) -> Headers | None:
    """The Authorization header in a `connection_init`, however clients spell it; None where there is none."""
    if not isinstance(payload, dict):
        return None
    given = {str(key).lower(): value for key, value in payload.items()}
    nested = given.get("headers")
    if isinstance(nested, dict):
        given |= {str(key).lower(): value for key, value in nested.items()}
    value = given.get("authorization")
    if value is None and isinstance(given.get("token"), str):
        value = f"Bearer {given['token']}"
    return Headers({"authorization": value}) if isinstance(value, str) and value.isascii() else None


def _message(id_: str, type_: str, payload: bytes | None = None) -> bytes:
    head = orjson.dumps({"id": id_, "type": type_})
    return head if payload is None else head[:-1] + b',"payload":' + payload + b"}"
