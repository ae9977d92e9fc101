"""Champion against challenger on what has come true: the snapshots, where each one's predictions come from, the verdict.

Judged are matured snapshots that neither model learned from, one a month, the newest of them: those of which predictions
of both are stored (the challenger predicted in shadow), else month starts of which both predict anew from the facts as they
were known then.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

from hub.errors import RefusedError
from hub.store import Connection, Store
from hub.store.models import StoredModel
from hub.store.predictions import find_days, find_probabilities
from hub.training.loading import predictor_of
from hub.training.matured import Matured, clean_from, month_starts, one_a_month, read_matured, ripe_until, ripens
from scoring.churn_definition import ChurnDefinition
from scoring.evaluation import Flags
from scoring.facts import Floats
from scoring.promotion import Verdict, compare

MONTHS = 6
"""So many snapshots, the newest: enough to tell, and recent enough to speak of the book of today."""
WINDOW = timedelta(days=31 * MONTHS)
Source = Literal["stored", "anew"]
IN_WORDS = {"stored": "stored predictions of both", "anew": "predicted anew by both"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a comparison came to.

    days      the snapshots it rests on; source: where the predictions are from, None without any
    verdict   None where nothing could be compared
    why_not   why the challenger may not take the champion's place, fit to show; None where it may
    """

    horizon: str
    champion: str
    challenger: str
    days: tuple[date, ...] = ()
    source: Source | None = None
    verdict: Verdict | None = None
    why_not: str | None

    @property
    def better(self) -> bool:
        return self.why_not is None

    def lines(self) -> list[str]:
        """The comparison as lines of text."""
        lines = [f"{self.horizon}: champion {self.champion}, challenger {self.challenger}"]
        if self.verdict is not None and self.source is not None:
            lines.append(f"snapshots of {', '.join(map(str, self.days))}, {IN_WORDS[self.source]}")
            lines += self.verdict.lines()
        lines.append("better beyond noise" if self.why_not is None else f"not better beyond noise: {self.why_not}")
        return lines

    def as_json(self) -> dict[str, Any]:
        return {
            "champion": self.champion,
            "challenger": self.challenger,
            "days": [day.isoformat() for day in self.days],
            "source": self.source,
            "verdict": None if self.verdict is None else asdict(self.verdict),
            "why_not": self.why_not,
        }


async def compare_models(
    store: Store, definition: ChurnDefinition, champion: StoredModel, challenger: StoredModel, *, until: date
) -> Comparison:
    """Compare two models of one horizon by what is certain on `until`."""
    assert champion.horizon == challenger.horizon, "models of one horizon are compared"
    found = Comparison(
        horizon=champion.horizon,
        champion=champion.version,
        challenger=challenger.version,
        why_not="nothing is known yet",
    )
    since = max(clean_from(champion, definition), clean_from(challenger, definition))
    ripe = ripe_until(champion.horizon, definition, until=until)
    async with store.reading() as connection:
        stored = await _stored_days(connection, champion, challenger, max(since, ripe - WINDOW), ripe)
        days = stored[-MONTHS:] or month_starts(since, ripe, most=MONTHS)
        if not days:
            return replace(found, why_not=_too_early(champion.horizon, definition, since))
        try:
            judged = await _judge(connection, definition, champion, challenger, days, until=until, anew=not stored)
        except RefusedError as error:
            return replace(found, why_not=str(error))
    if not judged:
        return replace(found, why_not=f"nobody was at stake on {', '.join(map(str, days))}")
    verdict = await asyncio.to_thread(_verdict, judged)
    return replace(
        found,
        days=tuple(dict.fromkeys(each.day for each in judged)),
        source="stored" if stored else "anew",
        verdict=verdict,
        why_not=verdict.why_not,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """Customers of a day: whether they left, and what each model said."""

    day: date
    customers: Sequence[str]
    labels: Flags
    champion: Floats
    challenger: Floats


async def _stored_days(
    connection: Connection, champion: StoredModel, challenger: StoredModel, since: date, until: date
) -> list[date]:
    mine, theirs = [
        await find_days(connection, model.version, since=since, until=until) for model in (champion, challenger)
    ]
    return one_a_month(set(mine) & set(theirs))


async def _judge(
    connection: Connection,
    definition: ChurnDefinition,
    champion: StoredModel,
    challenger: StoredModel,
    days: Sequence[date],
    *,
    until: date,
    anew: bool,
) -> list[_Judged]:
    """Raises RefusedError for a model that this version of the code can't let predict."""
    models = (champion, challenger)
    if not anew:
        matured = await read_matured(connection, definition, champion.horizon, days, until=until, facts=False)
        return [part for day in matured if (part := await _said(connection, day, models)) is not None]
    predictors = [predictor_of(model, definition, shown=False) for model in models]
    product = sorted({name for predictor in predictors for name in predictor.product_features})
    matured = await read_matured(connection, definition, champion.horizon, days, until=until, product=product)
    judged = []
    for day in matured:
        said = [(await asyncio.to_thread(each.predict, day.table)).probability[day.places] for each in predictors]
        judged.append(_Judged(day.day, day.customers, day.labels, *said))
    return judged


async def _said(connection: Connection, day: Matured, models: Sequence[StoredModel]) -> _Judged | None:
    """The customers of whom both models said something on the day."""
    said = [
        await find_probabilities(connection, model.version, as_of=day.day, customer_ids=day.customers)
        for model in models
    ]
    both = np.array([all(id_ in of for of in said) for id_ in day.customers], dtype=np.bool_)
    if not both.any():
        return None
    ids = [id_ for id_, chosen in zip(day.customers, both.tolist(), strict=True) if chosen]
    columns = [np.array([of[id_] for id_ in ids], dtype=np.float64) for of in said]
    return _Judged(day.day, ids, day.labels[both], *columns)


def _verdict(judged: Sequence[_Judged]) -> Verdict:
    _, codes = np.unique([id_ for day in judged for id_ in day.customers], return_inverse=True)
    return compare(
        np.concatenate([day.labels for day in judged]),
        np.concatenate([day.champion for day in judged]),
        np.concatenate([day.challenger for day in judged]),
        customers=codes.astype(np.int64),
    )


def _too_early(horizon: str, definition: ChurnDefinition, since: date) -> str:
    first = since if since.day == 1 else (since.replace(day=1) + timedelta(days=32)).replace(day=1)
    return (
        "no snapshot has matured yet that neither model learned from: the first will be that of "
        f"{first}, certain on {ripens(horizon, definition, first)}"
    )
