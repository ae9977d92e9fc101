"""What sets a playbook off, on both databases."""

from datetime import date, timedelta

import pytest

from hub.errors import ConfigError
from hub.model.records import Ticket
from hub.playbooks import FireReport
from hub.playbooks.spec import from_definition
from hub.store import runs
from hub.store.lifecycle import write_lifecycles
from hub.store.records import upsert
from hub.store.tables import customer, playbook_run, ticket
from tests.fakes.clock import START
from tests.playbooks.conftest import TODAY, Folder, World, entered

BODY = """
playbook: save
version: 1
title: Save
rest: REST
by: BY
WHEN
do: [{task: {title: "TITLE"}}]
examples: [EXAMPLES]
"""


def written(by: str, examples: str, *, when: str = "", rest: str = "30 days", title: str = "Call") -> str:
    text = BODY.replace("BY", by).replace("REST", rest).replace("TITLE", title).replace("EXAMPLES", examples)
    return text.replace("WHEN", f"when: {when}" if when else "")


async def fire(world: World, day: date = TODAY) -> list[str]:
    """Who it newly fires for."""
    before = {run.id for run in await world.runs()}
    await world.playbooks.fire_due(as_of=day, now=world.clock())
    return sorted(run.customer_id for run in await world.runs() if run.id not in before)


FALLS = written(
    "{threshold: {health: {falls_below: 0.5}}}",
    "{facts: {health: 0.4, band: warning}, before: {health: 0.5}, fires: true}, "
    "{facts: {health: 0.4, band: warning}, before: {health: 0.4}, fires: false}",
    when="{band: {ne: healthy}}",
)


async def test_a_threshold_is_crossed_between_two_scorecards(each_world: World, folder: Folder) -> None:
    folder.playbook(FALLS)
    async with entered(each_world.store, folder) as world:
        yesterday = TODAY - timedelta(days=1)
        before = {"fell": 0.5, "stays": 0.49, "above": 0.9, "unknown": None, "healthy": 0.6}
        now = {"fell": 0.49, "stays": 0.4, "above": 0.5, "unknown": 0.4, "healthy": 0.4}
        for id_, health in before.items():
            await world.customer(id_, health=health, day=yesterday)
            band = "healthy" if id_ == "healthy" else "warning"
            await world.scorecard(id_, health=now[id_], band=band)
        await world.customer("new", health=0.1, band="warning")
        assert await fire(world) == ["fell"]
        assert await fire(world) == []
        assert [run.cause for run in await world.runs()] == ["threshold"]


async def test_a_number_of_the_facts_may_cross_upwards(each_world: World, folder: Folder) -> None:
    examples = "{facts: {mau: 11}, before: {mau: 10}, fires: true}, {facts: {mau: 11}, fires: false}"
    folder.playbook(written("{threshold: {mau: {rises_above: 10}}}", examples))
    async with entered(each_world.store, folder) as world:
        for id_, was, is_ in (("up", 10, 11), ("was", 11, 12), ("down", 12, 9)):
            await world.customer(id_, day=TODAY - timedelta(days=20), mau=was)
            await world.scorecard(id_, facts={"mau": is_})
        assert await fire(world) == ["up"]


async def test_a_day_fires_once_for_each_date_it_falls_on(each_world: World, folder: Folder) -> None:
    examples = "{facts: {days_to_renewal: 30}, fires: true}, {facts: {days_to_renewal: 31}, fires: false}"
    folder.playbook(written("{date: 30 days before renewal}", examples, rest="0 days"))
    async with entered(each_world.store, folder) as world:
        for id_, days in (("due", 30), ("week", 23), ("missed", 22), ("early", 31), ("unknown", None)):
            await world.customer(id_, days_to_renewal=days)
        assert await fire(world) == ["due", "week"]
        await world.settle(1)
        tomorrow = TODAY + timedelta(days=1)
        world.clock.move(days=1)
        await world.scorecard("due", tomorrow, facts={"days_to_renewal": 29})
        await world.scorecard("early", tomorrow, facts={"days_to_renewal": 30})
        assert await fire(world, tomorrow) == ["early"]
        await world.settle(1)
        await world.scorecard("due", tomorrow + timedelta(days=1), facts={"days_to_renewal": 30})  # put off
        world.clock.move(days=1)
        assert await fire(world, tomorrow + timedelta(days=1)) == ["due"]


