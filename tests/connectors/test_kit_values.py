from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.kit import values
from connectors.kit.base import BadRowError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-22T10:00:00.5Z", datetime(2026, 11, 22, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-22T10:00:00+02:00", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        (" 2026-11-22 10:00:00 ", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("20261122", datetime(2026, 11, 22, tzinfo=UTC)),
        (1795348800, datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("1795348800123", datetime(2026, 11, 22, 12, 0, 0, 123_000, tzinfo=UTC)),
    ],
)
def test_times_are_iso_or_epochs(value: Any, expected: datetime) -> None:
    assert values.moment(value, field="at") == expected


def test_other_cells() -> None:
    assert values.day("2026-11-22T23:30:00-02:00", field="x") == date(2026, 11, 23)
    assert values.day("2026-11-22", field="x") == date(2026, 11, 22)
    assert (values.whole("12.0", field="x"), values.number(" -1e3 ", field="x")) == (12, -1000.0)
    assert (values.flag("Yes", field="x"), values.flag(False, field="x"), values.flag(0, field="x")) == (
        True,
        False,
        False,
    )
    assert (values.text("  a b "), values.text("  "), values.text(None)) == ("a b", None, None)
    assert values.choice(None, {"": "none"}, field="x") == "none"
    assert values.version(datetime(2026, 11, 22, 12, 0, 0, 123_400, tzinfo=UTC)) == 1795348800123


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (values.moment, "tomorrow", "'tomorrow' is no time"),
        (values.moment, "99999999999999999999", "is no time"),
        (values.moment, None, "is empty"),
        (values.day, "22.11.2026", "is no time"),
        (values.number, "1,5", "is no number"),
        (values.number, "1_000", "is no number"),
        (values.number, "nan", "is no number"),
        (values.number, "inf", "is no number"),
        (values.whole, "1.5", "is no whole number"),
        (values.flag, "perhaps", "'perhaps' is none of: true, yes"),
    ],
)
def test_what_cannot_be_read_names_its_field(read: Callable[..., object], value: Any, message: str) -> None:
    with pytest.raises(BadRowError, match=message) as caught:
        read(value, field="column")
    assert caught.value.field == "column"


def test_a_choice_names_the_valid_ones_and_what_to_do() -> None:
    with pytest.raises(BadRowError, match=r"^'c' is none of: a, \(empty\); ask Ada$"):
        values.choice("c", {"a": 1, "": 2}, field="x", hint="ask Ada")
    with pytest.raises(BadRowError, match=r"^is empty; valid are: a$"):
        values.choice(" ", {"a": 1}, field="x")


@pytest.mark.parametrize(
    ("site", "host"),
    [("https://www.Acme.example/home?x", "acme.example"), ("ACME.example", "acme.example"),
     ("https://acme.example?from=mail", "acme.example"), ("http://acme.example:8080", "acme.example"),
     ("www.acme.example/", "acme.example"), ("", None), (None, None), ("  ", None)],
)  # fmt: skip
def test_the_host_of_a_website(site: Any, host: str | None) -> None:
    assert values.host(site) == host
