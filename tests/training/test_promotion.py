"""Champion and challenger from a store, on both databases: who may take whose place, on what evidence, and back again."""

import asyncio
import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hub.errors import NotFoundError, RefusedError
from hub.store import Store
from hub.store.models import StoredModel, find_champion, get_model, keep_model
from hub.store.promotions import Promotion, find_promotions
from hub.training.comparison import compare_models
from hub.training.matured import clean_from, month_starts, one_a_month, ripe_until
from hub.training.promotion import CHALLENGERS, TRAINING, UNUSABLE, compare_challengers, promote, roll_back, settle
from scoring.churn_definition import ChurnDefinition
from tests.training.books import DEFINITION, JULY, LEAVERS, NOW, TODAY, fill, guesses, knows, leaves, model, say
from tests.training.trained import fitted_predictor, stored_model

MANUAL = DEFINITION.model_copy(update={"promotion": "manual"})


async def roles(store: Store, *versions: str) -> list[str]:
    async with store.reading() as connection:
        return [(await get_model(connection, version)).role for version in versions]


async def champion(store: Store) -> str | None:
    async with store.reading() as connection:
        found = await find_champion(connection, horizon="90d")
    return found.version if found else None


async def history(store: Store) -> list[Promotion]:
    async with store.reading() as connection:
        return await find_promotions(connection)


async def rivals(store: Store) -> None:
    """A champion who guesses and a challenger who knows, both on record in July."""
    await fill(store)
    await model(store, "old", role="champion")
    await model(store, "new", role="challenger")
    for day in (JULY, JULY + timedelta(days=1)):
        await say(store, "old", day, guesses)
        await say(store, "new", day, knows)


def test_what_a_model_may_be_judged_on() -> None:
    horizon = {"lead_days": 7, "grace_days": 30}
    assert ripe_until("90d", ChurnDefinition(**horizon), until=TODAY) == TODAY - timedelta(days=128)
    assert ripe_until("renewal", ChurnDefinition(**horizon), until=TODAY) == TODAY - timedelta(days=31)
    assert month_starts(date(2026, 4, 8), date(2026, 7, 17), most=6) == [date(2026, 5, 1), date(2026, 6, 1), JULY]
    assert month_starts(date(2026, 4, 8), date(2026, 7, 17), most=2) == [date(2026, 6, 1), JULY]
    assert month_starts(date(2026, 7, 2), date(2026, 7, 17), most=6) == []
    assert one_a_month([date(2026, 7, 9), JULY, date(2026, 6, 30)]) == [date(2026, 6, 30), JULY]


async def test_no_row_that_was_learned_from_looks_into_what_is_judged(sqlite_store: Store) -> None:
    learned = await model(sqlite_store, "a", trained_on_to=date(2026, 1, 1))
    assert clean_from(learned, DEFINITION) == date(2026, 4, 8)  # 7 days of lead and 90 of the horizon
    at_renewal = await model(
        sqlite_store, "b", horizon="renewal", horizon_days=None, trained_at=datetime(2026, 5, 1, tzinfo=UTC)
    )
    assert clean_from(at_renewal, DEFINITION) == date(2026, 3, 31)  # what was certain then, with 30 days of grace
    assert clean_from(await model(sqlite_store, "c", trained_on_to=None), DEFINITION) == date.min


async def test_stored_predictions_of_both_are_what_counts(store: Store) -> None:
    await rivals(store)
    (found,) = await compare_challengers(store, DEFINITION, until=TODAY)
    assert (found.champion, found.challenger, found.source, found.days) == ("old", "new", "stored", (JULY,))
    verdict = found.verdict
    assert verdict is not None
    assert (verdict.rows, verdict.customers, verdict.churned) == (100, 100, LEAVERS)
    share = LEAVERS / 100
    guess = -(share * math.log(0.3) + (1 - share) * math.log(0.7))
    known = -(share * math.log(0.9) + (1 - share) * math.log(0.95))
    assert verdict.champion_log_loss == pytest.approx(guess)
    assert verdict.challenger_log_loss == pytest.approx(known)
    assert verdict.difference.value == pytest.approx(known - guess)
    assert verdict.difference.high < 0
    assert (verdict.champion_lift, verdict.challenger_lift) == (pytest.approx(1), pytest.approx(1 / share))
    assert found.better
    assert "stored predictions of both" in found.lines()[1]