RECORD = "{record: ticket, where: {severity: {eq: urgent}}}"
RECORDS = "{facts: {}, record: {severity: urgent}, fires: true}, {facts: {}, record: {severity: low}, fires: false}"


async def tickets(world: World, *given: tuple[str, str, str, int]) -> None:
    """(key, customer, severity, hours ago) of tickets to land."""
    records = [
        Ticket(
            key=key,
            version=1,
            company_key=customer,
            subject=f"Ticket {key}",
            status="open",
            severity=severity,
            replies=hours,
            created_at=world.clock() - timedelta(hours=hours),
        )
        for key, customer, severity, hours in given
    ]
    async with world.store.transaction() as connection:
        await upsert(connection, records, source="desk", now=world.clock(), historical=True)
        await connection.execute(ticket.update().values(customer_id=ticket.c.company_key))


@pytest.mark.parametrize(
    ("rest", "calls"),
    [("30 days", ["Answered 1 times: Acme"]), ("0 days", ["Answered 1 times: Acme", "Answered 5 times: Acme"])],
)
async def test_a_new_record_fires_once(each_world: World, folder: Folder, rest: str, calls: list[str]) -> None:
    folder.playbook(
        written(RECORD, RECORDS, rest=rest, title="Answered {{ record.replies }} times: {{ customer.name }}")
    )
    async with entered(each_world.store, folder) as world:
        await world.customer("acme")
        given = [("a", "acme", "urgent", 5), ("b", "acme", "urgent", 1), ("low", "acme", "low", 1)]
        await tickets(world, *given, ("old", "acme", "urgent", 72))
        await fire(world)
        await world.settle(1)
        assert await fire(world) == []
        assert sorted(each.title for each in await world.alerts()) == calls


BECAME = "{change: {watch_level: [warning, critical]}}"
BECOMES = (
    "{facts: {watch_level: critical, mrr: 1}, fires: true}, {facts: {watch_level: clear, mrr: 1}, fires: false}, "
    "{facts: {watch_level: critical, mrr: 0}, fires: false}"
)


async def become(world: World, **levels: str | None) -> None:
    async with world.store.transaction() as connection:
        await write_lifecycles(
            connection, {id_: {"watch_level": level} for id_, level in levels.items()}, now=world.clock()
        )


@pytest.mark.parametrize(("rest", "again"), [("30 days", []), ("0 days", ["acme"])])
async def test_a_change_fires_once(each_world: World, folder: Folder, rest: str, again: list[str]) -> None:
    title = "{{ customer.name }} went from {{ change.old or 'nothing' }} to {{ change.new }}"
    folder.playbook(written(BECAME, BECOMES, rest=rest, when="{mrr: {gt: 0}}", title=title))
    async with entered(each_world.store, folder) as world:
        for id_ in ("acme", "mended", "fine", "late"):
            await world.customer(id_, mrr=1)
        await world.customer("free", mrr=0)
        await become(world, late="critical")
        world.clock.move(days=8)
        await become(world, acme="warning", mended="critical", fine="clear", free="critical")
        world.clock.move(days=1)
        await become(world, mended="clear")
        assert await fire(world) == ["acme"]
        await world.settle(1)
        assert await fire(world) == []
        await become(world, acme="critical")
        assert await fire(world) == again
        await world.settle(1)
        assert await fire(world) == []
        assert sorted(each.title for each in await world.alerts()) == [
            "Acme went from nothing to warning",
            *(["Acme went from warning to critical"] if again else []),
        ]
        assert {run.cause for run in await world.runs()} == {"change"}


