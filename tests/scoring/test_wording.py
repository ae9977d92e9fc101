"""Numbers as people say them."""

import pytest

from scoring.wording import counted, duration, number, percent


@pytest.mark.parametrize(
    ("value", "words"),
    [(1234.0, "1,234"), (2.25, "2.2"), (0.04, "0.04"), (0.0, "0"), (-0.0, "0"), (-3, "-3"), (123.4, "123"), (1, "1")],
)
def test_a_number(value: float, words: str) -> None:
    assert number(value) == words


def test_zero_has_no_sign_whichever_came_first() -> None:
    for zeros in ((0.0, -0.0), (-0.0, 0.0)):
        number.cache_clear()
        assert [number(zero) for zero in zeros] == ["0", "0"]


def test_shares_times_and_counts() -> None:
    assert percent(0.624) == "62 %"
    assert [duration(minutes) for minutes in (1, 12.34, 90, 1440, 4000)] == [
        "1 minute", "12.3 minutes", "1.5 hours", "1 day", "2.8 days",
    ]  # fmt: skip
    assert (counted(1, "ticket", "tickets"), counted(1200, "ticket", "tickets")) == ("1 ticket", "1,200 tickets")
