"""One digest a CSM and slot: once, however often and by however many it is made; and nothing is lost."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from hub.attention import Attention, Rules
from hub.attention.digest import Digests
from hub.attention.slots import newest_slot, next_slot
from hub.delivery import Renderer
from hub.model.records import Severity
from hub.model.team import Member, Team
from hub.resources import TEMPLATES
from hub.store import Store, stops, withdrawals
from hub.store.stops import Stopped
from hub.store.tables import delivery, scorecard
from tests.attention.conftest import ANN, BERLIN, FRIDAY, MONDAY, TEAM, WORKING, Desk

EVERYTHING = Rules(into_digest=frozenset({Severity.LOW, Severity.NORMAL, Severity.HIGH}))


@pytest.fixture
def rules() -> Rules:
    return EVERYTHING


def digests(desk: Desk, *, team: Team = TEAM, channels: tuple[str, ...] = ("email", "slack")) -> Digests:
    attention = Attention(EVERYTHING, team, rate=desk.attention.rate)
    return Digests(attention, Renderer(TEMPLATES), channels=channels, hub_url="https://hub.example/")


async def card(desk: Desk, customer_id: str, *, risk: float, mrr: float) -> None:
    row = {
        "id": f"{customer_id}:2026-11-20",
        "customer_id": customer_id,
        "as_of": FRIDAY.date(),
        "latest": True,
        "coverage": 1.0,
        "churn_risk": risk,
        "facts": {"mrr": mrr},
        "readings": [],
        "definition_hash": "x",
        "computed_at": FRIDAY,
    }
    async with desk.store.transaction() as connection:
        await connection.execute(scorecard.insert(), [row])


async def test_a_digest_lists_what_was_held_by_what_is_at_stake(desk: Desk) -> None:
    await card(desk, "acme", risk=0.5, mrr=100.0)
    await card(desk, "bolt", risk=0.1, mrr=1000.0)
    for customer_id in ("acme", "bolt", "core"):
        await desk.say(customer_id, now=FRIDAY)
    assert await digests(desk).make(desk.store, now=MONDAY - timedelta(seconds=1)) == []
    (made,) = await digests(desk).make(desk.store, now=MONDAY + timedelta(seconds=20))
    assert [each.customer_id for each in made.items] == ["bolt", "acme", "core"], (
        "1,200 and 600 a year, and nothing known"
    )
    assert (made.owner_email, made.slot) == (ANN, MONDAY)
    (sent,) = await desk.deliveries(made.id)
    assert (sent.channel, sent.address, sent.state, sent.audience, sent.run_id) == (
        "email",
        ANN,
        "reserved",
        "csm",
        None,
    )
    assert sent.subject == "3 updates about 3 of your customers"
    text = str(sent.payload["text"])
    assert "Hello Ann Archer" in text
    assert text.index("Bolt") < text.index("Acme") < text.index("Core")
    assert "Held for Monday, 23 November 2026" in text
    for each in await desk.deliveries("del_run_001", "del_run_002", "del_run_003"):
        assert (each.state, each.held, each.held_by) == ("suppressed", "digest", made.id)
        assert each.error == f"told in the digest {made.id} of 2026-11-23 09:00"


async def test_it_is_made_once_however_often_the_job_runs(desk: Desk) -> None:
    await desk.say("acme", now=FRIDAY)
    first, second = await asyncio.gather(
        digests(desk).make(desk.store, now=MONDAY), digests(desk).make(desk.store, now=MONDAY)
    )
    assert len(first) + len(second) == 1
    assert await digests(desk).make(desk.store, now=MONDAY + timedelta(hours=1)) == []
    assert len(await desk.deliveries()) == 2


async def test_two_processes_make_it_once(desk: Desk, store_url: str) -> None:
    await desk.say("acme", now=FRIDAY)
    async with Store.open(store_url) as other:
        made = await asyncio.gather(*(digests(desk).make(each, now=MONDAY) for each in (desk.store, other)))
    assert sorted(map(len, made)) == [0, 1]
    assert len(await desk.deliveries()) == 2


async def test_what_comes_too_late_for_its_slot_waits_for_the_next_one(desk: Desk) -> None:
    await desk.say("acme", now=FRIDAY)
    (made,) = await digests(desk).make(desk.store, now=MONDAY)
    await desk.say("bolt", now=FRIDAY)  # as by a process that was slow to commit
    assert await digests(desk).make(desk.store, now=MONDAY + timedelta(minutes=1)) == []
    (late,) = await desk.deliveries("del_run_002")
    assert (late.state, late.not_before) == ("held", MONDAY + timedelta(days=1))
    (next_day,) = await digests(desk).make(desk.store, now=MONDAY + timedelta(days=1))
    assert next_day.id != made.id
    assert [each.id for each in next_day.items] == ["del_run_002"]


async def test_after_days_of_standstill_all_is_in_one_digest(desk: Desk) -> None:
    await desk.say("acme", now=FRIDAY)
    await desk.say("bolt", now=WORKING)
    (made,) = await digests(desk).make(desk.store, now=WORKING + timedelta(days=3))
    assert len(made.items) == 2


async def test_a_digest_that_dies_halfway_is_made_whole_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both writes are one transaction: without the second there is no first."""
    await desk.say("acme", now=FRIDAY)

    async def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("hub.store.digests.tell_in", die)
        with pytest.raises(KeyboardInterrupt):
            await digests(desk).make(desk.store, now=MONDAY)
    assert await desk.states() == {"save about acme": ("held", "digest")}
    assert len(await digests(desk).make(desk.store, now=MONDAY)) == 1


