"""Subscriptions with a session's cookie: for pages of the hub alone, and until the session ends."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from hub.access.admission import Admission
from hub.access.links import Links
from hub.access.sessions import Opened, SessionRules, Sessions
from hub.access.standing import WRITTEN_LATE, find_ended
from hub.access.tokens import create, revoke
from hub.asgi import app
from hub.model.actions import Role
from hub.store import Store
from hub.web.live import Limits
from tests.fakes.serving import serving
from tests.web.live.conftest import ALERTS, NOW, FakeHub, connected, customers, open_alert, settled

PARTNER = "https://partner.example"
EVENTS = {"accept": "text/event-stream", "graphql-require-preflight": "1"}


class World:
    """A hub with somebody who is signed in; host: where it is served."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sessions = Sessions(store, Links("s" * 32), SessionRules(url="http://127.0.0.1:8000"))
        self.app = app(
            FakeHub(store),
            origins=[PARTNER],
            admission=Admission(store, sessions=self.sessions),
            live_limits=Limits(check_seconds=0.02, beat_seconds=0.1),
        )
        self.host = ""

    async def opened(self) -> Opened:
        made = await create(self.store, name="Ann", role=Role.MANAGER, now=NOW)
        return await self.sessions.open_by_token(made.token, made.secret, now=NOW)


@pytest.fixture
async def world(sqlite_store: Store) -> AsyncIterator[World]:
    world = World(sqlite_store)
    async with serving(world.app, lifespan="on", ws="websockets-sansio") as url:
        world.host = url.removeprefix("http://")
        yield world


async def test_a_socket_by_cookie_is_for_our_own_pages_and_ends_with_the_session(world: World) -> None:
    opened = await world.opened()
    cookie = {"cookie": f"cshub_session={opened.cookie}"}
    for origin in (None, PARTNER):  # no page, and one that may come with a token
        headers = {**cookie, **({} if origin is None else {"origin": origin})}
        async with connected(world.host, None, additional_headers=headers) as client:
            await client.send(type="connection_init")
            assert await client.closed() == 4403
    await customers(world.store, acme="ann@us.example")
    own = {**cookie, "origin": f"http://{world.host}"}
    async with connected(world.host, None, additional_headers=own) as client:
        await client.send(type="connection_init")
        assert await client.receive() == {"type": "connection_ack"}
        await client.subscribe(ALERTS)
        await settled(client)
        await open_alert(world.store, "a")
        assert (await client.next())["alert"]["title"] == "title of a"
        assert opened.viewer.session is not None
        await world.sessions.end(opened.viewer.session, now=NOW)
        assert await client.closed() == 4403


async def test_a_stream_of_events_by_cookie_ends_with_the_session(world: World) -> None:
    opened = await world.opened()
    headers = {**EVENTS, "cookie": f"cshub_session={opened.cookie}", "origin": f"http://{world.host}"}
    async with httpx.AsyncClient(base_url=f"http://{world.host}", headers=headers) as client:
        asked = {"query": ALERTS}
        partner = await client.post("/graphql", json=asked, headers={"origin": PARTNER})
        assert partner.status_code == 403
        assert "access-control-allow-credentials" not in partner.headers
        async with client.stream("POST", "/graphql", json=asked) as stream, asyncio.timeout(20):
            assert stream.status_code == 200
            assert opened.viewer.session is not None
            await world.sessions.end(opened.viewer.session, now=NOW)
            with pytest.raises(httpx.RemoteProtocolError):  # it is not told: it is cut
                await stream.aread()


async def test_who_stays_connected_is_looked_at_as_who_asks(store: Store) -> None:
    sessions = Sessions(store, Links("s" * 32), SessionRules(url="http://127.0.0.1:8000", idle_minutes=60))
    made = [await create(store, name=name, role=Role.CSM, now=NOW) for name in ("kept", "revoked", "ended")]
    kept, revoked, ended = [(await sessions.open_by_token(each.token, each.secret, now=NOW)).viewer for each in made]
    assert await find_ended(store, [kept, revoked, ended], now=NOW) == set()
    await revoke(store, revoked.token_id, now=NOW)
    assert ended.session is not None
    await sessions.end(ended.session, now=NOW)
    assert await find_ended(store, [kept, revoked, ended], now=NOW) == {revoked, ended}
    rested = NOW + timedelta(minutes=60) + WRITTEN_LATE
    assert await find_ended(store, [kept], now=rested - timedelta(seconds=1)) == set()
    assert await find_ended(store, [kept], now=rested) == {kept}
