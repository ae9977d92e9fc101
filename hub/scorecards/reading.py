"""What a day is computed from, read set-wise: facts, last known readings, overrides in force, notices given."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import numpy as np

from hub.scorecards.churn import Predictor, product_features
from hub.store import Connection
from hub.store.daily import batches
from hub.store.extra_scorecards import find_extra_readings_before
from hub.store.facts import UseInMemory, find_facts, find_product_use
from hub.store.judgement import Statement, find_in_force
from hub.store.labels import find_noticed
from hub.store.scorecards import Read, find_readings_before
from scoring.book import HealthBook
from scoring.definition import HealthDefinition
from scoring.facts import FactTable
from scoring.last_known import LastKnown
from scoring.reading import remembered, wants_last_known

Before = Mapping[str, LastKnown]


@dataclass(frozen=True, slots=True)
class Day:
    """Everything a day's scorecards are made of.

    before   last readings known, of the scorecards; extras_before likewise, by the name of the extra scorecard
    overrides  {customer: the one in force at the end of the day}; noticed: {customer: the day notice was given}
    """

    table: FactTable = field(repr=False)
    before: Before = field(repr=False)
    extras_before: Mapping[str, Before] = field(repr=False)
    overrides: Mapping[str, Statement]
    noticed: Mapping[str, date]


async def read_day(
    connection: Connection,
    book: HealthBook,
    predictors: Sequence[Predictor],
    *,
    as_of: date,
    customer_ids: Sequence[str] | None,
    memory: UseInMemory | None,
    beside: Connection | None = None,
) -> Day:
    """Read what the scorecards of `as_of` are made of: of everybody, or of some. beside: as `find_facts` has it."""
    # where some are read against the others, all of them are needed to score one
    asked = None if book.relative else customer_ids
    columns = await find_facts(connection, as_of=as_of, customer_ids=asked, memory=memory, beside=beside)
    if features := product_features(predictors):
        columns |= await find_product_use(connection, as_of=as_of, customers=columns["customer_id"], features=features)
    table = FactTable.of(as_of, columns)
    before = await _remember(table, book.definitions, partial(find_readings_before, connection, as_of=as_of))
    extras_before = {
        extra.name: await _remember(
            table, [extra], partial(find_extra_readings_before, connection, extra.name, as_of=as_of)
        )
        for extra in book.extras
    }
    overrides = await find_in_force(connection, "override", as_of=as_of)
    return Day(
        table,
        before,
        extras_before,
        {each.customer_id: each for each in overrides},
        await find_noticed(connection, as_of=as_of) if predictors else {},
    )


async def _remember(
    table: FactTable,
    definitions: Sequence[HealthDefinition],
    find: Callable[[Sequence[str]], Awaitable[Mapping[str, Read]]],
) -> Before:
    """Last known readings, looked up for whom they matter; read in parts, for where a source is dead that is everybody."""
    wanted = {table.customers[i]: i for i in np.flatnonzero(wants_last_known(table, definitions)).tolist()}
    known: dict[str, LastKnown] = {}
    for ids in batches(wanted):
        stored = {wanted[id_]: read for id_, read in (await find(ids)).items()}
        remembered(stored, count=len(table), as_of=table.as_of, known=known)
    return known
