import asyncio
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from hub.access.tokens import list_tokens, revoke
from hub.model.actions import Role
from tests.web.live.conftest import ALERTS, NOW, FakeHub, connected, customers, open_alert, serving, token


async def test_an_alert_is_told_as_it_is_opened(hub: FakeHub, host: str) -> None:
    await customers(hub.store, acme="ann@us.example")
    async with connected(host, await token(hub.store)) as client:
        await client.subscribe(ALERTS)
        await client.send(type="ping", payload={"n": 1})
        assert await client.receive() == {"type": "pong", "payload": {"n": 1}}
        await settle(hub, client)
        await open_alert(hub.store, "a")

        told = await client.next()
        assert told.pop("cursor")
        assert told == {"change": "OPENED", "alert": {"title": "title of a", "customer": {"name": "Acme"}}}


async def settle(hub: FakeHub, client: Any) -> None:
    """Wait until the subscription stands: a query on the same socket is answered after it was begun."""
    await client.subscribe("{ eventCursor }", id_="settle")
    assert (await client.receive())["type"] == "next"
    assert (await client.receive()) == {"id": "settle", "type": "complete"}
