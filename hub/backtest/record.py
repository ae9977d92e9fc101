"""The track record: how often the live definitions have been right, from the scorecards they really made.

    record = await find_record(store, book, churn, now=now)

Of each band: the scorecards of one day a month, their customers at stake and the horizon over, and how many of them left
within it. Of those who left: whether they were green shortly before, and how long the alarm had stood, from a scorecard a
week. Overrides are left aside: the record is that of the definition. It changes once a day, and is kept for as long.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from hub.backtest.candidates import ALARMS, BANDS
from hub.backtest.carrying import Codes
from hub.backtest.report import too_few
from hub.store import Connection, Store
from hub.store.labels import find_churned
from hub.store.track_record import (
    BUCKETS,
    Counted,
    count_outcomes,
    find_bands,
    find_first_scored_days,
    find_notices,
)
from scoring.backtest import SEEN_WITHIN, Ground, Leavings, Replayed
from scoring.book import HealthBook
from scoring.churn_definition import ChurnDefinition
from scoring.outcomes import UNUSED
from scoring.ranking import lift, weighted_median
from scoring.rates import Rate

MONTHS = 12
LEAD = 30
NOT_YET = (
    "no scorecard of this definition is old enough to say how often it has been right; "
    "cshub backtest says how often it would have been"
)
_kept: WeakKeyDictionary[Store, dict[Any, "TrackRecord"]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """How often definitions have been right.

    bands            of each band (and "no score"): customer-days, one a customer and month, and who left within `horizon` days
    base_rate        of all of them
    lift             churn rate of the tenth with the lowest scores over that of all; None where nobody left
    green_at_churn   of those who left: who was healthy on the newest scorecard at least `lead` days before
    warned           … who was in warning or critical on the last one before leaving (or before notice)
    warning_lead     median days that alarm had stood, 0 for who had none; None where nobody left
    too_few          why all this says little yet; None where enough customers left
    """

    hashes: tuple[str, ...]
    horizon: int
    lead: int
    days: tuple[date, ...]
    bands: tuple[Rate, ...]
    base_rate: Rate
    lift: float | None
    green_at_churn: Rate
    warned: Rate
    warning_lead: float | None
    too_few: str | None

    def band(self, name: str | None) -> Rate | None:
        """What became of customers in a band; None: of those without a score."""
        return next((rate for rate in self.bands if rate.name == (name or "no score")), None)

    def lines(self) -> list[str]:
        """The record as lines of text."""
        if not self.base_rate.rows:
            return [NOT_YET]
        lines = [
            f"scorecards of {len(self.days)} months, {self.days[0]} to {self.days[-1]}: left within {self.horizon} days"
        ]
        lines += [f"  {rate.name:<10} {_said(rate)}" for rate in (*self.bands, self.base_rate) if rate.rows]
        if self.lift is not None:
            lines.append(f"the tenth with the lowest scores left {self.lift:.1f} times as often as all")
        if self.green_at_churn.rows:
            lines.append(f"green {self.lead} days before leaving: {_said(self.green_at_churn)}")
        if self.warned.rows and self.warning_lead is not None:
            median = (
                f"for {self.warning_lead:.0f} days in the median of all"
                if self.warning_lead
                else "in the median not at all"
            )
            lines.append(f"in warning or critical when they left: {_said(self.warned)}; {median} in the median")
        return lines + ([self.too_few] if self.too_few else [])


def _said(rate: Rate) -> str:
    return f"{rate.rate:.1%} ({rate.low:.1%} to {rate.high:.1%}), {rate.left} of {rate.rows}"


async def find_record(
    store: Store, book: HealthBook, churn: ChurnDefinition, *, now: datetime, horizon: int = 90, lead: int = LEAD
) -> TrackRecord:
    """The record of a book's definitions together; computed once a day and set of scored days."""
    hashes = tuple(sorted({definition.hash for definition in book.definitions}))
    today = now.date()
    async with store.reading() as connection:
        months = await find_first_scored_days(connection, _months(today))
        weeks = await find_first_scored_days(connection, _weeks(today))
        counting = churn.grace_days, churn.lead_days, churn.count_involuntary, churn.snapshots.minimum_tenure_days
        key = (hashes, counting, horizon, lead, today, tuple(weeks), tuple(months))
        kept = _kept.setdefault(store, {})
        if key not in kept:
            record = await track_record(
                connection, hashes, churn, months=months, weeks=weeks, today=today, horizon=horizon, lead=lead
            )
            kept.clear()
            kept[key] = record
    return kept[key]


