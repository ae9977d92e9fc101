"""Use case: has the book moved away from what its champions learned, and did they do as well as they said?

    reports = await check_drift(store, definition, now=now)      once a day, after scoring; what was checked is not again
    reports = await read_drift(store, definition)                what the newest checks found

Two checks. *PSI* of each feature and of the score, between the newest of the rows a model learned from and the customers of
the newest day it scored: the facts are those its scorecards keep, the score is what the model makes of them (what was stored
may have been brought in line with other horizons). Customers who had given notice, or were too new, were no rows of the
training, and are none here. And, once a month, *what came of it*: of the
newest day of stored predictions whose labels are known, and that the model had not learned from, who left against who was
expected to, and ROC-AUC against the lower end of its interval when it was trained.

A feature that no tree of the model asks for is shown, and has no level: it can't make the model wrong.

With many customers a sample of SAMPLE of them is read: chance is then far below every alarm.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from hub.errors import RefusedError
from hub.store import Connection, Store
from hub.store.drift import StoredReading, find_facts_of_day, find_newest, is_checked, put_readings
from hub.store.facts import find_product_use
from hub.store.labels import find_at_stake
from hub.store.models import StoredModel, find_by_role, find_champion
from hub.store.predictions import find_days, find_newest_day, find_probabilities
from hub.training.loading import predictor_of
from hub.training.matured import clean_from, one_a_month, read_matured, ripe_until
from scoring.churn import ModelPredictor
from scoring.churn_definition import ChurnDefinition
from scoring.drift import RANK, SCORE, Level, Reference, calibration_in_the_large, discrimination
from scoring.encoding import Encoding
from scoring.facts import FACTS, FactTable
from scoring.learner import Matrix

SAMPLE = 20_000
TWO_MONTHS = timedelta(days=62)
"""Predictions older than the newest that have matured by so much are not looked for."""
AGEING = frozenset({"tenure_days", "renewals"})
"""Features that grow older with the book, wherever it goes."""
_Read = dict[tuple[date, tuple[str, ...]], FactTable]
"""Facts of a day and of the customers at stake on it, with the product features that any champion counts."""
CALIBRATION, DISCRIMINATION = "observed / expected", "roc_auc"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """The newest checks of a horizon's champion: alarming readings first. `notes` say what could not be checked, and why."""

    horizon: str
    model_version: str
    readings: tuple[StoredReading, ...]
    notes: tuple[str, ...] = ()

    @property
    def alarms(self) -> tuple[StoredReading, ...]:
        return tuple(filter(is_alarm, self.readings))

    @property
    def level(self) -> Level:
        """The gravest of the alarms."""
        return max((Level(each.level) for each in self.alarms), key=lambda one: RANK[one], default=Level.STEADY)


def is_alarm(reading: StoredReading) -> bool:
    """Whether people should hear of it. One feature of sixty that is just beyond chance is shown, and no alarm; nor is one
    that moves because time goes by."""
    return alarms(reading.kind, reading.name, reading.level)


def alarms(kind: str, name: str, level: str) -> bool:
    """`is_alarm` of what a reading is of."""
    if name in AGEING:
        return False
    least = Level.ACT if kind == "psi" and name != SCORE else Level.WARN
    return RANK[Level(level)] >= RANK[least]


async def check_drift(
    store: Store, definition: ChurnDefinition, *, now: datetime, again: bool = False
) -> list[DriftReport]:
    """Check the champion of each horizon and store what is found; what was checked already is only done `again` if asked.

    Returns the newest checks, old ones among them.
    """
    reports = []
    read: _Read = {}
    async with store.reading() as connection:
        champions = {model.horizon: model for model in await find_by_role(connection, "champion")}
    models = [champions[horizon] for horizon in definition.horizons if horizon in champions]
    product = sorted({name for model in models for name in model.parameters.get("encoding", {}).get("product", ())})
    for model in models:
        async with store.reading() as connection:
            check = _Check(connection, definition, model, now, again, read, product)
            found, notes = await check.run()
        async with store.transaction() as connection:
            await put_readings(connection, found)
        async with store.reading() as connection:
            reports.append(await _report(connection, model, notes))
    return reports


async def read_drift(store: Store, definition: ChurnDefinition, *, horizon: str | None = None) -> list[DriftReport]:
    """The newest stored checks of each horizon's champion, or of one horizon's."""
    async with store.reading() as connection:
        champions = [await find_champion(connection, horizon=name) for name in definition.horizons]
        return [
            await _report(connection, model, ())
            for model in champions
            if model is not None and horizon in (None, model.horizon)
        ]


