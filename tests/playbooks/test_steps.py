"""Steps that take their time or choose: waits, branches, approvals, other playbooks, failures."""

from datetime import date, timedelta

import pytest

from hub.errors import RefusedError
from hub.model.actions import AlertOutcome, AlertState, ApprovalState, RunState
from hub.store import approvals
from tests.fakes.clock import START
from tests.playbooks.conftest import TODAY, Folder, World, entered

HEAD = """
playbook: save
version: 1
title: Save
when: {health: {lt: 0.5}}
rest: 30 days
examples: [{facts: {health: 0.4}, fires: true}, {facts: {health: 0.5}, fires: false}]
do:
"""


async def begin(world: World, **values: object) -> str:
    await world.customer("acme", **{"health": 0.4, **values})
    await world.playbooks.fire_due(as_of=TODAY, now=world.clock())
    await world.settle(3)
    (run,) = [each for each in await world.runs() if each.playbook == "save"]
    return run.id


async def noted(world: World, run_id: str) -> list[tuple[int, str, str, str | None]]:
    return [(each.index, each.action, each.state, each.detail) for each in await world.steps(run_id)]


async def state(world: World, run_id: str) -> tuple[RunState, str | None]:
    (run,) = [each for each in await world.runs() if each.id == run_id]
    return run.state, run.awaits


BRANCHES = """
  - branch:
      when: {mrr: {gt: 1000}}
      then:
        - wait: 1 day
        - branch: {when: {health: {rises_by: 0.1}}, then: [{stop: it mended itself}], else: [{task: {title: Call}}]}
      else:
        - task: {title: Write, due: 3 business days}
  - task: {title: Look again}
"""


@pytest.mark.parametrize(
    ("mrr", "later", "tasks", "indexes"),
    [
        (2000.0, 0.4, ["Call", "Look again"], [0, 1, 2, 4, 6]),
        (2000.0, 0.6, [], [0, 1, 2, 3]),
        (10.0, 0.4, ["Look again", "Write"], [0, 5, 6]),
        (None, 0.4, ["Look again", "Write"], [0, 5, 6]),
    ],
)
async def test_branches(
    world: World, folder: Folder, mrr: float | None, later: float, tasks: list[str], indexes: list[int]
) -> None:
    folder.playbook(HEAD + BRANCHES)
    async with entered(world.store, folder) as branching:
        run_id = await begin(branching, mrr=mrr)
        branching.clock.now = START + timedelta(days=1)
        await branching.scorecard("acme", date(2026, 11, 2), health=later, facts={"mrr": mrr})
        await branching.settle(2)
        assert sorted(each.title for each in await branching.alerts()) == tasks
        assert [step[0] for step in await noted(branching, run_id)] == indexes
        assert await state(branching, run_id) == (RunState.DONE, None)
        due = {each.title: each.due_on for each in await branching.alerts()}
        assert due.get("Write") in (None, date(2026, 11, 4)), "START is a Sunday: Monday, Tuesday, Wednesday"


async def test_a_wait_for_a_day_follows_the_day(each_world: World, folder: Folder) -> None:
    folder.playbook(HEAD + "  - wait: {until: 30 days before renewal}\n  - task: {title: Renew}\n")
    async with entered(each_world.store, folder) as world:
        run_id = await begin(world, days_to_renewal=40)
        assert await state(world, run_id) == (RunState.WAITING, "date")
        for day in range(1, 10):
            world.clock.now = START + timedelta(days=day)
            await world.settle(1)
        assert await world.alerts() == []
        # the day before it would have come, it is put off by a week
        await world.scorecard("acme", date(2026, 11, 10), health=0.4, facts={"days_to_renewal": 38})
        for day in range(10, 17):
            world.clock.now = START + timedelta(days=day)
            await world.settle(1)
            assert await world.alerts() == [], day
        for day in (17, 18):
            world.clock.now = START + timedelta(days=day)
            await world.settle(1)
        assert [each.title for each in await world.alerts()] == ["Renew"]
        assert await noted(world, run_id) == [
            (0, "wait", "done", "until 30 days before renewal"),
            (1, "task", "done", "Renew (ann@example.com)"),
        ]


UNTIL = """
  - wait: {until: {health: {gte: 0.7}}, at_most: 10 days, else: [{task: {title: Too long}}]}
  - alert: {title: Over}
"""


