"""Alerts as people work on them."""

from datetime import date, timedelta
from typing import Any

import pytest

from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Alert, AlertOutcome, AlertState
from hub.playbooks.alerts import change_alert, open_alert
from tests.fakes.clock import START
from tests.playbooks.conftest import World


async def opened(world: World) -> Alert:
    await world.customer("acme", health=0.4)
    return await open_alert(world.store, "acme", title="Call them", key="k", now=START)


async def test_the_same_key_is_the_same_alert(each_world: World) -> None:
    first = await opened(each_world)
    again = await open_alert(each_world.store, "acme", title="Other", key="k", now=START)
    other = await open_alert(
        each_world.store,
        "acme",
        title="Other",
        key="k2",
        kind="task",
        severity="high",
        due_on=date(2026, 12, 1),
        now=START,
    )
    assert first == again
    assert (first.kind, first.state, first.severity, first.title) == ("alert", AlertState.OPEN, "normal", "Call them")
    assert (other.kind, other.severity, other.due_on) == ("task", "high", date(2026, 12, 1))


async def test_the_way_of_an_alert(each_world: World) -> None:
    world = each_world
    alert = await opened(world)

    async def change(**changes: Any) -> Alert:
        world.clock.move(hours=1)
        return await change_alert(world.store, alert.id, now=world.clock(), **changes)

    taken = await change(state="in_progress", owner_email="eve@example.com", note="calling")
    assert (taken.state, taken.owner_email, taken.note) == (AlertState.IN_PROGRESS, "eve@example.com", "calling")
    assert taken.updated_at == START + timedelta(hours=1)
    snoozed = await change(snoozed_until=START + timedelta(days=7))
    assert (snoozed.snoozed_until, snoozed.note) == (START + timedelta(days=7), "calling")
    closed = await change(state="closed", outcome="success")
    assert (closed.state, closed.outcome, closed.closed_at) == (AlertState.CLOSED, AlertOutcome.SUCCESS, world.clock())
    assert closed.snoozed_until is None
    reopened = await change(state="open", note=None)
    assert (reopened.state, reopened.outcome, reopened.closed_at, reopened.note) == (AlertState.OPEN, None, None, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "done"}, "state 'done' is none of: open, in_progress, closed"),
        ({"state": "closed"}, "closing needs an outcome, one of: success, no_success, invalid"),
        ({"state": "closed", "outcome": "great"}, "outcome 'great' is none of: success, no_success, invalid"),
        ({"outcome": "success"}, "an outcome belongs to a closed alert"),
        ({"snoozed_until": START}, "snoozed_until must lie ahead"),
        (
            {"state": "closed", "outcome": "invalid", "snoozed_until": START + timedelta(days=1)},
            "a closed alert cannot be snoozed",
        ),
        ({"owner_email": "eve"}, "owner_email 'eve' is no e-mail address"),
        ({"note": "x" * 4_001}, "at most 4000 characters"),
    ],
)
async def test_what_does_not_go_changes_nothing(world: World, changes: dict[str, Any], reason: str) -> None:
    alert = await opened(world)
    with pytest.raises(RefusedError, match=reason):
        await change_alert(world.store, alert.id, now=START, **changes)
    assert await world.alerts() == [alert]


async def test_everything_wrong_is_told(world: World) -> None:
    alert = await opened(world)
    with pytest.raises(RefusedError) as caught:
        await change_alert(world.store, alert.id, state="x", owner_email="y", now=START)
    assert str(caught.value).count(";") == 1
    with pytest.raises(RefusedError, match=r"kind 'x' is none of: alert, task; title must have.*severity 'y'"):
        await open_alert(world.store, "acme", title=" ", key="z", kind="x", severity="y", now=START)
    assert await world.alerts() == [alert]


async def test_nobody_there(world: World) -> None:
    with pytest.raises(NotFoundError, match="nope"):
        await change_alert(world.store, "nope", note="x", now=START)
    with pytest.raises(NotFoundError, match="nobody"):
        await open_alert(world.store, "nobody", title="x", key="k", now=START)
    assert await world.alerts() == []
