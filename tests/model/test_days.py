"""Days and spans as conditions say them, to the day."""

from datetime import date

import pytest

from hub.model.conditions import Day, fold, is_within, parse_day, parse_span

TODAY = date(2026, 3, 31)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-22", date(2026, 11, 22)),
        ("today", TODAY),
        ("Yesterday", date(2026, 3, 30)),
        ("tomorrow", date(2026, 4, 1)),
        ("today - 90 days", date(2025, 12, 31)),
        ("today+2 weeks", date(2026, 4, 14)),
        ("today - 1 month", date(2026, 2, 28)),
        ("today + 3 months", date(2026, 6, 30)),
        ("today - 25 months", date(2024, 2, 29)),
        ("today + 100 years", date(2126, 3, 31)),
    ],
)
def test_days(text: str, day: date) -> None:
    said = parse_day(text)
    assert (said.on(TODAY) if isinstance(said, Day) else said) == day
    assert parse_day(str(said)) == said


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("last 30 days", date(2026, 3, 2), TODAY),
        ("last 1 day", TODAY, TODAY),
        ("last 1 month", date(2026, 3, 1), TODAY),
        ("next 2 weeks", TODAY, date(2026, 4, 13)),
        ("this week", date(2026, 3, 30), date(2026, 4, 5)),
        ("last week", date(2026, 3, 23), date(2026, 3, 29)),
        ("this month", date(2026, 3, 1), TODAY),
        ("last month", date(2026, 2, 1), date(2026, 2, 28)),
        ("this quarter", date(2026, 1, 1), TODAY),
        ("next quarter", date(2026, 4, 1), date(2026, 6, 30)),
        ("last year", date(2025, 1, 1), date(2025, 12, 31)),
    ],
)
def test_spans(text: str, first: date, last: date) -> None:
    said = parse_span(text)
    assert said.on(TODAY) == (first, last)
    assert str(said) == text


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30", "20261122", "today - 90", "today - 36501 days", "1 day ago"]
)
def test_no_day(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is no day; days are such as 2026-11-22, today|reaches further than 36,500 days"
    ):
        parse_day(text)


@pytest.mark.parametrize("text", ["", "30 days", "last 0 days", "this 2 weeks", "last days", "next 101 years"])
def test_no_span(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is no span of days; spans are such as last 30 days|reaches further than 100 years"
    ):
        parse_span(text)


def test_letters_are_folded_one_for_one() -> None:
    assert fold("ÄÖÜ ẞß ЖΔ İK Ζωή") == "äöü ßß жδ ik ζωή"
    assert len(fold("İẞ")) == 2


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("acm", True),
        ("ACME co", True),
        ("co acme", True),
        ("me", False),
        ("example", True),
        ("acme.exa", True),
        ("x", False),
    ],
)
def test_words_begin_words(search: str, found: bool) -> None:
    assert is_within(search, "Acme & Co. KG", "acme.example") is found
    assert is_within(search, None, "") is False
