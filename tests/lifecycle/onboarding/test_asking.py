"""Onboardings as people begin, advance, skip and call them off; on both databases."""

from datetime import timedelta

import pytest

from hub.errors import NotFoundError, RefusedError
from hub.lifecycle.onboarding import cancel, complete, find, skip, start
from hub.lifecycle.onboarding.settings import OnboardingSettings
from tests.lifecycle.onboarding.conftest import NOW, PROGRAMME, SETTINGS, STEPS, Book

LATER = NOW + timedelta(hours=5)


async def begun(book: Book, **facts: float) -> None:
    await book.customer("acme", **facts)
    await start(book.store, SETTINGS, "acme", by="ann", now=NOW)


async def done(book: Book, *names: str, settings: OnboardingSettings = SETTINGS) -> None:
    for name in names:
        await complete(book.store, settings, "acme", name, by="ann", now=LATER)


async def test_it_begins_at_its_first_step_and_the_customer_stands_there_at_once(book: Book) -> None:
    await begun(book)
    (made,) = await book.onboardings("acme")
    assert (made.attempt, made.programme, made.cause, made.started_by, made.started_at) == (
        1,
        "default",
        "hand",
        "ann",
        NOW,
    )
    assert await book.stands("acme") == ("active", "on_track", "welcome", 0.0)
    assert await book.states("acme") == dict.fromkeys(STEPS, "open")
    steps = await book.steps("acme")
    assert {name: step.turn_at for name, step in steps.items()} == {
        "welcome": NOW, "setup": None, "team": None, "tour": None, "report": None, "alive": None,
    }  # fmt: skip
    assert steps["welcome"].due_on == (NOW + timedelta(days=1)).date()
    assert await book.changes("acme", "onboarding_state") == [(None, "active")]


async def test_out_of_order_is_refused_and_what_is_allowed_is_named(book: Book) -> None:
    await begun(book)
    with pytest.raises(RefusedError) as refused:
        await complete(book.store, SETTINGS, "acme", "alive", by="ann", now=LATER)
    assert str(refused.value) == "alive comes after team, report; what can be done now: welcome"
    await done(book, "welcome", "setup")
    with pytest.raises(RefusedError) as refused:
        await complete(book.store, SETTINGS, "acme", "alive", by="ann", now=LATER)
    assert str(refused.value) == "alive comes after team, report; what can be done now: team, report"
    assert (await book.states("acme"))["alive"] == "open"
    with pytest.raises(RefusedError) as refused:
        await complete(book.store, SETTINGS, "acme", "party", by="ann", now=LATER)
    assert str(refused.value) == ("there is no step 'party'; the steps are welcome, setup, team, tour, report, alive")


async def test_an_optional_step_holds_nobody_up_and_may_be_skipped_once(book: Book) -> None:
    await begun(book)
    await done(book, "welcome", "setup", "team", "report")
    assert await book.stands("acme") == ("active", "on_track", "alive", 0.75)  # of setup, team, report and alive
    after = await skip(book.store, SETTINGS, "acme", "tour", by="bob", now=LATER, note=" not\nfor them ")
    skipped = after.journey.step("tour")
    assert (skipped.state, skipped.done_by, skipped.done_at, skipped.note) == ("skipped", "bob", LATER, "not for them")
    with pytest.raises(RefusedError, match=r"^tour is skipped already; what can be skipped: nothing$"):
        await skip(book.store, SETTINGS, "acme", "tour", by="bob", now=LATER)
    with pytest.raises(RefusedError, match=r"^alive is not optional; what can be skipped: nothing$"):
        await skip(book.store, SETTINGS, "acme", "alive", by="bob", now=LATER)


async def test_a_step_is_done_once_and_what_was_done_is_kept(book: Book) -> None:
    await begun(book)
    await done(book, "welcome")
    with pytest.raises(RefusedError) as refused:
        await complete(book.store, SETTINGS, "acme", "welcome", by="bob", now=LATER + timedelta(days=1))
    assert str(refused.value) == "welcome was done on 2026-11-22 already, by ann; what can be done now: setup"
    step = (await book.steps("acme"))["welcome"]
    assert (step.state, step.times, step.done_by, step.done_at, step.evidence) == ("done", 1, "ann", LATER, None)


async def test_the_definition_may_allow_both(book: Book) -> None:
    steps = {**STEPS, "setup": {"title": "Set up", "after": [], "repeat": True}}
    settings = OnboardingSettings.model_validate({"programmes": {"default": {**PROGRAMME, "steps": steps}}})
    await book.customer("acme")
    await start(book.store, settings, "acme", by="ann", now=NOW)
    await done(book, "setup", "setup", settings=settings)
    step = (await book.steps("acme"))["setup"]
    assert (step.state, step.times, step.done_at) == ("done", 2, LATER)
    assert await book.stands("acme") == ("active", "on_track", "welcome", 0.25)


