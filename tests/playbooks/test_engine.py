"""Firing, moving on and resting: on both databases, over real HTTP and SMTP."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select

from hub.delivery import RenderError
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import DeliveryState, RunState
from hub.playbooks import FireReport
from hub.playbooks.alerts import change_alert
from hub.store.tables import alert, delivery, metadata, playbook_run
from tests.fakes.clock import START
from tests.playbooks.conftest import SAVE, TODAY, Folder, World, entered

TOMORROW = TODAY + timedelta(days=1)


async def fire(world: World, day: date = TODAY) -> FireReport:
    return await world.playbooks.fire_due(as_of=day, now=world.clock())


async def test_everybody_concerned_is_told_once(each_world: World) -> None:
    world = each_world
    await world.customer("acme", health=0.4)
    await world.customer("bolt", health=0.49, csm_email=None)
    await world.customer("fine", health=0.5)
    await world.customer("unknown", health=None)
    await world.customer("stale", health=0.1, day=date(2026, 10, 31))
    assert await fire(world) == FireReport({"save": 2})
    await world.settle()
    assert sorted(post["text"] for post in world.slack.posted) == ["Acme: 40", "Bolt: 49"]
    assert [mail["Subject"] for mail in world.smtp.taken] == ["Acme needs you"]
    assert world.smtp.envelopes == [("hub@cshub.example", ["ann@example.com"])]
    made = {run.customer_id: run for run in await world.runs()}
    assert {id_: (run.state, run.step, run.fence) for id_, run in made.items()} == {
        "acme": (RunState.WAITING, 3, 1),
        "bolt": (RunState.WAITING, 3, 1),
    }
    assert made["acme"].wake_at == START + timedelta(days=3)
    assert made["acme"].facts["health"] == 0.4
    assert [(step.action, step.state, step.detail) for step in await world.steps(made["bolt"].id)] == [
        ("slack", "done", "to #alerts"),
        ("email", "skipped", "the customer has no CSM"),
        ("wait", "done", "3 days"),
    ]
    assert {each.state for each in await world.deliveries()} == {DeliveryState.CONFIRMED}
    ledger = {each.dedup_key: each for each in await world.deliveries()}
    for post in world.slack.posted:
        noted = ledger[post["metadata"]["event_payload"]["dedup_key"]]
        assert noted.payload == {"text": post["text"], "blocks": post["blocks"]}, "the ledger holds what was sent"
        assert noted.receipt is not None
        assert noted.receipt["channel"] == "C0000001"


async def test_twice_is_once(each_world: World) -> None:
    world = each_world
    await world.customer("acme", health=0.4)
    assert (await fire(world)).total == 1
    assert (await fire(world)).total == 0
    (run,) = await world.runs()
    assert await world.playbooks.advance(run.id, 0)
    assert not await world.playbooks.advance(run.id, 0), "the fence has moved"
    assert not await world.playbooks.advance(run.id, 1), "it is not time"
    await world.settle()
    await world.settle()
    assert len(world.slack.posted) == 1
    assert len(world.smtp.taken) == 1
    assert len(await world.deliveries()) == 2


async def test_one_message_a_second_to_a_channel(each_world: World) -> None:
    world = each_world
    for number in range(3):
        await world.customer(f"c{number}", health=0.1, csm_email=f"csm{number}@example.com")
    await fire(world)
    await world.durable.run()
    assert (len(world.slack.posted), len(world.smtp.taken)) == (1, 3)
    await world.durable.run()
    assert len(world.slack.posted) == 1, "not within the same second"
    world.clock.move(seconds=1)
    await world.durable.run()
    assert len(world.slack.posted) == 2
    world.clock.move(seconds=1)
    await world.durable.run()
    assert len(world.slack.posted) == 3


@pytest.mark.parametrize(("later", "tasks"), [(0.44, 1), (0.45, 0), (None, 1)])
async def test_the_task_comes_only_where_health_has_not_moved(world: World, later: float | None, tasks: int) -> None:
    await world.customer("acme", health=0.4)
    await fire(world)
    await world.settle()
    world.clock.now = START + timedelta(days=3) - timedelta(seconds=1)
    await world.durable.run()
    assert await world.alerts() == [], "three days are three days"
    await world.scorecard("acme", date(2026, 11, 4), health=later)
    world.clock.now = START + timedelta(days=3)
    await world.durable.run()
    found = await world.alerts()
    assert len(found) == tasks
    (run,) = await world.runs()
    assert (run.state, run.step, run.finished_at) == (RunState.DONE, 4, world.clock())
    if tasks:
        task = found[0]
        assert (task.kind, task.title, task.severity) == ("task", "Call Acme", "high")
        assert (task.owner_email, task.due_on, task.run_id) == ("ann@example.com", date(2026, 11, 6), run.id)
    else:
        assert (await world.steps(run.id))[-1].detail == "not needed: its `unless` holds"


async def test_customers_rest(each_world: World) -> None:
    world = each_world
    await world.customer("acme", health=0.4)
    await fire(world)
    await world.settle()
    world.clock.now = START + timedelta(days=3)
    await world.settle(3)
    for days, expected in ((29, 0), (30, 1)):
        world.clock.now = START + timedelta(days=days)
        day = TODAY + timedelta(days=days)
        await world.scorecard("acme", day, health=0.4)
        assert (await fire(world, day)).total == expected


async def test_an_open_run_is_enough_rest(world: World) -> None:
    await world.customer("acme", health=0.4)
    await fire(world)
    world.clock.move(days=90)
    day = TODAY + timedelta(days=90)
    await world.scorecard("acme", day, health=0.4)
    assert (await fire(world, day)).total == 0


async def test_a_snoozed_alert_keeps_its_playbook_away(world: World) -> None:
    await world.customer("acme", health=0.4)
    await fire(world)
    await world.settle()
    world.clock.now = START + timedelta(days=3)
    await world.durable.run()
    (task,) = await world.alerts()
    until = START + timedelta(days=60)
    await change_alert(world.store, task.id, snoozed_until=until, now=world.clock())
    for days, expected in ((59, 0), (60, 1)):
        world.clock.now = START + timedelta(days=days)
        day = TODAY + timedelta(days=days)
        await world.scorecard("acme", day, health=0.4)
        assert (await fire(world, day)).total == expected


async def test_a_merged_customer_is_left_alone(world: World) -> None:
    await world.customer("acme", health=0.9)
    await world.customer("twin", health=0.1, merged_into_id="acme")
    assert (await fire(world)).total == 0


async def test_by_hand_the_same_key_is_the_same_run(each_world: World) -> None:
    world = each_world
    await world.customer("acme", health=0.9)
    hand: dict[str, Any] = {"by": "eve@example.com", "key": "k1", "now": world.clock()}
    (first,) = await world.playbooks.fire("save", ["acme", "acme"], **hand)
    (again,) = await world.playbooks.fire("save", ["acme"], **hand)
    (other,) = await world.playbooks.fire("save", ["acme"], **{**hand, "key": "k2"})
    (forced,) = await world.playbooks.fire("save", ["acme"], **{**hand, "key": "k2"}, force=True)
    assert [each.state for each in (first, again, other, forced)] == ["fired", "already_fired", "resting", "fired"]
    assert (first.matches, other.rest_until) == (False, START + timedelta(days=30))
    assert first.run_id == again.run_id
    assert other.run_id is None
    await world.settle()
    assert {run.id: (run.cause, run.started_by) for run in await world.runs()} == {
        first.run_id: ("hand", "eve@example.com"),
        forced.run_id: ("hand", "eve@example.com"),
    }
    assert len(world.slack.posted) == 2


async def test_a_dry_run_shows_what_would_be_and_leaves_nothing(each_world: World) -> None:
    world = each_world
    await world.customer("acme", health=0.4)
    hand: dict[str, Any] = {"by": "eve@example.com", "key": "k1", "now": world.clock()}
    (would,) = await world.playbooks.fire("save", ["acme"], **hand, dry_run=True)
    await world.settle()
    assert (world.slack.received, world.smtp.taken, world.durable.waiting) == ([], [], [])
    async with world.store.reading() as connection:
        for table in metadata.sorted_tables:
            if table.name not in ("customer", "scorecard"):
                assert (await connection.execute(select(func.count()).select_from(table))).scalar() == 0, table.name
    assert (would.state, would.run_id, would.matches, would.rest_until) == ("would_fire", None, True, None)
    assert [(each.action, each.after, each.address or each.title) for each in would.plan] == [
        ("slack", timedelta(0), "#alerts"),
        ("email", timedelta(0), "ann@example.com"),
        ("wait", timedelta(0), None),
        ("task", timedelta(days=3), "Call Acme"),
    ]
    assert would.plan[3].unless == {"health": {"rises_by": 0.05}}
    assert would.plan[3].due_on == date(2026, 11, 6)
    await world.playbooks.fire("save", ["acme"], **hand)
    await world.settle()
    sent = {each.channel: each for each in await world.deliveries()}
    for planned in would.plan[:2]:
        noted = sent[planned.channel or ""]
        assert (noted.address, noted.subject, noted.payload) == (planned.address, planned.subject, planned.payload)


@pytest.mark.parametrize(
    ("playbook", "customers", "key", "error", "reason"),
    [
        ("nope", ["acme"], "k", NotFoundError, "there are: save"),
        ("save", ["acme", "nobody"], "k", NotFoundError, "there is no customer 'nobody'"),
        ("save", [], "k", RefusedError, "at least one"),
        ("save", ["acme"], "", RefusedError, "1 to 150"),
        ("save", ["acme"], "k" * 151, RefusedError, "1 to 150"),
        ("save", [f"c{n}" for n in range(1_001)], "k", RefusedError, "at most 1000"),
    ],
)
async def test_what_cannot_be_fired_leaves_nothing(
    world: World, playbook: str, customers: list[str], key: str, error: type[Exception], reason: str
) -> None:
    await world.customer("acme", health=0.4)
    with pytest.raises(error, match=reason):
        await world.playbooks.fire(playbook, customers, by="eve", key=key, now=world.clock())
    await world.settle(2)
    assert (await world.runs(), world.slack.received) == ([], [])


async def test_a_template_that_fails_leaves_nothing_reserved(world: World, folder: Folder) -> None:
    """A name that only some customers have: the trial at loading cannot find it."""
    await world.customer("acme", health=0.4)
    await world.customer("bolt", health=0.3)
    source = "{% if customer.name == 'Acme' %}{{ nobody }}{% endif %}x"
    folder.write("templates/email/note.md", f"subject: s\n---\n{source}\n")
    async with entered(world.store, folder) as broken:
        with pytest.raises(RenderError, match="'nobody' is undefined"):
            await broken.playbooks.fire("save", ["acme"], by="eve", key="k", now=broken.clock())
        assert await broken.runs() == []
        await fire(broken)
        await broken.settle(3)
        states = {run.customer_id: run for run in await broken.runs()}
        assert (states["acme"].state, states["bolt"].state) == (RunState.FAILED, RunState.WAITING)
        assert "templates/email/note.md: line 3: 'nobody' is undefined" in (states["acme"].error or "")
        steps = [(step.index, step.state) for step in await broken.steps(states["acme"].id)]
        assert steps == [(1, "failed")], "the step before it was not kept either"
        assert [each.customer_id for each in await broken.deliveries()] == ["bolt", "bolt"]
        assert [post["text"] for post in broken.slack.received] == ["Bolt: 30"]


async def test_pause_resume_cancel(each_world: World) -> None:
    world = each_world
    await world.customer("acme", health=0.4)
    await fire(world)
    await world.settle(2)
    (run,) = await world.runs()
    assert (await world.playbooks.pause(run.id)).state is RunState.PAUSED
    world.clock.now = START + timedelta(days=4)
    await world.durable.run()
    await world.playbooks.sweep(now=world.clock())
    await world.durable.run()
    assert await world.alerts() == [], "paused is paused"
    with pytest.raises(RefusedError, match="the run is paused; that goes only while it is running or waiting"):
        await world.playbooks.pause(run.id)
    await world.playbooks.resume(run.id)
    await world.durable.run()
    assert len(await world.alerts()) == 1
    with pytest.raises(RefusedError, match="the run is done"):
        await world.playbooks.cancel(run.id)
    with pytest.raises(NotFoundError, match="nope"):
        await world.playbooks.cancel("nope")


async def test_a_cancelled_run_does_no_more(world: World) -> None:
    await world.customer("acme", health=0.4)
    await fire(world)
    await world.settle(2)
    (run,) = await world.runs()
    cancelled = await world.playbooks.cancel(run.id)
    assert (cancelled.state, cancelled.finished_at, cancelled.wake_at) == (RunState.CANCELLED, world.clock(), None)
    world.clock.now = START + timedelta(days=4)
    await world.settle(2)
    assert await world.alerts() == []


async def test_the_sweep_wakes_what_nobody_woke(each_world: World) -> None:
    world = each_world
    await world.customer("acme", health=0.4)
    await fire(world)
    world.durable.waiting.clear()  # the process died before it asked for the advance
    world.clock.move(minutes=1)
    assert (await world.playbooks.sweep(now=world.clock())).woken == 0, "give it a moment"
    world.clock.move(minutes=1)
    assert (await world.playbooks.sweep(now=world.clock())).woken == 1
    await world.durable.run()
    assert len(world.slack.posted) == 1
    world.durable.waiting.clear()  # and now before it asked for the wake
    world.clock.move(days=3)
    assert (await world.playbooks.sweep(now=world.clock())).woken == 1
    await world.durable.run()
    assert len(await world.alerts()) == 1
    assert (await world.playbooks.sweep(now=world.clock())).woken == 0


async def test_a_run_keeps_the_playbook_it_began_with(world: World, folder: Folder) -> None:
    await world.customer("acme", health=0.4)
    await fire(world)
    await world.settle(2)
    folder.playbook(SAVE.replace("Call {{ customer.name }}", "Changed").replace("version: 1", "version: 2"))
    async with entered(world.store, folder) as changed:
        changed.clock.now = START + timedelta(days=3)
        await changed.playbooks.sweep(now=changed.clock())
        await changed.settle(2)
        assert [task.title for task in await changed.alerts()] == ["Call Acme"]


async def test_contacts_are_written_to_unless_they_said_no(world: World, folder: Folder) -> None:
    from hub.model.records import Contact
    from hub.store.records import upsert
    from hub.store.suppression import Reason, Suppressed, suppress
    from hub.store.tables import contact

    folder.playbook(SAVE.replace("to: csm", "to: contacts"))
    people = [
        Contact(key=str(n), version=1, company_key="x", email=email, deleted=n == 4)
        for n, email in enumerate(["a@x.example", "A@x.example", None, "no@x.example", "gone@x.example"])
    ]
    await world.customer("acme", health=0.4)
    async with world.store.transaction() as connection:
        await upsert(connection, people, source="crm", now=world.clock())
        await connection.execute(contact.update().values(customer_id="acme"))
    async with world.store.transaction() as connection:
        line = Suppressed(address="no@x.example", reason=Reason.MANUAL, since=world.clock(), by="eve@hub.example")
        await suppress(connection, [line])
    async with entered(world.store, folder) as writing:
        await fire(writing)
        await writing.settle(3)
        assert [to for _, to in writing.smtp.envelopes] == [["a@x.example"]]
        mails = {each.address: each for each in await writing.deliveries() if each.channel == "email"}
        assert {address: each.state for address, each in mails.items()} == {
            "a@x.example": DeliveryState.CONFIRMED,
            "no@x.example": DeliveryState.SUPPRESSED,
        }
        assert mails["a@x.example"].payload["audience"] == "customer"


async def statements(world: World, count: int) -> int:
    """How many statements it takes to fire for `count` customers."""
    for number in range(count):
        await world.customer(f"c{count}_{number}", health=0.1)
    seen: list[str] = []
    engine = world.store._writer.sync_engine

    def note(*args: Any) -> None:
        seen.append(args[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert (await fire(world)).total == count
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


async def test_firing_for_many_takes_no_more_statements_than_for_few(each_world: World) -> None:
    few = await statements(each_world, 3)
    assert await statements(each_world, 60) == few


async def test_moving_many_takes_no_more_statements_than_moving_few(world: World) -> None:
    counts = []
    for count in (3, 60):
        for number in range(count):
            await world.customer(f"c{count}_{number}", health=0.1)
        await fire(world)
        seen: list[str] = []
        listened = [world.store._writer.sync_engine, world.store._reader.sync_engine]

        def note(*args: Any, seen: list[str] = seen) -> None:
            seen.append(args[2])

        jobs = [job for job in world.durable.waiting if job.job == "playbook.advance"]
        assert len(jobs) == 1
        for engine in listened:
            event.listen(engine, "before_cursor_execute", note)
        await world.playbooks._on_advance(jobs[0].argument)
        for engine in listened:
            event.remove(engine, "before_cursor_execute", note)
        world.durable.waiting.clear()
        counts.append(len(seen))
    assert counts[0] == counts[1]
    async with world.store.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(delivery))).scalar() == 126
        assert (await connection.execute(select(func.count()).select_from(playbook_run))).scalar() == 63
        assert (await connection.execute(select(func.count()).select_from(alert))).scalar() == 0
