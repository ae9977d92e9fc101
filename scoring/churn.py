"""Churn risk: from a fact table to a probability with a horizon, a band, a confidence and reasons.

A `Predictor` is one of two, and says which by the confidence of every reading:

    ModelPredictor   a model that passed its gate: "normal", or "low" where fewer than 50 customers had left to learn from
    PriorPredictor   no such model: the book's own rate for everybody, "prior"; it gives no reasons, because it has none,
                     and `note` says why and how wide its interval is

The probability is of leaving within the horizon, which begins `lead_days` after the day of the facts, for a customer who
has not given notice. Bands are cut on the annualised probability 1 - (1 - p) ** (365 / days): on the probability of a
quarter the same cuts would put nearly everybody into the lowest band. Both numbers are given. The days of the renewal
horizon are each customer's days to the renewal; who has none within `FARTHEST_RENEWAL` has no probability, which is NaN.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import numpy as np

from hub.errors import RefusedError
from scoring.calibration import Calibration
from scoring.churn_definition import ChurnBands, ChurnDefinition, ReasonLimits
from scoring.contributions import Contributions
from scoring.encoding import Encoding
from scoring.facts import FactTable, Floats
from scoring.horizon import FARTHEST_RENEWAL, days_of, in_words
from scoring.learner import Matrix, margins
from scoring.reasons import Explainer, Reason

if TYPE_CHECKING:
    import xgboost

Confidence = Literal["normal", "low", "prior"]
ChurnBand = Literal["high", "medium", "low", "minimal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnReadings:
    """One entry per customer of the table, in its order. probability and annualised are 0-1, NaN where there is none."""

    probability: Floats
    annualised: Floats
    band: list[ChurnBand]
    confidence: list[Confidence]
    reasons: Sequence[list[Reason]]


class Predictor(Protocol):
    """What scorecards ask.

    horizon           its name; horizon_days: None for the renewal; see scoring.horizon
    shown             whether people see what it says: the champion's, and not what a challenger says beside it
    product_features  whose use of 28 days the table must hold as columns "events_28d:<name>"
    """

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

    @property
    def note(self) -> str:
        """A sentence fit to show about where the numbers come from."""
        ...

    def predict(self, table: FactTable) -> ChurnReadings: ...


SHORTEST_TERM = 30
"""Days that a renewal counts as at least: one of tomorrow does not come 365 times a year."""


def annualise(probability: Floats, days: float | Floats) -> Floats:
    """The probability of leaving within a year at the rate of so many days: 1 - (1 - p) ** (365 / days)."""
    return np.asarray(1 - (1 - probability) ** (365 / days), dtype=np.float64)


def spans(table: FactTable, horizon: str) -> Floats:
    """The days each customer's probability speaks of [n]; NaN for who has no renewal that the horizon could be."""
    days = days_of(horizon)
    if days is not None:
        return np.full(len(table), float(days))
    due = table.numbers["days_to_renewal"]
    known = (due > 0) & (due <= FARTHEST_RENEWAL)
    return np.where(known, np.maximum(due, SHORTEST_TERM), np.nan)


