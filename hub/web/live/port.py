"""What the transports of subscriptions need of the API; it knows GraphQL, they know the wire."""

from collections.abc import AsyncGenerator, Awaitable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from starlette.datastructures import Headers

from hub.access import Viewer
from hub.events import EndedError, Parcel
from hub.web.graphql.reading import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """hub.yaml's `live`.

    connections   open at a time in this process; of one token; operations: at a time on one WebSocket
    init_seconds  until connection_init must have come
    send_seconds  until the other side must have taken what it is sent
    check_seconds how often tokens are looked at again
    beat_seconds  between two signs of life on a quiet stream
    """

    connections: int = 2_000
    of_token: int = 1_000
    operations: int = 50
    init_seconds: float = 10.0
    send_seconds: float = 10.0
    check_seconds: float = 3.0
    beat_seconds: float = 12.0


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer without a stream: a JSON object with `errors`, and the status over HTTP."""

    body: bytes
    errors: bytes
    status: int


@dataclass(frozen=True, slots=True)
class Streamed:
    """A stream that begins: its parcels, and the cursor of the place before the first of them."""

    parcels: AsyncGenerator[Parcel] = field(repr=False)
    cursor: str


class Port(Protocol):
    """See the module."""

    def find_viewer(self, headers: Headers, /) -> Awaitable[Viewer | None]:
        """Who has the token in the Authorization header."""

    async def find_ended(self, viewers: Collection[Viewer]) -> Collection[Viewer]:
        """Those whose tokens are no longer valid, or no longer give the same rights."""

    def streams(self, asked: Asked, viewer: Viewer) -> bool:
        """Whether a subscription is asked for."""

    async def answer(self, asked: Asked, viewer: Viewer, *, reading_only: bool = False) -> bytes | Refused:
        """The answer to a query or mutation that was executed, as JSON."""

    async def subscribe(self, asked: Asked, viewer: Viewer, after: str | None) -> Streamed | Refused:
        """Begin a subscription; `after`: behind that cursor, whatever its argument says."""

    def cursor(self, number: int) -> str:
        """The cursor of an event."""

    def ended(self, error: EndedError) -> bytes:
        """Why a stream ended, as the JSON list of errors."""