async def test_the_last_step_completes_it(book: Book) -> None:
    await begun(book)
    await done(book, "welcome", "setup", "team", "report", "alive")
    (over,) = await book.onboardings("acme")
    assert (over.state, over.progress, over.ended_at, over.ended_why) == ("completed", 1.0, LATER, "every step is done")
    assert over.value_at == LATER  # when the report was there
    assert await book.stands("acme") == ("completed", None, None, 1.0)
    assert (await book.states("acme"))["tour"] == "open"
    with pytest.raises(
        RefusedError, match=r"^the onboarding of Acme is completed since 2026-11-22; begin another first$"
    ):
        await complete(book.store, SETTINGS, "acme", "tour", by="ann", now=LATER)


async def test_one_at_a_time_and_the_next_attempt_after_the_last_is_over(book: Book) -> None:
    await begun(book)
    with pytest.raises(RefusedError) as refused:
        await start(book.store, SETTINGS, "acme", by="bob", now=LATER)
    assert str(refused.value) == (
        "Acme is being onboarded since 2026-11-22 and is at welcome; "
        "only with `restart` that one is called off and another begun"
    )
    with pytest.raises(RefusedError, match="needs a reason"):
        await cancel(book.store, "acme", by="bob", reason=" ", now=LATER)
    await cancel(book.store, "acme", by="bob", reason="wrong customer", now=LATER)
    assert await book.stands("acme") == ("cancelled", None, None, 0.0)
    await start(book.store, SETTINGS, "acme", by="bob", now=LATER)
    newest, first = await book.onboardings("acme")
    assert (newest.attempt, newest.state, first.state, first.ended_by, first.ended_why) == (
        2, "active", "cancelled", "bob", "wrong customer",
    )  # fmt: skip
    assert await book.states("acme") == dict.fromkeys(STEPS, "open")
    assert [each.journey.onboarding.attempt for each in await find(book.store, "acme")] == [2, 1]


async def test_a_restart_of_an_active_one_is_two_changes(book: Book) -> None:
    await begun(book)
    await done(book, "welcome")
    await start(book.store, SETTINGS, "acme", by="bob", now=LATER, restart=True)
    assert await book.changes("acme", "onboarding_state") == [
        (None, "active"), ("active", "cancelled"), ("cancelled", "active"),
    ]  # fmt: skip
    newest, first = await book.onboardings("acme")
    assert (first.ended_why, first.ended_by, newest.attempt, newest.step) == ("begun anew", "bob", 2, "welcome")


async def test_a_completed_one_is_begun_anew_only_by_restart(book: Book) -> None:
    await begun(book)
    await done(book, "welcome", "setup", "team", "report", "alive")
    with pytest.raises(RefusedError, match="completed its onboarding on 2026-11-22; only with `restart`"):
        await start(book.store, SETTINGS, "acme", by="bob", now=LATER)
    await start(book.store, SETTINGS, "acme", by="bob", now=LATER, restart=True)
    assert [each.state for each in await book.onboardings("acme")] == ["active", "completed"]


async def test_a_branch_is_only_for_whom_its_condition_holds(book: Book) -> None:
    await begun(book, seats_purchased=1.0)
    await done(book, "welcome", "setup", "report")
    assert await book.stands("acme") == ("active", "on_track", "alive", 0.6667)  # of setup, report and alive
    with pytest.raises(RefusedError, match=r"^team is not for this customer; what can be done now: tour, alive$"):
        await complete(book.store, SETTINGS, "acme", "team", by="ann", now=LATER)


async def test_the_programme_is_the_first_whose_condition_holds(book: Book) -> None:
    large = {**PROGRAMME, "when": {"mrr": {"gte": 1000}}, "steps": {"kickoff": {"title": "Kick-off"}}, "value": None}
    both = OnboardingSettings.model_validate({"programmes": {"default": PROGRAMME, "large": large}})
    await book.customer("acme", mrr=5000.0)
    await book.customer("bolt", mrr=50.0)
    for name in ("acme", "bolt"):
        await start(book.store, both, name, by="ann", now=NOW)
    assert [(await book.onboardings(name))[0].programme for name in ("acme", "bolt")] == ["large", "default"]
    alone = OnboardingSettings.model_validate({"programmes": {"large": large}})
    await book.customer("core", mrr=50.0)
    with pytest.raises(RefusedError, match=r"^no programme is for Core: neither of large has a `when` that holds$"):
        await start(book.store, alone, "core", by="ann", now=NOW)


async def test_what_cannot_be_is_refused_and_nothing_is_written(book: Book) -> None:
    await book.customer("acme")
    with pytest.raises(NotFoundError, match="nobody"):
        await start(book.store, SETTINGS, "nobody", by="ann", now=NOW)
    with pytest.raises(NotFoundError, match=r"^Acme has no onboarding; begin one first$"):
        await complete(book.store, SETTINGS, "acme", "setup", by="ann", now=NOW)
    with pytest.raises(RefusedError, match="switched off"):
        await start(book.store, OnboardingSettings(enabled=False), "acme", by="ann", now=NOW)
    with pytest.raises(RefusedError, match="there is no programme"):
        await start(book.store, OnboardingSettings(), "acme", by="ann", now=NOW)
    assert await book.onboardings("acme") == []
    assert await book.stands("acme") == (None, None, None, None)
