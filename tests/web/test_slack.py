"""Slack's buttons over real HTTP: what they change, who may, and that nothing is done twice or lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.model.actions import AlertState
from hub.slack import inbox
from hub.store import Store
from hub.store.slack import find_request
from tests.fakes.slack_place import Place, buttons, shown, slack_place, user


@pytest.fixture
async def place(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Place]:
    async with slack_place(sqlite_store, tmp_path) as made:
        await made.customer("acme")
        yield made


@pytest.fixture
async def each_place(store: Store, tmp_path: Path) -> AsyncIterator[Place]:
    async with slack_place(store, tmp_path) as made:
        await made.customer("acme")
        yield made


async def test_acknowledged_by_ann(each_place: Place) -> None:
    place = each_place
    run = await place.fire("acme")
    message = place.message()
    assert buttons(message) == ["acknowledge", "snooze", "assign", "fire", "open", "not_useful"]
    assert message.body["blocks"][-1]["block_id"] == f"cshub.run:{run}"
    assert "open · Ann Archer owns it" in shown(message)
    assert await place.press("ann", "acknowledge", message) == 200
    await place.settle()
    [alert] = await place.alerts()
    assert (alert.state, alert.owner_email, alert.changed_by) == (
        AlertState.IN_PROGRESS,
        "ann@example.com",
        "ann@example.com",
    )
    updated = place.message()
    assert updated.body["ts"] == message.body["ts"]
    assert updated.body["edited"]
    assert "acknowledged by Ann Archer" in shown(updated)
    assert "acknowledge" not in buttons(updated)
    assert await place.audited() == [("ann@example.com", "slackAcknowledge", "done")]
    assert place.outbox.counts()["slack"] == 1
    assert place.answers()[0]["text"] == "Acknowledged."


async def test_slack_is_answered_before_anything_is_done(place: Place) -> None:
    await place.fire("acme")
    assert await place.press("ann", "acknowledge", place.message()) == 200
    [alert] = await place.alerts()
    assert alert.state is AlertState.OPEN, "the answer came first"
    assert [job.job for job in place.durable.waiting] == ["slack.request"]
    await place.settle()
    [alert] = await place.alerts()
    assert alert.state is AlertState.IN_PROGRESS


async def test_what_was_answered_is_done_though_its_job_was_lost(place: Place) -> None:
    await place.fire("acme")
    await place.press("ann", "acknowledge", place.message())
    place.durable.waiting.clear()  # the process died between keeping the request and asking for its job
    place.clock.move(seconds=40)
    await place.slack.watch()
    await place.settle()
    [alert] = await place.alerts()
    assert alert.state is AlertState.IN_PROGRESS
    assert await place.slack.inbox.watch() == 0


async def test_a_press_is_answered_in_time_while_a_long_write_holds_the_store(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.fire("acme")
    message = place.message()
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 0.05)
    async with place.store.transaction() as connection:
        assert await place.press("ann", "acknowledge", message) == 200, "answered while the store was held"
        [job] = place.durable.waiting
        assert (job.job, set(job.argument)) == ("slack.request", {"id", "kind", "payload", "at"})
        async with place.store.reading() as reader:
            assert await find_request(reader, str(job.argument["id"])) is None
        monkeypatch.setattr(inbox, "JOB_PATIENCE_SECONDS", 0.05)
        await place.durable.run()
        assert place.durable.waiting, "still held: the job is put off"
        await connection.rollback()
    await place.settle(60)
    [alert] = await place.alerts()
    assert (alert.state, alert.changed_by) == (AlertState.IN_PROGRESS, "ann@example.com")
    assert await place.audited() == [("ann@example.com", "slackAcknowledge", "done")]
    assert await place.slack.inbox.watch() == 0


async def test_two_presses_are_one_effect(place: Place) -> None:
    await place.fire("acme")
    message = place.message()
    await place.press("ann", "acknowledge", message)
    await place.press("bob", "acknowledge", message)
    await place.settle()
    [alert] = await place.alerts()
    assert alert.changed_by == "ann@example.com"
    assert place.answers()[0]["text"] == "It is acknowledged already, by ann@example.com."
    assert place.outbox.counts()["slack_update"] == 1, "both presses are one change of what is shown"


async def test_a_request_that_is_done_twice_is_done_once(place: Place) -> None:
    await place.fire("acme")
    await place.press("ann", "snooze", place.message(), value="3d")
    [job] = [each for each in place.durable.waiting if each.job == "slack.request"]
    await place.settle()
    [first] = await place.alerts()
    place.clock.move(hours=1)
    await place.durable.enqueue(job.job, job.argument)
    await place.settle()
    [second] = await place.alerts()
    assert second == first
    assert (await place.audited()) == [("ann@example.com", "slackSnooze", "done")]


async def test_snoozed_and_awake_again(place: Place) -> None:
    await place.fire("acme")
    pressed_at = place.clock()
    await place.press("ann", "snooze", place.message(), value="1d")
    await place.settle()
    [alert] = await place.alerts()
    assert alert.snoozed_until is not None
    assert (alert.snoozed_until - pressed_at).total_seconds() == 86_400
    assert "snoozed until Mon 02 Nov 12:00 UTC by Ann Archer" in shown(place.message())
    place.clock.move(days=1, minutes=1)
    await place.settle()  # the watch of the minute
    assert "snoozed" not in shown(place.message())
    assert "acknowledge" in buttons(place.message())


async def test_assigned_to_somebody_else(place: Place) -> None:
    await place.fire("acme")
    await place.press("ann", "assign", place.message(), value=user("bob"))
    await place.settle()
    [alert] = await place.alerts()
    assert alert.owner_email == "bob@example.com"
    assert "Bob Baker owns it" in shown(place.message())
    await place.press("ann", "assign", place.message(), value=user("nob"))
    await place.settle()
    assert "I don't know whom you chose" in place.answers()[0]["text"]
    [alert] = await place.alerts()
    assert alert.owner_email == "bob@example.com"


async def test_a_member_without_a_slack_user_is_known_by_the_address(place: Place) -> None:
    await place.fire("acme")
    await place.press("mia", "acknowledge", place.message())
    await place.settle()
    [alert] = await place.alerts()
    assert alert.changed_by == "mia@example.com"


@pytest.mark.parametrize(
    ("who", "told"),
    [("nob", "I don't know you yet"), ("vic", "That needs the role csm; yours is viewer")],
)
async def test_who_may_not_is_told_how_that_is_changed(place: Place, who: str, told: str) -> None:
    await place.fire("acme")
    before = place.message()
    for button, value in (("acknowledge", ""), ("snooze", "1d"), ("assign", user("ann")), ("fire", "save")):
        await place.press(who, button, before, value=value)
        await place.settle(1)
        answer = place.answers()[0]
        assert told in answer["text"]
        assert "config/team.yaml" in answer["text"]
    assert user("nob") in answer["text"] or who == "vic"
    [alert] = await place.alerts()
    assert alert.state is AlertState.OPEN
    assert place.message() == before
    assert await place.audited() == []


async def test_approve_and_decline(each_place: Place) -> None:
    place = each_place
    run = await place.fire("acme", playbook="offer")
    message = place.message()
    assert "Offer Acme a discount?" in shown(message)
    assert {"approve", "decline"} <= set(buttons(message))
    pressing = next(block for block in message.body["blocks"] if block["type"] == "actions")["elements"]
    assert [each["action_id"] for each in pressing if each.get("style") == "primary"] == ["cshub.approve"]
    await place.press("ann", "approve", message)
    await place.press("bob", "decline", message)
    await place.settle()
    assert "approved by Ann Archer" in shown(place.message())
    assert not {"approve", "decline"} & set(buttons(place.message()))
    assert "no approval now" in place.answers()[0]["text"] or "answered already" in place.answers()[0]["text"]
    titles = [each.title for each in await place.alerts() if each.run_id == run]
    assert "Send the offer" in titles


async def test_an_answer_that_was_noted_and_not_told_is_told_when_it_is_done_again(place: Place) -> None:
    run = await place.fire("acme", playbook="offer")
    message = place.message()
    await place.playbooks.approve(run, approved=True, by="ann@example.com", step=1)  # and then the process died
    await place.press("ann", "approve", message)
    await place.settle()
    assert place.answers()[0]["text"] == "Approved."


async def test_a_message_without_a_call_becomes_one_when_somebody_takes_it_up(place: Place) -> None:
    run = await place.fire("acme", playbook="tell")
    assert await place.alerts() == []
    await place.press("ann", "snooze", place.message(), value="1w")
    await place.settle()
    [alert] = await place.alerts()
    assert (alert.title, alert.run_id, alert.customer_id) == ("Acme: 30", run, "acme")
    assert alert.snoozed_until is not None
    assert "snoozed until" in shown(place.message())


async def test_not_useful_is_a_vote(place: Place) -> None:
    run = await place.fire("acme")
    await place.press("ann", "not_useful", place.message())
    await place.settle()
    from hub.store.tables import vote

    async with place.store.reading() as connection:
        [row] = (await connection.execute(vote.select())).all()
    assert (row.run_id, row.playbook, row.voter, row.useful, row.way) == (
        run,
        "save",
        "ann@example.com",
        False,
        "slack",
    )


async def test_a_playbook_is_shown_before_it_is_fired_and_fired_once(place: Place) -> None:
    await place.fire("acme")
    await place.press("ann", "fire", place.message(), value="tell")
    await place.settle()
    preview = next(each for each in place.outbox.arrivals() if each.kind == "slack_answer")
    assert "*Tell the team* for *Acme* would | " not in shown(preview.body)
    assert "slack: to #alerts" in shown(preview.body)
    assert place.outbox.counts()["slack"] == 1, "a preview sends nothing"
    await place.press("ann", "fire_now", preview)
    await place.press("ann", "fire_now", preview)
    await place.settle()
    assert place.outbox.counts()["slack"] == 2
    assert [each["text"] for each in place.answers()[:2]] == [
        "tell was fired for Acme already.",
        "tell fired for Acme.",
    ]
    assert ("ann@example.com", "slackFire", "done") in await place.audited()


async def test_a_closed_alert_can_not_be_acknowledged(place: Place) -> None:
    from hub.playbooks.alerts import change_alert

    await place.fire("acme")
    message = place.message()
    [alert] = await place.alerts()
    await change_alert(
        place.store, alert.id, state="closed", outcome="success", by="bob@example.com", now=place.clock()
    )
    await place.press("ann", "acknowledge", message)
    await place.settle()
    assert place.answers()[0]["text"] == "It is closed already by bob@example.com."
    assert "closed with success by Bob Baker" in shown(place.message())
    assert buttons(place.message()) == ["fire", "open", "not_useful"]
