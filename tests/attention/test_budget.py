"""What goes out when: working hours, the day's places, severities, and what is said already."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from hub.attention import Attention, Rules
from hub.attention.snoozing import snooze, unsnooze
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Alert, Delivery
from hub.model.records import Severity
from hub.model.team import Member, Team
from hub.store import alerts
from hub.store.claims import claim
from hub.store.inbox import find_withheld
from hub.store.tables import delivery, withheld_call
from tests.attention.conftest import ANN, BERLIN, FRIDAY, MONDAY, TEAM, WORKING, Desk


async def column(desk: Desk, name: str, id_: str) -> object:
    async with desk.store.reading() as connection:
        return (await connection.execute(select(delivery.c[name]).where(delivery.c.id == id_))).scalar_one()


def said(found: Delivery | None) -> Delivery:
    assert found is not None
    return found


async def test_a_message_of_friday_evening_goes_out_on_monday_morning(desk: Desk) -> None:
    kept, found = await desk.say("acme", now=FRIDAY, rank=1000.0)
    held = said(found)
    assert (held.state, held.held, held.not_before) == ("reserved", "hours", MONDAY)
    assert (held.audience, held.owner_email, held.severity, held.reason_key) == ("csm", ANN, "normal", "save")
    assert held.error == "it waits for the CSM's working hours: 2026-11-23 09:00 CET"
    assert kept.notes == {held.dedup_key: held.error}
    async with desk.store.transaction() as connection:
        assert await claim(connection, executor="here", now=MONDAY - timedelta(seconds=1), limit=9) == []
    async with desk.store.transaction() as connection:
        assert [each.id for each in await claim(connection, executor="here", now=MONDAY, limit=9)] == [held.id]


async def test_within_hours_it_goes_out_at_once(desk: Desk) -> None:
    _, found = await desk.say("acme", now=WORKING)
    assert (said(found).state, said(found).held, said(found).not_before) == ("reserved", None, None)


@pytest.mark.parametrize("severity", ["urgent"])
async def test_urgent_messages_go_out_at_once_whatever_the_hour(desk: Desk, severity: str) -> None:
    _, found = await desk.say("acme", now=FRIDAY, severity=severity)
    assert (said(found).state, said(found).held, said(found).not_before) == ("reserved", None, None)


async def test_an_urgent_alert_makes_its_message_urgent(desk: Desk) -> None:
    made = await desk.made("acme", call="alert", now=FRIDAY)
    made.alerts[0]["severity"] = "urgent"
    await desk.plan([made], now=FRIDAY)
    (found,) = await desk.deliveries()
    assert (found.severity, found.state, found.not_before) == ("urgent", "reserved", None)


async def test_channels_customers_and_systems_are_left_alone(desk: Desk) -> None:
    customers = {"audience": "customer", "text": "Hello"}
    ways = [
        ("slack", "#cs-alerts", {"text": "x"}, "team"),
        ("email", "cs-leads@example.com", {"text": "x"}, "team"),
        ("email", "jo@acme.example", customers, "customer"),
        ("pagerduty", "cs", {"event_action": "trigger"}, "system"),
        ("webhook", "warehouse", {"type": "x"}, "system"),
    ]
    for channel, address, payload, audience in ways:
        _, found = await desk.say("acme", channel=channel, address=address, payload=payload, now=FRIDAY, severity="low")
        assert (said(found).audience, said(found).state, said(found).held) == (audience, "reserved", None)


async def test_held_messages_go_out_by_what_is_at_stake_not_by_age(desk: Desk) -> None:
    for customer_id, rank in (("acme", 10.0), ("bolt", 5_000_000.0), ("core", 0.0), ("dune", 5_050_000.0)):
        await desk.say(customer_id, now=FRIDAY, rank=rank)
    order = []
    for second in range(4):
        async with desk.store.transaction() as connection:
            (sent,) = await claim(connection, executor="here", now=MONDAY + timedelta(seconds=2 * second), limit=9)
            await connection.execute(update(delivery).where(delivery.c.id == sent.id).values(state="confirmed"))
        order.append(sent.customer_id)
    assert order == ["dune", "bolt", "acme", "core"]


@pytest.mark.parametrize("rules", [Rules(most_a_day=3)])
async def test_of_five_with_three_places_the_two_with_the_least_at_stake_go_into_the_digest(desk: Desk) -> None:
    for customer_id, rank in (("acme", 30.0), ("bolt", 10.0), ("core", 50.0), ("dune", 20.0), ("echo", 40.0)):
        await desk.say(customer_id, now=FRIDAY, rank=rank)
    assert await desk.states() == {
        "save about acme": ("reserved", "hours"),
        "save about bolt": ("held", "digest"),
        "save about core": ("reserved", "hours"),
        "save about dune": ("held", "digest"),
        "save about echo": ("reserved", "hours"),
    }
    await desk.say("flux", now=FRIDAY, severity="urgent")
    assert (await desk.states())["save about flux"] == ("reserved", None)


@pytest.mark.parametrize("rules", [Rules(most_a_day=3)])
async def test_all_at_once_is_the_same_as_one_by_one(desk: Desk) -> None:
    ranks = (("acme", 30.0), ("bolt", 10.0), ("core", 50.0), ("dune", 20.0), ("echo", 40.0))
    made = [await desk.made(customer_id, now=FRIDAY, rank=rank) for customer_id, rank in ranks]
    await desk.plan(made, now=FRIDAY)
    states = await desk.states()
    assert sorted(name for name, state in states.items() if state == ("held", "digest")) == [
        "save about bolt",
        "save about dune",
    ]


@pytest.mark.parametrize("rules", [Rules(most_a_day=1)])
async def test_what_went_out_keeps_its_place_and_the_next_day_has_places_of_its_own(desk: Desk) -> None:
    await desk.say("acme", now=WORKING, rank=1.0)
    await desk.say("bolt", now=WORKING, rank=1000.0)
    assert await desk.states() == {"save about acme": ("reserved", None), "save about bolt": ("held", "digest")}
    (held,) = [each for each in await desk.deliveries() if each.held]
    assert held.not_before == datetime(2026, 11, 25, 8, tzinfo=UTC), "the next digest, 9:00 in Berlin"
    await desk.say("core", now=WORKING + timedelta(days=1), rank=0.0)
    assert (await desk.states())["save about core"] == ("reserved", None)


async def test_low_severity_always_waits_for_the_digest(desk: Desk) -> None:
    _, found = await desk.say("acme", now=WORKING, severity="low")
    assert (said(found).state, said(found).held) == ("held", "digest")
    assert said(found).error == "of low severity: it waits for the digest"


async def test_what_another_playbook_said_for_the_same_reason_is_one_message(desk: Desk) -> None:
    _, first = await desk.say("acme", playbook="churn_high", reason="churn", now=WORKING, call="task")
    later = WORKING + timedelta(days=2)
    kept, second = await desk.say("acme", playbook="churn_watch", reason="churn", now=later, call="task")
    assert (said(second).state, said(second).held, said(second).held_by) == ("suppressed", "merged", said(first).id)
    assert said(second).error == f"churn_high says the same (churn) in {said(first).id}"
    async with desk.store.reading() as connection:
        (task,) = await alerts.find_alerts(connection)
        (withheld,) = (await connection.execute(select(withheld_call))).all()
    assert task.run_id == said(first).run_id
    assert (withheld.alert_id, withheld.held, withheld.run_id) == (task.id, "merged", said(second).run_id)
    told = f"joined {task.id} of churn_high, about the same (churn)"
    assert withheld.detail == told
    assert kept.notes[f"call.{said(second).dedup_key}"] == told
    # another customer, another reason, another place, after the window, and the same playbook: none of them is the same
    for customer_id, playbook, reason, address, at in (
        ("bolt", "churn_watch", "churn", ANN, later),
        ("acme", "nps", "nps", ANN, later),
        ("acme", "churn_watch", "churn", "cs-leads@example.com", later),
        ("acme", "churn_watch", "churn", ANN, WORKING + timedelta(days=7, seconds=1)),
        ("acme", "churn_watch", "churn", ANN, WORKING + timedelta(days=7, seconds=2)),
    ):
        _, other = await desk.say(customer_id, playbook=playbook, reason=reason, address=address, now=at)
        assert said(other).held is None, (customer_id, playbook, reason, address, at)


async def test_two_playbooks_at_once_are_one_message_of_the_more_severe(desk: Desk) -> None:
    normal = await desk.made("acme", playbook="churn_medium", reason="churn", now=WORKING, call="alert")
    high = await desk.made("acme", playbook="churn_high", reason="churn", severity="high", now=WORKING, call="alert")
    await desk.plan([normal, high], now=WORKING)
    assert await desk.states() == {
        "churn_medium about acme": ("suppressed", "merged"),
        "churn_high about acme": ("reserved", None),
    }
    async with desk.store.reading() as connection:
        (found,) = await alerts.find_alerts(connection)
    assert (found.run_id, found.severity, found.reason_key) == (high.concern.run_id, "high", "churn")


async def test_more_severe_than_what_was_said_goes_out_and_the_open_alert_takes_its_severity(desk: Desk) -> None:
    await desk.say("acme", playbook="churn_medium", reason="churn", now=WORKING, call="alert")
    _, second = await desk.say(
        "acme", playbook="churn_high", reason="churn", severity="high", now=WORKING, call="alert"
    )
    assert (said(second).state, said(second).held) == ("reserved", None)
    async with desk.store.reading() as connection:
        (found,) = await alerts.find_alerts(connection)
    assert (found.severity, found.run_id) == ("high", "run_001")


async def test_a_question_stands_by_itself(desk: Desk) -> None:
    """A person is asked by each run that asks."""
    await desk.say("acme", playbook="one", reason="churn", now=WORKING, call="task", own=True)
    await desk.say("acme", playbook="two", reason="churn", now=WORKING, call="task", own=True)
    async with desk.store.reading() as connection:
        found = await alerts.find_alerts(connection)
    assert [each.reason_key for each in found] == [None, None]


async def asked(desk: Desk) -> list[Alert]:
    async with desk.store.reading() as connection:
        return await alerts.find_alerts(connection)


async def test_a_snooze_keeps_any_playbook_of_the_reason_quiet_and_urgent_things_come_through(desk: Desk) -> None:
    until = WORKING + timedelta(days=14)
    made = await snooze(desk.store, "acme", reason="churn", until=until, by=ANN, note="on holiday", now=WORKING)
    kept, found = await desk.say("acme", playbook="other", reason="churn", now=WORKING, call="alert")
    assert (said(found).state, said(found).held, said(found).held_by) == ("suppressed", "snoozed", made.id)
    assert said(found).error == "ann@example.com snoozed churn until 2026-12-08 10:00 UTC: on holiday"
    assert kept.withheld == {f"call.{said(found).dedup_key}"}
    assert await asked(desk) == []
    # a page is held too, its end is not
    for action, state in (("trigger", "suppressed"), ("resolve", "reserved")):
        payload = {"event_action": action}
        _, page = await desk.say(
            "acme", playbook="other", reason="churn", channel="pagerduty", address="cs", payload=payload, now=WORKING
        )
        assert said(page).state == state
    # neither another customer nor another reason is snoozed, and what is urgent comes through
    for customer_id, reason, severity in (
        ("bolt", "churn", "normal"),
        ("acme", "nps", "normal"),
        ("acme", "churn", "urgent"),
    ):
        _, free = await desk.say(
            customer_id, playbook="third", reason=reason, severity=severity, now=WORKING, call="task"
        )
        assert said(free).state == "reserved"
    assert len(await asked(desk)) == 3
    async with desk.store.reading() as connection:
        shown = await find_withheld(connection, book=None, limit=10)
    assert sorted((each.what, each.held, each.by) for each in shown) == [
        ("alert", "snoozed", made.id),
        ("email", "snoozed", made.id),
        ("pagerduty", "snoozed", made.id),
    ]
    lifted = await unsnooze(desk.store, made.id, by="bo@example.com", now=WORKING)
    assert (lifted.lifted_by, lifted.lifted_at) == ("bo@example.com", WORKING)
    _, again = await desk.say(
        "acme", playbook="third", reason="churn", severity="high", now=WORKING + timedelta(days=1)
    )
    assert said(again).state == "reserved"
    with pytest.raises(RefusedError, match="is over already"):
        await unsnooze(desk.store, made.id, by=ANN, now=WORKING)


@pytest.mark.parametrize("rules", [Rules(urgent_through_snoozes=False)])
async def test_a_snooze_of_everything_where_it_is_to_hold_urgent_things_too(desk: Desk) -> None:
    await snooze(desk.store, "acme", reason="*", until=WORKING + timedelta(days=1), by=ANN, now=WORKING)
    _, found = await desk.say("acme", severity="urgent", now=WORKING)
    assert said(found).held == "snoozed"
    _, after = await desk.say("acme", severity="urgent", now=WORKING + timedelta(days=1))
    assert said(after).held is None


async def test_what_cannot_be_snoozed_is_refused(desk: Desk) -> None:
    with pytest.raises(RefusedError, match=r"must be one of a playbook.*; until must lie ahead, by at most 366 days"):
        await snooze(desk.store, "acme", reason="No Reason", until=WORKING, by=ANN, now=WORKING)
    with pytest.raises(NotFoundError, match="there is no customer 'nobody'"):
        await snooze(desk.store, "nobody", reason="churn", until=MONDAY + timedelta(days=9), by=ANN, now=WORKING)


async def test_an_address_of_the_ledger_is_asked_for_its_opinion(desk: Desk) -> None:
    desk.attention = Attention(Rules(), TEAM, rate=lambda run, voter: f"https://hub.example/rate/{run}-{voter}")
    _, found = await desk.say("acme", now=WORKING)
    link = f"https://hub.example/rate/run_001-{ANN}"
    assert said(found).payload["text"] == f"Look.\n\nWas this of use? Say so here: {link}\n"
    assert f'<a href="{link}"' in str(said(found).payload["html"])
    assert str(said(found).payload["html"]).endswith("</p></body>")
    _, channel = await desk.say("acme", channel="slack", address="#cs", payload={"text": "x"}, now=WORKING)
    assert said(channel).payload == {"text": "x"}


async def test_hours_and_severities_are_each_members_own(desk: Desk) -> None:
    bo = Member(
        email="Bo@example.com", zone=BERLIN, hours=replace(Member(email="x").hours, weekdays=frozenset(range(7)))
    )
    desk.attention = Attention(
        Rules(into_digest=frozenset({Severity.LOW, Severity.NORMAL})),
        Team(members={"bo@example.com": bo}),
    )
    _, found = await desk.say("acme", address="bo@example.com", severity="high", now=FRIDAY)
    assert said(found).not_before == datetime(2026, 11, 21, 8, tzinfo=UTC), "Saturday, 9:00 in Berlin"
    _, normal = await desk.say("bolt", address="bo@example.com", now=FRIDAY)
    assert (said(normal).state, said(normal).not_before) == ("held", datetime(2026, 11, 21, 8, tzinfo=UTC))


async def test_ten_thousand_messages_are_planned_in_a_handful_of_statements(sqlite_store: object) -> None:
    """Counted, not timed: however many rows there are, the statements are the same."""
    from sqlalchemy import event  # only here: the one test that counts

    from hub.store import Store

    assert isinstance(sqlite_store, Store)
    desk = Desk(sqlite_store, Attention(Rules(), TEAM))
    await desk.customers("acme", "bolt")
    counted = []
    for many in (2, 200):
        made = [await desk.made("acme" if n % 2 else "bolt", playbook=f"p{n % 7}", reason="churn", now=FRIDAY, call="task")
                for n in range(many)]  # fmt: skip
        seen: list[str] = []
        async with sqlite_store.transaction() as connection:
            raw = connection.sync_connection
            assert raw is not None

            def note(_connection: object, _cursor: object, statement: str, *_: object, seen: list[str] = seen) -> None:
                seen.append(statement)

            event.listen(raw, "before_cursor_execute", note)
            await desk.attention.plan(connection, made, now=FRIDAY)
            event.remove(raw, "before_cursor_execute", note)
        counted.append(len(seen))
    assert counted[0] == counted[1] <= 6
