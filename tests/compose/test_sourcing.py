"""A hub's sources beside their syncs: a webhook over HTTP fetches its row, a pause ends by itself, secrets are kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from connectors.kit import registry
from connectors.kit.errors import DeniedError
from connectors.kit.oauth import Vault as SourceVault
from connectors.kit.sandbox import Faults
from connectors.kit.signing import hmac_base64
from connectors.kit.simulated import Account, Person, SupportTicket, World
from hub.access.vault import Vault, new_key
from hub.compose import Hub
from hub.compose.hooks import hook_routes
from hub.compose.jobs import SYNC
from hub.compose.sourcing import HEED
from hub.compose.vaults import give_vault
from hub.settings import load
from hub.store import Store
from hub.store.source_events import find_inboxes
from hub.store.syncs import pause_source
from hub.store.tables import stored_secret, ticket
from hub.sync import Source
from tests.fakes.clock import Clock
from tests.fakes.durable import FakeDurable
from tests.fakes.serving import serving

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "dGhpcyBpcyBub3QgYSByZWFsIHNlY3JldA=="


class Engine(FakeDurable):
    executor = "test"


def world(tickets: int) -> World:
    opened = NOON - timedelta(days=3)
    acme = Account(
        number=1, name="Acme", domain="acme.example", parent=None, segment="smb", industry="software", country="DE",
        employees=40, csm_name="Ada", csm_email="ada@ourco.example", signed_on=date(2025, 1, 1), updated_at=opened,
        churned_on=None,
    )  # fmt: skip
    nia = Person(
        number=1, account=1, name="Nia", email="nia@acme.example", title="Head", role="champion", created_at=opened,
        updated_at=opened, left_at=None,
    )  # fmt: skip
    some = [
        SupportTicket(
            number=number, account=1, person=1, subject=f"Trouble {number}", severity="normal", status="open",
            created_at=opened, updated_at=opened, first_reply_minutes=30, solved_at=None, reopens=0, replies=2, csat=None,
            csat_comment=None, csat_at=None,
        )
        for number in range(1, tickets + 1)
    ]  # fmt: skip
    return World(
        seed=1, started_on=date(2025, 1, 1), until=NOON, accounts=[acme], people=[nia], events=[], tickets=some, nps=[],
        terms=[], deals=[],
    )  # fmt: skip


class Running:
    def __init__(self, hub: Hub, engine: Engine, clock: Clock, client: httpx.AsyncClient, faults: Faults) -> None:
        self.hub, self.engine, self.clock, self.client, self.faults = hub, engine, clock, client, faults

    async def tell(self, number: int, *, secret: str = SECRET) -> httpx.Response:
        body = orjson.dumps(
            {"type": "zen:event-type:ticket.updated", "id": f"e{number}", "detail": {"id": str(number)}}
        )
        stamp = self.clock().isoformat()
        signature = hmac_base64(secret, stamp.encode() + body)
        headers = {"X-Zendesk-Webhook-Signature": signature, "X-Zendesk-Webhook-Signature-Timestamp": stamp}
        return await self.client.post("/hooks/helpdesk", content=body, headers=headers)

    async def stored(self) -> set[str]:
        async with self.hub.store.reading() as connection:
            return set((await connection.execute(select(ticket.c.key))).scalars())


@asynccontextmanager
async def running(store: Store, folder: Path, *, tickets: int) -> AsyncIterator[Running]:
    clock, faults = Clock(NOON), Faults()
    engine = Engine(clock=clock)
    vendor = registry.sandbox("zendesk")(lambda: world(tickets), token="zt", faults=faults)
    async with serving(vendor) as address:
        given = {**registry.sandbox_settings("zendesk", address, token="zt"), "webhook_secret": SECRET}
        sources = {"sources": {"helpdesk": {"connector": "zendesk", "settings": given}}}
        (folder / "hub.yaml").write_text(f"store: {store.url.render_as_string(hide_password=False)}\n")
        (folder / "sources.yaml").write_text(orjson.dumps(sources).decode())
        async with Hub.open(load(folder, environment={}), clock=clock, engine=engine) as hub, hub.working():
            transport = httpx.ASGITransport(Starlette(routes=hook_routes(hub)))
            async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
                yield Running(hub, engine, clock, client, faults)


async def test_a_webhook_brings_its_row(sqlite_store: Store, tmp_path: Path) -> None:
    async with running(sqlite_store, tmp_path, tickets=120) as place:
        assert (await place.tell(1, secret="wrong")).status_code == 401
        assert (await place.client.get("/hooks/helpdesk")).status_code == 405
        assert (await place.client.post("/hooks/nobody")).status_code == 404
        too_large = await place.client.post("/hooks/helpdesk", content=b"x" * (4 << 20 | 1))
        assert too_large.status_code == 413
        assert await place.stored() == set()
        answers = await asyncio.gather(*(place.tell(number) for number in range(1, 121)))
        assert {answer.status_code for answer in answers} == {200}
        assert await place.stored() == set(), "what a webhook says is not believed, but asked for"
        assert [job.job for job in place.engine.waiting].count(HEED) == 1, "a burst wakes once"
        place.clock.move(seconds=2)
        await place.engine.run()
        assert await place.stored() == {str(number) for number in range(1, 121)}
        async with sqlite_store.reading() as connection:
            inbox = (await find_inboxes(connection))["helpdesk"]
        assert (inbox.pending, inbox.failed) == (0, 0)


async def test_a_paused_source_asks_nothing_and_goes_on_by_itself(sqlite_store: Store, tmp_path: Path) -> None:
    async with running(sqlite_store, tmp_path, tickets=3) as place:
        async with sqlite_store.transaction() as connection:
            await pause_source(connection, "helpdesk", until=NOON + timedelta(hours=3))
        await place.engine.enqueue(SYNC, {"source": "helpdesk"})
        await place.engine.run()
        assert await place.stored() == set()
        place.clock.move(hours=2)
        await place.engine.run()
        assert await place.stored() == set()
        place.clock.move(hours=1, seconds=1)
        await place.engine.run()
        assert await place.stored() == {"1", "2", "3"}
        assert await place.hub.sourcing.paused_until("helpdesk") is None


class Renewing:
    """A connector whose credential renews itself."""

    def __init__(self) -> None:
        self.vault = SourceVault()


def renewing(store: Store, keys: list[str]) -> SourceVault:
    connector: Any = Renewing()
    source = Source(name="crm", connector=connector, connector_name="fake")
    give_vault(source, store=store, vault=Vault.of(keys) if keys else None, clock=Clock(NOON))
    made: SourceVault = connector.vault
    return made


async def test_refresh_tokens_are_kept_sealed(store: Store) -> None:
    key = new_key()
    one = renewing(store, [key])
    assert await one.recall() == {}
    await one.keep({"refresh_token": "r-2", "access_token": "a-2"})
    other = renewing(store, [key])  # of another process
    assert await other.recall() == {"refresh_token": "r-2", "access_token": "a-2"}
    await other.keep({"refresh_token": "r-3"})
    assert await one.recall() == {"refresh_token": "r-3"}
    async with store.reading() as connection:
        [row] = (await connection.execute(select(stored_secret))).all()
    assert (row.name, "r-3" in row.token) == ("oauth-crm", False)
    with pytest.raises(DeniedError, match="cannot be read with this key"):
        await renewing(store, [new_key()]).recall()


async def test_without_a_key_nothing_is_used_up_that_must_be_kept(sqlite_store: Store) -> None:
    vault = renewing(sqlite_store, [])
    await vault.keep({"access_token": "a-1"})
    assert await vault.recall() == {"access_token": "a-1"}
    with pytest.raises(DeniedError, match="set secrets_key") as error:
        await vault.keep({"access_token": "a-2", "refresh_token": "r-2"})
    assert "r-2" not in str(error.value)
