"""Targets by hand: met, missed and not known, each with what it was before."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from hub.analytics.targets import Standing, find_targets, measure_targets
from hub.analytics.targets_settings import USUAL, TargetSettings
from hub.store import tables
from tests.analytics.books import NOW, Books
from tests.schema.company import insert, scorecard_row

TODAY = NOW.date()


async def card(books: Books, customer: str, day: date, health: float | None, **columns: Any) -> None:
    band = None if health is None else "critical" if health < 0.3 else "warning" if health < 0.5 else "stable"
    row = {"health": health, "computed_health": health, "band": band, "computed_band": band, "latest": False, **columns}
    await insert(books.store, tables.scorecard, [scorecard_row(customer, day, **row)])


async def onboarding(
    books: Books, customer: str, start: date, *, state: str, end: date | None, value: date | None
) -> None:
    def at(day: date | None) -> datetime | None:
        return None if day is None else datetime.combine(day, time(9), UTC)

    row = {
        "id": f"onb_{customer}",
        "customer_id": customer,
        "attempt": 1,
        "programme": "default",
        "state": state,
        "pace": "on_track" if state == "active" else None,
        "progress": 0.5,
        "cause": "hand",
        "started_at": at(start),
        "ended_at": at(end),
        "value_at": at(value),
    }
    await insert(books.store, tables.onboarding, [row])


async def world(books: Books) -> None:
    """Four customers of ann and bob: a is gone since a month, d has no score; today b and c are scored."""
    await books.customers(
        "a", "b", "c", "d", csm_email={"a": "ann@x.example", "b": "ann@x.example", "c": "bob@x.example"}
    )
    begin = date(2024, 1, 1)
    await books.term("a", 100, begin, TODAY - timedelta(days=30))
    for name in "bcd":
        await books.term(name, 100, begin)
    for name, before, now in (("b", 0.5, 0.9), ("c", 0.6, 0.6)):
        await card(books, name, TODAY - timedelta(days=30), before, coverage=0.5)
        await card(books, name, TODAY, now, coverage=0.5, latest=True)
    await card(books, "d", TODAY, None, latest=True)
    for number in range(10):
        await books.answer("b", 9 if number < 8 else 3, day=TODAY - timedelta(days=5), of=f"{number}@b.example")
    day = timedelta(days=1)
    await onboarding(books, "b", TODAY - 20 * day, state="completed", end=TODAY - 10 * day, value=TODAY - 14 * day)
    await onboarding(books, "c", TODAY - 20 * day, state="completed", end=TODAY - 10 * day, value=TODAY - 10 * day)
    await onboarding(books, "d", TODAY - 20 * day, state="failed", end=TODAY - 1 * day, value=None)


def seen(found: list[Standing]) -> dict[str, tuple[str | None, str, str, int]]:
    return {each.name: (each.actual, each.status.value, each.trend.value, each.value.n) for each in found}


async def test_each_target_as_it_stands(books: Books) -> None:
    await world(books)
    found = list(await find_targets(books.store, USUAL, now=NOW))
    assert seen(found) == {
        "onboarding_completion": ("66.7 %", "missed", "not known", 3),
        "time_to_value": ("10 days", "missed", "not known", 3),
        "health": ("75 of 100", "met", "better", 2),
        "churn": ("25 %", "missed", "worse", 4),
        "nps": ("+60", "met", "not known", 10),
        "renewal_rate": (None, "not known", "not known", 0),
    }
    by_name = {each.name: each for each in found}
    health = by_name["health"]
    assert (health.value.value, health.before and health.before.value) == (pytest.approx(0.75), pytest.approx(0.55))
    assert (health.coverage, health.value.components["without_score"]) == (0.5, 1.0)
    assert (health.goal, by_name["churn"].goal, by_name["time_to_value"].goal) == ("> 70 of 100", "< 5 %", "< 7 days")
    renewal = by_name["renewal_rate"]
    assert renewal.why == f"no renewal deal with an amount closes in {renewal.value.period}"
    assert renewal.title == "Renewal rate"
    churn = by_name["churn"].as_json()
    assert (churn["metric"], churn["basis"], churn["from"], churn["to"]) == (
        "logo_churn",
        "cohort",
        "2025-11-23",
        "2026-11-22",
    )
    assert (churn["before"], churn["before_n"]) == (0.0, 4)


async def test_of_each_csm_in_as_many_statements(books_sqlite: Books) -> None:
    await world(books_sqlite)
    made = await measure_targets(books_sqlite.store, USUAL, now=NOW, by_csm=True)
    ann = {each.name: each.actual for each in made.standings["ann@x.example"]}
    assert (ann["health"], ann["churn"], ann["nps"]) == ("90 of 100", "50 %", "+60")
    bob = {each.name: each.actual for each in made.standings["bob@x.example"]}
    assert (bob["health"], bob["churn"], bob["time_to_value"]) == ("60 of 100", "0 %", "10 days")
    months = made.nps["ann@x.example"]
    assert [str(month) for month, _ in months] == [f"2026-{month:02}" for month in range(6, 12)]
    assert [value for _, value in months] == [None] * 5 + [pytest.approx(60.0)]


async def test_of_too_few_nothing_is_told(books_sqlite: Books) -> None:
    await world(books_sqlite)
    target = TargetSettings(metric="mean_health", above=0.7, days=30, fewest=3)
    (found,) = await find_targets(books_sqlite.store, {"health": target}, now=NOW)
    assert (found.status, found.trend, found.why) == ("not known", "not known", "of 2 nothing is told; it takes 3")


async def test_a_value_that_is_just_the_limit_misses(books_sqlite: Books) -> None:
    await books_sqlite.customers("a")
    await card(books_sqlite, "a", TODAY, 0.7, latest=True)
    (found,) = await find_targets(books_sqlite.store, {"health": USUAL["health"]}, now=NOW)
    assert found.status == "missed"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"metric": "happiness", "above": 1}, "there is no metric 'happiness'; there are: nrr, grr"),
        ({"metric": "grr", "above": 1}, "basis of grr must be one of: cohort, renewals_due"),
        ({"metric": "nps", "basis": "cohort", "above": 1}, "basis of nps must be one of: answers"),
        ({"metric": "nps"}, "say one of `above` and `below`"),
        ({"metric": "nps", "above": 1, "below": 2}, "say one of `above` and `below`"),
    ],
)
def test_what_is_no_target(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as error:
        TargetSettings(**given)
    assert told in str(error.value)
