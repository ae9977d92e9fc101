"""Churn by balances against churn by events: every difference is named, and explains the whole of it."""

from datetime import date

from hub.analytics import Month, Request, agree
from tests.analytics.books import BEFORE, NOW, OCTOBER, Books


async def test_both_ways_agree_where_nothing_is_special(books: Books) -> None:
    await books.moves(gone=(100, 0), stays=(100, 100), smaller=(100, 10))
    (found,) = await agree(books.store, Request(first=OCTOBER, last=OCTOBER, grace_days=30), now=NOW)
    assert (found.cohort, found.events, found.differences) == (1, 1, ())
    assert (await books.value("churn_events")).value == (await books.value("churned_customers")).value == 1


async def test_every_difference_is_named(books: Books) -> None:
    await books.customers("fresh", "quick", "late", "brief", "twice", "plain")
    await books.term("fresh", 10, BEFORE, date(2026, 10, 30))  # 23 days ago: not certain
    await books.term("quick", 10, BEFORE, date(2026, 10, 20))
    await books.term("quick", 10, date(2026, 11, 5))
    await books.term("late", 10, BEFORE, date(2026, 8, 5))
    await books.term("late", 10, date(2026, 10, 1))
    await books.term("brief", 10, date(2026, 8, 1), date(2026, 9, 1))
    await books.term("twice", 10, BEFORE, date(2026, 8, 1))
    await books.term("twice", 10, date(2026, 9, 15), date(2026, 10, 5))
    await books.term("plain", 10, BEFORE, date(2026, 9, 9))
    request = Request(first=Month(2026, 8), last=OCTOBER, grace_days=30)
    (found,) = await agree(books.store, request, now=NOW)
    assert {each.customer_id: (each.case, each.surplus) for each in found.differences} == {
        "fresh": ("grace_running", -1),
        "quick": ("back_in_grace", -1),
        "late": ("back_later", 1),
        "brief": ("began_inside", 1),
        "twice": ("left_again", 1),
    }
    assert (found.cohort, found.events) == (4, 5)
    assert found.cohort + sum(each.surplus for each in found.differences) == found.events
    assert found.events == (await books.value("churn_events", first=Month(2026, 8))).value
    assert found.cohort == (await books.value("churned_customers", first=Month(2026, 8))).value