async def track_record(
    connection: Connection,
    hashes: Sequence[str],
    churn: ChurnDefinition,
    *,
    months: Sequence[date],
    weeks: Sequence[date],
    today: date,
    horizon: int,
    lead: int,
) -> TrackRecord:
    """The record by the scorecards of one day a month, `months`, and of one a week, `weeks`."""
    days = [day for day in months if day + timedelta(days=horizon + churn.grace_days) < today]
    counts = await count_outcomes(
        connection,
        hashes=hashes,
        days=days,
        until=today,
        grace_days=churn.grace_days,
        lead_days=churn.lead_days,
        horizon_days=horizon,
        minimum_tenure_days=churn.snapshots.minimum_tenure_days,
        count_involuntary=churn.count_involuntary,
    )
    leavings = await _leavings(connection, hashes, churn, weeks=weeks, today=today, lead=lead)
    everybody = Rate.of("all", sum(each.rows for each in counts), sum(each.left for each in counts))
    seen, known = int(leavings.seen.sum()), int(leavings.known.sum())
    warned = leavings.lead[leavings.known]
    return TrackRecord(
        hashes=tuple(hashes),
        horizon=horizon,
        lead=lead,
        days=tuple(days),
        bands=_bands(counts),
        base_rate=everybody,
        lift=_lift(counts) if everybody.left else None,
        green_at_churn=Rate.of("green", seen, int((leavings.green & leavings.seen).sum())),
        warned=Rate.of("warned", known, int((warned > 0).sum())),
        warning_lead=weighted_median(warned, np.ones(known)) if known else None,
        too_few=too_few(known),
    )


def _bands(counts: Sequence[Counted]) -> tuple[Rate, ...]:
    found = []
    for name in (*BANDS, None):
        own = [each for each in counts if each.band == name]
        found.append(Rate.of(name or "no score", sum(each.rows for each in own), sum(each.left for each in own)))
    return tuple(found)


def _lift(counts: Sequence[Counted]) -> float:
    """Of the lowest scores first; who has none comes last, as in a backtest."""
    ordered = sorted(counts, key=lambda each: BUCKETS + 1 if each.bucket is None else each.bucket)
    buckets = np.array([BUCKETS + 1 if each.bucket is None else each.bucket for each in ordered])
    steps = np.flatnonzero(np.diff(buckets, prepend=-1))
    left = np.add.reduceat(np.array([each.left for each in ordered], dtype=np.float64), steps)
    rows = np.add.reduceat(np.array([each.rows for each in ordered], dtype=np.float64), steps)
    return lift(left, rows)


async def _leavings(
    connection: Connection,
    hashes: Sequence[str],
    churn: ChurnDefinition,
    *,
    weeks: Sequence[date],
    today: date,
    lead: int,
) -> Leavings:
    """Of those who left in the span of `weeks`: what their scorecards had said, until they gave notice."""
    found = await find_churned(connection, until=today, grace_days=churn.grace_days)
    first = weeks[0] if weeks else today
    left = [
        (id_, on)
        for id_, on, kind in zip(found["customer_id"], found["churned_on"], found["kind"], strict=True)
        if on > first and (churn.count_involuntary or kind != "involuntary")
    ]
    notices = await find_notices(connection, since=first)
    ids = sorted({id_ for id_, _ in left})
    cards = await find_bands(connection, ids, weeks, hashes=hashes)
    return await asyncio.to_thread(_judged, cards, left, notices, lead)


def _judged(
    cards: Sequence[tuple[str, date, str | None]],
    left: Sequence[tuple[str, date]],
    notices: dict[tuple[str, date], date],
    lead: int,
) -> Leavings:
    codes = Codes()
    customer = codes.of([id_ for id_, _, _ in cards])  # sorted by customer, so that codes rise
    leavers = codes.of([id_ for id_, _ in left])
    ends = {leaving: min(leaving[1], notices.get(leaving, leaving[1])) for leaving in left}
    said_by: dict[str, list[tuple[date, date]]] = {}
    for id_, on in left:
        said_by.setdefault(id_, []).append((ends[id_, on], on))
    band = np.array([-1 if name is None else BANDS.index(name) for _, _, name in cards], dtype=np.int64)
    count = len(cards)
    ground = Ground(
        customers=len(codes),
        customer=customer,
        day=np.array([day.toordinal() for _, day, _ in cards], dtype=np.int64),
        at_stake=np.array(
            [not any(end <= day < on for end, on in said_by[id_]) for id_, day, _ in cards], dtype=np.bool_
        ),
        outcome=np.full(count, UNUSED, dtype=np.int8),
        left=leavers,
        left_on=np.array([on.toordinal() for _, on in left], dtype=np.int64),
        csms=1.0,
        weeks=1.0,
        lead=lead,
    )
    said = Replayed(
        bands=BANDS,
        score=np.where(band < 0, np.nan, 0.5),  # only whether there is one matters here
        band=band,
        alarm=np.isin(band, ALARMS),
        coverage=np.ones(count),
        fired=np.zeros(count, dtype=np.bool_),
    )
    return Leavings.of(ground, said)


def _months(today: date) -> list[tuple[date, date]]:
    """The months that the record looks at, with what a horizon needs before today."""
    spans = []
    after = today.replace(day=1)
    for _ in range(MONTHS + SEEN_WITHIN // 30):
        first = (after - timedelta(days=1)).replace(day=1)
        spans.append((first, after))
        after = first
    return spans[::-1]


def _weeks(today: date) -> list[tuple[date, date]]:
    monday = today - timedelta(days=today.weekday())
    starts = [monday - timedelta(weeks=back) for back in range(MONTHS * 52 // 12 + SEEN_WITHIN // 7, -1, -1)]
    return [(start, start + timedelta(weeks=1)) for start in starts]
