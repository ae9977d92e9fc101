"""Who a record belongs to does not depend on when its sync was killed, nor on what other sources decided meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from connectors.kit.base import Page, Window
from hub.identity import IdentityRules, SourceRules, customer_id_for
from hub.store import Store
from hub.store.records import upsert
from hub.store.syncs import Place, declare_sources, put_bookmark
from hub.store.tables import customer, external_id, ticket
from hub.sync import StreamReport, SyncReport, sync
from hub.sync import batches as module
from tests.fakes.clock import START, Clock
from tests.fakes.connector import FakeConnector, company, rows

RULES = IdentityRules(sources={"crm": SourceRules(creates_customers=True)})
ACME = {"id": "1", "name": "Acme", "domain": "acme.example"}


async def run(store: Store, connector: FakeConnector, name: str, *, progress: Any = None) -> SyncReport:
    async with store.transaction() as connection:
        await declare_sources(connection, {name: "fake"})
    return await sync(store, connector.source(name), RULES, clock=Clock(), progress=progress or (lambda *_: None))


async def owners(store: Store) -> dict[str, str | None]:
    async with store.reading() as connection:
        return {
            row.key: row.customer_id for row in await connection.execute(select(ticket.c.key, ticket.c.customer_id))
        }


class Interrupted(FakeConnector):
    """Its second page comes when the first has landed and another source has been synced."""

    def meanwhile(self, landed: asyncio.Event, store: Store) -> None:
        self.landed, self.store = landed, store

    async def _pull(self, name: str, window: Window) -> AsyncIterator[Page]:
        yield Page(rows=rows(1, company="acme.example"))
        await self.landed.wait()
        await run(self.store, FakeConnector({"companies": [Page(rows=[ACME])]}), "crm")
        yield Page(rows=rows(2, company="acme.example"))


async def test_rows_that_land_after_another_source_decided_have_their_customer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGES_PER_BATCH", 1)
    landed = asyncio.Event()
    connector = Interrupted({"tickets": []})
    connector.meanwhile(landed, store)

    def progress(_stream: str, report: StreamReport) -> None:
        if report.pulled:
            landed.set()

    await run(store, connector, "desk", progress=progress)
    acme = customer_id_for("crm", "1")
    assert await owners(store) == {"1": acme, "2": acme}


async def test_customers_of_companies_that_a_killed_sync_landed_have_their_profile(store: Store) -> None:
    [landed] = company(ACME | {"name": "Acme Group"})
    async with store.transaction() as connection:  # what a sync leaves that dies after its last page
        await upsert(connection, [landed], source="crm", now=START)
        await put_bookmark(connection, "crm", "companies", Place({"at": 1}, complete=False), now=START)
    clock = Clock()
    clock.move(minutes=5)
    async with store.transaction() as connection:
        await declare_sources(connection, {"crm": "fake"})
        # as connectors do that know more of a company than the fake one
        await connection.execute(external_id.update().values(segment="smb", csm_email="kim@us.example"))
    await sync(store, FakeConnector({"companies": []}).source("crm"), RULES, clock=clock)
    async with store.reading() as connection:
        row = (await connection.execute(select(customer))).one()
    assert (row.name, row.segment, row.csm_email) == ("Acme Group", "smb", "kim@us.example")
    changed_at = row.updated_at
    clock.move(minutes=5)
    await sync(store, FakeConnector({"companies": []}).source("crm"), RULES, clock=clock)
    async with store.reading() as connection:
        assert (await connection.execute(select(customer.c.updated_at))).scalar_one() == changed_at


async def test_companies_that_come_for_the_first_time_are_new(store: Store) -> None:
    report = await run(store, FakeConnector({"companies": [Page(rows=[ACME])]}), "crm")
    stream = report.streams["companies"]
    assert (stream.new, stream.changed, stream.unchanged) == (1, 0, 0)


async def test_records_have_the_customer_of_a_company_that_a_killed_sync_landed(store: Store) -> None:
    async with store.transaction() as connection:  # landed, and nobody decided whose it is
        await declare_sources(connection, {"crm": "fake"})
        await upsert(connection, list(company(ACME)), source="crm", now=START)
    report = await run(store, FakeConnector({"companies": [], "tickets": [Page(rows=rows(1, company="1"))]}), "crm")
    assert report.resolution.created == 1
    assert await owners(store) == {"1": customer_id_for("crm", "1")}
