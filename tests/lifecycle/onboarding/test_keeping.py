"""Onboardings after every scoring: who begins by itself, what the data proves, and how pace is kept; on both databases."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import update

from hub.lifecycle.onboarding import Kept, complete, start
from hub.lifecycle.onboarding.settings import OnboardingSettings
from hub.store.lifecycle import find_lifecycles
from hub.store.tables import customer
from tests.lifecycle.onboarding.conftest import NOW, PROGRAMME, SETTINGS, STEPS, TODAY, Book

DAY = timedelta(days=1)


def moment(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


async def test_only_new_customers_begin_by_themselves(book: Book) -> None:
    await book.customer("new")
    await book.term("new", TODAY - 14 * DAY)
    await book.customer("today")
    await book.term("today", TODAY)
    await book.customer("stated", became=TODAY - 3 * DAY)
    await book.customer("old")
    await book.term("old", TODAY - 15 * DAY)
    await book.customer("renewed")
    await book.term("renewed", TODAY - 400 * DAY, ended_on=TODAY - 35 * DAY)
    await book.term("renewed", TODAY - 5 * DAY)
    await book.customer("moved", became=TODAY - 900 * DAY)  # whose first term is new, but not the customer
    await book.term("moved", TODAY - 5 * DAY)
    await book.customer("trial")
    await book.term("trial", TODAY - 5 * DAY, mrr=0.0)
    await book.customer("later")
    await book.term("later", TODAY + DAY)
    await book.customer("unknown")
    kept = await book.keep()
    assert (kept.begun, kept.completed, kept.failed, kept.cancelled) == (3, 0, 0, 0)
    for name, began in (("new", TODAY - 14 * DAY), ("today", TODAY), ("stated", TODAY - 3 * DAY)):
        (made,) = await book.onboardings(name)
        assert (made.cause, made.started_by, made.started_at) == ("subscription", None, moment(began))
    for name in ("old", "renewed", "moved", "trial", "later", "unknown"):
        assert await book.onboardings(name) == []
    again = await book.keep()
    assert (again.begun, again.changes) == (0, ())


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS.model_copy(update={"starts_within_days": 0}),
        OnboardingSettings(),
        SETTINGS.model_copy(update={"enabled": False}),
    ],
)
async def test_nobody_begins_where_it_is_not_wanted(book: Book, settings: OnboardingSettings) -> None:
    await book.customer("new")
    await book.term("new", TODAY)
    assert await book.keep(settings=settings) == Kept()
    assert await book.onboardings("new") == []


async def test_it_is_not_begun_again_by_itself(book: Book) -> None:
    await book.customer("new")
    await book.term("new", TODAY)
    await book.keep()
    await complete(book.store, SETTINGS, "new", "welcome", by="ann", now=NOW)
    for step in ("setup", "team", "report", "alive"):
        await complete(book.store, SETTINGS, "new", step, by="ann", now=NOW)
    assert (await book.keep(NOW + DAY)).begun == 0
    assert [each.state for each in await book.onboardings("new")] == ["completed"]


async def test_evidence_proves_several_steps_at_once_each_with_its_why(book: Book) -> None:
    await book.customer("acme", mau=4.0, seats_purchased=20.0, seat_utilisation=0.2)
    await start(book.store, SETTINGS, "acme", by="ann", now=NOW)
    assert await book.stands("acme") == ("active", "on_track", "welcome", 0.0)
    later = NOW + 2 * DAY
    await book.run("acme", "hello", NOW - DAY)  # before it began
    await book.run("acme", "hello", NOW + timedelta(hours=1), state="waiting")
    await book.keep(later)
    assert await book.stands("acme") == ("active", "behind", "welcome", 0.0)
    await book.run("acme", "hello", NOW + timedelta(hours=2))
    await book.event("acme", "made", TODAY - DAY, events=9)  # before it began
    await book.event("acme", "made", TODAY)
    await book.event("acme", "imported", TODAY + DAY)
    await book.event("acme", "viewed", TODAY + DAY, events=9)
    await book.keep(later)
    assert await book.stands("acme") == ("active", "on_track", "report", 0.5)
    await book.event("acme", "made", TODAY + DAY)
    await book.keep(later)
    assert await book.stands("acme") == ("active", "on_track", "alive", 0.75)
    steps = await book.steps("acme")
    assert {
        name: (step.evidence, step.done_at, step.done_by) for name, step in steps.items() if step.state == "done"
    } == {
        "welcome": ("playbook hello has run, by 2026-11-22", NOW + timedelta(hours=2), None),
        "setup": ("mau 4 on 2026-08-15", later, None),
        "team": ("mau 4 on 2026-08-15", later, None),
        # the third event came before its turn did: done when that came
        "report": ("event made or imported, 3 times, by 2026-11-23", later, None),
    }
    (onboarding,) = await book.onboardings("acme")
    assert onboarding.value_at == moment(TODAY + DAY)  # value is when the data says so
    assert steps["alive"].turn_at == later
    assert steps["alive"].due_on == (later + 5 * DAY).date()


async def test_any_number_move_in_the_same_few_statements(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.lifecycle.onboarding.moving.FEW", 2)  # of more, all active ones are read
    for number in range(5):
        await book.customer(f"c{number}", mau=float(number))
        await start(book.store, SETTINGS, f"c{number}", by="ann", now=NOW)
        await book.run(f"c{number}", "hello", NOW)
    await book.keep(NOW + DAY)
    assert [(await book.stands(f"c{number}"))[2] for number in range(5)] == [
        "setup",
        "team",
        "team",
        "report",
        "report",
    ]


async def test_pace_by_the_step_and_by_the_whole_and_failing(book: Book) -> None:
    await book.customer("acme")
    await start(book.store, SETTINGS, "acme", by="ann", now=NOW)
    await complete(book.store, SETTINGS, "acme", "welcome", by="ann", now=NOW)
    seen = []
    for days in (3, 3.01, 6, 6.01):  # setup is due after 3 days and stalled after twice that
        await book.keep(NOW + days * DAY)
        seen.append((await book.stands("acme"))[1])
    assert seen == ["on_track", "behind", "behind", "stalled"]
    await complete(book.store, SETTINGS, "acme", "setup", by="ann", now=NOW + 7 * DAY)
    assert await book.stands("acme") == ("active", "on_track", "team", 0.25)
    for step, day in (("team", 14), ("report", 19)):
        await complete(book.store, SETTINGS, "acme", step, by="ann", now=NOW + day * DAY)
    seen = []
    for days in (20, 20.01, 25.01, 30.01, 40):  # alive: due after 5, stalled after 6; the whole: 20 and 30
        await book.keep(NOW + days * DAY)
        seen.append((await book.stands("acme"))[1])
    assert seen == ["on_track", "behind", "stalled", "stalled", "stalled"]
    kept = await book.keep(NOW + 40.01 * DAY)
    assert kept.failed == 1
    assert await book.stands("acme") == ("failed", None, None, 0.75)
    (over,) = await book.onboardings("acme")
    assert (over.ended_why, over.ended_at, over.ended_by) == ("not completed within 40 days", NOW + 40.01 * DAY, None)
    assert over.value_at == NOW + 19 * DAY
    assert (await book.keep(NOW + 41 * DAY)).failed == 0
    await start(book.store, SETTINGS, "acme", by="ann", now=NOW + 50 * DAY)
    assert await book.stands("acme") == ("active", "on_track", "welcome", 0.0)


async def test_a_customer_that_left_or_was_merged_is_not_chased(book: Book) -> None:
    for name in ("left", "merged", "into"):
        await book.customer(name)
        await book.term(name, TODAY - 5 * DAY, ended_on=TODAY if name == "left" else None)
    assert (await book.keep(NOW - DAY)).begun == 3
    async with book.store.transaction() as connection:
        await connection.execute(update(customer).where(customer.c.id == "merged").values(merged_into_id="into"))
    assert (await book.keep()).cancelled == 2
    assert await book.stands("left") == ("cancelled", None, None, 0.0)
    assert (await book.onboardings("left"))[0].ended_why == "the customer left"
    assert await book.stands("merged") == (None, None, None, None)
    assert (await book.stands("into"))[0] == "active"
    assert (await book.keep()).cancelled == 0


async def test_an_active_one_follows_the_file_and_what_is_done_stays(book: Book) -> None:
    await book.customer("acme")
    await start(book.store, SETTINGS, "acme", by="ann", now=NOW)
    for step in ("welcome", "setup"):
        await complete(book.store, SETTINGS, "acme", step, by="ann", now=NOW)
    steps = {name: step for name, step in STEPS.items() if name not in ("setup", "team")}
    steps |= {"report": {"title": "A report"}, "alive": {"title": "In use"}}
    changed = OnboardingSettings.model_validate({"programmes": {"default": {**PROGRAMME, "steps": steps}}})
    await book.keep(NOW + DAY, settings=changed)
    assert await book.stands("acme") == ("active", "on_track", "report", 0.3333)  # of report, alive and the setup done
    assert await book.states("acme") == {
        "welcome": "done", "tour": "open", "report": "open", "alive": "open", "setup": "done", "team": "left_out",
    }  # fmt: skip
    assert (await book.steps("acme"))["report"].title == "A report"


async def test_switched_off_nobody_stands_anywhere(book: Book) -> None:
    await book.customer("acme")
    await start(book.store, SETTINGS, "acme", by="ann", now=NOW)
    await book.keep(settings=SETTINGS.model_copy(update={"enabled": False}))
    assert await book.stands("acme") == (None, None, None, None)
    await book.keep()
    assert (await book.stands("acme"))[0] == "active"


async def test_days_are_of_the_start_and_of_the_step(book: Book) -> None:
    await book.customer("acme")
    await start(book.store, SETTINGS, "acme", by="ann", now=NOW)
    await complete(book.store, SETTINGS, "acme", "welcome", by="ann", now=NOW + DAY)
    await book.keep(NOW + 2.5 * DAY)
    async with book.store.reading() as connection:
        found = await find_lifecycles(connection, ["onboarding_days", "onboarding_step_days"])
    assert found == {"acme": {"onboarding_days": 2.5, "onboarding_step_days": 1.5}}
