"""What all digests of a day are made of, read once for everybody: some twenty statements, however many CSMs there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hub.analytics.targets import Measured, measure_targets
from hub.analytics.targets_settings import TargetSettings
from hub.attention.voting import Precision, find_precision
from hub.store import Store
from hub.store import digest_data as rows
from hub.store.digest_data import Did
from hub.store.renewals import find_due
from hub.store.retention import find_balances
from hub.store.scored_days import find_bands
from hub.store.syncs import SourceState, find_sources

AHEAD = (30, 90)
POINTS = 8
"""Columns of the picture of bands over time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Of the days from `begin` to `today`, both included.

    book       customers, as `find_book` has them        balances   of the day before `begin`, of yesterday and of today
    due        renewals of the next 90 days              bands      {day: {(CSM, band): customers}}, oldest first
    calls      {CSM: (open alerts and tasks, overdue ones)}
    precision  of playbooks, by votes cast in these days
    """

    begin: date
    today: date
    now: datetime
    book: Sequence[Any]
    balances: Sequence[Any]
    due: Sequence[Any]
    bands: Mapping[date, Mapping[tuple[str | None, str], int]]
    onboardings: Sequence[Any]
    runs: Sequence[Did]
    closed: Sequence[Did]
    calls: Mapping[str | None, tuple[int, int]]
    approvals: Sequence[Any]
    sources: Sequence[SourceState]
    precision: Sequence[Precision]
    measured: Measured


async def read(
    store: Store,
    targets: Mapping[str, TargetSettings],
    *,
    days: int,
    now: datetime,
    grace_days: int,
    fewest_votes: int,
) -> Data:
    """For everybody and each CSM."""
    today = now.date()
    begin = today - timedelta(days=days - 1)
    since = datetime.combine(begin, time.min, UTC)
    points = [today - timedelta(days=days * back) for back in reversed(range(POINTS))]
    async with store.reading() as connection:
        book = await rows.find_book(connection, begin=begin)
        balances = await find_balances(connection, [begin - timedelta(days=1), today - timedelta(days=1), today])
        due = await find_due(connection, book=None, first=today, last=today + timedelta(days=AHEAD[-1] - 1))
        bands = await find_bands(connection, points)
        onboardings = await rows.find_begun_onboardings(connection, since=since)
        runs = await rows.count_runs(connection, since=since)
        closed = await rows.count_closed(connection, since=since)
        calls = await rows.count_open(connection, today=today)
        approvals = await rows.find_open_approvals(connection)
        sources = await find_sources(connection)
    return Data(
        begin=begin,
        today=today,
        now=now,
        book=book,
        balances=balances,
        due=due,
        bands=dict(sorted(bands.items())),
        onboardings=onboardings,
        runs=runs,
        closed=closed,
        calls=calls,
        approvals=approvals,
        sources=sources,
        precision=await find_precision(store, fewest=fewest_votes, since=since),
        measured=await measure_targets(store, targets, now=now, by_csm=True, grace_days=grace_days),
    )
