"""What the playbooks that ship make of renewals: reminders that end, urgent calls, post-mortems; none of what is automatic."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.lifecycle.renewal import state_renewal
from hub.model.actions import AlertOutcome, RunState
from hub.resources import CONFIG, TEMPLATES
from hub.store import Store
from hub.store.tables import contact, customer
from tests.lifecycle.renewal.conftest import NOW, Renewals, day
from tests.playbooks.conftest import Folder, World, entered
from tests.schema.company import insert, record

OURS = ("renewal_auto", "renewal_churned", "renewal_offer", "renewal_overdue", "renewal_reminders")


@dataclass
class Acted:
    """Renewals that are kept day by day, and acted on."""

    world: World
    renewals: Renewals

    async def begin(self, *ids: str) -> None:
        self.world.clock.now = NOW
        for id_ in ids:
            await self.world.customer(id_, day=day(-1), health=0.8, band="healthy")
            person = {"email": f"boss@{id_}.example", "name": "Boss"}
            await insert(self.renewals.store, contact, [record("crm", f"boss-{id_}", id_, **person)])

    async def on(self, *days: int, **columns: Any) -> None:
        """So many days after the first: scored, kept, fired."""
        for off in days:
            self.world.clock.now = NOW + timedelta(days=off)
            today = self.world.clock.now.date()
            async with self.renewals.store.reading() as connection:
                ids = [row.id for row in await connection.execute(select(customer.c.id).order_by(customer.c.id))]
            for id_ in ids:
                await self.world.scorecard(id_, today, **{"health": 0.8, "band": "healthy", **columns})
            await self.renewals.keep(days=off)
            await self.world.playbooks.fire_due(as_of=today, now=self.world.clock.now)
            await self.world.settle(8)

    def said(self) -> list[str]:
        return [str(each["text"]) for each in self.world.slack.received]

    def mailed(self) -> list[str]:
        return [recipient for _, recipients in self.world.smtp.envelopes for recipient in recipients]

    async def calls(self) -> list[tuple[str, str, str]]:
        return sorted((each.title, each.severity, each.state.value) for each in await self.world.alerts())

    async def states(self, playbook: str) -> list[RunState]:
        return [run.state for run in await self.world.runs() if run.playbook == playbook]


@pytest.fixture
async def acted(store: Store, tmp_path: Path) -> AsyncIterator[Acted]:
    folder = Folder(tmp_path / "config")
    (folder.root / "playbooks").mkdir(parents=True)
    for name in OURS:
        shutil.copy(CONFIG / "playbooks" / f"{name}.yaml", folder.root / "playbooks")
    shutil.copytree(TEMPLATES, folder.root / "templates")
    async with entered(store, folder) as world:
        yield Acted(world, Renewals(store))


def away(days: int) -> str:
    return f"The renewal of Acme is due in {days} days: 1,200 USD a year"


async def test_reminded_at_90_60_30_and_7_days(acted: Acted) -> None:
    await acted.begin("acme")
    await acted.renewals.term("1", "acme", 91)
    await acted.on(0)
    assert acted.said() == []
    await acted.on(1, 2, 20)
    assert acted.said() == [away(90)]
    assert acted.mailed() == ["ann@example.com"]
    await acted.on(31, 32, 33)
    assert acted.said() == [away(90), away(60)]
    agree, write = (
        ("Agree the renewal terms with Acme", "normal"),
        ("Write to Acme about the renewal on 21 February 2027?", "high"),
    )
    assert await acted.calls() == [(*agree, "open"), (*write, "open")]
    await acted.on(61, 62, 83, 84, 85)
    assert acted.said() == [away(90), away(60), away(30), away(7)]
    assert acted.mailed() == ["ann@example.com"] * 4, "the customer hears nothing that nobody approved"
    await acted.renewals.deal("d", "acme", "won", 86, 1300)
    await acted.on(86)
    assert await acted.calls() == [(*agree, "closed"), (*write, "closed")]
    (task,) = [each for each in await acted.world.alerts() if each.title == agree[0]]
    assert task.outcome is AlertOutcome.SUCCESS
    assert await acted.states("renewal_reminders") == [RunState.DONE]
    await acted.on(90, 95)
    assert len(acted.said()) == 4


@pytest.mark.parametrize(("due", "days"), [(45, [45, 30, 7]), (20, [20, 7]), (5, [5])])
async def test_first_seen_late_gets_what_is_still_to_come(acted: Acted, due: int, days: list[int]) -> None:
    await acted.begin("acme")
    await acted.renewals.term("1", "acme", due)
    await acted.on(*sorted({*range(0, due + 1, 5), *(off for off in (due - 30, due - 7) if off > 0)}))
    assert acted.said() == [away(each) for each in days]


async def test_it_ends_when_the_renewal_is_decided(acted: Acted) -> None:
    await acted.begin("acme")
    await acted.renewals.term("1", "acme", 85)
    await acted.on(0)
    await state_renewal(
        acted.renewals.store,
        acted.renewals.settings,
        f"acme:{day(85)}:USD",
        status="renewed",
        reason="paper",
        by="ann",
        now=NOW,
    )
    await acted.on(1, 26, 56, 79)
    assert acted.said() == [away(85)]
    assert await acted.states("renewal_reminders") == [RunState.DONE]
    assert await acted.calls() == []


async def test_the_customer_is_written_to_once_somebody_approved(acted: Acted) -> None:
    await acted.begin("acme")
    await acted.renewals.term("1", "acme", 60)
    await acted.on(0)
    (run,) = [each for each in await acted.world.runs() if each.playbook == "renewal_offer"]
    assert "boss@acme.example" not in acted.mailed()
    await acted.world.playbooks.approve(run.id, approved=True, by="ann")
    await acted.world.settle(8)
    assert acted.mailed().count("boss@acme.example") == 1


async def test_what_renews_by_itself_is_not_asked_for(acted: Acted) -> None:
    await acted.begin("acme")
    await acted.renewals.term("1", "acme", 90, auto_renew=True)
    await acted.on(*range(0, 95, 5))
    assert (acted.said(), acted.mailed(), await acted.calls()) == ([], [], [])
    assert await acted.renewals.statuses() == {f"acme:{day(90)}:USD": "due"}


async def test_what_renews_by_itself_at_risk_is_watched_until_notice_is_over(acted: Acted) -> None:
    await acted.begin("acme")
    await acted.renewals.term("1", "acme", 90, auto_renew=True)
    await acted.on(0)
    await acted.on(1, health=0.4, band="warning")
    assert acted.said() == [
        "Acme renews by itself on 20 February 2027, and is at risk: notice is possible until 21 January 2027"
    ]
    assert await acted.calls() == [("Speak with Acme before 21 January 2027", "normal", "open")]
    assert acted.mailed() == []
    await acted.on(91)
    assert await acted.calls() == [("Speak with Acme before 21 January 2027", "normal", "closed")]


async def test_overdue_is_urgent_and_closed_when_decided(acted: Acted) -> None:
    await acted.begin("acme")
    await acted.renewals.term("1", "acme", 0)
    await acted.on(0, 1, 2)
    assert acted.said()[1:] == ["The renewal of Acme is overdue: 1,200 USD a year"]
    task = ("Overdue: get the renewal of Acme decided", "urgent")
    assert await acted.calls() == [(*task, "open")]
    await acted.renewals.deal("d", "acme", "lost", 3)
    await acted.on(3)
    assert await acted.calls() == [
        (*task, "closed"),
        ("Post-mortem: why Acme does not renew", "normal", "open"),
    ]
    assert acted.said()[2:] == ["Acme does not renew: 1,200 USD a year"]


async def test_what_was_lost_before_the_hub_knew_of_it_is_left_alone(acted: Acted) -> None:
    await acted.begin("acme", "bolt")
    await acted.renewals.term("1", "acme", -200, end=-200)
    await acted.renewals.term("2", "bolt", -31, end=-31)
    await acted.on(0)
    assert acted.said() == ["Bolt does not renew: 1,200 USD a year"]
