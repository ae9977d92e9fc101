from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from hub.access.tokens import list_tokens, revoke
from hub.model.actions import Role
from hub.store.events import prune_events
from schema.subscriptions.cursors import event_cursor
from tests.web.live.conftest import (
    ALERTS,
    NOW,
    FakeHub,
    connected,
    customers,
    open_alert,
    serving,
    settled,
    token,
)


async def test_an_alert_is_told_as_it_is_opened(hub: FakeHub, host: str) -> None:
    await customers(hub.store, acme="ann@us.example")
    async with connected(host, await token(hub.store)) as client:
        await client.subscribe(ALERTS)
        await settled(client)
        await open_alert(hub.store, "a")

        told = await client.next()
        assert told.pop("cursor")
        assert told == {"change": "OPENED", "alert": {"title": "title of a", "customer": {"name": "Acme"}}}


async def test_what_was_dropped_is_told_after_the_cursor_and_once(hub: FakeHub, host: str) -> None:
    await customers(hub.store, acme="ann@us.example")
    secret = await token(hub.store)
    async with connected(host, secret) as client:
        await client.subscribe(ALERTS)
        await settled(client)
        await open_alert(hub.store, "a", "b")
        first = await client.next()
        client.socket.transport.abort()  # as a network that is gone
    await open_alert(hub.store, "c")

    async with connected(host, secret) as client:
        await client.subscribe(ALERTS, after=first["cursor"])
        await open_alert(hub.store, "d")
        titles = [(await client.next())["alert"]["title"] for _ in range(3)]
        assert titles == ["title of b", "title of c", "title of d"]
        await open_alert(hub.store, "e")
        assert (await client.next())["alert"]["title"] == "title of e"


async def test_arguments_choose_what_is_told(hub: FakeHub, host: str) -> None:
    await customers(hub.store, acme="ann@us.example", bolt="ann@us.example")
    async with connected(host, await token(hub.store)) as client:
        chosen = '(severity: [HIGH, URGENT], customerId: "Q3VzdG9tZXI6YWNtZQ", change: [OPENED])'
        await client.subscribe(f"subscription {{ alertChanged{chosen} {{ alert {{ title }} }} }}")
        await settled(client)
        await open_alert(hub.store, "of another customer", of="bolt")
        await open_alert(hub.store, "too low", severity="low")
        await open_alert(hub.store, "wanted")
        assert await client.next() == {"alert": {"title": "title of wanted"}}


async def test_queries_and_mutations_are_answered_under_the_same_rules(hub: FakeHub, host: str) -> None:
    async with connected(host, await token(hub.store)) as client:
        await client.subscribe("{ sources { name } }", id_="q")
        message = await client.receive()
        assert (message["id"], message["type"]) == ("q", "next")
        assert "cost" in message["payload"]["extensions"]
        assert await client.receive() == {"id": "q", "type": "complete"}

        await client.subscribe('mutation { sourceSync(input: {source: "crm"}) { run { id } } }', id_="q")
        message = await client.receive()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
    assert hub.actions.calls == []

    async with connected(host, await token(hub.store, Role.ADMIN)) as client:
        await client.subscribe('mutation { sourceSync(input: {source: "crm"}) { errors { code } } }', id_="q")
        assert (await client.receive())["payload"]["data"] == {"sourceSync": {"errors": []}}
    assert hub.actions.calls == [("sync", "crm", "a admin")]


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("subscription { alertChanged { nothing } }", {}, "BAD_QUERY"),
        ("subscription { alertChanged { cursor } bandChanged { cursor } }", {}, "BAD_QUERY"),
        ('subscription { alertChanged(customerId: "nobody") { cursor } }', {}, "BAD_INPUT"),
        ("subscription { alertChanged(severity: []) { cursor } }", {}, "BAD_INPUT"),
        (ALERTS, {"after": "not one"}, "BAD_INPUT"),
        (
            "subscription { alertChanged { cursor alert { customer { contacts { nodes { email } } } } } }",
            {},
            "FORBIDDEN",
        ),
    ],
)
async def test_what_is_refused_is_an_error_of_its_operation(
    hub: FakeHub, host: str, query: str, variables: dict[str, Any], code: str
) -> None:
    async with connected(host, await token(hub.store)) as client:
        await client.subscribe(query, **variables)
        message = await client.receive()
        assert (message["id"], message["type"]) == ("1", "error")
        assert message["payload"][0]["extensions"]["code"] == code
        await settled(client)  # the connection is as good as before


