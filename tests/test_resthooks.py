"""REST hooks: from subscribing over HTTP to a signed message on a real receiver, once each; and who may not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.access import Viewer
from hub.access.vault import Vault
from hub.delivery import webhook
from hub.delivery.base import Message, Refusal, Rejected
from hub.delivery.reach import network
from hub.delivery.webhook import WebhookChannel
from hub.model.actions import Role, Scope
from hub.resthooks import find_endpoint, tell
from hub.store import Store, tables
from hub.store.deliveries import find_deliveries
from hub.store.events import note_alerts, note_events
from hub.web.resthooks import RestHooks
from tests.fakes.serving import serving
from tests.schema.company import NOW, insert, seed

VAULT = Vault.of(["k" * 40])
LOOPBACK = [network("127.0.0.0/8")]
URL = "http://127.0.0.1:9/caught"


def token(number: int, **columns: Any) -> dict[str, Any]:
    return {
        "id": f"t{number}", "name": f"tool {number}", "digest": f"d{number}", "role": "admin", "csm_email": None,
        "created_at": NOW, **columns,
    }  # fmt: skip


@pytest.fixture
async def hub(store: Store) -> Store:
    await seed(store, 2)
    await seed(store, 1, first=7, csm_email="bob@cs.example")
    await insert(store, tables.api_token, [token(1), token(2)])
    return store


def viewer(number: int = 1, **given: Any) -> Viewer:
    return Viewer(token_id=f"t{number}", name=f"tool {number}", role=Role.ADMIN, **given)


@pytest.fixture
async def client(hub: Store) -> AsyncIterator[httpx.AsyncClient]:
    known = {
        "one": viewer(1), "two": viewer(2), "booked": viewer(2, book="bob@cs.example"),
        "reader": viewer(1, granted=frozenset({Scope.READ})),
    }  # fmt: skip

    async def find(secret: str) -> Viewer | None:
        return known.get(secret)

    routes = RestHooks(store=hub, find_viewer=find, vault=VAULT, allowed=LOOPBACK, clock=lambda: NOW).routes()
    transport = httpx.ASGITransport(app=Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as made:
        yield made


def by(who: str = "one") -> dict[str, str]:
    return {"authorization": f"Bearer {who}"}


async def alerts(store: Store, change: str = "opened") -> None:
    async with store.transaction() as connection:
        await note_alerts(connection, tables.alert.c.id.is_not(None), change=change, at=NOW)


async def told(store: Store) -> list[tuple[str, str, str]]:
    async with store.reading() as connection:
        found = await find_deliveries(connection, channels=["webhook"])
    return [(each.address, each.payload["type"], each.payload["data"]["customer"]["id"]) for each in found]


async def test_events_after_the_subscription_are_told_once(hub: Store, client: httpx.AsyncClient) -> None:
    await alerts(hub)  # before anybody has subscribed
    made = await client.post("/subscriptions", json={"event": "alert.opened", "hookUrl": URL}, headers=by())
    assert made.status_code == 201
    address = f"resthook:{made.json()['id']}"
    assert await tell(hub, now=NOW) == 0
    await alerts(hub)
    await alerts(hub, "closed")
    async with hub.transaction() as connection:
        band = {"at": NOW, "kind": "band", "change": "down", "customer_id": "c000", "subject": "c000:x"}
        await note_events(connection, [{**band, "data": {"before": "healthy", "band": "warning"}}])
    sent = await asyncio.gather(tell(hub, now=NOW), tell(hub, now=NOW))  # two workers
    there = await told(hub)
    assert sum(sent) == len(there) == len(set(there)) == 3
    assert {each[:2] for each in there} == {(address, "alert.opened")}
    assert await tell(hub, now=NOW) == 0


async def test_a_message_is_signed_with_the_secret_of_its_subscription(hub: Store, client: httpx.AsyncClient) -> None:
    caught: list[tuple[dict[str, str], bytes]] = []

    async def catch(request: Request) -> Response:
        caught.append((dict(request.headers), await request.body()))
        return Response()

    async with serving(Starlette(routes=[Route("/caught", catch, methods=["POST"])])) as place:
        await _signed(hub, client, place + "/caught", caught)


async def _signed(hub: Store, client: httpx.AsyncClient, url: str, caught: list[tuple[dict[str, str], bytes]]) -> None:
    made = (await client.post("/subscriptions", json={"event": "alert.opened", "url": url}, headers=by())).json()
    await alerts(hub)
    await tell(hub, now=NOW)
    async with hub.reading() as connection:
        first, *_ = await find_deliveries(connection, channels=["webhook"])

    async def find(address: str) -> Any:
        return await find_endpoint(hub, address, vault=VAULT)

    channel = WebhookChannel({}, find=find, allowed=LOOPBACK)
    message = Message(
        address=first.address, payload=first.payload, subject=None, dedup_key=first.dedup_key, id=first.id, at=NOW
    )
    await channel.send(message)
    ((headers, body),) = caught
    assert webhook.why_not([made["secret"]], headers, body, now=NOW) is None
    said = orjson.loads(body)
    assert said["id"].isdecimal()
    assert (said["type"], said["data"]["customer"]["name"]) == ("alert.opened", "Customer 000")
    samples = await client.get("/subscriptions/samples/alert.opened", headers=by())
    assert [each["type"] for each in samples.json()] == ["alert.opened"] * 3
    assert said in samples.json()

    assert (await client.delete(f"/subscriptions/{made['id']}", headers=by())).status_code == 204
    with pytest.raises(Rejected) as refused:
        await channel.send(message)
    assert refused.value.kind is Refusal.PERMANENT
    assert len(caught) == 1


async def test_nobody_sees_more_than_they_may(hub: Store, client: httpx.AsyncClient) -> None:
    wanted = {"event": "alert.opened", "url": URL}
    assert (await client.post("/subscriptions", json=wanted)).status_code == 401
    assert (await client.post("/subscriptions", json=wanted, headers=by("reader"))).status_code == 403
    first = (await client.post("/subscriptions", json=wanted, headers=by())).json()["id"]
    assert (await client.delete(f"/subscriptions/{first}", headers=by("two"))).status_code == 404
    assert (await client.get("/subscriptions", headers=by("two"))).json()["subscriptions"] == []
    assert [each["id"] for each in (await client.get("/subscriptions", headers=by())).json()["subscriptions"]] == [
        first
    ]
    booked = (await client.post("/subscriptions", json=wanted, headers=by("booked"))).json()["id"]
    await alerts(hub)
    await tell(hub, now=NOW)
    assert {customer for address, _, customer in await told(hub) if booked in address} == {"c007"}
    shown = (await client.get("/subscriptions/samples/alert.opened", headers=by("booked"))).json()
    assert {each["data"]["customer"]["id"] for each in shown} == {"c007"}
    async with hub.reading() as connection:
        rows = (await connection.execute(select(tables.rest_hook))).all()
        stored = (await connection.execute(select(tables.stored_secret))).all()
    assert URL not in f"{rows} {stored}"


async def test_a_revoked_token_and_a_dead_address_end_a_hook(hub: Store, client: httpx.AsyncClient) -> None:
    wanted = {"event": "alert.opened", "url": URL}
    first = (await client.post("/subscriptions", json=wanted, headers=by())).json()["id"]
    second = (await client.post("/subscriptions", json=wanted, headers=by("two"))).json()["id"]
    async with hub.transaction() as connection:
        await connection.execute(update(tables.api_token).where(tables.api_token.c.id == "t1").values(revoked_at=NOW))
    gone = {
        "id": f"webhook:resthook:{second}", "channel": "webhook", "address": f"resthook:{second}", "failures": 1,
        "disabled_at": NOW,
    }  # fmt: skip
    await insert(hub, tables.delivery_endpoint, [gone])
    await alerts(hub)
    assert await tell(hub, now=NOW + timedelta(minutes=1)) == 0
    async with hub.reading() as connection:
        ended = {row.id: row.ended_by for row in await connection.execute(select(tables.rest_hook))}
        assert (await connection.execute(select(tables.stored_secret))).all() == []
    assert ended == {first: "its token opens no more", second: "its address takes nothing any more"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"event": "alert.exploded", "url": URL}, "there are: alert.opened"),
        ({"event": "alert.exploded", "url": "http://10.0.0.1/x"}, "run.ended; the hook is at a private address"),
        ({"event": "alert.opened"}, "the body is a JSON object such as"),
        ([], "the body is a JSON object such as"),
        ({"event": "alert.opened", "url": "http://10.0.0.1/x"}, "private address"),
        ({"event": "alert.opened", "url": "ftp://127.0.0.1/x"}, "must be https"),
    ],
)
async def test_what_is_wrong_is_named(sqlite_store: Store, body: Any, words: str) -> None:
    async def find(_: str) -> Viewer | None:
        return viewer()

    for vault in (VAULT, None):
        made = RestHooks(store=sqlite_store, find_viewer=find, vault=vault, allowed=LOOPBACK, clock=lambda: NOW)
        transport = httpx.ASGITransport(app=Starlette(routes=made.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            refused = await client.post("/subscriptions", json=body, headers=by())
        assert refused.status_code == 400
        said = refused.json()["error"]
        assert words in said
        assert ("set secrets_key" in said) == (vault is None and "JSON object" not in said), "all of it at once"
