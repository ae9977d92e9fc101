import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from hub.access.tokens import list_tokens, revoke
from tests.web.live.conftest import ALERTS, NOW, FakeHub, customers, open_alert, token

EVENTS = {"accept": "text/event-stream"}


class Events:
    """The events of a response: {event, id, data} each, and the comments in between."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()
        self.beats = 0

    async def next(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while line := await asyncio.wait_for(anext(self._lines), 20):
            name, _, value = line.partition(":")
            if name:
                found[name] = value.removeprefix(" ")
        if not found:
            self.beats += 1
            return await self.next()
        return found

    async def over(self) -> bool:
        return await asyncio.wait_for(anext(self._lines, None), 20) is None


@asynccontextmanager
async def streaming(host: str, secret: str, query: str, *, get: bool = False, **headers: str) -> AsyncIterator[Events]:
    sent = {**EVENTS, "authorization": f"Bearer {secret}", **headers}
    given: dict[str, Any] = {"json": {"query": query}}
    if get:
        given = {"params": {"query": query}}
        sent["graphql-require-preflight"] = "1"
    async with (
        httpx.AsyncClient(base_url=f"http://{host}", timeout=20) as client,
        client.stream("GET" if get else "POST", "/graphql", headers=sent, **given) as response,
    ):
        yield Events(response)


def title(event: dict[str, str]) -> str:
    assert event["event"] == "next"
    return str(json.loads(event["data"])["data"]["alertChanged"]["alert"]["title"])


async def test_events_come_with_their_cursor_and_go_on_after_the_last(hub: FakeHub, host: str) -> None:
    await customers(hub.store, acme="ann@us.example")
    secret = await token(hub.store)
    async with streaming(host, secret, ALERTS) as events:
        assert events.response.headers["content-type"].startswith("text/event-stream")
        place = await events.next()
        assert list(place) == ["id"]
        await open_alert(hub.store, "a")
        first = await events.next()
        assert title(first) == "title of a"
        assert json.loads(first["data"])["data"]["alertChanged"]["cursor"] == first["id"]
    await open_alert(hub.store, "b")

    async with streaming(host, secret, ALERTS, get=True, **{"last-event-id": first["id"]}) as events:
        assert await events.next() == {"id": first["id"]}
        assert title(await events.next()) == "title of b"
    async with streaming(host, secret, ALERTS, **{"last-event-id": place["id"]}) as events:
        await events.next()
        assert [title(await events.next()) for _ in "ab"] == ["title of a", "title of b"]


async def test_a_quiet_stream_gives_signs_of_life(hub: FakeHub, host: str) -> None:
    await customers(hub.store, acme="ann@us.example")
    async with streaming(host, await token(hub.store), ALERTS) as events:
        await events.next()
        assert await asyncio.wait_for(anext(events._lines), 20) == ":"


async def test_queries_are_answered_and_over(hub: FakeHub, host: str) -> None:
    async with streaming(host, await token(hub.store), "{ sources { name } }") as events:
        answered = await events.next()
        assert answered["event"] == "next"
        assert "sources" in json.loads(answered["data"])["data"]
        assert await events.next() == {"event": "complete", "data": ""}
        assert await events.over()


async def test_a_mutation_does_not_come_by_get(hub: FakeHub, host: str) -> None:
    query = 'mutation { sourceSync(input: {source: "crm"}) { errors { code } } }'
    async with streaming(host, await token(hub.store), query, get=True) as events:
        assert events.response.status_code == 405
    assert hub.actions.calls == []


async def test_what_is_refused_is_no_stream(hub: FakeHub, host: str) -> None:
    secret = await token(hub.store)
    async with streaming(host, "cshub_wrong", ALERTS) as events:
        assert events.response.status_code == 401
    async with streaming(host, secret, "subscription { nothing }") as events:
        assert events.response.status_code == 400
        assert events.response.headers["content-type"].startswith("application/json")
        assert json.loads(await events.response.aread())["errors"]
    async with streaming(host, secret, "") as events:
        assert events.response.status_code == 400
    async with streaming(host, secret, ALERTS, **{"last-event-id": "damaged"}) as events:
        assert events.response.status_code == 400


async def test_a_revoked_token_ends_its_streams(hub: FakeHub, host: str) -> None:
    secret = await token(hub.store)
    [known] = await list_tokens(hub.store)
    async with streaming(host, secret, ALERTS) as events:
        await events.next()
        await revoke(hub.store, known.id, now=NOW)
        try:
            while not await events.over():
                pass
        except httpx.RemoteProtocolError:  # ended in the middle, as a stream without an end of its own is
            pass


async def test_a_server_that_ends_completes_its_streams(hub: FakeHub, host: str) -> None:
    async with streaming(host, await token(hub.store), ALERTS) as events:
        await events.next()
        await hub.end_streams()
        assert await events.next() == {"event": "complete", "data": ""}
        assert await events.over()