async def test_only_customers_of_whom_both_spoke_count(store: Store) -> None:
    await fill(store)
    old, new = await model(store, "old", role="champion"), await model(store, "new", role="challenger")
    await say(store, "old", JULY, lambda name: None if name == "c099" else 0.3)
    await say(store, "new", JULY, lambda name: None if name in ("c000", "c099") else knows(name))
    found = await compare_models(store, DEFINITION, old, new, until=TODAY)
    assert found.verdict is not None
    assert (found.verdict.rows, found.verdict.churned) == (98, LEAVERS - 1)


async def test_without_stored_predictions_both_predict_anew(store: Store) -> None:
    """What was known: 30 of 100 leave within 90 days of June and of July, none within those of May."""
    await fill(store)
    await model(store, "old", role="champion", rate=0.9, trained_on_to=date(2026, 1, 1))
    await model(store, "new", role="challenger", rate=0.2)
    await say(store, "old", JULY, guesses)  # of one of them alone is not of both
    (found,) = await compare_challengers(store, DEFINITION, until=TODAY)
    assert (found.source, found.days) == ("anew", (date(2026, 5, 1), date(2026, 6, 1), JULY))
    assert found.verdict is not None
    assert (found.verdict.rows, found.verdict.customers, found.verdict.churned) == (300, 100, LEAVERS)
    assert found.verdict.challenger_log_loss == pytest.approx(-(0.2 * math.log(0.2) + 0.8 * math.log(0.8)))
    assert found.better


async def test_snapshots_a_model_learned_from_are_not_what_it_is_judged_on(store: Store) -> None:
    """The challenger learned until April: the first snapshot without any of its labels is that of 8 July."""
    await fill(store)
    await model(store, "old", role="champion")
    await model(store, "new", role="challenger", trained_on_to=date(2026, 4, 2))
    for version, of in (("old", guesses), ("new", knows)):
        await say(store, version, JULY, of)
    (found,) = await compare_challengers(store, DEFINITION, until=TODAY)
    assert (found.verdict, found.days) == (None, ())
    assert found.why_not == (
        "no snapshot has matured yet that neither model learned from: the first will be that of 2026-08-01, certain on "
        "2026-12-07"
    )
    (later,) = await compare_challengers(store, DEFINITION, until=date(2026, 12, 7))
    assert later.days == (date(2026, 8, 1),)
    (before,) = await compare_challengers(store, DEFINITION, until=date(2026, 12, 6))
    assert before.verdict is None


async def test_a_promotion_that_the_numbers_speak_for(store: Store) -> None:
    await rivals(store)
    made = await promote(store, DEFINITION, "new", by="ann", now=NOW)
    assert (made.version, made.previous, made.kind, made.by, made.at) == ("new", "old", "by_hand", "ann", NOW)
    assert made.comparison is not None
    assert made.comparison["source"] == "stored"
    assert await roles(store, "old", "new") == ["retired", "champion"]
    async with store.reading() as connection:
        assert (await get_model(connection, "new")).promoted_at == NOW
    assert await history(store) == [made]


async def test_a_promotion_that_they_speak_against_is_refused_with_them(store: Store) -> None:
    await fill(store)
    await model(store, "old", role="champion")
    await model(store, "worse", role="challenger")
    await say(store, "old", JULY, knows)
    await say(store, "worse", JULY, guesses)
    with pytest.raises(RefusedError) as refused:
        await promote(store, DEFINITION, "worse", by="ann", now=NOW)
    said = str(refused.value)
    assert "worse is not better than the champion old beyond noise" in said
    assert "all of the interval must be below 0" in said
    assert "its lift at 10 % is 1.00, and at least 3.17 is needed" in said
    assert "100 rows of 100 customers, 30 of whom left" in said
    assert said.endswith("or force with a reason")
    assert await champion(store) == "old"
    assert await history(store) == []


