"""Use case: learn from the store's past who leaves, keep what came of it, and speak with the best there is.

    train             monthly snapshots of facts as they were known -> labels -> models, judged -> the registry
    load_predictors   the champion of each horizon, the book's own rate where there is none; then the challengers

`snapshots` looks back, `learning` trains and keeps, `loading` reads the registry, `report` says in lines what came of it.
"""

from hub.training.learning import train
from hub.training.loading import load_predictor, load_predictors
from hub.training.report import Training

__all__ = ["Training", "load_predictor", "load_predictors", "train"]
