"""Writing back to the three vendors that take it, over real HTTP: only what differs, each row answered for, no echo."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from connectors.kit import registry
from connectors.kit.sandbox import Faults
from hub.identity import IdentityRules, SourceRules
from hub.store import Store
from hub.store.syncs import declare_sources
from hub.store.tables import external_id, scorecard, written_value
from hub.sync import Source, SyncReport, sync
from hub.sync.writing import Written, plan_writing, write_back
from tests.connectors.suite import FakeTime
from tests.connectors.worlds import company
from tests.schema.company import insert, scorecard_row

NAMES = {"hubspot": "cshub_{}", "salesforce": "Cshub_{}__c", "zendesk": "cshub_{}"}
FIELDS = ("health", "band", "churn_risk")


@dataclass
class Vendor:
    """A sandbox, a source of it, and what it was given."""

    name: str
    store: Store
    source: Source
    settings: Any
    time: FakeTime
    world: Any
    faults: Faults
    written: dict[str, dict[str, Any]]

    @property
    def fields(self) -> dict[str, str]:
        return {field: NAMES[self.name].format(field) for field in FIELDS}

    async def sync(self) -> SyncReport:
        async with self.store.transaction() as connection:
            await declare_sources(connection, {self.name: self.name})
        rules = IdentityRules(sources={self.name: SourceRules(creates_customers=True)})
        return await sync(self.store, self.source, rules, clock=self.time.clock)

    async def write(self, fields: dict[str, str] | None = None) -> Written:
        write = registry.writing(self.name).write
        return await write_back(
            self.store, self.source, fields or self.fields, write, settings=self.settings, clock=self.time.clock
        )

    async def score(self, **values: Any) -> list[str]:
        """A scorecard for every customer; the keys of their companies."""
        async with self.store.reading() as connection:
            rows = (await connection.execute(select(external_id.c.key, external_id.c.customer_id))).all()
        cards = [scorecard_row(row.customer_id, self.world.until.date(), **values) for row in rows if row.customer_id]
        await insert(self.store, scorecard, cards)
        return sorted(row.key for row in rows if row.customer_id)


@pytest.fixture(params=NAMES)
async def vendor(
    request: pytest.FixtureRequest, serve: Callable[[Any], str], sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> Vendor:
    name, faults, written = request.param, Faults(), dict[str, dict[str, Any]]()
    made: Vendor
    options = {"properties": [NAMES[name].format(field) for field in FIELDS]} if name == "hubspot" else {}
    time = FakeTime(company().until)
    time.rule(monkeypatch)
    sandbox = registry.sandbox(name)(lambda: made.world, token="t0ken-of-it", faults=faults, written=written, **options)
    settings = registry.sandbox_settings(name, serve(sandbox), token="t0ken-of-it")
    source = Source(name=name, connector=registry.build(name, settings), connector_name=name)
    parsed = registry.settings_model(name).model_validate(settings)
    made = Vendor(name, sqlite_store, source, parsed, time, company(), faults, written)
    await made.sync()
    return made


async def test_scores_are_written_once_and_again_when_they_have_changed(vendor: Vendor) -> None:
    keys = await vendor.score(health=0.314, band="warning", churn_risk=0.7249)
    planned = await plan_writing(vendor.store, vendor.name, vendor.fields)
    assert (sorted(each.key for each in planned.changes), vendor.written) == (keys, {})
    done = await vendor.write()
    assert (done.written, done.refused, done.error) == (len(keys), {}, None)
    assert sorted(vendor.written) == keys
    named = vendor.fields
    expected = {named["health"]: 31, named["band"]: "warning", named["churn_risk"]: 72}
    if vendor.name == "hubspot":
        expected = {name: str(value) for name, value in expected.items()}
    assert vendor.written[keys[0]] == expected
    vendor.written.clear()
    again = await vendor.write()
    assert (again.changes, again.unchanged, vendor.written) == ([], len(keys), {})
    async with vendor.store.transaction() as connection:
        first = select(external_id.c.customer_id).where(external_id.c.key == keys[0]).scalar_subquery()
        await connection.execute(
            update(scorecard).where(scorecard.c.customer_id == first).values(health=None, band=None)
        )
    done = await vendor.write()
    assert (done.written, list(vendor.written)) == (1, [keys[0]])
    assert done.changes[0].before[named["health"]] == 31


async def test_what_we_wrote_does_not_come_back_as_a_change(vendor: Vendor) -> None:
    await vendor.score()
    await vendor.write()
    vendor.time.pass_(hours=1)
    vendor.world = replace(  # nothing but the time moves
        vendor.world,
        until=vendor.time.vendor(),
        accounts=[
            replace(each, updated_at=vendor.time.vendor() - timedelta(minutes=20)) for each in vendor.world.accounts
        ],
    )
    report = await vendor.sync()
    companies = next(iter(report.streams.values()))
    assert companies.pulled > 0
    assert (companies.new, companies.changed) == (0, 0)
    assert (await vendor.write()).changes == []


async def test_a_row_the_vendor_refuses_is_told_and_the_others_are_written(vendor: Vendor) -> None:
    keys = await vendor.score()
    gone = 3
    vendor.world = replace(vendor.world, accounts=[each for each in vendor.world.accounts if each.number != gone])
    done = await vendor.write()
    assert (done.written, len(done.refused), done.error) == (len(keys) - 1, 1, None)
    async with vendor.store.reading() as connection:
        rows = (await connection.execute(select(written_value.c.key).where(written_value.c.error.is_not(None)))).all()
    assert [row.key for row in rows] == list(done.refused)
    assert [each.key for each in (await plan_writing(vendor.store, vendor.name, vendor.fields)).changes] == list(
        done.refused
    )


async def test_trouble_on_the_way_and_fields_there_are_not(vendor: Vendor) -> None:
    keys = await vendor.score()
    vendor.faults.rate_limited, vendor.faults.server_errors = 2, 2
    assert (await vendor.write()).written == len(keys)
    if vendor.name != "zendesk":  # which takes whatever it is given
        done = await vendor.write({"health": "nothing_of_this_name"})
        assert (done.written, done.error is None) == (0, False)
        assert "nothing_of_this_name" in (done.error or "")
        assert "t0ken-of-it" not in (done.error or "")
