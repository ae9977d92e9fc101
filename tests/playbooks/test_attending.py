"""Playbooks under the attention budget: from a firing to what people get, and when."""

from datetime import UTC, date, datetime, timedelta

from hub.attention import Attention, Rules
from hub.attention.digest import Digests
from hub.attention.snoozing import snooze, unsnooze
from hub.delivery import Renderer
from hub.model.actions import AlertState, DeliveryState
from hub.model.team import Hours, Member, Team
from hub.playbooks.advance import CLOSED_BEFORE
from hub.resources import TEMPLATES
from hub.store.inbox import find_withheld
from hub.store.lifecycle import write_lifecycles
from tests.fakes.clock import START
from tests.playbooks.conftest import TODAY, Folder, World, entered

# START is a Sunday noon in UTC
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
ANN = "ann@example.com"
TEAM = Team(members={ANN: Member(email=ANN, hours=Hours(holidays=frozenset({date(2026, 11, 4)})))})
PLAYBOOK = """
playbook: {name}
version: 1
title: {name}
reason: churn
severity: {severity}
when: {{health: {{lt: 0.5}}}}
rest: 30 days
examples: [{{facts: {{health: 0.4}}, fires: true}}, {{facts: {{health: 0.5}}, fires: false}}]
do:
  - slack: {{channel: "#alerts", template: note}}
  - email: {{to: csm, template: note}}
  - task: {{title: "Call {{{{ customer.name }}}}", severity: {severity}, due: 2 business days}}
"""


def playbook(name: str, *, severity: str = "normal") -> str:
    return PLAYBOOK.format(name=name, severity=severity)


async def fire(world: World) -> None:
    await world.playbooks.fire_due(as_of=TODAY, now=world.clock())
    await world.settle(5)


async def test_a_mail_of_sunday_comes_on_monday_and_the_channel_hears_at_once(
    each_world: World, folder: Folder
) -> None:
    folder.playbook(playbook("save"))
    async with entered(each_world.store, folder, attention=Attention(Rules(), TEAM), team=TEAM) as world:
        await world.customer("acme", health=0.4)
        await fire(world)
        assert len(world.slack.posted) == 1
        assert world.smtp.taken == []
        (run,) = await world.runs()
        steps = {each.action: each.detail for each in await world.steps(run.id)}
        assert steps["slack"] == "to #alerts"
        assert steps["email"] == ("to ann@example.com; it waits for the CSM's working hours: 2026-11-02 09:00 UTC")
        (task,) = await world.alerts()
        assert task.due_on == date(2026, 11, 3), "Monday and Tuesday"
        world.clock.now = MONDAY - timedelta(seconds=10)
        await world.settle(5)
        assert world.smtp.taken == []
        world.clock.now = MONDAY
        await world.settle(5)
        assert len(world.smtp.taken) == 1
        assert {each.state for each in await world.deliveries()} == {DeliveryState.CONFIRMED}


async def test_what_is_over_before_monday_is_not_told_on_monday(each_world: World, folder: Folder) -> None:
    wait = "  - wait: {until: {health: {gte: 0.5}}, at_most: 30 days}\n  - close: success\n"
    folder.playbook(playbook("save") + wait)
    folder.playbook(playbook("whisper", severity="low").replace("reason: churn", "reason: other") + wait, "whisper")
    async with entered(each_world.store, folder, attention=Attention(Rules(), TEAM), team=TEAM) as world:
        for name in ("acme", "bolt"):
            await world.customer(name, health=0.4)
        await fire(world)
        await world.scorecard("acme", TODAY + timedelta(days=1), health=0.6)
        await fire(world)
        mails = [each for each in await world.deliveries() if each.channel == "email"]
        assert {(each.customer_id, each.state) for each in mails if each.error == CLOSED_BEFORE} == {
            ("acme", DeliveryState.SUPPRESSED)
        }
        assert sorted(each.state for each in mails if each.customer_id == "acme") == [DeliveryState.SUPPRESSED] * 2
        world.clock.now = MONDAY
        await world.settle(5)
        assert [str(each["Subject"]) for each in world.smtp.taken] == ["Bolt needs you"]


async def test_business_days_are_those_of_the_owner(world: World, folder: Folder) -> None:
    folder.playbook(playbook("save"))
    async with entered(world.store, folder, team=TEAM) as made:
        made.clock.now = START + timedelta(days=2)  # Tuesday; Wednesday is Ann's holiday
        await made.customer("acme", health=0.4)
        await made.playbooks.fire_due(as_of=TODAY, now=made.clock())
        await made.settle(2)
        assert [each.due_on for each in await made.alerts()] == [date(2026, 11, 6)]