async def _report(connection: Connection, model: StoredModel, notes: Sequence[str]) -> DriftReport:
    readings = await find_newest(connection, model.version)
    return DriftReport(horizon=model.horizon, model_version=model.version, readings=tuple(readings), notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class _Check:
    """One champion being checked. read: what was for the others, of the same customers; product: what any of them counts."""

    connection: Connection
    definition: ChurnDefinition
    model: StoredModel
    now: datetime
    again: bool
    read: _Read
    product: Sequence[str]

    async def run(self) -> tuple[list[StoredReading], list[str]]:
        found: list[StoredReading] = []
        notes: list[str] = []
        for part in (self._distributions, self._outcomes):
            made = await part()
            if isinstance(made, str):
                notes.append(made)
            else:
                found += made
        return found, notes

    async def _distributions(self) -> list[StoredReading] | str:
        """PSI of the score and each feature, or why there is none."""
        version = self.model.version
        if self.model.kind == "prior":
            return f"{version} is the book's own rate, which has no features to drift"
        kept = self.model.parameters.get("reference")
        if kept is None:
            return f"{version} keeps no reference of what it learned from: the next training's does"
        as_of = await find_newest_day(self.connection, version, until=self.now.date())
        if as_of is None:
            return f"{version} has predicted nothing yet"
        if not self.again and await is_checked(self.connection, version, kinds=["psi"], as_of=as_of):
            return []
        try:
            predictor = predictor_of(self.model, self.definition, shown=True)
        except RefusedError as error:
            return str(error)
        assert isinstance(predictor, ModelPredictor), "what is no prior has features"
        matrix = await self._scored(predictor.encoding, as_of)
        probability = predictor.score(matrix)
        reference = Reference.from_json(kept)
        readings = await asyncio.to_thread(
            reference.readings, predictor.encoding.names, matrix, probability, used=predictor.asked
        )
        if not readings:
            return f"nobody of {as_of} was at stake"
        return [
            self._reading(
                as_of,
                "psi",
                each.name,
                each.psi,
                each.level,
                customers=len(probability),
                warn=each.alarms.warn,
                act=each.alarms.act,
                detail={
                    "share_missing": each.share_missing,
                    "share_missing_before": each.share_missing_before,
                    "reference_customers": reference.customers,
                },
            )
            for each in readings
        ]

    async def _scored(self, encoding: Encoding, as_of: date) -> Matrix:
        """Features of the customers the model spoke of on a day, a sample where they are many."""
        staying = await find_at_stake(
            self.connection, as_of=as_of, minimum_tenure_days=self.definition.snapshots.minimum_tenure_days
        )
        ids = staying[:: -(-len(staying) // SAMPLE) or 1]
        said = await find_probabilities(self.connection, self.model.version, as_of=as_of, customer_ids=ids)
        asked = as_of, tuple(ids)
        if asked not in self.read:
            self.read[asked] = await self._facts(*asked)
        table = self.read[asked]
        return encoding.matrix(table)[np.array([id_ in said for id_ in table.customers], dtype=np.bool_)]

    async def _facts(self, as_of: date, ids: Sequence[str]) -> FactTable:
        facts = await find_facts_of_day(self.connection, as_of=as_of, customer_ids=ids)
        known = [id_ for id_ in ids if id_ in facts]
        columns: dict[str, Sequence[Any]] = {"customer_id": known}
        columns |= {name: [facts[id_].get(name) for id_ in known] for name in FACTS}
        columns |= await find_product_use(self.connection, as_of=as_of, customers=known, features=self.product)
        return FactTable.of(as_of, columns)

    async def _outcomes(self) -> list[StoredReading] | str:
        """Calibration in the large and ROC-AUC of the newest matured day of predictions, or why there are none."""
        model, horizon = self.model, self.model.horizon
        ripe = ripe_until(horizon, self.definition, until=self.now.date())
        since = max(clean_from(model, self.definition), ripe - TWO_MONTHS)
        days = one_a_month(await find_days(self.connection, model.version, since=since, until=ripe))
        if not days:
            return f"no prediction of {model.version} has matured yet"
        day = days[-1]
        if not self.again and await is_checked(self.connection, model.version, kinds=["calibration"], as_of=day):
            return []
        matured = await read_matured(
            self.connection, self.definition, horizon, [day], until=self.now.date(), facts=False
        )
        ids = matured[0].customers if matured else []
        said = await find_probabilities(self.connection, model.version, as_of=day, customer_ids=ids)
        chosen = [place for place, id_ in enumerate(ids) if id_ in said]
        if not chosen:
            return f"nobody of {day} is at stake, or certain"
        labels = matured[0].labels[chosen]
        probability = np.array([said[ids[place]] for place in chosen], dtype=np.float64)
        large = calibration_in_the_large(int(labels.sum()), float(probability.sum()))
        found = [
            self._reading(
                day,
                "calibration",
                CALIBRATION,
                large.ratio,
                Level.WARN if large.is_off else Level.STEADY,
                customers=len(chosen),
                detail={"observed": large.observed, "expected": large.expected, "low": large.low, "high": large.high},
            )
        ]
        days_of_rows = np.full(len(chosen), day.toordinal(), dtype=np.int64)
        judged = await asyncio.to_thread(discrimination, labels, probability, days=days_of_rows)
        if judged is not None:
            auc, then = judged.roc_auc, self._auc_when_trained()
            gate = self.definition.gate.roc_auc_above
            level = Level.ACT if auc.high < gate else Level.WARN if then and auc.value < then["low"] else Level.STEADY
            found.append(
                self._reading(
                    day,
                    "roc_auc",
                    DISCRIMINATION,
                    auc.value,
                    level,
                    customers=len(chosen),
                    warn=then["low"] if then else None,
                    act=gate,
                    detail={"low": auc.low, "high": auc.high, "when_trained": dict(then) if then else None},
                )
            )
        return found

    def _auc_when_trained(self) -> Mapping[str, float] | None:
        if self.model.kind == "prior":  # what was judged then was turned away
            return None
        judged = self.model.evaluation.get("later_snapshots")
        return judged["roc_auc"] if judged else None

    def _reading(
        self,
        as_of: date,
        kind: Any,
        name: str,
        value: float,
        level: Level,
        *,
        customers: int,
        detail: Mapping[str, Any],
        warn: float | None = None,
        act: float | None = None,
    ) -> StoredReading:
        return StoredReading(
            model_version=self.model.version,
            horizon=self.model.horizon,
            as_of=as_of,
            kind=kind,
            name=name,
            value=value,
            warn=warn,
            act=act,
            level=level.value,
            customers=customers,
            detail=detail,
            checked_at=self.now,
        )