@pytest.mark.parametrize(
    ("by", "first", "then"),
    [
        ("{change: {onboarding_step: any}}", ["acme", "bolt"], ["acme", "bolt"]),
        ("{change: {onboarding_step: {not: [welcome]}}}", ["bolt"], ["acme", "bolt"]),
        ("{change: {onboarding_step: any}, from: any}", [], ["acme", "bolt"]),
        ("{change: {onboarding_step: {not: [tour]}}, from: welcome}", [], ["acme"]),
        ("{change: {onboarding_step: tour}, from: [setup, invite]}", [], ["bolt"]),
    ],
)
async def test_a_change_to_whatever_and_from_something(
    each_world: World, folder: Folder, by: str, first: list[str], then: list[str]
) -> None:
    examples = "{{facts: {{onboarding_step: {}}}, fires: true}}, {{facts: {{health: 0.5}}, fires: false}}"
    folder.playbook(written(by, examples.format("tour" if "tour}" in by else "setup"), rest="0 days"))

    async def stand(**steps: str | None) -> None:
        async with world.store.transaction() as connection:
            rows = {id_: {"onboarding_step": step} for id_, step in steps.items()}
            await write_lifecycles(connection, rows, now=world.clock())

    async with entered(each_world.store, folder) as world:
        for id_ in ("acme", "bolt"):
            await world.customer(id_)
        await stand(acme="welcome", bolt="setup")
        assert await fire(world) == first
        await world.settle(1)
        world.clock.move(hours=1)
        await stand(acme="setup", bolt="tour")
        assert await fire(world) == then
        await world.settle(1)
        world.clock.move(hours=1)
        await stand(acme=None, bolt=None)
        assert await fire(world) == [], "nothing is not whatever"


async def test_a_change_of_a_customer_without_a_scorecard_fires_too(each_world: World, folder: Folder) -> None:
    examples = "{facts: {onboarding_step: welcome}, fires: true}, {facts: {onboarding_step: done}, fires: false}"
    folder.playbook(written("{change: {onboarding_step: welcome}}", examples, rest="0 days"))
    async with entered(each_world.store, folder) as world:
        row = {"id": "new", "name": "New", "created_at": world.clock(), "updated_at": world.clock()}
        async with world.store.transaction() as connection:
            await connection.execute(customer.insert(), [row])
            await write_lifecycles(connection, {"new": {"onboarding_step": "welcome"}}, now=world.clock())
        assert await world.playbooks.fire_changes(now=world.clock()) == FireReport({"save": 1})
        assert await world.playbooks.fire_changes(now=world.clock()) == FireReport()


async def test_a_change_that_is_told_of_concerns_its_field_and_its_customer_alone(
    each_world: World, folder: Folder
) -> None:
    examples = "{facts: {advocacy: promoter}, fires: true}, {facts: {advocacy: passive}, fires: false}"
    folder.playbook(written("{change: {advocacy: promoter}}", examples, rest="0 days"))
    async with entered(each_world.store, folder) as world:
        for id_ in ("acme", "bolt"):
            await world.customer(id_)
        now = world.clock()
        async with world.store.transaction() as connection:
            await write_lifecycles(connection, {"acme": {"advocacy": "promoter"}}, now=now)
        assert await world.playbooks.fire_changes(now=now, field="onboarding_step") == FireReport()
        assert await world.playbooks.fire_changes(now=now, field="advocacy") == FireReport({"save": 1})
        later = now + timedelta(days=1)
        waiting = [{"id": id_, "customer_id": id_, "wake_at": later, "awaits": "condition"} for id_ in ("acme", "bolt")]
        shared = {"playbook": "wait", "playbook_version": 1, "definition": {}, "cause": "scorecard", "state": "waiting"}
        shared |= {"step": 0, "fence": 0, "facts": {}, "started_at": now, "updated_at": now}
        async with world.store.transaction() as connection:
            await connection.execute(
                playbook_run.insert(), [{**shared, **row, "episode": row["id"]} for row in waiting]
            )
            woken = await runs.hasten(connection, awaits="condition", now=now, customer_id="bolt")
        assert woken == [("bolt", 0)]


