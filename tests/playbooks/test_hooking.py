"""Events that other systems send: believed by their signature, kept before they are answered, fired once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import update
from starlette.applications import Starlette

from hub.delivery.webhook import MAX_BODY, new_secret, signed
from hub.errors import ConfigError, RefusedError
from hub.playbooks.spec import from_definition
from hub.store import hooks
from hub.store.hooks import HookEvent
from hub.store.tables import alert, customer, external_id
from hub.web.hooks import routes
from tests.playbooks.conftest import Folder, World, entered

SECRET, OLD, OTHER = new_secret(), new_secret(), new_secret()
BILLED = """
playbook: billed
version: 1
title: A payment failed
by: {webhook: billing, type: [invoice.failed, invoice.late]}
when: {mrr: {gt: 0}}
rest: 30 days
do:
  - task:
      title: "{{ customer.name }} owes {{ event.data.amount|fixed(0) }} {{ event.data.invoice.number }}{{ event.data.x or '' }}"
examples:
  - {facts: {mrr: 1}, event: {type: invoice.failed, data: {amount: 3, invoice: {number: A1}}}, fires: true}
  - {facts: {mrr: 1}, event: {type: invoice.paid}, fires: false}
  - {facts: {mrr: 0}, event: {type: invoice.failed}, fires: false}
