"""Scorecards: the facts of a day become health and churn risk, and are stored, one row a customer and day.

    report = await score(store, definition, predictor, as_of=day, now=now)      today's, or a past day that is missing
    report = await backfill(store, definition, predictor, days=days, now=now)   the past days that are missing

A past day is written once. Today is written anew each time, until it is over; so what playbooks saw of a day that has
passed can always be shown. The band changes of a report are those of that run: against the scorecard that was the newest
before it, whether of today or of an earlier day.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

import numpy as np

from hub.errors import RefusedError
from hub.store import Connection, Store
from hub.store.definitions import keep_definition
from hub.store.facts import UseInMemory, find_customers, find_facts, find_product_use
from hub.store.scorecards import BATCH, Standing, find_readings_before, find_scored, find_standing, put, retire
from scoring.definition import HealthDefinition
from scoring.definition_record import record
from scoring.facts import FACTS, FactTable, Floats
from scoring.health import Health
from scoring.health import score as read_health

MEMORY_DAYS = 92
"""A backfill holds the use of so many days at a time, and of the 84 before them."""


class ChurnColumns(Protocol):
    """What a predictor says, columns over the customers of the table it was given; probabilities are 0-1."""

    @property
    def probability(self) -> Floats: ...
    @property
    def annualised(self) -> Floats: ...
    @property
    def band(self) -> Sequence[str]: ...
    @property
    def confidence(self) -> Sequence[str]: ...
    @property
    def reasons(self) -> Sequence[Sequence[Mapping[str, Any]]]: ...


class Predictor(Protocol):
    """A churn model that is stored as `model_version`. `product_features`: which ones' use it counts besides the facts."""

    @property
    def model_version(self) -> str: ...
    @property
    def horizon(self) -> str: ...
    @property
    def horizon_days(self) -> int | None: ...
    @property
    def shown(self) -> bool: ...
    @property
    def product_features(self) -> Sequence[str]: ...
    def predict(self, table: FactTable) -> ChurnColumns: ...


@dataclass(frozen=True, slots=True)
class BandChange:
    """A customer's band before and after a run; None where there was no scorecard, or no score."""

    customer_id: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """What a run wrote.

    customer_ids  whose scorecards were written, in order of id
    withheld      how many of them have no score, for want of data
    bands         {band: customers}; churn_bands likewise, empty without a predictor
    changes       the band changes, in order of customer; empty for a day that is not the customer's newest
    """

    as_of: date
    customer_ids: tuple[str, ...]
    withheld: int
    bands: Mapping[str, int]
    churn_bands: Mapping[str, int]
    changes: tuple[BandChange, ...]
    definition_hash: str
    model_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillReport:
    """written: days that were missing something and got it; complete: days that had everything; cards: rows written."""

    written: tuple[date, ...]
    complete: tuple[date, ...]
    cards: int


async def score(
    store: Store,
    definition: HealthDefinition,
    predictor: Predictor | None,
    *,
    as_of: date,
    now: datetime,
    customer_ids: Sequence[str] | None = None,
    memory: UseInMemory | None = None,
) -> ScoreReport:
    """Score everybody who is a customer on `as_of`, or some of them; RefusedError for a day that has not come.

    `memory` holds the use of a range of days, for whoever scores many of them.
    """
    if as_of > now.date():
        raise RefusedError(f"{as_of} has not come yet: scorecards are of today ({now.date()}) or a day before")
    async with store.reading() as connection:
        table = await _read_table(
            connection, definition, predictor, as_of=as_of, customer_ids=customer_ids, memory=memory
        )
        earlier = await _find_last_known(connection, definition, table)
    health = await asyncio.to_thread(read_health, table, definition, before=earlier)
    churn = await asyncio.to_thread(predictor.predict, table) if predictor else None
    sheet = _Sheet(health, predictor, churn, now)
    asked = None if customer_ids is None else set(customer_ids)
    places = [i for i, id_ in enumerate(table.customers) if asked is None or id_ in asked]
    open_day = as_of == now.date()
    async with store.transaction() as connection:
        # a scorecard can be explained for as long as the definition that made it is known
        await keep_definition(connection, definition.hash, record(definition), now=now)
        standing = await find_standing(connection, [table.customers[i] for i in places], as_of=as_of)
        writable = [i for i in places if open_day or not standing[table.customers[i]].has_card]
        for start in range(0, len(writable), BATCH):
            part = writable[start : start + BATCH]
            cards = await asyncio.to_thread(sheet.cards, part, standing)
            await put(connection, cards, sheet.predictions(part), as_of=as_of, replace=open_day)
        if open_day and customer_ids is None:
            await retire(connection, as_of=as_of)
    return sheet.report(writable, standing)