async def test_two_playbooks_of_a_reason_are_one_message_and_one_task(each_world: World, folder: Folder) -> None:
    folder.playbook(playbook("save"))
    folder.playbook(playbook("alarm", severity="high"), name="alarm")
    async with entered(each_world.store, folder, attention=Attention(Rules(hours=False), TEAM)) as world:
        await world.customer("acme", health=0.4)
        await fire(world)
        told = {each.id: each.playbook for each in await world.runs()}
        became = {
            (told[str(each.run_id)], each.channel): (each.state.value, each.held) for each in await world.deliveries()
        }
        assert became == {
            ("alarm", "slack"): ("confirmed", None),
            ("alarm", "email"): ("confirmed", None),
            ("save", "slack"): ("suppressed", "merged"),
            ("save", "email"): ("suppressed", "merged"),
        }
        assert (len(world.slack.posted), len(world.smtp.taken)) == (1, 1)
        (task,) = await world.alerts()
        assert (told[str(task.run_id)], task.severity, task.reason_key) == ("alarm", "high", "churn")
        async with each_world.store.reading() as connection:
            withheld = await find_withheld(connection, book=None, limit=10)
        assert [each.by for each in withheld if each.what == "task"] == [task.id]
        (joined,) = [id_ for id_, name in told.items() if name == "save"]
        steps = {each.action: each.detail for each in await world.steps(joined)}
        assert steps["task"] == f"Call Acme (ann@example.com); joined {task.id} of alarm, about the same (churn)"


async def test_a_snoozed_reason_does_not_fire_unless_the_watch_says_critical(each_world: World, folder: Folder) -> None:
    folder.playbook(playbook("save"))
    async with entered(each_world.store, folder, attention=Attention(Rules(), TEAM)) as world:
        for id_ in ("acme", "bolt"):
            await world.customer(id_, health=0.4)
        made = await snooze(
            world.store, "acme", reason="churn", until=START + timedelta(days=9), by=ANN, now=world.clock()
        )
        await fire(world)
        assert [each.customer_id for each in await world.runs()] == ["bolt"]
        async with world.store.transaction() as connection:
            await write_lifecycles(connection, {"acme": {"watch_level": "critical"}}, now=world.clock())
        await fire(world)
        (run,) = [each for each in await world.runs() if each.customer_id == "acme"]
        mails = [each for each in await world.deliveries() if each.run_id == run.id]
        assert {(each.severity, each.state.value) for each in mails} == {("urgent", "confirmed")}
        (task,) = [each for each in await world.alerts() if each.customer_id == "acme"]
        assert (task.severity, task.state) == ("urgent", AlertState.OPEN)
        await unsnooze(world.store, made.id, by=ANN, now=world.clock())


async def test_a_snooze_that_is_over_lets_the_playbook_fire_at_once(world: World, folder: Folder) -> None:
    folder.playbook(playbook("save"))
    async with entered(world.store, folder, attention=Attention(Rules(), TEAM)) as made:
        await made.customer("acme", health=0.4)
        await snooze(made.store, "acme", reason="*", until=START + timedelta(hours=1), by=ANN, now=made.clock())
        await fire(made)
        assert await made.runs() == []
        made.clock.now = START + timedelta(hours=1)
        await fire(made)
        assert len(await made.runs()) == 1, "it did not rest meanwhile"


async def test_what_is_held_is_told_once_in_the_digest(each_world: World, folder: Folder) -> None:
    folder.playbook(playbook("save", severity="low"))
    attention = Attention(Rules(), TEAM)
    async with entered(each_world.store, folder, attention=attention) as world:
        for id_ in ("acme", "bolt"):
            await world.customer(id_, health=0.4)
        await fire(world)
        assert world.smtp.taken == []
        digests = Digests(attention, Renderer(TEMPLATES), channels=world.channels.keys(), hub_url="https://hub.example")
        for _ in range(3):
            await digests.make(world.store, now=MONDAY)
        world.clock.now = MONDAY
        await world.playbooks.sweep(now=world.clock())
        await world.settle(5)
        (mail,) = world.smtp.taken
        assert mail["Subject"] == "2 updates about 2 of your customers"


async def test_without_a_budget_everything_goes_out_at_once(world: World, folder: Folder) -> None:
    folder.playbook(playbook("save", severity="low"))
    async with entered(world.store, folder) as made:
        await made.customer("acme", health=0.4)
        await fire(made)
        assert len(made.smtp.taken) == 1
        assert {each.held for each in await made.deliveries()} == {None}