@pytest.mark.parametrize(("good", "calls"), [(True, ["Over"]), (False, ["Over", "Too long"])])
async def test_a_wait_for_a_condition_ends_by_itself_or_by_time(
    each_world: World, folder: Folder, good: bool, calls: list[str]
) -> None:
    folder.playbook(HEAD + UNTIL)
    async with entered(each_world.store, folder) as world:
        run_id = await begin(world)
        assert await state(world, run_id) == (RunState.WAITING, "condition")
        world.clock.now = START + timedelta(days=2)
        await world.settle(1)
        if good:
            await world.scorecard("acme", date(2026, 11, 3), health=0.7)
            await world.playbooks.fire_due(as_of=date(2026, 11, 3), now=world.clock())
            await world.settle(1)
            assert await state(world, run_id) == (RunState.DONE, None), "scoring woke it"
        else:
            world.clock.now = START + timedelta(days=10) - timedelta(seconds=30)
            await world.settle(1)
            assert await world.alerts() == []
            world.clock.now = START + timedelta(days=10)
            await world.settle(4)
        assert sorted(each.title for each in await world.alerts()) == calls


ASKS = """
  - approve: {ask: "Offer {{ customer.name }} a discount?", within: 2 days, expired: [{alert: {title: Unanswered}}]}
  - email: {to: csm, template: note}
"""


@pytest.mark.parametrize("answer", ["yes", "no", "never"])
async def test_a_person_approves_or_not(each_world: World, folder: Folder, answer: str) -> None:
    folder.playbook(HEAD + ASKS)
    async with entered(each_world.store, folder) as world:
        run_id = await begin(world)
        assert await state(world, run_id) == (RunState.WAITING, "approval")
        assert world.smtp.taken == []
        (task,) = await world.alerts()
        assert (task.kind, task.title, task.owner_email) == ("task", "Offer Acme a discount?", "ann@example.com")
        if answer == "never":
            world.clock.now = START + timedelta(days=2)
            with pytest.raises(RefusedError, match="the time to answer was over at 2026-11-03"):
                await world.playbooks.approve(run_id, approved=True, by="ann@example.com")
        else:
            await world.playbooks.approve(run_id, approved=answer == "yes", by="ann@example.com", note="of course")
            with pytest.raises(RefusedError, match="it was answered already"):
                await world.playbooks.approve(run_id, approved=answer != "yes", by="eve@example.com")
        await world.settle(4)
        assert await state(world, run_id) == (RunState.DONE, None)
        with pytest.raises(RefusedError, match="asks for no approval now: it is done; what it asked was"):
            await world.playbooks.approve(run_id, approved=True, by="eve@example.com")
        async with world.store.reading() as connection:
            (given,) = await approvals.find_approvals(connection, run_ids=[run_id])
        found = {each.title: (each.state, each.outcome) for each in await world.alerts()}
        closed = found.pop("Offer Acme a discount?")
        assert closed[0] is AlertState.CLOSED
        if answer == "yes":
            assert (given.state, given.decided_by, given.note) == (
                ApprovalState.APPROVED,
                "ann@example.com",
                "of course",
            )
            assert len(world.smtp.taken) == 1
            assert closed[1] is AlertOutcome.SUCCESS
        elif answer == "no":
            assert (given.state, closed[1], found) == (ApprovalState.DECLINED, AlertOutcome.NO_SUCCESS, {})
            assert world.smtp.taken == [], "declined ends it"
        else:
            assert (given.state, closed[1]) == (ApprovalState.EXPIRED, AlertOutcome.INVALID)
            assert list(found) == ["Unanswered"]
            assert len(world.smtp.taken) == 1, "after what is done about it, it goes on"


async def test_a_cancelled_run_asks_no_more(world: World, folder: Folder) -> None:
    folder.playbook(HEAD + ASKS)
    async with entered(world.store, folder) as asking:
        run_id = await begin(asking)
        await asking.playbooks.cancel(run_id)
        with pytest.raises(RefusedError, match="it is cancelled; what it asked was cancelled"):
            await asking.playbooks.approve(run_id, approved=True, by="ann@example.com")


OTHER = """
playbook: other
version: 3
title: Other
by: hand
rest: 10 days
do:
  - task: {title: "Other of {{ customer.name }}"}
"""


async def test_another_playbook_is_started_once_and_not_while_it_rests(each_world: World, folder: Folder) -> None:
    folder.playbook(
        HEAD + "  - playbook: other\n  - wait: 2 days\n  - playbook: {name: other}\n  - alert: {title: End}\n"
    )
    folder.playbook(OTHER, "other")
    async with entered(each_world.store, folder) as world:
        run_id = await begin(world)
        world.clock.now = START + timedelta(days=2)
        await world.settle(2)
        assert await noted(world, run_id) == [
            (0, "playbook", "done", "started other"),
            (1, "wait", "done", "2 days"),
            (2, "playbook", "skipped", "other rests for this customer"),
            (3, "alert", "done", "End (ann@example.com)"),
        ]
        (child,) = [each for each in await world.runs() if each.playbook == "other"]
        assert (child.cause, child.started_by, child.state) == ("playbook", "save", RunState.DONE)
        assert sorted(each.title for each in await world.alerts()) == ["End", "Other of Acme"]


