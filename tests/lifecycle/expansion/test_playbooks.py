"""What the playbook that ships makes of an opportunity: numbers for the CSM, an offer that waits, none to the unhealthy."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.lifecycle.expansion import state_opportunity
from hub.resources import CONFIG, TEMPLATES
from hub.store import Store
from hub.store.tables import contact
from tests.lifecycle.expansion.conftest import FULL, NOW, Company
from tests.playbooks.conftest import Folder, World, entered
from tests.schema.company import insert, record


@dataclass
class Acted:
    world: World
    company: Company

    async def begin(self, **card: Any) -> None:
        self.world.clock.now = NOW
        await self.world.customer("acme", day=NOW.date() - timedelta(days=1), **card)
        await insert(
            self.company.store, contact, [record("crm", "boss", "acme", email="boss@acme.example", name="Boss")]
        )

    async def on(self, off: int, *, facts: dict[str, Any] = FULL, **card: Any) -> None:
        self.world.clock.now = NOW + timedelta(days=off)
        today = self.world.clock.now.date()
        await self.world.scorecard("acme", today, **{"health": 0.8, "band": "healthy", **card}, facts=facts)
        await self.company.keep(off)
        await self.world.playbooks.fire_due(as_of=today, now=self.world.clock.now)
        await self.world.settle(8)

    def said(self) -> list[str]:
        return [str(each["text"]) for each in self.world.slack.received]

    def mailed(self) -> list[str]:
        return [recipient for _, recipients in self.world.smtp.envelopes for recipient in recipients]


@pytest.fixture
async def acted(store: Store, tmp_path: Path) -> AsyncIterator[Acted]:
    folder = Folder(tmp_path / "config")
    (folder.root / "playbooks").mkdir(parents=True)
    shutil.copy(CONFIG / "playbooks" / "expansion_offer.yaml", folder.root / "playbooks")
    shutil.copytree(TEMPLATES, folder.root / "templates")
    async with entered(store, folder) as world:
        yield Acted(world, Company(store))


async def test_the_csm_gets_the_numbers_and_the_customer_nothing_unapproved(acted: Acted) -> None:
    await acted.begin()
    await acted.on(0)
    await acted.on(1)
    assert acted.said() == ["More seats for Acme: 840 a year expected"]
    assert "seat utilisation: 95 %" in str(acted.world.slack.received[0])
    (task,) = [each for each in await acted.world.alerts() if each.title.startswith("More seats")]
    assert task.title == "More seats for Acme: 840 a year expected"
    assert task.reason == "seat utilisation: 95 %; people active in 28 days: 95. Worth 1,680 a year if won, at 50 %."
    assert acted.mailed() == []
    (run,) = await acted.world.runs()
    await acted.world.playbooks.approve(run.id, approved=True, by="ann")
    await acted.world.settle(8)
    assert acted.mailed() == ["boss@acme.example"]


async def test_closed_when_it_is_won(acted: Acted) -> None:
    await acted.begin()
    await acted.on(0)
    (run,) = await acted.world.runs()
    await acted.world.playbooks.approve(run.id, approved=True, by="ann")
    await acted.world.settle(8)
    (row,) = await acted.company.rows()
    await state_opportunity(acted.company.store, row["id"], state="won", by="ann", now=acted.world.clock())
    await acted.on(1)
    (task,) = [each for each in await acted.world.alerts() if each.title.startswith("More seats")]
    assert (task.state, task.outcome) == ("closed", "success")


@pytest.mark.parametrize("band", ["warning", "critical"])
async def test_nothing_for_customers_in_warning_or_critical(acted: Acted, band: str) -> None:
    await acted.begin()
    await acted.on(0, band=band, health=0.2)
    assert (acted.said(), acted.mailed(), await acted.world.alerts(), await acted.world.runs()) == ([], [], [], [])


async def test_nor_by_the_watch_nor_where_it_turned_before_the_answer(acted: Acted) -> None:
    await acted.begin()
    await acted.company.stands("acme", watch_level="critical")
    await acted.on(0)
    assert acted.said() == []
    await acted.company.stands("acme", watch_level="clear")
    await acted.on(1)
    assert len(acted.said()) == 1
    await acted.on(2, band="critical", health=0.2)
    (run,) = await acted.world.runs()
    await acted.world.playbooks.approve(run.id, approved=True, by="ann")
    await acted.world.settle(8)
    assert acted.mailed() == []