"""


def body(who: Any = "acme", *, kind: str = "invoice.failed", amount: float = 120) -> bytes:
    data = {"customer": who, "amount": amount, "invoice": {"number": "A7"}}
    return orjson.dumps({"type": kind, "timestamp": "2026-11-01T12:00:00Z", "data": data})


@asynccontextmanager
async def listening(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async def take(name: str, event_id: str, payload: Any) -> str | None:
        return (await world.playbooks.hear(name, event_id=event_id, payload=payload)).reason

    app = Starlette(routes=routes({"billing": (SECRET, OLD)}, take=take, clock=world.clock))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
        yield client


DEEP = b'{"a":' * 400 + b"1" + b"}" * 400


async def post(
    client: httpx.AsyncClient,
    world: World,
    content: bytes,
    *,
    id_: str = "evt-1",
    secret: str = SECRET,
    ago: timedelta = timedelta(0),
    to: str = "billing",
) -> httpx.Response:
    headers = signed([secret], id_=id_, at=world.clock() - ago, body=content)
    return await client.post(f"/hooks/{to}", content=content, headers=headers)


async def events(world: World) -> list[HookEvent]:
    async with world.store.reading() as connection:
        return await hooks.find_events(connection)


async def titles(world: World) -> list[str]:
    await world.settle(1)
    return sorted(each.title for each in await world.alerts())


async def test_an_event_fires_once_however_often_it_comes(each_world: World, folder: Folder) -> None:
    folder.playbook(BILLED, "billed")
    async with entered(each_world.store, folder) as world, listening(world) as client:
        await world.customer("acme", mrr=10)
        for secret in (SECRET, OLD, SECRET):
            answer = await post(client, world, body(), secret=secret)
            assert (answer.status_code, answer.json()) == (202, {"accepted": True})
        assert await titles(world) == ["Acme owes 120 A7"]
        (run,) = await world.runs()
        assert (run.cause, run.started_by, run.facts["event"]["type"]) == ("webhook", "hook billing", "invoice.failed")
        assert [(each.state, each.outcome) for each in await events(world)] == [("done", {"billed": "fired"})]
        assert (await post(client, world, body())).status_code == 202
        assert len(await titles(world)) == 1


async def test_what_playbooks_did_with_it_is_kept(each_world: World, folder: Folder) -> None:
    folder.playbook(BILLED, "billed")
    async with entered(each_world.store, folder) as world, listening(world) as client:
        for id_, mrr in (("acme", 1), ("free", 0), ("quiet", 1), ("asleep", 1)):
            await world.customer(id_, mrr=mrr)
        for number, (who, kind) in enumerate(
            [("acme", "invoice.late"), ("acme", "invoice.failed"), ("free", "invoice.failed"), ("quiet", "other")]
        ):
            assert (await post(client, world, body(who, kind=kind), id_=f"e{number}")).status_code == 202
            await world.settle(1)
        assert (await post(client, world, body("asleep"), id_="e4")).status_code == 202
        await world.settle(1)
        async with world.store.transaction() as connection:
            until = {"snoozed_until": world.clock() + timedelta(days=90)}
            await connection.execute(update(alert).where(alert.c.customer_id == "asleep").values(until))
        world.clock.move(days=40)
        await post(client, world, body("asleep"), id_="e5")
        await world.settle(1)
        await world.playbooks.stop("billed", by="ann@example.com", reason="no more")
        await post(client, world, body("acme"), id_="e6")
        await world.settle(1)
        assert {each.event_id: each.outcome for each in await events(world)} == {
            "e0": {"billed": "fired"},
            "e1": {"billed": "rests for this customer"},
            "e2": {"billed": "`when` does not hold"},
            "e3": {},
            "e4": {"billed": "fired"},
            "e5": {"billed": "snoozed for this customer"},
            "e6": {"billed": "stopped"},
        }


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("nobody", "no customer is known as 'nobody'"),
        ({"key": "K1"}, "'K1' could be 2 customers: acme, bolt"),
        ({"source": "crm"}, "it names no customer: `customer` is an id, a domain, a key, or {id}, {domain} or"),
        (None, "it names no customer"),
        (7, "it names no customer"),
    ],
)
async def test_whom_nobody_knows_is_refused_and_kept(each_world: World, folder: Folder, who: Any, reason: str) -> None:
    folder.playbook(BILLED, "billed")
    async with entered(each_world.store, folder) as world, listening(world) as client:
        await companies(world)
        answer = await post(client, world, body(who))
        assert answer.status_code == 422
        assert reason in answer.json()["error"]
        (event,) = await events(world)
        assert (event.state, event.customer_id, event.payload) == ("refused", None, orjson.loads(body(who)))
        assert (await world.runs(), world.durable.waiting) == ([], [])


async def companies(world: World) -> None:
    """acme and bolt, with the key K1 in one source each; acme-old was merged into acme."""
    for id_ in ("acme", "acme-old", "bolt"):
        await world.customer(id_, mrr=1, domain=f"{id_}.example")
    now = world.clock()
    blank = {"version": 1, "digest": 0, "deleted": False, "learned_at": now, "synced_at": now, "state": "matched"}
    keys = [("crm", "K1", "acme"), ("billing", "K1", "bolt"), ("crm", "K2", "acme-old")]
    async with world.store.transaction() as connection:
        rows = [
            {"id": f"{source}:{key}", "source": source, "key": key, "company_key": key, "customer_id": id_, **blank}
            for source, key, id_ in keys
        ]
        await connection.execute(external_id.insert(), rows)
        await connection.execute(update(customer).where(customer.c.id == "acme-old").values(merged_into_id="acme"))


@pytest.mark.parametrize(
    ("who", "customer_id"),
    [
        ("acme", "acme"),
        ("ACME.example", "acme"),
        ("K2", "acme"),
        ({"id": "bolt"}, "bolt"),
        ({"domain": "bolt.example"}, "bolt"),
        ({"source": "billing", "key": "K1"}, "bolt"),
        ("acme-old", "acme"),
    ],
)
async def test_how_a_customer_is_named(each_world: World, folder: Folder, who: Any, customer_id: str) -> None:
    folder.playbook(BILLED, "billed")
    async with entered(each_world.store, folder) as world, listening(world) as client:
        await companies(world)
        assert (await post(client, world, body(who))).status_code == 202
        assert [each.customer_id for each in await events(world)] == [customer_id]


async def test_a_refused_event_is_taken_when_its_customer_is_known(each_world: World, folder: Folder) -> None:
    folder.playbook(BILLED, "billed")
    async with entered(each_world.store, folder) as world, listening(world) as client:
        for number in range(2):
            assert (await post(client, world, body(), id_=f"e{number}")).status_code == 422
        await world.customer("acme", mrr=1)
        assert (await post(client, world, body(), id_="e0")).status_code == 202
        (refused,) = [each for each in await events(world) if each.state == "refused"]
        assert (await world.playbooks.hear_again(refused.id)).state == "accepted"
        assert await titles(world) == ["Acme owes 120 A7"]
        assert [each.outcome for each in await events(world) if each.event_id == "e1"] == [
            {"billed": "rests for this customer"}
        ]
        with pytest.raises(RefusedError, match="the event is done; only a refused one"):
            await world.playbooks.hear_again(refused.id)


async def test_what_a_dead_process_took_the_sweep_fires(each_world: World, folder: Folder) -> None:
    folder.playbook(BILLED, "billed")
    async with entered(each_world.store, folder) as world, listening(world) as client:
        await world.customer("acme", mrr=1)
        await post(client, world, body())
        world.durable.waiting.clear()
        world.clock.move(minutes=3)
        await world.playbooks.sweep(now=world.clock())
        assert await titles(world) == ["Acme owes 120 A7"]


async def test_what_is_not_signed_is_not_kept(world: World, folder: Folder) -> None:
    folder.playbook(BILLED, "billed")
    async with entered(world.store, folder) as deaf, listening(deaf) as client:
        await deaf.customer("acme", mrr=1)
        bad = [
            await post(client, deaf, body(), secret=OTHER),
            await post(client, deaf, body(), ago=timedelta(minutes=6)),
            await post(client, deaf, body(), ago=timedelta(minutes=-6)),
            await post(client, deaf, body(), id_="a.b"),
            await client.post("/hooks/billing", content=body()),
            await client.post(
                "/hooks/billing",
                content=body(amount=1),
                headers=signed([SECRET], id_="e", at=deaf.clock(), body=body(amount=2)),
            ),
        ]
        assert {each.status_code for each in bad} == {401}
        assert (await post(client, deaf, body(), to="crm")).status_code == 404
        assert (await post(client, deaf, b"x" * (MAX_BODY + 1))).status_code == 413
        assert [(await post(client, deaf, each)).status_code for each in (b"[]", b"{", DEEP)] == [400] * 3
        no_text = await client.post(
            "/hooks/billing", content=b"\xff", headers=signed([SECRET], id_="e", at=deaf.clock(), body=b"{}")
        )
        assert no_text.status_code == 401
        assert (await post(client, deaf, body(), id_="e" * 301)).status_code == 400
        assert (await events(deaf), await deaf.runs()) == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("webhook: billing", "webhook: Bil ling", "by.webhook: 'Bil ling' must be a name under `hooks`"),
        ("[invoice.failed, invoice.late]", "3", "by.type: must be a text or a list of them"),
        ("type: [invoice", "kind: [invoice", "by.kind: is not a setting here"),
        ("event.data.invoice.number", "event.data.bill.number", "'None' has no attribute 'number'"),
        ("type: invoice.paid}", "type: invoice.late}", "says fires: false, but `by` and `when` say otherwise"),
    ],
)
def test_faults(folder: Folder, old: str, new: str, fault: str) -> None:
    assert old in BILLED
    folder.playbook(BILLED.replace(old, new), "billed")
    with pytest.raises(ConfigError) as caught:
        folder.load()
    assert fault in str(caught.value)


def test_a_definition_comes_back_as_the_playbook_it_was(folder: Folder) -> None:
    folder.playbook(BILLED, "billed")
    playbook = folder.load().playbooks["billed"]
    assert from_definition(playbook.definition) == playbook