FAILING = """
  - slack: {channel: "#alerts", template: note, VERDICT}
  - task: {title: After}
"""


@pytest.mark.parametrize(
    ("verdict", "end", "tasks"),
    [
        ("on_failure: stop", RunState.FAILED, []),
        ("on_failure: continue", RunState.DONE, ["After"]),
        ("on_failure: [{task: {title: Instead}}]", RunState.DONE, ["After", "Instead"]),
    ],
)
async def test_what_happens_when_a_message_is_refused(
    each_world: World, folder: Folder, verdict: str, end: RunState, tasks: list[str]
) -> None:
    folder.playbook(HEAD + FAILING.replace("VERDICT", verdict))
    async with entered(each_world.store, folder) as world:
        world.slack.answers = [(200, {}, {"ok": False, "error": "channel_not_found"})]
        run_id = await begin(world)
        assert (await state(world, run_id))[0] is end
        assert sorted(each.title for each in await world.alerts()) == tasks
        first = (await noted(world, run_id))[0]
        assert first[:3] == (0, "slack", "failed")
        assert "channel_not_found" in str(first[3])


async def test_a_run_that_heeds_waits_for_the_receipt(each_world: World, folder: Folder) -> None:
    folder.playbook(HEAD + FAILING.replace("VERDICT", "on_failure: stop"))
    async with entered(each_world.store, folder) as world:
        run_id = await begin(world)
        assert await state(world, run_id) == (RunState.DONE, None)
        assert [step[:3] for step in await noted(world, run_id)] == [(0, "slack", "done"), (1, "task", "done")]
        assert len(world.slack.posted) == 1


async def test_a_step_says_how_often_it_is_tried(world: World, folder: Folder) -> None:
    folder.playbook(HEAD + FAILING.replace("VERDICT", "on_failure: continue, retry: {attempts: 2, pause: 5 minutes}"))
    async with entered(world.store, folder) as trying:
        trying.slack.answers = [(200, {}, {"ok": False, "error": "service_unavailable"})] * 3
        run_id = await begin(trying)
        assert await state(trying, run_id) == (RunState.WAITING, "delivery")
        assert len(trying.slack.received) == 1
        trying.clock.now = START + timedelta(minutes=5, seconds=5)
        await trying.settle(3)
        assert len(trying.slack.received) == 2
        assert await state(trying, run_id) == (RunState.DONE, None)
        assert "given up after 2 attempts" in str((await noted(trying, run_id))[0][3])


@pytest.mark.parametrize("kind", ["wait", "approve", "branch"])
async def test_twice_is_once_for_every_kind(each_world: World, folder: Folder, kind: str) -> None:
    texts = {"wait": UNTIL, "approve": ASKS, "branch": BRANCHES}
    folder.playbook(HEAD + texts[kind])
    async with entered(each_world.store, folder) as world:
        await world.customer("acme", health=0.4, mrr=1.0)
        await world.playbooks.fire_due(as_of=TODAY, now=world.clock())
        (run,) = await world.runs()
        assert await world.playbooks.advance(run.id, 0)
        before = (await world.runs(), await world.alerts(), await noted(world, run.id))
        assert not await world.playbooks.advance(run.id, 0)
        assert (await world.runs(), await world.alerts(), await noted(world, run.id)) == before


async def test_a_dry_run_tells_branches_waits_and_approvals(world: World, folder: Folder) -> None:
    folder.playbook(HEAD + BRANCHES + ASKS + UNTIL.replace("at_most", "at_most"))
    async with entered(world.store, folder) as dry:
        await dry.customer("acme", health=0.4)
        (would,) = await dry.playbooks.fire("save", ["acme"], by="eve", key="k", now=dry.clock(), dry_run=True)
        assert [(each.depth, each.block, each.after.days, each.show()) for each in would.plan] == [
            (0, None, 0, "if mrr is above 1000"),
            (1, "then", 0, "1 day"),
            (1, "then", 1, "if health has risen since firing by 0.1"),
            (2, "then", 1, "ends here: it mended itself"),
            (2, "else", 1, "Call (ann@example.com)"),
            (1, "else", 0, "Write (ann@example.com)"),
            (0, None, 0, "Look again (ann@example.com)"),
            (
                0,
                None,
                0,
                "asks csm: Offer Acme a discount? Waits 2 days for an answer; declined it ends, unanswered it goes on",
            ),
            (1, "expired", 0, "Unanswered (ann@example.com)"),
            (0, None, 0, "to ann@example.com"),
            (0, None, 0, "until health is at least 0.7, for 10 days at most"),
            (1, "else", 0, "Too long (ann@example.com)"),
            (0, None, 0, "Over (ann@example.com)"),
        ]
        assert await dry.runs() == []
