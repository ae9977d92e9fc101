"""Windows of a stream of summed days, in both orders in which vendors hand out events; and the archives they come in."""

import gzip
import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.kit import archives
from connectors.kit.base import Page
from connectors.kit.errors import BrokenBodyError
from connectors.kit.profiles import Names, company
from connectors.kit.usage import Usage
from connectors.kit.usage_pull import ONE_DAY, first_day, midnight, windows

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIRST = date(2026, 11, 18)


def at_noon(day: date) -> Any:
    at = int((midnight(day) + timedelta(hours=12)).timestamp())
    return ("login", "c", "u", at, f"i{day}", None, {})


async def pulled(*, by_arrival: bool, lookback: timedelta, arrives_after: timedelta = timedelta(0)) -> list[Page]:
    """An event each noon, read by the time it happened or, later, arrived."""
    usage = Usage(days=(FIRST, NOW.date()))

    async def read(start: datetime, end: datetime) -> None:
        days = [FIRST + ONE_DAY * n for n in range(5)]
        usage.add(at_noon(day) for day in days if start <= midnight(day) + timedelta(hours=12) + arrives_after < end)

    some = windows(usage, read, first=FIRST, until=NOW, step=ONE_DAY, lookback=lookback, by_arrival=by_arrival)
    return [page async for page in some]


def told(pages: list[Page]) -> list[tuple[list[str], str | None]]:
    return [
        (
            [row["day"][-2:] for row in page.rows if row["kind"] == "user_day"],
            page.bookmark["through"][-2:] if page.bookmark else None,
        )
        for page in pages
    ]


async def test_by_event_each_window_is_told_at_once_and_the_bookmark_waits() -> None:
    pages = await pulled(by_arrival=False, lookback=ONE_DAY)
    assert told(pages) == [(["18"], "18"), (["19"], "19"), (["20"], "20"), (["21"], "20"), ([], None)]


async def test_by_arrival_a_day_is_told_once_all_its_late_events_can_have_come() -> None:
    pages = await pulled(by_arrival=True, lookback=ONE_DAY, arrives_after=timedelta(hours=30))
    assert told(pages) == [(["18"], "18"), (["19"], "19"), (["20"], "20"), ([], None)]
    assert told(await pulled(by_arrival=True, lookback=10 * ONE_DAY)) == [(["18", "19", "20", "21"], None)]


def test_a_pull_begins_with_the_history_or_the_day_after_the_bookmark() -> None:
    assert first_day(None, now=NOW, history_days=4) == FIRST
    assert first_day({"through": "2026-11-18"}, now=NOW, history_days=4) == date(2026, 11, 19)
    assert first_day({"through": "2027-01-01"}, now=NOW, history_days=4) == NOW.date()


def test_a_zip_is_unpacked_line_by_line_and_damage_is_told() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("folder/", b"")
        archive.writestr("1.json.gz", gzip.compress(b"a\nb\n"))
        archive.writestr("2.json", b"c\n")
    assert archives.complete(made.getvalue()[-4096:])
    assert [*archives.lines(made, place="GET x")] == [b"a\n", b"b\n", b"c\n"]
    assert not archives.complete(made.getvalue()[:60])
    damaged = made.getvalue().replace(gzip.compress(b"a\nb\n")[10:14], b"\0\0\0\0", 1)
    with pytest.raises(BrokenBodyError, match="GET x sent a damaged archive"):
        list(archives.lines(io.BytesIO(damaged), place="GET x"))
    with pytest.raises(BrokenBodyError, match="BadZipFile"):
        list(archives.lines(io.BytesIO(b"no zip"), place="GET x"))


def test_a_profile_is_a_company_by_the_names_its_owner_chose() -> None:
    made = company(7, {"title": " Acme ", "web": "Acme.Example"}, names=Names(name="title", domain="web"), version=3)
    assert (made.key, made.company_key, made.name, made.domains) == ("7", "7", "Acme", ("acme.example",))
    assert (made.version, made.external_key) == (3, None)
