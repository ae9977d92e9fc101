"""Use case: learn from the store's past who leaves, keep what came of it, and speak with the best there is.

    train            monthly snapshots of facts as they were known -> labels -> model, judged -> the registry
    load_predictor   the champion of the definition's horizon; the book's own rate where there is none

A snapshot is one `find_facts`, hence as correct about the past as a scorecard. Rows are customers who pay on the day, have
done so for a while and have not given notice; `hub.store.labels` says who of them left. A model whose gate stays closed is
not shown: the registry gets a prior in its place, with the evaluation and the reason. An older champion stays champion
until a newer model passes.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np

from hub.errors import RefusedError
from hub.store import Connection, Store
from hub.store.facts import find_facts, find_product_features, find_product_use
from hub.store.labels import find_at_stake, find_churned, find_first_day
from hub.store.models import StoredModel, find_champion, keep_model
from scoring.churn import ModelPredictor, Predictor, PriorPredictor, PriorRate
from scoring.churn_definition import ChurnDefinition
from scoring.contributions import Contributions
from scoring.evaluation import Evaluation
from scoring.facts import FactTable
from scoring.features import Encoding
from scoring.learner import Matrix, Rows
from scoring.outcomes import CHURNED, UNUSED, Churns, outcomes
from scoring.reasons import medians
from scoring.training import Trained, snapshot_days, version_of
from scoring.training import train as learn

Progress = Callable[[date, int, int], None]
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a prior was trained that no training made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a training came to.

    version     kept in the registry; `is_new` is False where the same data had made it before
    shown       whether the model passed its gate; otherwise `why_not`, fit to show
    evaluation  on later snapshots, also of a model that was turned away; None where none could be made
    churned     distinct customers who left, among `customers` in `rows` rows of `snapshots` days
    """

    version: str
    is_new: bool
    shown: bool
    why_not: str | None
    evaluation: Evaluation | None
    by_customer: Evaluation | None
    prior: PriorRate
    snapshots: int
    first_day: date | None
    last_day: date | None
    rows: int
    customers: int
    churned: int

    def lines(self) -> list[str]:
        """The training as lines of text."""
        span = f", {self.first_day} to {self.last_day}" if self.snapshots else ""
        lines = [
            f"{self.rows} rows of {self.customers} customers on {self.snapshots} days{span}; {self.churned} customers left",
            f"model {self.version}" if self.shown else f"no model: {self.why_not}",
        ]
        if self.evaluation:
            lines += ["", *self.evaluation.lines()]
        if self.by_customer:
            lines += ["", *self.by_customer.lines()]
        prior = self.prior
        return [*lines, "", f"base rate {prior.rate:.1%} (90 % interval {prior.low:.1%} to {prior.high:.1%})"]


@dataclass(frozen=True, slots=True)
class _Past:
    """The training set: rows, what made their columns, the customers their codes stand for."""

    rows: Rows
    encoding: Encoding
    customers: list[str]
    days: list[date]


async def train(
    store: Store, definition: ChurnDefinition, *, now: datetime, progress: Progress | None = None
) -> Training:
    """Train on everything known at `now` and keep the result; `progress(day, done, all)` is called after each snapshot."""
    async with store.reading() as connection:
        past = await _look_back(connection, definition, until=now.date(), progress=progress)
    # numbers are crunched in a thread: the caller may be a server
    trained = await asyncio.to_thread(learn, past.rows, definition)
    version = version_of(past.rows, past.customers, definition, kind="xgb" if trained.fitted else "prior")
    async with store.transaction() as connection:
        champion = await find_champion(connection, horizon_days=definition.horizon_days)
        shown = trained.fitted is not None
        model = replace(
            _stored(past, trained, version, definition, now=now),
            champion=shown or champion is None or champion.kind == "prior",
        )
        is_new = await keep_model(connection, model)
    return Training(
        version=version,
        is_new=is_new,
        shown=shown,
        why_not=trained.why_not,
        evaluation=trained.evaluation,
        by_customer=trained.by_customer,
        prior=trained.prior,
        snapshots=len(past.days),
        first_day=past.days[0] if past.days else None,
        last_day=past.days[-1] if past.days else None,
        rows=trained.rows,
        customers=len(past.customers),
        churned=trained.churned,
    )


async def load_predictor(store: Store, definition: ChurnDefinition) -> Predictor:
    """The champion of the definition's horizon, else the prior. What it says of itself is in the registry, always.

    A champion that this version of the code can't use (its columns are others) is left alone, and the prior says so.
    """
    horizon = definition.horizon_days
    async with store.reading() as connection:
        champion = await find_champion(connection, horizon_days=horizon)
    if champion is None:
        prior = PriorRate.of(churned=0, rows=0, definition=definition)
        return await _keep_prior(store, definition, prior, "none has been trained", "untrained", at=NEVER)
    if champion.kind == "prior":
        return PriorPredictor.from_json(champion.parameters, version=champion.version, definition=definition)
    assert champion.artifact is not None, "a model is kept with its file"
    try:
        return ModelPredictor.from_json(
            champion.parameters,
            artifact=champion.artifact,
            names=champion.features,
            version=champion.version,
            definition=definition,
        )
    except RefusedError as error:
        prior = PriorRate(**champion.parameters["prior"])
        return await _keep_prior(store, definition, prior, str(error), "stand-in", at=champion.trained_at)


