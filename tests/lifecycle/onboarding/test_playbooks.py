"""The onboarding playbooks that ship, played: what customers and their CSM get, when, and when it stops; on both databases."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from hub.lifecycle.onboarding import cancel, complete, keep_onboardings, start
from hub.lifecycle.onboarding.settings import OnboardingSettings
from hub.model.actions import AlertOutcome, AlertState
from hub.playbooks import PlaybookFolder, load_all
from hub.playbooks.mailing import Mailing, Window
from hub.playbooks.steps import Wait
from hub.resources import CONFIG, TEMPLATES
from hub.settings import load
from hub.store import Store
from hub.store.tables import contact
from tests.playbooks.conftest import Folder, World, entered

SETTINGS = load(CONFIG, environment={"CSHUB_STORE": "sqlite:///nowhere.db"}).lifecycle.onboarding
WELCOME, FIRST = "Welcome! Here is how to get going", "Your first step: Set up your account"
TOGETHER = "Shall we do the first step together?"


class Shipped:
    """The onboarding playbooks of the configuration that ships."""

    def load(self) -> PlaybookFolder:
        whole = load_all(CONFIG / "playbooks", templates=TEMPLATES)
        mine = {name: each for name, each in whole.playbooks.items() if name.startswith("onboarding_")}
        return replace(whole, playbooks=mine)


@dataclass
class Play:
    """A world with the shipped playbooks, and one customer with one contact."""

    world: World
    settings: OnboardingSettings = SETTINGS
    read: int = field(default=0)

    async def customer(self) -> None:
        await self.world.customer("acme", csm_name="Ann Archer", mau=0.0, seats_purchased=20.0)
        now = self.world.clock()
        row: dict[str, Any] = {"id": "crm:1", "source": "crm", "key": "1", "version": 1, "digest": 1}
        times = {"learned_at": now, "synced_at": now}
        async with self.world.store.transaction() as connection:
            own = {"customer_id": "acme", "email": "kim@acme.example", "name": "Kim", "deleted": False}
            await connection.execute(contact.insert(), [{**row, **times, **own}])

    async def start(self) -> None:
        await start(self.world.store, self.settings, "acme", by="ann", now=self.world.clock())
        await self.look()

    async def done(self, *steps: str) -> None:
        for step in steps:
            await complete(self.world.store, self.settings, "acme", step, by="ann", now=self.world.clock())
            await self.look()

    async def look(self) -> None:
        await self.world.playbooks.fire_changes(now=self.world.clock())
        await self.world.settle()

    async def days(self, count: float) -> list[str]:
        """Let time pass, a scoring every six hours; the subjects of what customers were mailed meanwhile."""
        for _ in range(round(count * 4)):
            self.world.clock.move(hours=6)
            now = self.world.clock()
            await keep_onboardings(self.world.store, self.settings, now=now)
            await self.world.playbooks.fire_due(as_of=now.date(), now=now)
            await self.world.settle()
        return self.mailed()

    def mailed(self, to: str = "kim@acme.example") -> list[str]:
        """The subjects that went there since this was asked last."""
        new, self.read = self.world.smtp.taken[self.read :], len(self.world.smtp.taken)
        return [str(each["Subject"]) for each in new if to in str(each["To"])]


@pytest.fixture
async def play(store: Store) -> AsyncIterator[Play]:
    async with entered(store, cast("Folder", Shipped())) as world:
        made = Play(world)
        await made.customer()
        yield made


@pytest.fixture
async def at_work(store: Store) -> AsyncIterator[Play]:
    """The same on a Thursday morning, where customers get mail on working days from 8 to 18."""
    async with entered(store, cast("Folder", Shipped()), mailing=Mailing(window=Window())) as world:
        world.clock.move(days=3, hours=22)
        made = Play(world)
        await made.customer()
        yield made


async def test_welcome_and_reminders_after_one_three_and_seven_days(play: Play) -> None:
    await play.start()
    assert play.mailed() == [WELCOME]
    welcome = play.world.smtp.taken[0].get_body(("plain",))
    assert welcome is not None
    text = welcome.get_content()
    assert "1. Set up your account" in text
    assert "Ann Archer looks after you" in text
    assert await play.days(0.75) == []  # the welcome has been sent, which is our own step
    assert await play.days(0.5) == [FIRST]
    assert await play.days(1.5) == []
    assert await play.days(0.5) == [FIRST]
    assert await play.days(3.5) == []
    assert TOGETHER in await play.days(0.75)
    assert [each for each in await play.days(10) if "first step" in each.lower()] == []


async def test_reminders_stop_when_something_moved(play: Play) -> None:
    await play.start()
    assert await play.days(1.25) == [WELCOME, FIRST]
    await play.done("account_setup")
    assert play.mailed() == ["Done: Set up your account. Next: Invite your team"]
    later = await play.days(5)
    assert FIRST not in later
    assert TOGETHER not in later
    # reminded of the step whose turn it is, after one day and after three
    assert later == ["Next up: Invite your team"] * 2


async def test_reminders_of_a_step_stop_when_it_is_done(play: Play) -> None:
    await play.start()
    assert await play.days(0.5) == [WELCOME]
    await play.done("account_setup")
    assert await play.days(1.25) == [
        "Done: Set up your account. Next: Invite your team",
        "Next up: Invite your team",
    ]
    await play.done("team_invitation")
    assert play.mailed() == ["Done: Invite your team. Next: Put the product to its first real use"]
    assert await play.days(4) == ["Next up: Put the product to its first real use"] * 2


async def test_a_reminder_of_the_weekend_comes_on_monday_and_the_next_counts_from_it(at_work: Play) -> None:
    await at_work.start()
    assert await at_work.days(1.25) == [WELCOME, FIRST]
    assert await at_work.days(2) == []  # the second one was due on Sunday
    assert await at_work.days(1) == [FIRST]
    assert await at_work.days(3.5) == []
    assert await at_work.days(0.5) == [TOGETHER]  # Friday, four days after Monday


async def test_who_begins_on_saturday_is_welcomed_on_monday_and_reminded_the_day_after(at_work: Play) -> None:
    at_work.world.clock.move(days=2)
    await at_work.start()
    assert await at_work.days(1.75) == []
    assert await at_work.days(0.25) == [WELCOME]
    assert await at_work.days(0.75) == []
    assert await at_work.days(0.25) == [FIRST]


async def test_a_reminder_that_waits_for_monday_is_not_sent_when_it_is_done_on_sunday(at_work: Play) -> None:
    await at_work.start()
    assert await at_work.days(3.25) == [WELCOME, FIRST]
    (run,) = [each for each in await at_work.world.runs() if each.playbook == "onboarding_reminders"]
    assert (run.state.value, run.awaits) == ("waiting", "condition")
    await at_work.done("account_setup")
    assert await at_work.days(0.75) == ["Done: Set up your account. Next: Invite your team"]
    (step,) = [each for each in await at_work.world.steps(run.id) if each.state == "skipped"]
    assert step.detail == "not needed: its `unless` holds"


async def test_a_reminder_names_a_step_of_the_customers_even_where_one_of_ours_is_not_noted_yet(play: Play) -> None:
    await play.start()
    play.world.clock.move(days=1, hours=1)  # without a look at what proves that the welcome is done
    await play.world.settle()
    assert play.mailed() == [WELCOME, FIRST]


async def test_nothing_more_is_said_after_it_was_called_off(play: Play) -> None:
    await play.start()
    assert await play.days(0.5) == [WELCOME]
    await cancel(play.world.store, "acme", by="ann", reason="a mistake", now=play.world.clock())
    await play.look()
    assert await play.days(9) == []
    assert {run.state.value for run in await play.world.runs()} == {"done"}


async def test_stalled_is_told_to_the_team_and_ends_when_it_moves(play: Play) -> None:
    await play.start()
    await play.days(8.75)  # account_setup is stalled nine days after its turn came
    assert await play.world.alerts() == []
    mailed = await play.days(0.5)
    assert "Can we help you with: Set up your account?" in mailed
    (task,) = await play.world.alerts()
    assert (task.title, task.owner_email, task.state) == (
        "Get Acme going: stuck at Set up your account", "ann@example.com", AlertState.OPEN,
    )  # fmt: skip
    assert task.reason is not None
    assert task.reason.endswith(
        "Still to do: Set up your account, Invite your team, Put the product to its first real use, Make it part of the week."
    )
    told = [str(each["Subject"]) for each in play.world.smtp.taken if "ann@example.com" in str(each["To"])]
    assert told == ["Acme is stuck at: Set up your account"]
    slack = [each for each in await play.world.deliveries() if each.channel == "slack"]
    assert [each.payload["text"] for each in slack] == [
        "Acme begins its onboarding",
        "Acme is stuck at Set up your account",
    ]
    await play.done("account_setup")
    (task,) = await play.world.alerts()
    assert (task.state, task.outcome) == (AlertState.CLOSED, AlertOutcome.SUCCESS)


async def test_completed_is_congratulated_once_and_failed_is_a_task(play: Play) -> None:
    await play.start()
    await play.days(0.5)
    await play.done("account_setup", "team_invitation", "first_action", "activation")
    mailed = await play.days(8)
    assert mailed[-1] == "You have made it: everything is set up"
    assert mailed.count("You have made it: everything is set up") == 1
    # several steps within half a day are one mail
    assert [each for each in mailed if each.startswith("Done: ")] == [
        "Done: Set up your account. Next: Invite your team"
    ]
    assert await play.world.alerts() == []


async def test_failed_is_a_task_that_ends_with_the_next_attempt(play: Play) -> None:
    play.settings = OnboardingSettings.model_validate(
        {
            "programmes": {
                "default": {
                    "fail_after_days": 3,
                    "steps": {"account_setup": {"title": "Set up your account", "due_days": 30}},
                }
            }
        }
    )
    await play.start()
    await play.days(3.5)
    (task,) = await play.world.alerts()
    assert task.title == "Decide how Acme gets going after all"
    assert task.reason == (
        "Its onboarding failed after 3 days: not completed within 3 days. Not done: Set up your account. "
        "To begin it anew: cshub onboard start acme"
    )
    play.mailed()
    await play.days(5)
    await play.start()
    (task,) = await play.world.alerts()
    assert (task.state, task.outcome) == (AlertState.CLOSED, AlertOutcome.SUCCESS)
    assert play.mailed() == [WELCOME]  # the second attempt is welcomed, too


def test_days_of_the_shipped_waits() -> None:
    """The reminders say when they come: 1, 3 and 7 days after the start, 1 and 3 after a step's turn."""
    found = Shipped().load().playbooks
    for name, days in (("onboarding_reminders", [1, 3, 7]), ("onboarding_step_reminders", [1, 3])):
        waits = [step.settings for step in found[name].steps if isinstance(step.settings, Wait)]
        so_far = timedelta(0)
        assert [(so_far := so_far + each.at_most).days for each in waits if each.at_most] == days
