"""What a token may cost in a minute."""

from datetime import UTC, datetime, timedelta

from schema.guard.budget import Budgets

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_minute_is_spent_and_comes_again() -> None:
    budgets = Budgets(100)
    first = budgets.spend("a", 60, now=NOW)
    assert first.shown() == {"requested": 60, "limit": 100, "remaining": 40, "resetAt": "2026-11-22T12:01:00Z"}
    later = NOW + timedelta(seconds=20.5)
    over = budgets.spend("a", 41, now=later)
    assert (over.within, over.remaining, over.wait_seconds(later)) == (False, 40, 40)
    assert not budgets.is_spent("a", now=later)
    assert budgets.spend("a", 40, now=later).remaining == 0  # what had no room took nothing
    assert budgets.is_spent("a", now=later)
    assert not budgets.is_spent("a", now=NOW + timedelta(minutes=1))
    assert not budgets.is_spent("b", now=later)
    assert budgets.spend("b", 100, now=later).within  # another token has its own
    assert budgets.spend("a", 100, now=NOW + timedelta(minutes=1)).within


def test_tokens_of_minutes_gone_are_forgotten() -> None:
    budgets = Budgets(100)
    for number in range(10_000):
        budgets.spend(str(number), 1, now=NOW)
    budgets.spend("new", 1, now=NOW + timedelta(minutes=2))
    assert len(budgets._minutes) == 1
