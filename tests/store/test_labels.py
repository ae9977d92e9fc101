"""Who churned when, who was at stake and who had given notice, case by case, on both databases."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from hub.model.records import CancellationKind, Subscription, SubscriptionStatus
from hub.store import Store
from hub.store.labels import find_at_stake, find_churned, find_first_day, find_noticed
from hub.store.records import upsert
from hub.store.tables import customer, subscription

DAY = date(2026, 6, 1)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
INVOLUNTARY, CONTRACTION = CancellationKind.INVOLUNTARY, CancellationKind.CONTRACTION


def term(start: int, end: int | None, **changes: Any) -> dict[str, Any]:
    """A paid term from `start` until before `end`, in days from DAY; `notice` in such days too."""
    notice = changes.pop("notice", None)
    return {
        "plan": "Pro",
        "mrr": 100.0,
        "started_on": DAY + timedelta(days=start),
        "ended_on": None if end is None else DAY + timedelta(days=end),
        "cancelled_at": None if notice is None else moment(notice),
        **changes,
    }


def moment(days: float) -> datetime:
    return datetime.combine(DAY, time.min, UTC) + timedelta(days=days)


class Book:
    """Customers and their terms, in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def put(self, *, learned_on: date | None = None, **customers: list[dict[str, Any]]) -> None:
        ids = [{"id": name, "name": name, "created_at": NOW, "updated_at": NOW} for name in customers]
        rows = [
            Subscription(key=f"{name}-{place}", version=1, company_key=name, **one)
            for name, terms in customers.items()
            for place, one in enumerate(terms)
        ]
        now = NOW if learned_on is None else datetime.combine(learned_on, time(12), UTC)
        async with self.store.transaction() as connection:
            await connection.execute(customer.insert(), ids)
            await upsert(connection, rows, source="billing", now=now, historical=learned_on is None)
            await connection.execute(update(subscription).values(customer_id=subscription.c.company_key))

    async def churned(self, *, until: int = 365, grace: int = 30) -> list[tuple[str, int, str]]:
        async with self.store.reading() as connection:
            found = await find_churned(connection, until=DAY + timedelta(days=until), grace_days=grace)
        assert list(found) == ["customer_id", "churned_on", "kind"]
        return [(who, (on - DAY).days, kind) for who, on, kind in zip(*found.values(), strict=True)]

    async def at_stake(self, day: int = 0, *, tenure: int = 30) -> list[str]:
        async with self.store.reading() as connection:
            return await find_at_stake(connection, as_of=DAY + timedelta(days=day), minimum_tenure_days=tenure)

    async def noticed(self, day: int = 0) -> dict[str, int]:
        async with self.store.reading() as connection:
            found = await find_noticed(connection, as_of=DAY + timedelta(days=day))
        return {who: (on - DAY).days for who, on in found.items()}


@pytest.fixture
def book(store: Store) -> Book:
    return Book(store)


async def test_churn_is_the_first_day_without_a_paid_term(book: Book) -> None:
    await book.put(leaves=[term(-100, 0), term(0, 40)], stays=[term(-100, 0), term(0, None)])
    assert await book.churned() == [("leaves", 40, "voluntary")]


async def test_who_is_back_within_the_grace_has_not_left(book: Book) -> None:
    await book.put(
        same_day=[term(-100, 0), term(0, None)],
        on_the_last_day=[term(-100, 0), term(30, None)],
        a_day_late=[term(-100, 0), term(31, None)],
    )
    assert await book.churned() == [("a_day_late", 0, "voluntary")]
    assert [who for who, _, _ in await book.churned(grace=10)] == ["a_day_late", "on_the_last_day"]
    assert await book.churned(grace=31) == []


async def test_who_comes_back_and_leaves_again_has_left_twice(book: Book) -> None:
    await book.put(twice=[term(-300, -200), term(-100, 0)])
    assert await book.churned() == [("twice", -200, "voluntary"), ("twice", 0, "voluntary")]


