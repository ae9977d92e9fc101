"""What the playbooks that ship make of the watch's levels: one alert an episode, closed when it is over; both databases."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.model.actions import AlertOutcome, AlertState, ApprovalState, RunState
from hub.playbooks.alerts import change_alert
from hub.store import Store, approvals
from tests.lifecycle.watch.conftest import WatchedWorld, watching
from tests.playbooks.conftest import Folder

CRITICAL_INCIDENT = "cshub.health_critical.acme"
CRITICAL_CALLS = ["alert Health of Acme is critical", "task Call Acme"]
WARNING_CALLS = ["alert Health of Acme is in warning", "task Check in with Acme"]


async def days(world: WatchedWorld, *values: float | None, **columns: object) -> None:
    for value in values:
        await world.score({"acme": value}, **columns)


async def churn(world: WatchedWorld, *risks: float | None) -> None:
    for risk in risks:
        await world.score({"acme": 0.8}, churn_annualised=risk, churn_risk=risk, facts={"mrr": 900})


async def begin(world: WatchedWorld) -> None:
    await world.customer("acme", day=world.clock().date().replace(year=2025))


async def test_a_flapping_score_is_one_alert_and_one_incident(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await days(world, 0.8, 0.29, 0.33, 0.28, 0.6, 0.25, None, 0.29, 0.4, 0.2)
    assert await world.open_calls() == CRITICAL_CALLS
    assert len(await world.alerts()) == 2
    assert world.incidents() == [(CRITICAL_INCIDENT, "trigger")]
    assert world.said() == ["Health of Acme is critical: 29 of 100"]
    assert world.mailed() == ["ann@example.com"]
    call = await world.called("Call Acme")
    # Monday noon: one business day
    assert (call.owner_email, str(call.due_on), call.severity) == ("ann@example.com", "2026-11-03", "urgent")


async def test_recovery_closes_the_alert_and_resolves_the_incident(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await days(world, 0.2, 0.6)
    assert await world.open_calls() == CRITICAL_CALLS, "not yet: it has not held"
    await days(world, 0.61)
    assert await world.open_calls() == []
    assert {each.outcome for each in await world.alerts()} == {AlertOutcome.SUCCESS}
    assert {each.note for each in await world.alerts()} == {"Health is 61 of 100 again."}
    assert world.incidents() == [(CRITICAL_INCIDENT, "trigger"), (CRITICAL_INCIDENT, "resolve")]
    assert world.said()[1:] == ["Resolved: health of Acme is 61 of 100"]
    assert (await world.run_of("health_critical")).state is RunState.DONE
    await days(world, 0.7, 0.2)
    assert await world.open_calls() == CRITICAL_CALLS, "a new episode is a new alert"
    assert world.incidents()[2:] == [(CRITICAL_INCIDENT, "trigger")]


async def test_a_missing_score_does_nothing_for_two_weeks_and_then_is_no_recovery(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await days(world, 0.2, *[None] * 14)
    assert await world.open_calls() == CRITICAL_CALLS
    assert len(world.said()) == 1
    await days(world, None)
    assert await world.open_calls() == []
    assert {each.outcome for each in await world.alerts()} == {AlertOutcome.INVALID}
    assert len(world.said()) == 1, "nobody is told that it got better"
    assert world.incidents()[1:] == [(CRITICAL_INCIDENT, "resolve")]


async def test_warning_becomes_critical_with_one_open_alert_at_a_time(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await days(world, 0.45, 0.45)
    assert await world.open_calls() == WARNING_CALLS
    assert world.incidents() == [], "PagerDuty is off for warnings as it ships"
    await days(world, 0.2)
    assert await world.open_calls() == CRITICAL_CALLS
    assert await world.going() == ["health_critical"]
    closed = await world.called("Health of Acme is in warning")
    assert (closed.outcome, closed.note) == (
        AlertOutcome.NO_SUCCESS,
        "It became critical, and the alert of that goes on.",
    )
    assert (await world.run_of("health_warning")).error is None
    assert world.incidents() == [(CRITICAL_INCIDENT, "trigger")]


async def test_critical_becomes_warning_with_one_open_alert_at_a_time(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await days(world, 0.2, 0.2, 0.4, 0.4)
    assert await world.open_calls() == WARNING_CALLS
    await days(world, 0.9, 0.9)
    assert await world.open_calls() == []
    assert await world.going() == []
    assert world.incidents() == [(CRITICAL_INCIDENT, "trigger"), (CRITICAL_INCIDENT, "resolve")]


async def test_the_customer_leaves(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await days(world, 0.2)
    await world.customer("bolt")
    async with world.store.transaction() as connection:
        from hub.store.scorecards import retire

        await retire(connection, as_of=world.clock().date().replace(year=2027))
    await world.score({"bolt": 0.9})
    assert await world.open_calls() == []
    assert {(each.outcome, each.note) for each in await world.alerts()} == {
        (AlertOutcome.NO_SUCCESS, "It is no customer any more.")
    }
    assert len(world.said()) == 1


async def test_a_channel_is_off_or_not_there(store: Store, shipped: Folder, tmp_path: Path) -> None:
    path = shipped.root / "playbooks" / "health_critical.yaml"
    text = path.read_text(encoding="utf-8")
    assert "- email: {to: csm, template: health_critical}" in text
    path.write_text(
        text.replace(
            "template: health_critical}\n  - pagerduty", "template: health_critical, off: true}\n  - pagerduty"
        )
    )
    async with watching(store, shipped, tmp_path, pager=False) as world:
        await begin(world)
        await days(world, 0.2)
        assert await world.open_calls() == CRITICAL_CALLS
        assert (len(world.said()), world.mailed(), world.incidents()) == (1, [], [])
        assert [each.channel for each in await world.deliveries()] == ["slack"], "nothing fails in the ledger"


async def test_whoever_acknowledges_the_alert_acknowledges_the_incident(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await days(world, 0.2)
    alert = await world.called("Health of Acme is critical")
    await change_alert(world.store, alert.id, state="in_progress", now=world.clock())
    await change_alert(world.store, alert.id, note="calling them", now=world.clock())
    await world.playbooks.sweep(now=world.clock())
    await world.settle(3)
    assert world.incidents() == [(CRITICAL_INCIDENT, "trigger"), (CRITICAL_INCIDENT, "acknowledge")]
    task = await world.called("Call Acme")
    await change_alert(world.store, task.id, state="in_progress", now=world.clock())
    await change_alert(world.store, alert.id, state="open", now=world.clock())
    await change_alert(world.store, alert.id, state="in_progress", now=world.clock())
    await world.playbooks.sweep(now=world.clock())
    await world.settle(3)
    assert len(world.incidents()) == 2, "once is enough"
    await days(world, 0.8, 0.8)
    assert world.incidents()[2:] == [(CRITICAL_INCIDENT, "resolve")]


async def test_a_high_risk_is_an_alert_a_task_and_an_offer_that_nobody_sees_before_it_is_approved(
    watched: WatchedWorld,
) -> None:
    world = watched
    await begin(world)
    await world.contact("acme", "boss@acme.example")
    await churn(world, 0.8)
    assert await world.open_calls() == [
        "alert Acme is likely to leave",
        "task Agree a save plan with Acme",
        "task Send Acme the retention offer?",
    ]
    assert world.mailed() == ["ann@example.com"]
    await churn(world, 0.75)
    assert world.mailed() == ["ann@example.com"], "nobody answered"
    offer = await world.run_of("churn_offer")
    await world.playbooks.approve(offer.id, approved=True, by="ann@example.com")
    await world.settle(5)
    assert world.mailed() == ["ann@example.com", "boss@acme.example"]
    assert str(world.smtp.taken[-1]["subject"]) == "Let us make this work better for Acme"
    await churn(world, 0.3, 0.3)
    assert await world.open_calls() == []
    assert world.said()[-1] == "Resolved: the churn risk of Acme is 30 % a year"
    assert await world.going() == []


async def test_a_declined_offer_is_never_sent(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await world.contact("acme", "boss@acme.example")
    await churn(world, 0.8)
    offer = await world.run_of("churn_offer")
    await world.playbooks.approve(offer.id, approved=False, by="ann@example.com", note="they would laugh")
    await world.settle(5)
    await churn(world, *[0.8] * 8)
    assert world.mailed() == ["ann@example.com"]
    assert (await world.run_of("churn_offer")).state is RunState.DONE
    assert await world.going() == ["churn_save"], "the rest goes on"


async def test_nobody_answers_and_nothing_is_sent(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await world.contact("acme", "boss@acme.example")
    await churn(world, *[0.8] * 7)
    async with world.store.reading() as connection:
        (asked,) = await approvals.find_approvals(connection)
    assert asked.state is ApprovalState.EXPIRED
    assert world.mailed() == ["ann@example.com"]


async def test_an_offer_that_is_approved_when_the_risk_has_gone_is_not_sent(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await world.contact("acme", "boss@acme.example")
    await churn(world, 0.8, 0.1, 0.1)
    offer = await world.run_of("churn_offer")
    await world.playbooks.approve(offer.id, approved=True, by="ann@example.com")
    await world.settle(5)
    assert world.mailed() == ["ann@example.com"]


@pytest.mark.parametrize(
    ("file", "old", "new", "mailed"),
    [
        (
            "churn_offer",
            "within: 5 days\n",
            "within: 5 days\n      off: true\n",
            ["ann@example.com", "boss@acme.example"],
        ),
        ("churn_save", "- playbook: churn_offer ", "- playbook: {name: churn_offer, off: true} ", ["ann@example.com"]),
    ],
)
async def test_the_approval_or_the_offer_is_off(
    store: Store, shipped: Folder, tmp_path: Path, file: str, old: str, new: str, mailed: Sequence[str]
) -> None:
    path = shipped.root / "playbooks" / f"{file}.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    async with watching(store, shipped, tmp_path) as world:
        await begin(world)
        await world.contact("acme", "boss@acme.example")
        await churn(world, 0.8)
        assert sorted(world.mailed()) == mailed, "two addresses: in no order"


async def test_a_medium_risk_is_a_check_in_and_two_mails_apart(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await world.contact("acme", "boss@acme.example")
    await churn(world, 0.5, 0.5)
    assert "task Check in with Acme: what would make it stay?" in await world.open_calls()
    assert world.mailed() == []
    campaign = await world.run_of("churn_engagement")
    await world.playbooks.approve(campaign.id, approved=True, by="ann@example.com")
    await world.settle(5)
    assert [str(each["subject"]) for each in world.smtp.taken] == ["Three ideas for Acme"]
    await churn(world, *[0.5] * 9)
    assert len(world.smtp.taken) == 1
    await churn(world, *[0.5] * 2)
    assert [str(each["subject"]) for each in world.smtp.taken[1:]] == ["Half an hour on what matters to Acme?"]
    await churn(world, 0.1, 0.1)
    assert (await world.open_calls(), await world.going()) == ([], [])


async def test_what_is_over_gets_no_second_mail(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await world.contact("acme", "boss@acme.example")
    await churn(world, 0.5, 0.5)
    await world.playbooks.approve((await world.run_of("churn_engagement")).id, approved=True, by="ann@example.com")
    await world.settle(5)
    await churn(world, *[0.1] * 13)
    assert [str(each["subject"]) for each in world.smtp.taken] == ["Three ideas for Acme"]
    assert await world.going() == []


async def test_medium_becomes_high_with_one_open_alert_of_each_reason(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await churn(world, 0.5, 0.5, 0.8)
    closed = await world.called("Check in with Acme: what would make it stay?")
    assert (closed.state, closed.outcome) == (AlertState.CLOSED, AlertOutcome.NO_SUCCESS)
    assert "alert Acme is likely to leave" in await world.open_calls()
    assert "churn_medium" not in await world.going()


async def test_notice_given_ends_it_without_success(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await churn(world, 0.8)
    await world.score({"acme": 0.8}, churn_band="noticed", facts={"mrr": 900})
    alert = await world.called("Acme is likely to leave")
    assert (alert.outcome, alert.note) == (AlertOutcome.NO_SUCCESS, "It has given notice, or left.")


async def test_health_and_churn_at_once_are_one_message_and_both_alerts(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await world.score({"acme": 0.2}, churn_annualised=0.8, churn_risk=0.3, facts={"mrr": 900})
    assert world.said() == ["Health of Acme is critical: 20 of 100", "Send Acme the retention offer?"]
    assert world.mailed() == ["ann@example.com"]
    assert await world.open_calls() == [
        "alert Acme is likely to leave",
        "alert Health of Acme is critical",
        "task Agree a save plan with Acme",
        "task Call Acme",
        "task Send Acme the retention offer?",
    ]
    for _ in range(2):  # each is over by itself, and says so
        await world.score({"acme": 0.8}, churn_annualised=0.8, churn_risk=0.3, facts={"mrr": 900})
    assert world.said()[2:] == ["Resolved: health of Acme is 80 of 100"]
    assert "alert Acme is likely to leave" in await world.open_calls()
    await churn(world, 0.1, 0.1)
    assert world.said()[3:] == ["Resolved: the churn risk of Acme is 10 % a year"]


async def test_churn_after_a_week_of_critical_health_is_told(watched: WatchedWorld) -> None:
    world = watched
    await begin(world)
    await days(world, *[0.2] * 9)
    await world.score({"acme": 0.2}, churn_annualised=0.8, churn_risk=0.3, facts={"mrr": 900})
    assert sorted(text.split(":")[0] for text in world.said()) == [
        "Acme is at risk",
        "Health of Acme is critical",
        "Send Acme the retention offer?",
    ]
