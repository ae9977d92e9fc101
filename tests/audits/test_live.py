"""Attacks on subscriptions, over WebSocket and as server-sent events: nobody is told what is not theirs, and nothing breaks."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from hub.access.admission import Admission
from hub.access.sealing import closed
from hub.access.tokens import list_tokens, revoke
from hub.asgi import app
from hub.cli.serve import LARGEST_MESSAGE
from hub.model.actions import Role
from hub.store import Store
from hub.store.tables import customer
from hub.web.live import Limits
from schema.nodes import global_id
from schema.subscriptions.cursors import event_cursor
from tests.fakes.serving import serving as running
from tests.web.live.conftest import ALERTS, NOW, Client, FakeHub, connected, customers, open_alert, settled, token
from tests.web.live.test_streaming import EVENTS, streaming, title

ANN, BOB = "ann@us.example", "bob@us.example"
OF_ONE = "subscription ($of: ID) { alertChanged(customerId: $of) { cursor alert { title } } }"


@asynccontextmanager
async def serving(hub: FakeHub, **limits: Any) -> AsyncIterator[str]:
    """With books, and messages as large as `cshub serve` takes them."""
    given = Limits(**{"check_seconds": 0.05, "beat_seconds": 0.1, **limits})
    application = app(hub, live_limits=given, admission=Admission(hub.store, books=True))
    hub.end_streams = application.state.end_streams
    options: dict[str, Any] = {"lifespan": "on", "ws": "websockets-sansio", "ws_max_size": LARGEST_MESSAGE}
    async with running(application, **options) as url:
        yield url.removeprefix("http://")


@pytest.fixture
def hub(sqlite_store: Store) -> FakeHub:
    return FakeHub(sqlite_store)


@pytest.fixture
async def host(hub: FakeHub, caplog: pytest.LogCaptureFixture) -> AsyncIterator[str]:
    async with serving(hub) as opened:
        yield opened
    assert [
        each.getMessage() for each in caplog.records if each.name.startswith("hub") and each.levelno >= logging.ERROR
    ] == []


async def books(hub: FakeHub) -> tuple[str, str]:
    """The tokens of Ann, whose customer is acme, and of Bob, whose customer is zeta."""
    await customers(hub.store, acme=ANN, zeta=BOB)
    return await token(hub.store, Role.CSM, csm_email=ANN), await token(hub.store, Role.CSM, csm_email=BOB)


async def refusal(client: Client) -> Any:
    message = await client.receive()
    assert message["type"] == "error", message
    return [(each["message"], each["extensions"]) for each in message["payload"]]


async def test_without_a_token_nothing_is_told_not_even_whether_it_was_one(hub: FakeHub, host: str) -> None:
    revoked = await token(hub.store)
    [known] = await list_tokens(hub.store)
    await revoke(hub.store, known.id, now=NOW)
    said = set()
    async with httpx.AsyncClient(base_url=f"http://{host}") as client:
        for secret in (None, "cshub_", "cshub_wrong", revoked, "x" * 20_000, "é"):
            headers: dict[str, Any] = dict(EVENTS)
            if secret is not None:
                headers["authorization"] = f"Bearer {secret}".encode()
            answer = await client.post("/graphql", headers=headers, json={"query": ALERTS})
            said.add((answer.status_code, answer.text))
    assert len(said) == 1
    for secret in ("cshub_wrong", revoked, "x" * 20_000, "é"):
        async with connected(host, None) as socket:
            await socket.send(type="connection_init", payload={"authorization": f"Bearer {secret}"})
            assert await socket.closed() == 4403
            said.add((4403, str(socket.socket.close_reason)))
    assert len(said) == 2


async def test_an_expired_token_ends_its_streams(hub: FakeHub, host: str) -> None:
    await customers(hub.store, acme=ANN)
    secret = await token(hub.store, expires_at=NOW + timedelta(minutes=1))
    async with streaming(host, secret, ALERTS) as events, connected(host, secret) as client:
        await events.next()
        await client.subscribe(ALERTS)
        await settled(client)
        hub.now = NOW + timedelta(minutes=1)
        assert await client.closed() == 4403
        with pytest.raises(httpx.RemoteProtocolError):  # it is cut off: who has no token any more is told nothing
            await events.next()


async def test_anothers_book_is_as_if_it_were_not(hub: FakeHub, host: str) -> None:
    ann, bob = await books(hub)
    zeta, nobody = (global_id("customer", id_) for id_ in ("zeta", "nobody"))
    async with connected(host, ann) as client, connected(host, bob) as other:
        answers = []
        for id_ in (zeta, nobody):
            await client.subscribe(OF_ONE, of=id_)
            await client.send(id="1", type="complete")
            await settled(client)  # neither was refused, and neither ended
            await client.subscribe(OF_ONE, id_=id_, of=id_)
            answers.append(id_)
        await client.subscribe(ALERTS, id_="all")
        await other.subscribe(ALERTS)
        await settled(client)
        await settled(other)
        await open_alert(hub.store, "z", of="zeta")
        assert (await other.next())["alert"]["title"] == "title of z"
        await open_alert(hub.store, "a", of="acme")
        message = await client.receive()
        assert message["id"] == "all"
        assert "title of a" in json.dumps(message), "the first that Ann is told is her own"


async def test_a_customer_that_changes_hands_is_told_to_the_new_hands_alone(hub: FakeHub, host: str) -> None:
    ann, bob = await books(hub)
    async with connected(host, ann) as old, connected(host, bob) as new:
        for client in (old, new):
            await client.subscribe(ALERTS)
            await settled(client)
        async with hub.store.transaction() as connection:
            await connection.execute(update(customer).where(customer.c.id == "acme").values(csm_email=BOB))
        await open_alert(hub.store, "a", of="acme")
        assert (await new.next())["alert"]["title"] == "title of a"
        await settled(old)  # was told nothing


async def test_places_of_others_and_made_up_ones_give_nobody_more(hub: FakeHub, host: str) -> None:
    ann, bob = await books(hub)
    await open_alert(hub.store, "a1", of="acme")
    await open_alert(hub.store, "z1", of="zeta")
    async with streaming(host, bob, ALERTS, **{"last-event-id": event_cursor(0)}) as events:
        await events.next()  # the place it begins at
        last = await events.next()
        assert title(last) == "title of z1"
    await open_alert(hub.store, "z2", of="zeta")
    await open_alert(hub.store, "a2", of="acme")
    async with streaming(host, ann, ALERTS, **{"last-event-id": last["id"]}) as events:
        await events.next()
        assert title(await events.next()) == "title of a2", "Bob's place is one in the log, with Ann's book over it"
    made_up = [
        "1", "0" * 32, last["id"][:-2], last["id"] + "A", closed("page", b"\x00" * 8), closed("event", b"\x00" * 9),
        closed("event", b"\xff" * 8), "' OR 1=1", "x" * 5_000,
    ]  # fmt: skip
    said = set()
    async with httpx.AsyncClient(base_url=f"http://{host}") as client:
        for place in made_up:
            headers = {**EVENTS, "authorization": f"Bearer {ann}", "last-event-id": place}
            answer = await client.post("/graphql", headers=headers, json={"query": ALERTS})
            [error] = answer.json()["errors"]
            assert (answer.status_code, error["extensions"]["code"]) == (200, "BAD_INPUT") or answer.status_code == 400
            said.add(error["message"])
    assert len(said) <= 2, said
    assert not [each for each in said if "zeta" in each or "z1" in each]


async def test_messages_that_are_none_end_their_connection_and_nothing_else(hub: FakeHub, host: str) -> None:
    secret = await token(hub.store)
    deep = '{"a":' * 400 + "1" + "}" * 400
    bad = {
        "larger than any may be": (json.dumps({"type": "ping", "payload": {"x": "x" * LARGEST_MESSAGE}}), 1009),
        "deep": (f'{{"type":"subscribe","id":"1","payload":{{"query":"{{a}}","variables":{deep}}}}}', 4400),
        "deep ping": (f'{{"type":"ping","payload":{deep}}}', 4400),
        "deeper": ("[" * 50_000, 4400),
        "half a pair": ('{"type":"subscribe","id":"1","payload":{"query":"\\ud800"}}', 4400),
        "NUL": ('{"type":"subscribe","id":"1","payload":{"query":"{ a(b: \\"\\u0000\\") }"}}', 4400),
        "no text": (b"\xff\xfe", 4400),
        "long id": (json.dumps({"type": "subscribe", "id": "x" * 300, "payload": {"query": ALERTS}}), 4400),
        "id a list": (json.dumps({"type": "subscribe", "id": ["1"], "payload": {"query": ALERTS}}), 4400),
        "batch": (json.dumps({"type": "subscribe", "id": "1", "payload": [{"query": ALERTS}]}), 4400),
    }
    async with connected(host, secret) as steady:
        await steady.subscribe(ALERTS)
        for name, (message, code) in bad.items():
            async with connected(host, secret) as client:
                await client.socket.send(message)
                assert await client.closed() == code, name
        bomb = connected(host, secret, compression="deflate")
        async with bomb as client:
            await client.socket.send(json.dumps({"type": "ping", "payload": {"x": "x" * 20_000_000}}))
            assert await client.closed() == 1009, "what it unpacks to counts"
        await settled(steady)


async def test_limits_hold_for_streams_as_for_sockets_and_the_nameless_keep_nobody_out(hub: FakeHub) -> None:
    one, two = await token(hub.store), await token(hub.store, Role.MANAGER)
    await customers(hub.store, acme=ANN)

    assert Limits().of_token < Limits().connections, "no single token takes every place"

    async def refused(host: str, secret: str) -> tuple[int, str]:
        async with httpx.AsyncClient(base_url=f"http://{host}") as client:
            headers = {**EVENTS, "authorization": f"Bearer {secret}"}
            answer = await client.post("/graphql", headers=headers, json={"query": ALERTS})
        assert answer.json()["errors"][0]["extensions"]["code"] == "TOO_MANY"
        return answer.status_code, answer.json()["errors"][0]["message"]

    async with (
        serving(hub, connections=3, of_token=2) as host,
        streaming(host, one, ALERTS) as first,
        streaming(host, one, ALERTS) as second,
    ):
        await first.next()
        await second.next()
        assert await refused(host, one) == (503, "this token has 2 connections open already, as many as it may")
        async with streaming(host, two, ALERTS) as third:
            await third.next()
            assert await refused(host, two) == (503, "3 connections are open here already: try again later")
    async with serving(hub, connections=8) as host, connected(host, None), connected(host, None):
        async with connected(host, None) as client:
            assert await client.closed() == 1013
        async with streaming(host, one, ALERTS) as events:
            assert "id" in await events.next()
