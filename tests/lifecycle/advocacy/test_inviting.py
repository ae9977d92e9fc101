"""Whom the hub asks, by what its records say: an invitation and one mail each, under the rules of mail; on both databases."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hub.compose.advocacy import SurveyDesk
from hub.errors import RefusedError
from hub.store.lifecycle import write_lifecycles
from hub.store.stops import ALL
from hub.store.tables import subscription, survey_invitation, ticket
from tests.lifecycle.advocacy.conftest import NOW, Place, due_ids
from tests.schema.company import insert, record

ONE, OTHER = due_ids(2)


async def asked(place: Place, **how: Any) -> list[str]:
    return sorted(each.address.partition("@")[0] for each in (await place.desk.send(**how)).invitations)


async def reasons(place: Place, **how: Any) -> set[str]:
    invited = await place.desk.send(**how)
    assert invited.invitations == []
    return {each.reason for each in invited.left_out}


async def test_an_invitation_and_a_mail_each(place: Place) -> None:
    await place.customer(ONE, "kim:champion", "lee:decision_maker", "mo", "nat")
    sent = await place.desk.send(dry_run=True)
    assert [each.address.partition("@")[0] for each in sent.invitations] == ["kim", "lee", "mo"]
    assert (await place.invitations(), await place.mails()) == ([], []), "a dry run writes nothing"
    await place.desk.send()
    rows = await place.invitations()
    assert [row["address"].partition("@")[0] for row in rows] == ["kim", "lee", "mo"]
    first = rows[0]
    assert (first["customer_id"], first["name"], first["asked_at"], first["asked_by"]) == (ONE, "Kim", NOW, "schedule")
    assert first["expires_at"] == datetime(2026, 12, 15, 9, 30, tzinfo=UTC)
    mails = {row["id"]: row for row in await place.mails()}
    assert {row["delivery_id"] for row in rows} == set(mails)
    mail = mails[first["delivery_id"]]
    assert (mail["audience"], mail["customer_id"], mail["address"], mail["run_id"]) == (
        "customer",
        ONE,
        f"kim@{ONE}.example",
        None,
    )
    assert mail["payload"]["reply_to"] == "ann@cs.example"
    await place.settle(3)
    taken = place.smtp.taken[0]
    assert taken["Subject"] == "How likely are you to recommend Northbeam to a colleague?"
    assert "success@cshub.example" in taken["From"]
    assert taken["List-Unsubscribe"] is not None
    links = place.links(f"kim@{ONE}.example")
    assert [link.rpartition("/")[2] for link in links] == [str(score) for score in range(11)]
    assert links[0] != place.links(f"lee@{ONE}.example")[0], "each has links of its own"


async def test_asked_once_in_the_quarter_and_again_in_the_next(place: Place) -> None:
    await place.customer(ONE, "kim")
    assert await asked(place) == ["kim"]
    assert await asked(place) == []
    place.clock.move(days=1)
    assert await asked(place) == []
    place.clock.now = NOW + timedelta(days=92)
    assert await asked(place) == ["kim"], "the same place in the next quarter"
    assert len(await place.invitations()) == 2


async def test_a_contact_rests_from_whatever_tool_asked(place: Place) -> None:
    await place.customer(ONE, "kim", "lee", "mo")
    await place.answered(ONE, 9, days=89, by="kim", respondent_email=f"Kim@{ONE}.example")
    await place.answered(ONE, 9, days=90, by="lee")
    await place.answered(ONE, 5, days=2, by="mo", type="csat", scale="1-5")
    assert await asked(place) == ["lee", "mo"]
    assert await reasons(place, customer_ids=[ONE], force=True) == {
        "asked 89 days ago, and rests for 90", "asked 0 days ago, and rests for 90",
    }  # fmt: skip


async def test_an_invitation_that_never_went_out_was_no_question(place: Place) -> None:
    await place.customer(ONE, "kim")
    place.smtp.refuse["rcpt"] = "550 no such mailbox"
    await place.desk.send()
    await place.settle(5)
    assert [row["state"] for row in await place.mails()] == ["failed"]
    assert await reasons(place) == {"asked today, and the mail did not go out: see the delivery ledger"}
    place.smtp.refuse.clear()
    place.clock.move(days=1)
    assert await asked(place) == ["kim"]
    await place.settle(5)
    assert len(place.smtp.taken) == 1


async def test_who_is_suppressed_is_not_asked_and_another_is(place: Place) -> None:
    await place.customer(ONE, "kim:champion", "lee", "mo", "nat")
    await place.hub.mails.suppress(f"kim@{ONE}.example", by="ann", topic="surveys")
    await place.hub.mails.suppress(f"lee@{ONE}.example", by="ann", topic="offers")
    await place.hub.mails.suppress(f"mo@{ONE}.example", by="ann")
    invited = await place.desk.send()
    assert [each.address.partition("@")[0] for each in invited.invitations] == ["lee", "nat"]
    assert [each.reason for each in invited.left_out] == [
        f"kim@{ONE}.example is suppressed from surveys: manual since 2026-11-24",
        f"mo@{ONE}.example is suppressed: manual since 2026-11-24",
    ]
    await place.settle(3)
    assert sorted(to for _, recipients in place.smtp.envelopes for to in recipients) == [
        f"lee@{ONE}.example", f"nat@{ONE}.example",
    ]  # fmt: skip
    assert len(await place.mails()) == 2, "nothing is written of the others"


async def test_who_unsubscribes_while_it_waits_gets_nothing(place: Place) -> None:
    await place.customer(ONE, "kim")
    place.clock.now = NOW.replace(hour=5)  # before the sending window
    await place.desk.send()
    await place.settle(3)
    assert (place.smtp.taken, (await place.mails())[0]["not_before"]) == ([], NOW.replace(hour=8, minute=0))
    await place.hub.mails.unsubscribe(f"kim@{ONE}.example", "surveys")
    place.clock.now = NOW.replace(hour=8, minute=1)
    await place.hub.playbooks.sweep(now=place.clock())
    await place.settle(3)
    assert (place.smtp.taken, [row["state"] for row in await place.mails()]) == ([], ["suppressed"])


async def test_what_stands_against_a_customer(place: Place) -> None:
    await place.customer(ONE, "kim", since=NOW.date() - timedelta(days=59))
    await place.customer(OTHER, "lee")
    urgent = {"status": "open", "severity": "urgent", "created_at": NOW, "reopens": 0, "replies": 0}
    await insert(place.store, ticket, [record("desk", "1", OTHER, **urgent)])
    assert await reasons(place) == {"a customer for 59 days, fewer than 60", "an urgent ticket is open"}
    async with place.store.transaction() as connection:
        await connection.execute(ticket.update().values(status="solved"))
        await write_lifecycles(connection, {OTHER: {"onboarding_state": "active"}}, now=NOW)
    assert await reasons(place, customer_ids=[OTHER]) == {"it is in its onboarding"}
    assert (await place.invitations(), await place.mails()) == ([], [])
    assert await asked(place, customer_ids=[OTHER], force=True) == ["lee"]


async def test_only_whose_turn_it_is_and_who_pays(place: Place) -> None:
    early, ended = due_ids(1, day=date(2026, 11, 25))[0], due_ids(3)[2]
    await place.customer(early, "kim")
    await place.customer(ended, "lee")
    async with place.store.transaction() as connection:
        of = subscription.update().where(subscription.c.customer_id == ended)
        await connection.execute(of.values(ended_on=NOW.date()))
    assert await reasons(place) == {"no subscription runs"}
    place.clock.move(days=1)
    assert await asked(place) == ["kim"]


async def test_two_processes_ask_each_contact_once(place: Place) -> None:
    for id_ in (ONE, OTHER):
        await place.customer(id_, "kim", "lee", "mo")
    both = await asyncio.gather(place.desk.send(), SurveyDesk(place.hub).send())
    assert sorted(len(each.invitations) for each in both) == [0, 6]
    assert (len(await place.invitations()), len(await place.mails())) == (6, 6)


async def test_stopped_and_switched_off(place: Place) -> None:
    await place.customer(ONE, "kim")
    await place.desk.send()
    await place.hub.playbooks.stop(ALL, by="ann", reason="a fire drill")
    await place.settle(3)
    assert place.smtp.taken == [], "what waits in the ledger stays there"
    await place.customer(OTHER, "lee")
    with pytest.raises(RefusedError, match="everything is stopped by ann: a fire drill"):
        await place.desk.send()
    assert len(await place.rows(survey_invitation)) == 1
    await place.hub.playbooks.start(ALL, by="ann")
    await place.settle(3)
    assert len(place.smtp.taken) == 1
    settings = place.hub.settings.lifecycle.advocacy
    off = settings.model_copy(update={"survey": settings.survey.model_copy(update={"enabled": False})})
    desk = SurveyDesk(place.hub)
    desk._settings = off
    with pytest.raises(RefusedError, match="surveys are off"):
        await desk.send()


async def test_the_schedule_asks(place: Place) -> None:
    await place.customer(due_ids(1, day=date(2026, 11, 25))[0], "kim")
    await place.durable.run()
    assert await place.invitations() == [], "its turn comes the next day"
    place.clock.now = NOW + timedelta(days=1)
    await place.settle(3)
    assert [row["asked_by"] for row in await place.invitations()] == ["schedule"]
    assert len(place.smtp.taken) == 1
