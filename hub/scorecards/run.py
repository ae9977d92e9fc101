"""The use case: read a day, compute it, and write what may be written, in one transaction."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar

from hub.errors import RefusedError
from hub.scorecards.cards import cards, extra_cards, report
from hub.scorecards.churn import Predictor
from hub.scorecards.family import roll_up_families
from hub.scorecards.reading import read_day
from hub.scorecards.report import BackfillReport, ScoreReport
from hub.scorecards.sheet import Sheet
from hub.store import Connection, Store
from hub.store.definitions import keep_definition
from hub.store.extra_scorecards import put_extras, retire_extras
from hub.store.facts import UseInMemory, find_customers
from hub.store.judgement import find_in_force
from hub.store.scorecards import BATCH, Standing, find_scored, find_standing, put, retire
from scoring.book import HealthBook
from scoring.definition_record import record

log = logging.getLogger(__name__)
T = TypeVar("T")
Rows = list[dict[str, Any]]
MEMORY_DAYS = 92
"""A backfill holds the use of so many days at a time, and of the 84 before them."""


async def score(
    store: Store,
    book: HealthBook,
    predictors: Sequence[Predictor],
    *,
    as_of: date,
    now: datetime,
    customer_ids: Sequence[str] | None = None,
    memory: UseInMemory | None = None,
) -> ScoreReport:
    """Score everybody who is a customer on `as_of`, or some of them; RefusedError for a day that has not come.

    predictors  the primary one first, whose risk is the scorecard's; what all of them say is stored
    memory      holds the use of a range of days, for whoever scores many of them
    """
    if as_of > now.date():
        raise RefusedError(f"{as_of} has not come yet: scorecards are of today ({now.date()}) or a day before")
    async with store.reading_twice() as (connection, beside):
        day = await read_day(
            connection, book, predictors, as_of=as_of, customer_ids=customer_ids, memory=memory, beside=beside
        )
    sheet = await asyncio.to_thread(Sheet.of, day, book, predictors)
    asked = None if customer_ids is None else set(customer_ids)
    places = [i for i, id_ in enumerate(day.table.customers) if asked is None or id_ in asked]
    open_day = as_of == now.date()
    async with store.transaction() as connection:
        standing = await find_standing(connection, [day.table.customers[i] for i in places], as_of=as_of)
        writable = [i for i in places if open_day or not standing[day.table.customers[i]].has_card]
        await _keep_definitions(connection, sheet, writable, now=now)
        parts = [writable[start : start + BATCH] for start in range(0, len(writable), BATCH)]
        async with aclosing(_ahead(partial(_rows, sheet, standing, now), parts)) as made:
            async for rows, predictions, extras in made:
                await put(connection, rows, predictions, as_of=as_of, replace=open_day)
                if sheet.extras:
                    await put_extras(connection, extras, as_of=as_of, replace=open_day)
        if open_day:
            sheet = await _heed(connection, sheet, standing, writable, now=now)
        everybody = open_day and customer_ids is None
        if everybody:
            await retire(connection, as_of=as_of)
            await retire_extras(connection, as_of=as_of, names=[extra.name for extra in book.extras])
        written = None if everybody else {day.table.customers[i] for i in writable}
        family = await roll_up_families(connection, book, as_of=as_of, now=now, open_day=open_day, written=written)
    return report(sheet, book, writable, standing, rollups=family.parents, circular=family.circular)


async def backfill(
    store: Store,
    book: HealthBook,
    predictors: Sequence[Predictor],
    *,
    days: Sequence[date],
    now: datetime,
    progress: Callable[[date, int, int], None] | None = None,
) -> BackfillReport:
    """Write the scorecards that `days` are missing, from the oldest on, each day a transaction of its own.

    Days from today on are left out. What was interrupted goes on where it stopped. `progress(day, done, all)` is called
    after each day.
    """
    past = sorted({day for day in days if day < now.date()})
    written, complete, count = [], [], 0
    memory: UseInMemory | None = None
    read_until = date.min
    for done, day in enumerate(past, start=1):
        async with store.reading() as connection:
            missing = sorted(
                set(await find_customers(connection, as_of=day)) - await find_scored(connection, as_of=day)
            )
            if missing and day > read_until:
                read_until = max(later for later in past if (later - day).days < MEMORY_DAYS)
                memory = await UseInMemory.read(connection, first=day, last=read_until)
        if missing:
            done_of_day = await score(store, book, predictors, as_of=day, now=now, customer_ids=missing, memory=memory)
            count += len(done_of_day.customer_ids)
            written.append(day)
        else:
            complete.append(day)
        if progress:
            progress(day, done, len(past))
    return BackfillReport(written=tuple(written), complete=tuple(complete), cards=count)


async def _heed(
    connection: Connection, sheet: Sheet, standing: Mapping[str, Standing], places: Sequence[int], *, now: datetime
) -> Sheet:
    """The sheet under the overrides there are by now; who has another than before is written again.

    One may be stated or withdrawn while the day is computed. Whoever does scores that customer at once, and what this run
    read before must not undo it. The rows are written, hence locked, already: who comes now is scored after this run.
    """
    as_of = sheet.day.table.as_of
    overrides = {each.customer_id: each for each in await find_in_force(connection, "override", as_of=as_of)}
    heeded = sheet.under(overrides)
    changed = [i for i in places if heeded.override_ids.get(i) != sheet.override_ids.get(i)]
    if changed:
        log.info("%d overrides were stated or withdrawn while %s was computed", len(changed), as_of)
        rows, predictions, _ = _rows(heeded, standing, now, changed)
        await put(connection, rows, predictions, as_of=as_of, replace=True)
    return heeded


def _rows(sheet: Sheet, standing: Mapping[str, Standing], now: datetime, places: Sequence[int]) -> tuple[Rows, ...]:
    """Scorecards, predictions and extra scorecards of the customers at `places`."""
    rows = cards(sheet, places, standing, now=now)
    predictions = sheet.churn.predictions(places, [row["latest"] for row in rows], now=now)
    return rows, predictions, extra_cards(sheet, places, standing, now=now)


async def _ahead(work: Callable[[Sequence[int]], T], parts: Sequence[Sequence[int]]) -> AsyncGenerator[T]:
    """What `work` makes of each part in a thread: of the next part while the database writes the one before."""
    coming: asyncio.Future[T] | None = None
    try:
        for part in parts:
            ready = None if coming is None else [await coming]
            coming = asyncio.ensure_future(asyncio.to_thread(work, part))
            if ready:
                yield ready[0]
        if coming is not None:
            yield await coming
    finally:
        if coming is not None:
            coming.cancel()  # does nothing to one that is done


async def _keep_definitions(connection: Connection, sheet: Sheet, places: Sequence[int], *, now: datetime) -> None:
    """A scorecard can be explained for as long as the definition that made it is known."""
    speaking = sorted(set(sheet.part_of[places].tolist())) if places else []
    for definition in [sheet.parts[i].definition for i in speaking] + [extra for extra, _ in sheet.extras]:
        await keep_definition(connection, definition.hash, record(definition), now=now)
