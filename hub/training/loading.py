"""The registry's models as predictors: the champion of every horizon, the prior where there is none, then the challengers."""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from hub.errors import RefusedError
from hub.store import Store
from hub.store.models import StoredModel, find_by_role, keep_model
from scoring.churn import ModelPredictor, Predictor, PriorPredictor, PriorRate
from scoring.churn_definition import ChurnDefinition
from scoring.horizon import days_of
from scoring.training import UNKNOWN_TERM

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a prior was trained that no training made."""
MOST_KNOWN = 16
_known: dict[tuple[str, bool, bytes], tuple[tuple[ChurnDefinition, Any, Any], Predictor]] = {}


async def load_predictors(store: Store, definition: ChurnDefinition) -> list[Predictor]:
    """The champion of each horizon of `definition`, the primary's first, then its challengers, `shown` False.

    Where a horizon has no champion, the prior is it; what it says of itself is in the registry, always. A champion that
    this version of the code can't use (its columns are others) is left alone, and the prior says so; such a challenger is
    left out.
    """
    async with store.reading() as connection:
        champions = {model.horizon: model for model in await find_by_role(connection, "champion")}
        challengers = await find_by_role(connection, "challenger")
    predictors = [
        await _champion(store, definition, horizon, champions.get(horizon)) for horizon in definition.horizons
    ]
    for model in challengers:
        if model.horizon in definition.horizons:
            try:
                predictors.append(predictor_of(model, definition, shown=False))
            except RefusedError:
                continue
    return predictors


async def load_predictor(store: Store, definition: ChurnDefinition) -> Predictor:
    """The first of `load_predictors`: what is shown for the primary horizon."""
    return (await load_predictors(store, definition))[0]


def is_usable(model: StoredModel, definition: ChurnDefinition) -> bool:
    """Whether this version of the code makes the columns the model was made with; a prior has none."""
    if model.kind == "prior":
        return True
    try:
        predictor_of(model, definition, shown=False)
    except RefusedError:
        return False
    return True


def predictor_of(model: StoredModel, definition: ChurnDefinition, *, shown: bool) -> Predictor:
    """A stored model as it predicts; RefusedError where this version of the code makes other columns.

    A version never changes, so the last ones that were read are kept: each scoring would read the same trees again.
    """
    key = (model.version, shown, blake2b(model.artifact or b"").digest())
    known = _known.get(key)
    if known is not None and known[0] == (definition, model.parameters, model.features):
        return known[1]
    made = _read(model, definition, shown=shown)
    while len(_known) >= MOST_KNOWN:
        del _known[next(iter(_known))]
    _known[key] = (definition, model.parameters, model.features), made
    return made


def _read(model: StoredModel, definition: ChurnDefinition, *, shown: bool) -> Predictor:
    if model.kind == "prior":
        return PriorPredictor.from_json(
            model.parameters, version=model.version, horizon=model.horizon, definition=definition, shown=shown
        )
    assert model.artifact is not None, "a model is kept with its file"
    return ModelPredictor.from_json(
        model.parameters,
        artifact=model.artifact,
        names=model.features,
        version=model.version,
        horizon=model.horizon,
        definition=definition,
        shown=shown,
    )


async def _champion(store: Store, definition: ChurnDefinition, horizon: str, champion: StoredModel | None) -> Predictor:
    if champion is None:
        days = days_of(horizon) or UNKNOWN_TERM
        prior = PriorRate.of(churned=0, rows=0, days=days, definition=definition)
        return await _keep_prior(store, definition, horizon, prior, "none has been trained", "untrained", at=NEVER)
    try:
        return predictor_of(champion, definition, shown=True)
    except RefusedError as error:
        prior = PriorRate(**champion.parameters["prior"])
        return await _keep_prior(store, definition, horizon, prior, str(error), "stand-in", at=champion.trained_at)


async def _keep_prior(
    store: Store, definition: ChurnDefinition, horizon: str, prior: PriorRate, why: str, what: str, *, at: datetime
) -> PriorPredictor:
    """A prior that no training made, in the registry because predictions name their model."""
    digest = blake2b(f"{prior}{why}".encode(), digest_size=4).hexdigest()
    predictor = PriorPredictor(
        model_version=f"prior-{horizon}-{what}-{digest}", horizon=horizon, prior=prior, why=why, bands=definition.bands
    )
    model = StoredModel(
        version=predictor.model_version,
        kind="prior",
        horizon=horizon,
        horizon_days=predictor.horizon_days,
        trained_at=at,
        trained_on_from=None,
        trained_on_to=None,
        features=(),
        evaluation={},
        parameters=predictor.as_json(),
        artifact=None,
        role="candidate",
    )
    async with store.transaction() as connection:
        await keep_model(connection, model)
    return predictor