async def test_against_the_numbers_by_force_and_with_a_reason_alone(store: Store) -> None:
    await fill(store)
    await model(store, "old", role="champion")
    await model(store, "new", role="candidate", trained_on_to=date(2026, 7, 1))
    for reason in (None, "  "):
        with pytest.raises(RefusedError, match="needs a reason"):
            await promote(store, DEFINITION, "new", by="ann", now=NOW, force=True, reason=reason)
    with pytest.raises(RefusedError, match="no numbers to go by"):
        await promote(store, DEFINITION, "new", by="ann", now=NOW)
    assert await champion(store) == "old"
    made = await promote(store, DEFINITION, "new", by="ann", now=NOW, force=True, reason="the old one is broken")
    assert (made.kind, made.reason) == ("forced", "the old one is broken")
    assert await champion(store) == "new"


async def test_what_cannot_be_promoted(sqlite_store: Store) -> None:
    await model(sqlite_store, "old", role="champion")
    with pytest.raises(NotFoundError, match="no churn model 'other'; there are: old"):
        await promote(sqlite_store, DEFINITION, "other", by="ann", now=NOW)
    with pytest.raises(RefusedError, match="old is the champion of 90d already"):
        await promote(sqlite_store, DEFINITION, "old", by="ann", now=NOW)
    assert await history(sqlite_store) == []


async def test_a_rollback_returns_to_the_champion_before(store: Store) -> None:
    await rivals(store)
    promoted = await promote(store, DEFINITION, "new", by="ann", now=NOW)
    back = await roll_back(store, "90d", by="bea", now=NOW + timedelta(days=1), reason="odd lists")
    assert (back.version, back.previous, back.kind, back.by, back.reason) == (
        "old",
        "new",
        "rollback",
        "bea",
        "odd lists",
    )
    assert await roles(store, "old", "new") == ["champion", "retired"]
    first, second = await history(store)
    assert first == back
    assert (second.id, second.undone_at) == (promoted.id, NOW + timedelta(days=1))
    with pytest.raises(RefusedError, match="old is the first champion of 90d"):
        await roll_back(store, "90d", by="bea", now=NOW + timedelta(days=2))
    assert len(await history(store)) == 2


async def test_rollbacks_go_back_one_by_one(sqlite_store: Store) -> None:
    await model(sqlite_store, "a", role="champion")
    for place, version in enumerate("bc"):
        await model(sqlite_store, version)
        await promote(
            sqlite_store, DEFINITION, version, by="ann", now=NOW + timedelta(hours=place), force=True, reason="x"
        )
    for place, expected in enumerate("ba"):
        await roll_back(sqlite_store, "90d", by="ann", now=NOW + timedelta(days=1 + place))
        assert await champion(sqlite_store) == expected
    await promote(sqlite_store, DEFINITION, "c", by="ann", now=NOW + timedelta(days=4), force=True, reason="x")
    assert (await roll_back(sqlite_store, "90d", by="ann", now=NOW + timedelta(days=5))).version == "a"


async def test_a_champion_that_training_made_goes_back_to_the_prior(sqlite_store: Store) -> None:
    await model(sqlite_store, "prior", role="champion")
    await model(sqlite_store, "model", role="champion", promoted_at=NOW)
    assert (await roll_back(sqlite_store, "90d", by="ann", now=NOW)).version == "prior"
    with pytest.raises(RefusedError, match="no champion of 30d"):
        await roll_back(sqlite_store, "30d", by="ann", now=NOW)


async def test_settling_promotes_who_is_better(store: Store) -> None:
    await rivals(store)
    (settled,) = await settle(store, DEFINITION, now=NOW)
    assert (settled.promoted, settled.retired) == ("new", ())
    assert await champion(store) == "new"
    (made,) = await history(store)
    assert (made.kind, made.by, made.reason) == ("automatic", TRAINING, "better beyond noise")
    assert "90d: promoted: new" in settled.lines()


async def test_settling_by_hand_promotes_nobody(store: Store) -> None:
    await rivals(store)
    (settled,) = await settle(store, MANUAL, now=NOW)
    assert settled.promoted is None
    assert settled.comparisons[0].better
    assert (await champion(store), await history(store)) == ("old", [])
    assert await roles(store, "new") == ["challenger"]


