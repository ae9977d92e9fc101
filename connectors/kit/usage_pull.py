"""The pull of a stream of summed days, window by window, from the first day that may have changed to now.

The bookmark `{"through": day}` means: every UTC day up to and including it was over, and late events of it waited for, when
it was summed. A later pull begins on the day after. Vendors hand out events in one of two orders:

    by arrival    a window holds what arrived in it, so a day is complete once everything has been read that arrived up to
                  `lookback` after its end; its rows are given then, or at the end, as far as they are known
    by event      a window holds the events of its days; those of the last `lookback` are read again by every pull

Either way the days after the bookmark are read again each time, and none is ever told of by a part of its events.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta

from connectors.kit.base import Bookmark, Page, Raw
from connectors.kit.usage import Usage
from connectors.kit.usage_records import pages

ONE_DAY = timedelta(days=1)


def first_day(bookmark: Bookmark | None, *, now: datetime, history_days: int) -> date:
    """The first UTC day to read."""
    if bookmark is None:
        return now.date() - timedelta(days=history_days)
    return min(date.fromisoformat(bookmark["through"]) + ONE_DAY, now.date())


def midnight(day: date) -> datetime:
    """The moment `day` begins, in UTC."""
    return datetime.combine(day, time.min, UTC)


async def windows(
    usage: Usage,
    read: Callable[[datetime, datetime], Awaitable[None]],
    *,
    first: date,
    until: datetime,
    step: timedelta,
    lookback: timedelta,
    by_arrival: bool,
    companies: Callable[[], Iterable[Raw]] = tuple,
) -> AsyncIterator[Page]:
    """`read(start, end)` adds what lies in [start, end) to `usage`, in windows of `step` from the begin of `first`.

    until      what may be read: now, less the time for which the vendor's answers are not to be relied on
    companies  rows that go before the next page: companies that were met on the way, say
    """
    start, closing = midnight(first), ONE_DAY + (lookback if by_arrival else timedelta(0))
    surely = (until - ONE_DAY - lookback).date()
    told = first - ONE_DAY
    while start < until:
        end = min(start + step, until)
        await read(start, end)
        start, closed = end, (end - closing).date()
        if closed > told:
            rows = [*companies(), *usage.close(closed)]
            bookmark = {"through": min(closed, surely).isoformat()} if surely >= first else None
            for page in pages(rows, bookmark=bookmark, faults=usage.faults(closed)):
                yield page
            told = closed
    for page in pages([*companies(), *usage.rows()], faults=usage.faults()):
        yield page
