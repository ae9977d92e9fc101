"""The use case: replay the past under what is tried and under what is live, and judge both by who left.

    report = await run(store, Ask(live=book, tried=other, churn=definition), now=now)

Nothing is written and nothing is sent. The arithmetic is done in threads: the caller may be a server.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from hub.backtest.ask import Ask, Rule, days_back
from hub.backtest.history import CHURN, PROFILE, Day, read_past
from hub.backtest.peeking import PeekingError, Sightedness, look
from hub.backtest.replaying import LIVE, Replay
from hub.backtest.report import Report, Segment, too_few
from hub.errors import RefusedError
from hub.segments import expanded
from hub.store import Store
from hub.store.labels import find_churned
from scoring.backtest import NEEDED, Ground, Judged, Replayed, judge
from scoring.book import HealthBook
from scoring.outcomes import CHURNED, UNUSED, Churns, outcomes

Progress = Callable[[date, int, int], None]
MOST_SEGMENTS = 12


async def run(store: Store, ask: Ask, *, now: datetime, progress: Progress | None = None) -> Report:
    """Raises RefusedError where nothing can be replayed, and PeekingError where what is used knows the future."""
    if isinstance(ask.tried, Rule):  # segments as they are now; their days count from each day that is replayed
        async with store.reading() as connection:
            rule = replace(ask.tried, when=await expanded(connection, ask.tried.when, owner=None))
        ask = replace(ask, tried=rule)
    ask.check()
    today = now.date()
    days = days_back(today, months=ask.months, every=ask.every)
    sight = await look(store, ask, days)
    if sight.peeks and not ask.allow_peeking:
        raise PeekingError(sight.peeks)
    replay = Replay.of(ask)
    fields = ask.fields() & (PROFILE | CHURN)
    tenure = ask.churn.snapshots.minimum_tenure_days
    async with store.reading() as connection:
        churns = _churns(await find_churned(connection, until=today, grace_days=ask.churn.grace_days))
        past = read_past(connection, days, facts=ask.facts(), fields=fields, minimum_tenure_days=tenure)
        number = 0
        async for day in past:
            number += 1
            await asyncio.to_thread(replay.take, day, _outcomes(ask, day, churns, today))
            if progress:
                progress(day.table.as_of, number, len(days))
    if not replay.days:
        raise RefusedError(f"nobody was a customer in the last {ask.months} months: there is nothing to replay")
    return await asyncio.to_thread(_report, ask, replay, churns, sight)


def _churns(found: Mapping[str, list[str]]) -> Churns:
    return Churns.of(
        found["customer_id"],
        found["churned_on"],  # type: ignore[arg-type]  # a column of dates
        [kind == "involuntary" for kind in found["kind"]],
    )


def _outcomes(ask: Ask, day: Day, churns: Churns, today: date) -> npt.NDArray[np.int8]:
    """Who left within the horizon; UNUSED where that, with its grace, is not over yet."""
    count, on = len(day.table), day.table.as_of
    if on + timedelta(days=ask.horizon + ask.churn.grace_days) >= today:
        return np.full(count, UNUSED, dtype=np.int8)
    return outcomes(
        day.table.customers,
        on,
        churns,
        first=np.full(count, on.toordinal() + ask.churn.lead_days + 1),
        last=np.full(count, on.toordinal() + ask.horizon),
        count_involuntary=ask.churn.count_involuntary,
    )


def _report(ask: Ask, replay: Replay, churns: Churns, sight: Sightedness) -> Report:
    counted = churns.involuntary <= ask.churn.count_involuntary
    ground, said = replay.gathered(churns.customers[counted], churns.days[counted], lead=ask.lead)
    judged, differences = judge(ground, said, bootstraps=ask.bootstraps)
    rows = int(ground.judged.sum())
    books = dict(zip((LIVE, replay.names[0]), ask.books, strict=False))  # of a rule there is none
    return Report(
        what=_what(ask),
        names=replay.names,
        hashes={name: tuple(each.hash for each in book.definitions) for name, book in books.items()},
        every=ask.every,
        first_day=replay.days[0],
        last_day=replay.days[-1],
        days=len(replay.days),
        stored_days=replay.stored,
        horizon=ask.horizon,
        lead=ask.lead,
        rows=rows,
        customers=len(np.unique(ground.customer[ground.judged])),
        churned=ground.churned,
        leavings=len(ground.left),
        base_rate=_base_rate(ground),
        csms=ground.csms,
        judged=judged,
        differences=differences,
        segments=_segments(ask, replay, ground, said),
        too_few=too_few(ground.churned),
        peeks=sight.peeks,
        cautions=(*_choosing(books), *sight.cautions, *replay.cautions),
    )


def _what(ask: Ask) -> str:
    if isinstance(ask.tried, Rule):
        return "playbook"
    if isinstance(ask.tried, HealthBook):
        return "book" if ask.tried.variants else "definition"
    return "live"


def _choosing(books: Mapping[str, HealthBook]) -> tuple[str, ...]:
    """Where several definitions speak, which of them go before the main one."""
    return tuple(
        f"{name}: {', '.join(each.definition.name for each in book.variants)} for the customers they choose, "
        f"{book.main.name} for all others"
        for name, book in books.items()
        if book.variants
    )


def _base_rate(ground: Ground) -> float | None:
    judged = ground.judged
    return float((ground.outcome[judged] == CHURNED).mean()) if judged.any() else None


def _segments(ask: Ask, replay: Replay, ground: Ground, said: Mapping[str, Replayed]) -> tuple[Segment, ...]:
    """The largest segments, each by its customers alone; a customer's segment is that of its newest day."""
    names, sizes = np.unique(replay.segments, return_counts=True)
    if len(names) < 2:
        return ()
    found = []
    for name in names[np.argsort(-sizes, kind="stable")][:MOST_SEGMENTS].tolist():
        part, rows = ground.only(replay.segments == name)
        judged: Mapping[str, Judged] = {}
        if part.churned >= NEEDED:
            judged, _ = judge(part, {one: each.only(rows) for one, each in said.items()}, bootstraps=ask.bootstraps)
        found.append(
            Segment(
                name=name,
                customers=len(np.unique(part.customer[part.judged])),
                churned=part.churned,
                base_rate=_base_rate(part),
                judged=judged,
                too_few=too_few(part.churned),
            )
        )
    return tuple(found)
