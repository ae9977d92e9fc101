"""Training: what the past shows of every horizon becomes a model, judged, and kept in the registry in its role.

A model that passes its gate becomes champion where there was none; where there is one it becomes a challenger, which
predicts beside it unseen until it is promoted. A model whose gate stays closed is not shown: the registry gets a prior in its
place, with the evaluation and the reason.
"""

import asyncio
from dataclasses import asdict, replace
from datetime import datetime

import numpy as np

from hub.store import Connection, Store
from hub.store.models import Role, StoredModel, choose_alone, find_by_role, keep_model
from hub.training.report import Training
from hub.training.snapshots import Past, Progress, look_back
from scoring.churn import ModelPredictor
from scoring.churn_definition import ChurnDefinition
from scoring.contributions import Contributions
from scoring.drift import Reference
from scoring.fitting import Fitted, check_contributions
from scoring.horizon import days_of
from scoring.reasons import medians
from scoring.training import Trained, version_of
from scoring.training import train as learn


async def train(
    store: Store, definition: ChurnDefinition, *, now: datetime, progress: Progress | None = None
) -> Training:
    """Train every horizon on what is known at `now` and keep the results; `progress(day, done, all)` is called after each
    snapshot. Returned is the primary horizon's, with the others in it."""
    async with store.reading() as connection:
        history = await look_back(connection, definition, until=now.date(), progress=progress)
    made = []
    for horizon in history.horizons:
        past = await asyncio.to_thread(history.past, horizon)
        # numbers are crunched in a thread: the caller may be a server
        trained = await asyncio.to_thread(learn, past.rows, definition, horizon, fates=past.fates)
        version = version_of(past.rows, past.customers, definition, horizon, kind="xgb" if trained.fitted else "prior")
        async with store.transaction() as connection:
            await choose_alone(connection)
            role = await _role(connection, horizon, shown=trained.fitted is not None)
            model = _stored(past, trained, version, definition, horizon, role=role, now=now)
            is_new = await keep_model(connection, model)
        made.append(_report(past, trained, version, horizon, is_new=is_new, role=role))
    return replace(made[0], others=tuple(made[1:]))


async def _role(connection: Connection, horizon: str, *, shown: bool) -> Role:
    kinds = {model.kind for model in await find_by_role(connection, "champion") if model.horizon == horizon}
    if not kinds or kinds == {"prior"}:
        return "champion"
    return "challenger" if shown else "candidate"


def _report(past: Past, trained: Trained, version: str, horizon: str, *, is_new: bool, role: Role) -> Training:
    return Training(
        version=version,
        horizon=horizon,
        is_new=is_new,
        shown=trained.fitted is not None,
        challenges=is_new and role == "challenger",
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
        share=past.share,
    )


def _stored(
    past: Past,
    trained: Trained,
    version: str,
    definition: ChurnDefinition,
    horizon: str,
    *,
    role: Role,
    now: datetime,
) -> StoredModel:
    """The row of the registry; a model that was turned away leaves its evaluation to the prior that takes its place."""
    model = StoredModel(
        version=version,
        kind="prior",
        horizon=horizon,
        horizon_days=days_of(horizon),
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
        role=role,
        promoted_at=now if role == "champion" else None,
    )
    fitted = trained.fitted
    if fitted is None:
        return model
    contributions = Contributions.of(fitted.booster)
    check_contributions(fitted.booster, contributions, past.rows.matrix)
    predictor = ModelPredictor(
        model_version=version,
        horizon=horizon,
        confidence=trained.confidence,
        booster=fitted.booster,
        calibration=fitted.calibration,
        encoding=past.encoding,
        contributions=contributions,
        medians=medians(past.encoding, past.rows.matrix),
        bands=definition.bands,
        limits=definition.reasons,
    )
    learner = {"learner": fitted.learner.name, "trees": fitted.learner.trees, **fitted.learner.parameters}
    return replace(
        model,
        kind="xgboost",
        features=past.encoding.names,
        evaluation={**model.evaluation, "importance": _importance(past, contributions)},
        parameters={
            **model.parameters,
            **predictor.as_json(),
            "learner": learner,
            "reference": _reference(past, fitted, definition).as_json(),
        },
        artifact=predictor.artifact,
    )


def _importance(past: Past, contributions: Contributions) -> dict[str, float]:
    """{feature: mean absolute part of the log-odds}, the largest first; without those the model does not ask for."""
    parts = zip(past.encoding.names, contributions.importance(past.rows.matrix), strict=True)
    found = sorted(((name, round(float(part), 6)) for name, part in parts), key=lambda pair: (-pair[1], pair[0]))
    return {name: part for name, part in found if part > 0}


def _reference(past: Past, fitted: Fitted, definition: ChurnDefinition) -> Reference:
    """What drift is read against: the rows of the newest days, as many as judge a model, because in the oldest of a young
    hub half of what is measured today was not known yet. Probabilities are the model's own: those of models fitted to other
    customers take other levels, and where few have left that alone is a PSI of .3 (measured). Most who are scored later were
    rows of it, too.

    Rows whose label is still pending belong to it: without them the newest days would be those of who renews soon alone."""
    rows, pending = past.rows, past.pending
    days = np.unique(rows.days)
    since = days[-max(1, round(len(days) * definition.snapshots.test_share))]
    recent, waiting = rows.days >= since, pending.days >= since
    matrix = np.concatenate([rows.matrix[recent], pending.matrix[waiting]])
    names, also = np.array(past.customers), np.array(past.pending_customers)
    return Reference.of(
        past.encoding.names,
        matrix,
        fitted.probability(matrix),
        customers=np.concatenate([names[rows.customers[recent]], also[pending.customers[waiting]]]),
    )