def bands_of(annualised: Floats, bands: ChurnBands) -> list[ChurnBand]:
    """The band of each annualised probability; a value on a cut belongs to the band below it."""
    names: tuple[ChurnBand, ...] = ("minimal", "low", "medium", "high")
    places = np.searchsorted([bands.low, bands.medium, bands.high], annualised, side="left")
    return [names[place] for place in places.tolist()]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorRate:
    """Churn within one horizon, as the book shows it so far, shrunk towards what was believed beforehand.

    rows, churned  customers observed for one whole horizon each, no span of a customer twice; how many of them left
    low, high      the 90 % interval of a Beta distribution with churned + weight * p0 and rows - churned + weight * (1 - p0)
    """

    rate: float
    low: float
    high: float
    rows: int
    churned: int

    @classmethod
    def of(cls, *, churned: int, rows: int, days: float, definition: ChurnDefinition) -> Self:
        """days: how many the horizon has, on average where it is the renewal."""
        from scipy.stats import beta  # a second to import, and most commands never get here

        weight, believed = definition.prior.weight, definition.believed(days)
        left, stayed = churned + weight * believed, rows - churned + weight * (1 - believed)
        low, high = beta.ppf([0.05, 0.95], left, stayed).tolist()
        return cls(rate=left / (left + stayed), low=low, high=high, rows=rows, churned=churned)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorPredictor:
    """The same rate for everybody, and `why` there is nothing better."""

    model_version: str
    horizon: str
    prior: PriorRate
    why: str
    bands: ChurnBands
    shown: bool = True

    @property
    def horizon_days(self) -> int | None:
        return days_of(self.horizon)

    @property
    def product_features(self) -> Sequence[str]:
        return ()

    @property
    def note(self) -> str:
        return (
            f"No churn model yet: {self.why}. Shown is the rate of all customers, {self.prior.rate:.1%} "
            f"{in_words(self.horizon)} (90 % interval {self.prior.low:.1%} to {self.prior.high:.1%})."
        )

    def predict(self, table: FactTable) -> ChurnReadings:
        days = spans(table, self.horizon)
        probability = np.where(np.isnan(days), np.nan, self.prior.rate)
        annualised = annualise(probability, days)
        return ChurnReadings(
            probability=probability,
            annualised=annualised,
            band=bands_of(annualised, self.bands),
            confidence=["prior"] * len(table),
            reasons=[[] for _ in range(len(table))],
        )

    def as_json(self) -> dict[str, Any]:
        return {"prior": asdict(self.prior), "why": self.why}

    @classmethod
    def from_json(
        cls, value: Mapping[str, Any], *, version: str, horizon: str, definition: ChurnDefinition, shown: bool = True
    ) -> Self:
        return cls(
            model_version=version,
            horizon=horizon,
            prior=PriorRate(**value["prior"]),
            why=value["why"],
            bands=definition.bands,
            shown=shown,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPredictor:
    """A model that passed its gate."""

    model_version: str
    horizon: str
    confidence: Confidence
    booster: "xgboost.Booster"
    calibration: Calibration
    encoding: Encoding
    contributions: Contributions
    medians: Mapping[str, float]
    bands: ChurnBands
    limits: ReasonLimits
    shown: bool = True

    @property
    def horizon_days(self) -> int | None:
        return days_of(self.horizon)

    @property
    def product_features(self) -> Sequence[str]:
        return self.encoding.product

    @property
    def asked(self) -> frozenset[str]:
        """The features that any tree asks for."""
        return frozenset(self.booster.get_score(importance_type="weight"))

    @property
    def note(self) -> str:
        few = ", made from few churned customers" if self.confidence == "low" else ""
        return f"Probability of leaving {in_words(self.horizon)} by model {self.model_version}{few}."

    def predict(self, table: FactTable) -> ChurnReadings:
        matrix = self.encoding.matrix(table)
        if not len(table):
            return ChurnReadings(probability=np.empty(0), annualised=np.empty(0), band=[], confidence=[], reasons=[])
        days = spans(table, self.horizon)
        probability = np.where(np.isnan(days), np.nan, self.score(matrix))
        annualised = annualise(probability, days)
        explainer = Explainer(self.encoding, self.medians, self.limits)
        return ChurnReadings(
            probability=probability,
            annualised=annualised,
            band=bands_of(annualised, self.bands),
            confidence=[self.confidence] * len(table),
            reasons=explainer.reasons(table, matrix, self.contributions(matrix)),
        )

    def score(self, matrix: Matrix) -> Floats:
        """The probability [n] of rows float32[n, f] of the encoding, whatever else may be known of them."""
        return self.calibration.probability(margins(self.booster, matrix))

    def as_json(self) -> dict[str, Any]:
        """Everything but the booster, which `artifact` holds. A median that is not known is null."""
        return {
            "confidence": self.confidence,
            "calibration": asdict(self.calibration),
            "encoding": self.encoding.as_json(),
            "medians": {name: None if np.isnan(value) else value for name, value in self.medians.items()},
        }

    @property
    def artifact(self) -> bytes:
        """The booster as XGBoost's universal binary JSON."""
        return bytes(self.booster.save_raw("ubj"))

    @classmethod
    def from_json(
        cls,
        value: Mapping[str, Any],
        *,
        artifact: bytes,
        names: Sequence[str],
        version: str,
        horizon: str,
        definition: ChurnDefinition,
        shown: bool = True,
    ) -> Self:
        """A stored model; RefusedError where its columns are not ones that this code makes, in that order.

        names  of the columns as stored beside the model; bands and limits of reasons are the definition's of today.
        """
        import xgboost  # likewise

        encoding = Encoding.from_json(value["encoding"])
        booster = xgboost.Booster()
        booster.load_model(bytearray(artifact))
        if encoding.unknown or not list(encoding.names) == list(names) == list(booster.feature_names or ()):
            raise RefusedError(
                f"churn model {version} was made with other features than this version makes; train a new one"
            )
        return cls(
            model_version=version,
            horizon=horizon,
            confidence=value["confidence"],
            booster=booster,
            calibration=Calibration(**value["calibration"]),
            encoding=encoding,
            contributions=Contributions.of(booster),
            medians={name: float("nan") if median is None else median for name, median in value["medians"].items()},
            bands=definition.bands,
            limits=definition.reasons,
            shown=shown,
        )
