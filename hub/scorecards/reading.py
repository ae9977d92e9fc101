"""What a day is computed from, read set-wise: facts, last known readings, overrides in force, notices given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from hub.scorecards.churn import Predictor, product_features
from hub.store import Connection
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
) -> Day:
    """Read what the scorecards of `as_of` are made of: of everybody, or of some."""
    # where some are read against the others, all of them are needed to score one
    asked = None if book.relative else customer_ids
    columns = await find_facts(connection, as_of=as_of, customer_ids=asked, memory=memory)
    if features := product_features(predictors):
        columns |= await find_product_use(connection, as_of=as_of, customers=columns["customer_id"], features=features)
    table = FactTable.of(as_of, columns)
    wanted = _wanted(table, book.definitions)
    stored = await find_readings_before(connection, wanted, as_of=as_of)
    extras_before = {}
    for extra in book.extras:
        places = _wanted(table, [extra])
        found = await find_extra_readings_before(connection, extra.name, places, as_of=as_of)
        extras_before[extra.name] = _remembered(found, places, table)
    overrides = await find_in_force(connection, "override", as_of=as_of)
    return Day(
        table,
        _remembered(stored, wanted, table),
        extras_before,
        {each.customer_id: each for each in overrides},
        await find_noticed(connection, as_of=as_of) if predictors else {},
    )


def _wanted(table: FactTable, definitions: Sequence[HealthDefinition]) -> dict[str, int]:
    """{customer: place} of those for whom it matters what was last known."""
    return {table.customers[i]: i for i in np.flatnonzero(wants_last_known(table, definitions)).tolist()}


def _remembered(found: Mapping[str, Read], places: Mapping[str, int], table: FactTable) -> Before:
    stored = {places[id_]: read for id_, read in found.items()}
    return remembered(stored, count=len(table), as_of=table.as_of)