async def test_a_schedule_fires_once_a_tick(each_world: World, folder: Folder) -> None:
    examples = "{facts: {health: 0.4}, fires: true}, {facts: {health: 0.5}, fires: false}"
    folder.playbook(written('{schedule: "0 9 * * 1"}', examples, when="{health: {lt: 0.5}}", rest="1 day"))
    async with entered(each_world.store, folder) as world:
        await world.customer("acme", health=0.4)
        await world.customer("fine", health=0.6)
        assert await fire(world) == [], "not after scoring"
        for _ in range(2):
            world.clock.now = START + timedelta(days=1, hours=22)  # Monday, after nine
            await world.playbooks._on_fire({"playbook": "save"})
            await world.settle(1)
        (run,) = await world.runs()
        assert (run.customer_id, run.cause, run.episode) == ("acme", "schedule", "schedule:2026-11-02T09:00:00+00:00")
        await world.durable.run()
        world.clock.now = START + timedelta(days=8, hours=22)
        await world.settle(1)
        assert len(await world.runs()) == 2, "the engine itself asks at the next tick"


@pytest.mark.parametrize(
    ("by", "fault"),
    [
        ("daily", "by: must be scorecard or hand, or one of"),
        ("{threshold: {helth: {falls_below: 1}}}", "by.threshold.helth: is no number of a scorecard (choices: health)"),
        ("{threshold: {band: {falls_below: 1}}}", "by.threshold.band: is no number of a scorecard"),
        (
            "{threshold: {health: {lt: 1}}}",
            "by.threshold.health: must be one crossing (choices: falls_below, rises_above)",
        ),
        ("{threshold: {health: {falls_below: low}}}", "by.threshold.health.falls_below: must be a number, not 'low'"),
        ("{date: soon}", "by.date: 'soon' is no day; days are such as 30 days before renewal"),
        ("{date: 3 hours before renewal}", "by.date: '3 hours before renewal' must be a number of whole days"),
        ("{record: deal}", "by.record: is no kind of record (choices: ticket, survey_response, subscription"),
        ("{record: ticket, where: {severty: {eq: x}}}", "by.where.severty: is no fact (choices: severity)"),
        ("{record: ticket, since: 3}", "by.since: is not a setting here"),
        ("{change: {watch: critical}}", "by.change.watch: is no text of the lifecycle (choices: onboarding_state,"),
        ("{change: {watch_days: 3}}", "by.change.watch_days: is no text of the lifecycle"),
        (
            "{change: {watch_level: red}}",
            "by.change.watch_level: 'red' is no watch_level (choices: clear, warning, cri",
        ),
        (
            "{change: {watch_level: []}}",
            "by.change.watch_level: must be a text or a list of them, or any (choices: clear,",
        ),
        ("{change: {watch_level: {not: red}}}", "by.change.watch_level.not: 'red' is no watch_level"),
        ("{change: {watch_level: any}, from: red}", "by.from: 'red' is no watch_level (choices: clear, warning, cri"),
        ("{change: {watch_level: any}, from: 3}", "by.from: must be a text or a list of them, or any (choices: clear,"),
        ("{change: critical}", "by.change: must be one field and what it becomes, such as {watch_level: critical}"),
        ('{schedule: "every day"}', "by.schedule: 'every day' is no cron schedule"),
    ],
)
def test_faults(folder: Folder, by: str, fault: str) -> None:
    folder.playbook(written(by, "{facts: {health: 0.4}, fires: true}, {facts: {health: 0.5}, fires: false}"))
    with pytest.raises(ConfigError) as caught:
        folder.load()
    assert fault in str(caught.value)
    assert "save.yaml:6" in str(caught.value)


@pytest.mark.parametrize("text", [FALLS, written(RECORD, RECORDS), written(BECAME, BECOMES, when="{mrr: {gt: 0}}")])
def test_a_definition_comes_back_as_the_playbook_it_was(folder: Folder, text: str) -> None:
    folder.playbook(text)
    playbook = folder.load().playbooks["save"]
    assert from_definition(playbook.definition) == playbook


def test_an_example_that_lies_is_found(folder: Folder) -> None:
    folder.playbook(FALLS.replace("before: {health: 0.5}", "before: {health: 0.3}"))
    with pytest.raises(ConfigError, match="says fires: true, but `by` and `when` say otherwise"):
        folder.load()
