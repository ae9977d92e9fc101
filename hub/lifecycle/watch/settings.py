"""Health watch: where warning and critical begin and end, and for how long before it counts; the same of churn risk."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from hub.errors import ConfigError, Fault
from scoring.levels import Scale

MOST_DAYS = 3_660
Hours = Annotated[float, Field(ge=0, le=24 * MOST_DAYS)]
Share = Annotated[float, Field(gt=0, lt=1)]


class ChurnBands(Protocol):
    """Where the bands of churn risk begin."""

    @property
    def medium(self) -> float: ...
    @property
    def high(self) -> float: ...


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Below(_Part):
    """below: None for where the band of health.yaml ends. hold_hours: 0 counts at once."""

    below: Share | None = None
    hold_hours: Hours = 20


class Above(_Part):
    """above: None for where the band of churn.yaml begins, on the annualised probability."""

    above: Share | None = None
    hold_hours: Hours = 20


class _Watched(_Part):
    """What both have: how a level is left again, and how long it outlives its last value."""

    margin: Annotated[float, Field(ge=0, lt=0.5)] = 0.05
    recovery_hours: Hours = 20
    missing_days: Annotated[float, Field(gt=0, le=MOST_DAYS)] = 14

    def scale(
        self,
        names: tuple[str, str, str],
        limits: tuple[float, float],
        hours: tuple[float, float],
        *,
        worse: Literal["below", "above"],
        key: str,
    ) -> Scale:
        try:
            return Scale(
                names=names,
                limits=limits,
                worse=worse,
                holds=(timedelta(hours=hours[0]), timedelta(hours=hours[1])),
                margin=self.margin,
                recovery=timedelta(hours=self.recovery_hours),
                memory=timedelta(days=self.missing_days),
            )
        except ValueError as error:
            raise ConfigError([Fault(str(error), where="lifecycle.yaml", key=f"watch.{key}")]) from None


class HealthWatch(_Watched):
    warning: Below = Below()
    critical: Below = Below(hold_hours=0)


class ChurnWatch(_Watched):
    medium: Above = Above()
    high: Above = Above(hold_hours=0)


class WatchSettings(_Part):
    """look_back_days: how much of the past is looked at when a customer is watched for the first time."""

    enabled: bool = True
    health: HealthWatch = HealthWatch()
    churn: ChurnWatch = ChurnWatch()
    look_back_days: Annotated[int, Field(ge=0, le=366)] = 30

    def health_scale(self, bands: Sequence[tuple[str, float]]) -> Scale:
        """The scale of health; bands: (name, where it begins), worst first, as health.yaml has them."""
        below = {name: end for (name, _), (_, end) in pairwise(bands)}
        watch = self.health
        limits = (watch.warning.below or below["warning"], watch.critical.below or below["critical"])
        hours = (watch.warning.hold_hours, watch.critical.hold_hours)
        return watch.scale(("clear", "warning", "critical"), limits, hours, worse="below", key="health")

    def churn_scale(self, bands: ChurnBands) -> Scale:
        """The scale of the annualised churn risk; bands: as churn.yaml has them."""
        watch = self.churn
        limits = (watch.medium.above or bands.medium, watch.high.above or bands.high)
        hours = (watch.medium.hold_hours, watch.high.hold_hours)
        return watch.scale(("clear", "medium", "high"), limits, hours, worse="above", key="churn")
