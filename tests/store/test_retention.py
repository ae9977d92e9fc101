"""Balances, deals, answers and first days of value as they come out of both databases."""

from datetime import date, timedelta
from typing import Any

from hub.store import Store
from hub.store.first_value import find_first_value, find_use_since
from hub.store.retention import find_balances, find_profiles, find_renewals
from hub.store.survey_results import find_answers
from tests.analytics.books import BEFORE, INSIDE, Books

JUNE = date(2026, 6, 1)


async def read(store: Store, find: Any, *given: Any, **asked: Any) -> Any:
    async with store.reading() as connection:
        return await find(connection, *given, **asked)


async def test_a_term_counts_from_its_first_day_to_before_its_end(store: Store) -> None:
    books = Books(store)
    await books.customers("a", "b")
    await books.term("a", 100, JUNE, JUNE + timedelta(days=10))
    await books.term("a", 20, JUNE + timedelta(days=5))
    await books.term("a", 3, JUNE + timedelta(days=10), currency="EUR")
    await books.term("a", 4, JUNE + timedelta(days=9), plan="Max")
    await books.term("b", 7, JUNE + timedelta(days=60))  # later than any day asked for
    days = [JUNE + timedelta(days=n) for n in (-1, 0, 5, 9, 10)]
    assert [tuple(row) for row in await read(store, find_balances, days)] == [
        ("a", "EUR", "Pro", JUNE + timedelta(days=10), 0, 0, 0, 0, 3),
        ("a", "USD", "Max", JUNE + timedelta(days=9), 0, 0, 0, 4, 4),
        ("a", "USD", "Pro", JUNE, 0, 100, 120, 120, 20),
    ]


async def test_who_is_merged_is_no_profile(store: Store) -> None:
    books = Books(store)
    await books.customers("a", segment={"a": "smb"})
    await books.customers("b", merged_into_id={"b": "a"})
    found = await read(store, find_profiles)
    assert {id_: (profile.name, profile.segment) for id_, profile in found.items()} == {"a": ("A", "smb")}


async def test_renewal_deals_with_an_amount_that_close_in_time(store: Store) -> None:
    books = Books(store)
    await books.customers("a")
    await books.deal("a", "won", 100, None, close_on=JUNE)
    await books.deal("a", "lost", 0, 50, close_on=date(2026, 6, 30))
    for changes in ({"type": "expansion"}, {"close_on": date(2026, 7, 1)}, {"close_on": None}, {"deleted": True}):
        await books.deal("a", "won", 100, None, **{"close_on": JUNE, **changes})
    await books.deal("a", "open", 0, None, close_on=JUNE)
    rows = await read(store, find_renewals, first=JUNE, last=date(2026, 6, 30))
    assert [(row.stage, row.amount, row.target_amount) for row in rows] == [("won", 100, None), ("lost", 0, 50)]


async def test_the_newest_answer_of_each_contact_in_each_window(store: Store) -> None:
    books = Books(store)
    await books.customers("a", "b")
    first, second = (JUNE, date(2026, 6, 30)), (date(2026, 7, 1), date(2026, 7, 31))
    await books.answer("a", 1, of="x@a.example", day=JUNE)
    await books.answer("a", 2, of="X@a.example", day=date(2026, 6, 30))
    await books.answer("b", 3, of="x@a.example", day=JUNE)  # the same person at another customer
    await books.answer("a", 4, of="x@a.example", day=JUNE, type="csat", scale="1-5")
    await books.answer("a", 5, of="x@a.example", day=date(2026, 7, 1))
    await books.answer(None, 6, day=JUNE)
    await books.answer("a", 7, day=date(2026, 8, 1))
    await books.answer("a", 8, day=JUNE, deleted=True)
    rows = await read(store, find_answers, [first, second])
    found = [(row.customer_id, row.type, row.score, row.window) for row in rows]
    assert found == [
        ("a", "nps", 2, 0),
        ("b", "nps", 3, 0),
        ("a", "csat", 4, 0),
        ("a", "nps", 5, 1),
        (None, "nps", 6, 0),
    ]


async def test_first_value(store: Store) -> None:
    books = Books(store)
    await books.customers("a", "b", "old")
    await books.term("a", 10, JUNE, INSIDE)
    await books.term("a", 10, INSIDE)
    await books.term("b", 10, JUNE, INSIDE)
    await books.term("old", 10, BEFORE)
    for name in ("a", "old"):
        await books.use(name, JUNE - timedelta(days=1), users=3)
        await books.use(name, JUNE + timedelta(days=1), users=1, feature="export")
        await books.use(name, JUNE + timedelta(days=2), users=2)

    async def found(users: int, event: str | None = None) -> list[Any]:
        rows = await read(
            store, find_first_value, first=JUNE, last=INSIDE, today=date(2026, 11, 1), users=users, event=event
        )
        return [tuple(row) for row in rows]

    assert await found(2) == [("a", JUNE, None, JUNE + timedelta(days=2)), ("b", JUNE, INSIDE, None)]
    assert (await found(3))[0] == ("a", JUNE, None, None)
    assert (await found(3, "export"))[0] == ("a", JUNE, None, JUNE + timedelta(days=1))
    assert await read(store, find_use_since, event=None) == JUNE - timedelta(days=1)
    assert await read(store, find_use_since, event="export") == JUNE + timedelta(days=1)