async def test_a_churn_is_certain_when_its_grace_has_passed(book: Book) -> None:
    await book.put(leaves=[term(-100, 0)])
    assert await book.churned(until=30) == []  # may still return today
    assert await book.churned(until=31) == [("leaves", 0, "voluntary")]


async def test_contraction_is_no_churn(book: Book) -> None:
    await book.put(
        one_of_two=[term(-100, 0), term(-100, None)],
        smaller=[term(-100, 0, cancellation_kind=CONTRACTION, notice=-20), term(0, None, mrr=10.0)],
        overlapping=[term(-100, 0), term(-10, 60), term(50, None)],
    )
    assert await book.churned() == []


async def test_involuntary_churn_is_a_kind_of_its_own(book: Book) -> None:
    await book.put(
        unpaid=[term(-100, 0), term(0, 10, cancellation_kind=INVOLUNTARY)],
        long_ago=[term(-100, 0, cancellation_kind=INVOLUNTARY), term(0, 10)],
    )
    assert await book.churned() == [("long_ago", 10, "voluntary"), ("unpaid", 10, "involuntary")]


async def test_trials_free_plans_and_empty_terms_are_not_paid(book: Book) -> None:
    trial = term(0, None, status=SubscriptionStatus.TRIAL)
    await book.put(
        trial_after=[term(-100, 0), trial],
        free_after=[term(-100, 0), term(0, None, mrr=0.0)],
        empty_after=[term(-100, 0), term(5, 5)],
        only_trial=[term(-100, 0, status=SubscriptionStatus.TRIAL)],
        taken_back=[term(-100, 0), term(0, None, deleted=True)],
    )
    assert [who for who, _, _ in await book.churned()] == ["empty_after", "free_after", "taken_back", "trial_after"]
    assert await book.at_stake(1) == []


async def test_at_stake_pays_has_tenure_and_has_not_given_notice(book: Book) -> None:
    await book.put(
        stays=[term(-100, None)],
        new=[term(-29, None)],
        old_enough=[term(-30, None)],
        renewed_today=[term(-100, 0), term(0, None)],
        over=[term(-100, 0)],
        not_yet=[term(1, None)],
    )
    assert await book.at_stake() == ["old_enough", "renewed_today", "stays"]
    assert await book.at_stake(tenure=29) == ["new", "old_enough", "renewed_today", "stays"]


async def test_notice_counts_from_its_day_on_and_not_before(book: Book) -> None:
    await book.put(
        before=[term(-100, 50, notice=-1)],
        same_day=[term(-100, 50, notice=0.9)],
        next_day=[term(-100, 50, notice=1)],
        for_one_of_two=[term(-100, 50, notice=-1), term(-50, None)],
        to_shrink=[term(-100, 50, notice=-1, cancellation_kind=CONTRACTION)],
        long_past=[term(-100, -50, notice=-60), term(-50, None)],
    )
    assert await book.at_stake() == ["for_one_of_two", "long_past", "next_day", "to_shrink"]
    assert await book.noticed() == {"before": -1, "same_day": 0}
    assert await book.at_stake(-2) == ["before", "for_one_of_two", "long_past", "next_day", "same_day", "to_shrink"]
    # the notice is not what decides the label: the end of what is paid for is
    assert ("before", 50, "voluntary") in await book.churned()


async def test_what_the_hub_learned_later_was_not_known(book: Book) -> None:
    await book.put(learned_on=DAY + timedelta(days=1), late=[term(-100, None)])
    assert await book.at_stake(0) == []
    assert await book.at_stake(1) == ["late"]


async def test_the_first_day_anybody_paid(book: Book) -> None:
    async with book.store.reading() as connection:
        assert await find_first_day(connection) is None
    await book.put(trial=[term(-500, None, status=SubscriptionStatus.TRIAL)], b=[term(-100, 0)], c=[term(-50, None)])
    async with book.store.reading() as connection:
        assert await find_first_day(connection) == DAY - timedelta(days=100)