async def test_complete_ends_an_operation_and_frees_its_id(hub: FakeHub, host: str) -> None:
    await customers(hub.store, acme="ann@us.example")
    async with connected(host, await token(hub.store)) as client:
        await client.subscribe(ALERTS)
        await settled(client)
        await client.send(id="1", type="complete")
        await open_alert(hub.store, "a")
        await client.subscribe("subscription { bandChanged { cursor } }")
        await settled(client)  # nothing was told of the alert in between


async def test_codes_of_the_protocol(hub: FakeHub, host: str) -> None:
    secret = await token(hub.store)
    subscribe = {"id": "1", "type": "subscribe", "payload": {"query": ALERTS}}

    async with connected(host, None, protocol="graphql-ws") as client:
        assert await client.closed() == 4406
    async with connected(host, None) as client:
        await client.send(**subscribe)
        assert await client.closed() == 4401
    for payload in ({}, {"authorization": "Bearer cshub_wrong"}, {"token": "cshub_wrong"}):
        async with connected(host, None) as client:
            await client.send(type="connection_init", payload=payload)
            assert await client.closed() == 4403
    async with connected(host, secret) as client:
        await client.send(type="connection_init")
        assert await client.closed() == 4429
    async with connected(host, secret) as client:
        await client.send(**subscribe)
        await client.send(**subscribe)
        assert await client.closed() == 4409
    for text in ("{", "[]", "1", '{"type": 1}', '{"type": "unknown"}', '{"type": "subscribe", "id": "1"}'):
        async with connected(host, secret) as client:
            await client.socket.send(text)
            assert await client.closed() == 4400
    async with connected(host, secret) as client:
        await client.socket.send(b"{}")
        assert await client.closed() == 4400


async def test_who_says_nothing_is_not_waited_for(hub: FakeHub) -> None:
    async with serving(hub, init_seconds=0.05) as host, connected(host, None) as client:
        assert await client.closed() == 4408


async def test_the_token_may_come_with_the_handshake(hub: FakeHub, host: str) -> None:
    headers = {"authorization": f"Bearer {await token(hub.store)}"}
    async with connected(host, None, additional_headers=headers) as client:
        await client.send(type="connection_init")
        assert await client.receive() == {"type": "connection_ack"}


async def test_pages_of_other_sites_get_no_socket(hub: FakeHub, host: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connected(host, None, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with connected(host, await token(hub.store), origin=f"http://{host}") as client:
        await settled(client)


async def test_a_revoked_or_expired_token_ends_its_connections(hub: FakeHub, host: str) -> None:
    secret = await token(hub.store)
    [known] = await list_tokens(hub.store)
    async with connected(host, secret) as client, connected(host, await token(hub.store)) as other:
        await client.subscribe(ALERTS)
        await revoke(hub.store, known.id, now=NOW)
        assert await client.closed() == 4403
        await settled(other)


async def test_only_so_many_connections_and_operations(hub: FakeHub) -> None:
    secret = await token(hub.store)
    async with serving(hub, connections=1, operations=1) as host, connected(host, secret) as client:
        await client.subscribe(ALERTS)
        await client.subscribe(ALERTS, id_="2")
        message = await client.receive()
        assert (message["id"], message["type"]) == ("2", "error")
        assert message["payload"][0]["extensions"]["code"] == "TOO_MANY"
        async with connected(host, None) as other:
            assert await other.closed() == 1013


async def test_a_cursor_that_is_no_longer_kept_says_so(hub: FakeHub, host: str) -> None:
    await customers(hub.store, acme="ann@us.example")
    await open_alert(hub.store, "a", "b", "c")
    async with connected(host, await token(hub.store)) as client:
        await client.subscribe("{ eventCursor }")
        newest = (await client.receive())["payload"]["data"]["eventCursor"]
        await client.receive()
        async with hub.store.transaction() as connection:
            await prune_events(connection, before=NOW + timedelta(days=1))

        for number, code in ((1, "CURSOR_TOO_OLD"), (99, "BAD_INPUT")):
            await client.subscribe(ALERTS, after=event_cursor(number))
            message = await client.receive()
            assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", code)
        await client.subscribe(ALERTS, after=newest)
        await open_alert(hub.store, "d")
        assert (await client.next())["alert"]["title"] == "title of d"


async def test_a_server_that_ends_says_so(hub: FakeHub) -> None:
    async with (
        serving(hub) as host,
        connected(host, await token(hub.store)) as client,
        connected(host, await token(hub.store)) as idle,
    ):
        await client.subscribe(ALERTS)
        await settled(client)
        await hub.end_streams()
        assert await client.closed() == 1001
        assert await idle.closed() == 1001
