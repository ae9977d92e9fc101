"""The application on a real server, on each database in turn, and clients that speak graphql-transport-ws to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from hub.access.tokens import create
from hub.asgi import app
from hub.model.actions import Role
from hub.store import Store, alerts
from hub.store.tables import customer
from hub.web.live import Limits
from schema.context import PlaybookDefinition, SourceDefinition
from tests.fakes.serving import serving as running
from tests.schema.fakes import PLAYBOOKS, SOURCES, FakeActions

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ALERTS = (
    "subscription ($after: String) { alertChanged(after: $after) { cursor change alert { title customer { name } } } }"
)


@dataclass
class FakeHub:
    store: Store
    actions: FakeActions = field(default_factory=FakeActions)
    now: datetime = NOW
    end_streams: Callable[[], Awaitable[None]] = field(init=False)  # of the application that serves it

    def clock(self) -> datetime:
        return self.now

    def playbooks(self) -> Sequence[PlaybookDefinition]:
        return PLAYBOOKS

    def sources(self) -> Sequence[SourceDefinition]:
        return SOURCES

    async def start(self) -> None:
        return

    async def stop(self) -> None:
        return


@asynccontextmanager
async def serving(hub: FakeHub, **limits: Any) -> AsyncIterator[str]:
    """The host and port of the application, served."""
    application = app(hub, live_limits=Limits(**{"check_seconds": 0.05, "beat_seconds": 0.1, **limits}))
    hub.end_streams = application.state.end_streams
    async with running(application, lifespan="on", ws="websockets-sansio") as url:
        yield url.removeprefix("http://")


class Client:
    """One WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        return json.loads(await asyncio.wait_for(self.socket.recv(), 20))

    async def subscribe(self, query: str, id_: str = "1", **variables: Any) -> None:
        await self.send(id=id_, type="subscribe", payload={"query": query, "variables": variables})

    async def next(self) -> Any:
        """The data of the next event."""
        message = await self.receive()
        assert message["type"] == "next", message
        [data] = message["payload"]["data"].values()
        return data

    async def closed(self) -> int:
        """The code the other side closes with."""
        await asyncio.wait_for(self.socket.wait_closed(), 20)
        assert self.socket.close_code is not None
        return self.socket.close_code


@asynccontextmanager
async def connected(
    host: str, secret: str | None, *, protocol: str = "graphql-transport-ws", **more: Any
) -> AsyncIterator[Client]:
    """A socket; with a token it is acknowledged."""
    async with connect(f"ws://{host}/graphql", subprotocols=[Subprotocol(protocol)], **more) as opened:
        client = Client(opened)
        if secret is not None:
            await client.send(type="connection_init", payload={"authorization": f"Bearer {secret}"})
            assert await client.receive() == {"type": "connection_ack"}
        yield client


@pytest.fixture
def hub(store: Store) -> FakeHub:
    return FakeHub(store)


@pytest.fixture
async def host(hub: FakeHub) -> AsyncIterator[str]:
    async with serving(hub) as opened:
        yield opened


async def token(store: Store, role: Role = Role.VIEWER, **more: Any) -> str:
    return (await create(store, name=f"a {role.value}", role=role, now=NOW, **more)).secret


async def customers(store: Store, **csms: str) -> None:
    async with store.transaction() as connection:
        rows = [
            {"id": id_, "name": id_.title(), "csm_email": csm, "created_at": NOW, "updated_at": NOW}
            for id_, csm in csms.items()
        ]
        await connection.execute(insert(customer), rows)


def alert_row(id_: str, *, of: str = "acme", severity: str = "high", at: datetime = NOW) -> dict[str, Any]:
    row = {"id": id_, "customer_id": of, "kind": "alert", "title": f"title of {id_}", "severity": severity}
    return row | {"state": "open", "dedup_key": f"key.{id_}", "opened_at": at, "updated_at": at}


async def open_alert(store: Store, *ids: str, **more: Any) -> None:
    async with store.transaction() as connection:
        await alerts.open_alerts(connection, [alert_row(id_, **more) for id_ in ids])


async def settled(client: Client) -> None:
    """Wait until what was asked for stands: a query on the same socket is answered after it was begun."""
    await client.subscribe("{ eventCursor }", id_="settle")
    assert (await client.receive())["type"] == "next"
    assert (await client.receive()) == {"id": "settle", "type": "complete"}