async def backfill(
    store: Store,
    definition: HealthDefinition,
    predictor: Predictor | None,
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
    written, complete, cards = [], [], 0
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
            report = await score(store, definition, predictor, as_of=day, now=now, customer_ids=missing, memory=memory)
            cards += len(report.customer_ids)
            written.append(day)
        else:
            complete.append(day)
        if progress:
            progress(day, done, len(past))
    return BackfillReport(written=tuple(written), complete=tuple(complete), cards=cards)


async def _read_table(
    connection: Connection,
    definition: HealthDefinition,
    predictor: Predictor | None,
    *,
    as_of: date,
    customer_ids: Sequence[str] | None,
    memory: UseInMemory | None,
) -> FactTable:
    # where some are read against the others, all of them are needed to score one
    asked = None if definition.relative else customer_ids
    columns = await find_facts(connection, as_of=as_of, customer_ids=asked, memory=memory)
    if predictor and predictor.product_features:
        columns |= await find_product_use(
            connection, as_of=as_of, customers=columns["customer_id"], features=predictor.product_features
        )
    return FactTable.of(as_of, columns)


async def _find_last_known(connection: Connection, definition: HealthDefinition, table: FactTable) -> dict[str, Floats]:
    """{measure: last known readings}, asked for only where a source isn't alive now; see scoring.health."""
    names = [place.leaf.name for place in definition.places]
    dead = np.zeros(len(table), dtype=np.bool_)
    for place in definition.places:
        dead |= np.isnan(table.numbers[place.leaf.measure.live])
    known = {name: np.full(len(table), np.nan) for name in names}
    places = {table.customers[i]: i for i in np.flatnonzero(dead).tolist()}
    for id_, readings in (await find_readings_before(connection, places, as_of=table.as_of)).items():
        for reading in readings:
            last = reading.get("last") if reading["missing"] else reading["value"]
            if last is not None and reading["measure"] in known:
                known[reading["measure"]][places[id_]] = last
    return known


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Everything computed for a day, as rows to store."""

    health: Health
    predictor: Predictor | None
    churn: ChurnColumns | None
    now: datetime

    def cards(self, places: Sequence[int], standing: Mapping[str, Standing]) -> list[dict[str, Any]]:
        parts = zip(places, self.health.table.rows(places), self.health.all_readings(places), strict=True)
        return [self._card(i, facts, readings, standing) for i, facts, readings in parts]

    def _card(
        self, i: int, facts: Mapping[str, Any], readings: list[dict[str, Any]], before: Mapping[str, Standing]
    ) -> dict[str, Any]:
        health, churn, table = self.health, self.churn, self.health.table
        standing, band = before[table.customers[i]], self._band(i)
        return {
            "customer_id": table.customers[i],
            "as_of": table.as_of,
            "health": None if band is None else float(health.score[i]),
            "band": band,
            "coverage": float(health.coverage[i]),
            "reason": health.notes[i],
            "previous_band": standing.band_before,
            "churn_risk": float(churn.probability[i]) if churn else None,
            "churn_annualised": float(churn.annualised[i]) if churn else None,
            "churn_band": churn.band[i] if churn else None,
            "facts": {name: facts[name] for name in FACTS},
            "readings": readings,
            "definition_hash": health.definition_hash,
            "computed_at": self.now,
            "latest": not standing.has_later,
        }

    def _band(self, i: int) -> str | None:
        band = self.health.bands[i]
        return None if band is None else band.value

    def predictions(self, places: Sequence[int]) -> list[dict[str, Any]]:
        if self.churn is None or self.predictor is None:
            return []
        return [
            {
                "customer_id": self.health.table.customers[i],
                "as_of": self.health.table.as_of,
                "model_version": self.predictor.model_version,
                "horizon_days": self.predictor.horizon_days,
                "probability": float(self.churn.probability[i]),
                "annualised": float(self.churn.annualised[i]),
                "band": self.churn.band[i],
                "confidence": self.churn.confidence[i],
                "reasons": list(self.churn.reasons[i]),
                "computed_at": self.now,
            }
            for i in places
        ]

    def report(self, places: Sequence[int], standing: Mapping[str, Standing]) -> ScoreReport:
        ids = [self.health.table.customers[i] for i in places]
        bands = {self.health.table.customers[i]: self._band(i) for i in places}
        was = {id_: standing[id_].band if standing[id_].has_card else standing[id_].band_before for id_ in ids}
        return ScoreReport(
            as_of=self.health.table.as_of,
            customer_ids=tuple(ids),
            withheld=sum(band is None for band in bands.values()),
            bands=Counter(band for band in bands.values() if band is not None),
            churn_bands=Counter(self.churn.band[i] for i in places) if self.churn else {},
            changes=tuple(
                BandChange(id_, was[id_], band)
                for id_, band in bands.items()
                if band != was[id_] and not standing[id_].has_later
            ),
            definition_hash=self.health.definition_hash,
            model_version=self.predictor.model_version if self.predictor else None,
        )