async def test_it_comes_by_slack_too_where_the_member_is_known_there(desk: Desk) -> None:
    team = Team(members={ANN: Member(email=ANN, zone=BERLIN, slack="U012AB3CD")})
    await desk.say("acme", now=FRIDAY)
    (made,) = await digests(desk, team=team).make(desk.store, now=MONDAY)
    ways = {(each["channel"], each["address"]) for each in made.deliveries}
    assert ways == {("email", ANN), ("slack", "U012AB3CD")}
    assert len({each["dedup_key"] for each in made.deliveries}) == 2
    (again,) = [digests(desk, team=team, channels=("slack",)).of(ANN, made.items, now=MONDAY)]
    assert [each["channel"] for each in again.deliveries] == ["slack"]


async def test_a_template_that_cannot_be_rendered_leaves_everything_waiting(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.say("acme", now=FRIDAY)
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "attention_digest.md").write_text("subject: x\n---\n{{ nothing_like_it }}\n")
    broken = Digests(desk.attention, Renderer(tmp_path), channels=("email",), hub_url="https://hub.example")
    assert await broken.make(desk.store, now=MONDAY) == []
    assert "the digest of ann@example.com cannot be rendered; its 1 messages wait" in caplog.text
    assert await desk.states() == {"save about acme": ("held", "digest")}


async def test_what_a_stopped_playbook_wanted_to_say_is_in_no_digest(desk: Desk) -> None:
    await desk.say("acme", playbook="save", now=FRIDAY)
    async with desk.store.transaction() as connection:
        await stops.insert(connection, Stopped(playbook="save", reason="x", stopped_by="x", stopped_at=FRIDAY))
    assert await digests(desk).make(desk.store, now=MONDAY) == []
    async with desk.store.transaction() as connection:
        assert await withdrawals.withdraw(connection, playbook="save", reason="withdrawn") == 1
        await stops.remove(connection, "save")
    assert await digests(desk).make(desk.store, now=MONDAY) == []
    assert (await desk.states())["save about acme"] == ("suppressed", "digest")


async def test_one_displaced_message_is_told_in_the_digest(desk: Desk) -> None:
    desk.attention = Attention(Rules(most_a_day=1), TEAM)
    await desk.say("acme", now=FRIDAY, rank=1.0)
    await desk.say("bolt", now=FRIDAY, rank=2.0)
    assert await desk.states() == {"save about acme": ("held", "digest"), "save about bolt": ("reserved", "hours")}
    (made,) = await digests(desk).make(desk.store, now=MONDAY)
    assert [each.customer_id for each in made.items] == ["acme"]


async def test_one_that_went_out_meanwhile_is_not_displaced(desk: Desk) -> None:
    desk.attention = Attention(Rules(most_a_day=1), TEAM)
    await desk.say("acme", now=FRIDAY, rank=1.0)
    async with desk.store.transaction() as connection:
        await connection.execute(update(delivery).values(state="sent", attempts=1))
    await desk.say("bolt", now=FRIDAY, rank=2.0)
    assert await desk.states() == {"save about acme": ("sent", "hours"), "save about bolt": ("held", "digest")}


def test_slots_are_local_times_of_working_days() -> None:
    member = Member(email=ANN, zone=ZoneInfo("America/New_York"))
    times = Rules(digest_at=(time(9), time(15))).digest_at
    at = datetime(2026, 11, 20, 14, 30, tzinfo=FRIDAY.tzinfo)  # Friday 9:30 there
    assert next_slot(member, at, times).isoformat() == "2026-11-20T20:00:00+00:00"
    assert newest_slot(member, at, times).isoformat() == "2026-11-20T14:00:00+00:00"
    evening = at + timedelta(hours=8)
    assert next_slot(member, evening, times).isoformat() == "2026-11-23T14:00:00+00:00"
    assert newest_slot(member, evening + timedelta(days=1), times).isoformat() == "2026-11-20T20:00:00+00:00"
    off = replace(member, hours=replace(member.hours, holidays=frozenset({date(2026, 11, 23)})))
    assert next_slot(off, evening, times).isoformat() == "2026-11-24T14:00:00+00:00"
    exactly = datetime(2026, 11, 20, 14, tzinfo=FRIDAY.tzinfo)
    assert next_slot(member, exactly, times).isoformat() == "2026-11-20T20:00:00+00:00"
    assert newest_slot(member, exactly, times) == exactly