async def _look_back(
    connection: Connection, definition: ChurnDefinition, *, until: date, progress: Progress | None
) -> _Past:
    tenure = definition.snapshots.minimum_tenure_days
    began = await find_first_day(connection)
    days = snapshot_days(first=began + timedelta(days=tenure), until=until, definition=definition) if began else []
    churned = await find_churned(connection, until=until, grace_days=definition.grace_days)
    churns = Churns.of(
        churned["customer_id"], churned["churned_on"], [kind == "involuntary" for kind in churned["kind"]]
    )
    product: list[str] = []
    if days:
        product = await find_product_features(connection, as_of=days[-1], most=definition.columns.product_features)
    tables: list[FactTable] = []
    kept: list[Any] = []
    labels: list[Any] = []
    for number, day in enumerate(days, start=1):
        facts = await find_facts(connection, as_of=day)
        facts |= await find_product_use(connection, as_of=day, customers=facts["customer_id"], features=product)
        at_stake = await find_at_stake(connection, as_of=day, minimum_tenure_days=tenure)
        table = FactTable.of(day, facts)
        verdicts = outcomes(table.customers, day, churns, definition)
        tables.append(table)
        kept.append(np.isin(np.array(table.customers, dtype=np.str_), at_stake) & (verdicts != UNUSED))
        labels.append(verdicts == CHURNED)
        if progress:
            progress(day, number, len(days))
    encoding = Encoding.of(tables, texts=definition.columns.texts, product=product)
    return _gather(encoding, days, tables, kept, labels)


def _gather(encoding: Encoding, days: list[date], tables: list[FactTable], kept: list[Any], labels: list[Any]) -> _Past:
    """One set of rows out of the days' tables."""
    empty: Matrix = np.empty((0, len(encoding.names)), dtype=np.float32)
    matrix = np.concatenate([empty, *(encoding.matrix(table)[mask] for table, mask in zip(tables, kept, strict=True))])
    ids = [np.array(table.customers, dtype=np.str_)[mask] for table, mask in zip(tables, kept, strict=True)]
    ordinals = [np.full(int(mask.sum()), day.toordinal()) for day, mask in zip(days, kept, strict=True)]
    customers, codes = np.unique(np.concatenate([np.empty(0, dtype=np.str_), *ids]), return_inverse=True)
    rows = Rows(
        encoding.names,
        encoding.signs,
        matrix,
        np.concatenate([np.empty(0, dtype=np.bool_), *(label[mask] for label, mask in zip(labels, kept, strict=True))]),
        codes.astype(np.int64),
        np.concatenate([np.empty(0, dtype=np.int64), *ordinals]),
    )
    return _Past(rows, encoding, customers.tolist(), days)


def _stored(past: _Past, trained: Trained, version: str, definition: ChurnDefinition, *, now: datetime) -> StoredModel:
    """The row of the registry; a model that was turned away leaves its evaluation to the prior that takes its place."""
    model = StoredModel(
        version=version,
        kind="prior",
        horizon_days=definition.horizon_days,
        trained_at=now,
        trained_on_from=past.days[0] if past.days else None,
        trained_on_to=past.days[-1] if past.days else None,
        features=(),
        evaluation={
            "later_snapshots": trained.evaluation.as_json() if trained.evaluation else None,
            "other_customers": trained.by_customer.as_json() if trained.by_customer else None,
            "rows": trained.rows,
            "churned": trained.churned,
        },
        parameters={"prior": asdict(trained.prior), "why": trained.why_not or ""},
        artifact=None,
        champion=False,
    )
    fitted = trained.fitted
    if fitted is None:
        return model
    predictor = ModelPredictor(
        model_version=version,
        horizon_days=definition.horizon_days,
        confidence=trained.confidence,
        booster=fitted.booster,
        calibration=fitted.calibration,
        encoding=past.encoding,
        contributions=Contributions.of(fitted.booster),
        medians=medians(past.encoding, past.rows.matrix),
        bands=definition.bands,
        limits=definition.reasons,
    )
    learner = {"learner": fitted.learner.name, "trees": fitted.learner.trees, **fitted.learner.parameters}
    return replace(
        model,
        kind="xgboost",
        features=past.encoding.names,
        parameters={**model.parameters, **predictor.as_json(), "learner": learner},
        artifact=predictor.artifact,
    )


async def _keep_prior(
    store: Store, definition: ChurnDefinition, prior: PriorRate, why: str, what: str, *, at: datetime
) -> PriorPredictor:
    """A prior that no training made, in the registry because predictions name their model."""
    digest = blake2b(f"{prior}{why}".encode(), digest_size=4).hexdigest()
    predictor = PriorPredictor(
        model_version=f"prior-{definition.horizon_days}d-{what}-{digest}",
        horizon_days=definition.horizon_days,
        prior=prior,
        why=why,
        bands=definition.bands,
    )
    model = StoredModel(
        version=predictor.model_version,
        kind="prior",
        horizon_days=definition.horizon_days,
        trained_at=at,
        trained_on_from=None,
        trained_on_to=None,
        features=(),
        evaluation={},
        parameters=predictor.as_json(),
        artifact=None,
        champion=False,
    )
    async with store.transaction() as connection:
        await keep_model(connection, model)
    return predictor
