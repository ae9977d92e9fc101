"""The playbooks that ship, played: promoters are asked once in half a year for one thing, detractors are called next day."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from hub.lifecycle.advocacy import keep_advocacy
from hub.playbooks import PlaybookFolder, load_all
from hub.resources import CONFIG, TEMPLATES
from hub.store import Store
from hub.store.lifecycle import write_lifecycles
from hub.store.tables import contact, survey_response
from tests.lifecycle.advocacy.conftest import SETTINGS
from tests.playbooks.conftest import Folder, World, entered
from tests.schema.company import insert, record

FRIDAY = datetime(2026, 11, 20, 10, tzinfo=UTC)
CASE_STUDY, REFERRAL = "Would you tell your story?", "Whom else could we help?"


class Shipped:
    def load(self) -> PlaybookFolder:
        whole = load_all(CONFIG / "playbooks", templates=TEMPLATES)
        mine = {name: whole.playbooks[name] for name in ("advocacy_ask", "nps_detractor")}
        return replace(whole, playbooks=mine)


@dataclass
class Play:
    """A world with the two playbooks, and one customer with one contact."""

    world: World
    answers: int = 0

    async def begin(self) -> None:
        self.world.clock.now = FRIDAY
        await self.world.customer("acme", day=FRIDAY.date() - timedelta(days=1), health=0.8, band="healthy")
        await insert(self.world.store, contact, [record("crm", "kim", "acme", email="kim@acme.example", name="Kim")])

    async def answer(self, score: float) -> None:
        self.answers += 1
        at = self.world.clock()
        given = {
            "type": "nps",
            "scale": "0-10",
            "score": score,
            "respondent_email": "kim@acme.example",
            "responded_at": at,
        }
        await insert(self.world.store, survey_response, [record("tool", str(self.answers), "acme", **given)])

    async def look(self, off: int = 0, *, last: float, age: float = 0, **card: Any) -> None:
        """A scoring so many days later, with the facts it would bring."""
        self.world.clock.now = FRIDAY + timedelta(days=off)
        today = self.world.clock.now.date()
        facts = {"nps_last": last, "nps_age_days": age}
        await self.world.scorecard("acme", today, **{"health": 0.8, "band": "healthy", **card}, facts=facts)
        await keep_advocacy(self.world.store, SETTINGS, now=self.world.clock())
        await self.world.playbooks.fire_due(as_of=today, now=self.world.clock())
        await self.world.settle(8)

    async def approve(self, number: int = -1) -> None:
        run = sorted(await self.world.runs(), key=lambda run: run.started_at)[number]
        await self.world.playbooks.approve(run.id, approved=True, by="ann")
        await self.world.settle(8)

    async def tasks(self) -> list[str]:
        return sorted(each.title for each in await self.world.alerts() if each.title.startswith(("Ask ", "Call ")))

    def said(self) -> list[str]:
        return [str(each["text"]) for each in self.world.slack.received]

    def mailed(self) -> list[str]:
        """The subjects of what the contact got."""
        return [str(each["Subject"]) for each in self.world.smtp.taken if "kim@acme.example" in str(each["To"])]


@pytest.fixture
async def play(store: Store) -> AsyncIterator[Play]:
    async with entered(store, cast("Folder", Shipped())) as world:
        made = Play(world)
        await made.begin()
        yield made


@pytest.mark.parametrize(
    ("score", "task", "mail"),
    [
        (10, "Ask Acme for a case study", CASE_STUDY),
        (9, "Ask Acme for a case study", CASE_STUDY),
        (8, "Ask Acme for a referral", REFERRAL),
    ],
)
async def test_a_promoter_is_asked_for_one_thing_behind_an_approval(
    play: Play, score: float, task: str, mail: str
) -> None:
    await play.answer(score)
    await play.look(last=score)
    await play.look(1, last=score, age=1)
    assert await play.tasks() == [task]
    assert play.said() == [f"Acme would recommend us: {task[0].lower()}{task[1:].replace('Acme ', '')}?"]
    assert play.mailed() == [], "nothing before somebody has approved it"
    await play.approve()
    assert play.mailed() == [mail]


async def test_never_twice_within_half_a_year_over_both_asks(play: Play) -> None:
    await play.answer(8)
    await play.look(last=8)
    await play.approve()
    assert play.mailed() == [REFERRAL]
    for off in (10, 90, 179):
        play.world.clock.now = FRIDAY + timedelta(days=off)
        await play.answer(10)
        await play.look(off, last=10)
    assert (await play.tasks(), len(await play.world.runs())) == (["Ask Acme for a referral"], 1)
    await play.look(181, last=10, age=2)
    await play.approve()
    assert play.mailed() == [REFERRAL, CASE_STUDY]
    assert await play.tasks() == ["Ask Acme for a case study", "Ask Acme for a referral"]


async def test_a_passive_is_asked_for_nothing(play: Play) -> None:
    await play.answer(7)
    await play.look(last=7)
    assert (await play.world.runs(), play.said()) == ([], [])


@pytest.mark.parametrize(
    "trouble", [{"band": "critical"}, {"band": "warning"}, {"watch": "warning"}, {"watch": "critical"}]
)
async def test_nor_is_a_customer_in_warning_or_critical(play: Play, trouble: dict[str, str]) -> None:
    await play.answer(10)
    if "watch" in trouble:
        async with play.world.store.transaction() as connection:
            await write_lifecycles(connection, {"acme": {"watch_level": trouble["watch"]}}, now=FRIDAY)
    await play.look(last=10, band=trouble.get("band", "healthy"))
    assert (await play.world.runs(), play.said(), play.mailed()) == ([], [], [])


async def test_what_turned_bad_before_the_approval_sends_nothing(play: Play) -> None:
    await play.answer(10)
    await play.look(last=10)
    await play.look(1, last=10, age=1, band="critical", health=0.2)
    await play.approve()
    assert play.mailed() == []


async def test_a_detractor_gets_a_call_on_the_next_business_day(play: Play) -> None:
    await play.answer(3)
    await play.look(last=3, band="critical", health=0.2)
    (task,) = [each for each in await play.world.alerts() if each.kind == "task"]
    assert (task.title, task.owner_email) == ("Call Acme about their NPS answer of 3", "ann@example.com")
    assert task.due_on == date(2026, 11, 23), "Monday after a Friday"
    assert play.said() == ["Acme answered NPS with 3"]
    assert [each.address for each in await play.world.deliveries() if each.channel == "slack"] == ["#cs-feedback"]
    assert play.mailed() == [], "the customer hears from a person"
    await play.look(3, last=3, age=3)
    await play.look(59, last=2, age=0)
    assert len(await play.tasks()) == 1, "it rests for 60 days"