async def test_settling_retires_who_proved_worse_and_lets_others_move_up(store: Store) -> None:
    await fill(store)
    await model(store, "old", role="champion")
    await say(store, "old", JULY, knows)
    await model(store, "worse", role="challenger", trained_at=NOW - timedelta(days=200))
    await say(store, "worse", JULY, guesses)
    await model(store, "ancient", kind="xgboost", artifact=b"", trained_at=NOW - timedelta(days=365))
    await model(store, "turned-away", trained_at=NOW - timedelta(days=150))  # a prior: it waits for nothing
    for age in (90, 60, 30):
        await model(
            store,
            f"m{age}",
            kind="xgboost",
            artifact=b"",
            trained_on_to=date(2026, 7, 1),
            trained_at=NOW - timedelta(days=age),
            role="challenger" if age == 30 else "candidate",
        )
    (settled,) = await settle(store, DEFINITION, now=NOW)
    assert settled.promoted is None
    assert set(settled.retired) == {"worse", "ancient"}
    assert (settled.moved_up, settled.waiting) == (("m90", "m60"), ("m30",))
    assert CHALLENGERS == 2
    assert await roles(store, "old", "worse", "ancient", "turned-away", "m90", "m60", "m30") == [
        "champion",
        "retired",
        "retired",
        "candidate",
        "challenger",
        "challenger",
        "candidate",
    ]


async def test_of_several_that_are_better_the_best_is_promoted(store: Store) -> None:
    await rivals(store)
    await model(store, "good", role="challenger")
    await say(store, "good", JULY, lambda name: 0.8 if leaves(name) else 0.1)
    (settled,) = await settle(store, DEFINITION, now=NOW)
    assert {each.challenger for each in settled.comparisons if each.better} == {"new", "good"}
    assert settled.promoted == "new"
    assert await roles(store, "good") == ["challenger"]  # to be judged against the new one


def unusable(version: str, **given: Any) -> StoredModel:
    """A model with a column that no version makes."""
    return stored_model(version, features=[*fitted_predictor().encoding.names[1:], "gone"], **given)


async def keep(store: Store, *models: StoredModel) -> None:
    async with store.transaction() as connection:
        for each in models:
            await keep_model(connection, each)


async def test_a_champion_that_can_not_be_used_is_followed_by_the_newest_that_can(store: Store) -> None:
    early = NOW - timedelta(days=60)
    await keep(
        store,
        unusable("old", role="champion"),
        stored_model("first", role="challenger", trained_at=early),
        stored_model("waiting", trained_at=early + timedelta(days=1)),
        unusable("newest", role="challenger", trained_at=early + timedelta(days=2)),
    )
    (settled,) = await settle(store, MANUAL, now=NOW)
    assert (settled.promoted, await champion(store)) == (None, "old")
    (settled,) = await settle(store, DEFINITION, now=NOW)
    assert (settled.promoted, await champion(store)) == ("waiting", "waiting")
    (made,) = await history(store)
    assert (made.kind, made.by, made.previous, made.reason) == ("automatic", TRAINING, "old", UNUSABLE)
    (settled,) = await settle(store, DEFINITION, now=NOW)
    assert settled.promoted is None


async def test_a_champion_that_can_not_be_used_asks_no_numbers_of_who_follows(sqlite_store: Store) -> None:
    await keep(sqlite_store, unusable("old", role="champion"), stored_model("new"), unusable("other"))
    with pytest.raises(RefusedError, match="other has columns that this version does not make: train a new one"):
        await promote(sqlite_store, MANUAL, "other", by="ann", now=NOW, force=True, reason="x")
    assert await champion(sqlite_store) == "old"
    made = await promote(sqlite_store, MANUAL, "new", by="ann", now=NOW)
    assert (made.kind, made.previous, made.comparison) == ("by_hand", "old", None)


async def test_of_many_promotions_at_once_one_champion_is_left(store: Store) -> None:
    await model(store, "old", role="champion")
    versions = [f"m{place}" for place in range(6)]
    for version in versions:
        await model(store, version)
    done = await asyncio.gather(
        *(promote(store, DEFINITION, version, by="ann", now=NOW, force=True, reason="x") for version in versions),
        return_exceptions=True,
    )
    refused = [str(one) for one in done if isinstance(one, BaseException)]
    assert set(refused) <= {"the champion of 90d changed meanwhile: compare anew"}
    assert len(await history(store)) == len(versions) - len(refused) >= 1
    assert (await roles(store, *versions)).count("champion") == 1
    back = await asyncio.gather(*(roll_back(store, "90d", by="ann", now=NOW) for _ in range(3)), return_exceptions=True)
    assert any(isinstance(one, Promotion) for one in back)
    assert (await roles(store, "old", *versions)).count("champion") == 1
