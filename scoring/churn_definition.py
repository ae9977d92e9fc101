"""What counts as churn and what is done with it: `config/churn.yaml` as a typed definition.

    snapshot day ── lead ──┬────────── horizon ──────────┬── grace ──▶
                           who leaves in here, and is not back within the grace, has churned

`load` raises ConfigError with every fault of the file. Nothing here is tuned per company: the learner's parameters are
fixed in `scoring.training`, because tuning them was measured to be worth a thousandth of ROC-AUC.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hub.documents import Document
from scoring.horizon import RENEWAL, Horizon, days_of

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=0, le=730)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Snapshots(_Strict):
    """Which rows the model learns from: one per customer and month start, for this long back from the newest that can be.

    test_share  the share of snapshot days, the newest, that the model is judged on and does not see before
    """

    history_months: int = Field(default=24, ge=3, le=120)
    minimum_tenure_days: Days = 30
    test_share: float = Field(default=0.25, gt=0, lt=1)


class Columns(_Strict):
    """What the model may see beside the number facts.

    texts             text facts, a column for each common value. `plan` is known for every past day; `segment` is not, the
                      store has only today's: name it only where it never changes because a customer is leaving
    product_features  this many of the most used features of the product are counted one by one
    """

    texts: tuple[Literal["plan", "segment"], ...] = ("plan",)
    product_features: int = Field(default=24, ge=0, le=100)


class Prior(_Strict):
    """The book's own rate, shown where there is no model: (churned + weight * p0) / (rows + weight), with its interval.

    annual_rate  what is believed before anything is known, in a year; weight: as how many customers that counts
    """

    annual_rate: float = Field(default=0.15, gt=0, lt=1)
    weight: float = Field(default=50, gt=0)


class Gate(_Strict):
    """What a model's lower 5 % must exceed, on later snapshots, before its numbers are shown."""

    skill_above: float = 0.0
    roc_auc_above: Share = 0.55
    bootstraps: int = Field(default=200, ge=20, le=10_000)


class ChurnBands(_Strict):
    """Cuts on the *annualised* probability; each band begins above its cut, below `low` lies `minimal`."""

    high: Share = 0.7
    medium: Share = 0.4
    low: Share = 0.2

    @model_validator(mode="after")
    def _descend(self) -> Self:
        if not self.high > self.medium > self.low:
            raise ValueError(f"must fall: high {self.high} > medium {self.medium} > low {self.low}")
        return self


class ReasonLimits(_Strict):
    """How many reasons are shown, and the effect (log-odds) below which one is not worth showing."""

    raising: int = Field(default=3, ge=0, le=20)
    lowering: int = Field(default=2, ge=0, le=20)
    least_effect: float = Field(default=0.05, ge=0)


class ChurnDefinition(_Strict):
    """lead and grace in days; `count_involuntary`: whether losing a customer to failed payments is churn.

    horizons   by name, each a model of its own; the first is the primary one, which scorecards and playbooks speak of
    promotion  whether a challenger that is better beyond noise becomes champion after a monthly training, or by hand alone
    """

    horizons: tuple[Horizon, ...] = ("90d", "30d", "60d", RENEWAL)
    lead_days: Days = 7
    grace_days: Days = 30
    count_involuntary: bool = True
    snapshots: Snapshots = Snapshots()
    columns: Columns = Columns()
    prior: Prior = Prior()
    gate: Gate = Gate()
    bands: ChurnBands = ChurnBands()
    reasons: ReasonLimits = ReasonLimits()
    promotion: Literal["automatic", "manual"] = "automatic"

    @field_validator("horizons")
    @classmethod
    def _differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("must name at least one")
        if twice := sorted({name for name in value if value.count(name) > 1}):
            raise ValueError(f"names {', '.join(twice)} twice")
        if value[0] == RENEWAL:
            raise ValueError("must begin with a number of days: the primary horizon is the same for every customer")
        return value

    @property
    def primary(self) -> str:
        """The horizon that scorecards, lists and playbooks speak of."""
        return self.horizons[0]

    @property
    def primary_days(self) -> int:
        days = days_of(self.primary)
        assert days is not None, "the first horizon is one of days"
        return days

    def believed(self, days: float) -> float:
        """The churn probability within so many days as believed before anything is known."""
        return float(1 - (1 - self.prior.annual_rate) ** (days / 365))


def load(document: Document) -> ChurnDefinition:
    """The definition in `document`; raise ConfigError with every fault, each with its line."""
    return document.parse(ChurnDefinition)
