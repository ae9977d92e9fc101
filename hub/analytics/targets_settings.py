"""What lifecycle.yaml says of targets: which figure, of which days, must be above or below what."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.analytics.definitions import DEFINITIONS, Definition

Days = Annotated[int, Field(ge=1, le=1_100)]


class TargetSettings(BaseModel):
    """A target.

    metric   a name that `cshub metrics` knows; basis: which of several of that name
    above, below   one of them: the value must be beyond it
    days     how many days up to today count; as many before them are what it is compared with
    fewest   of fewer rows (customers, onboardings, deals, answers) it is not told
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    metric: str
    basis: str | None = None
    title: str | None = None
    above: float | None = None
    below: float | None = None
    days: Days = 90
    fewest: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _check(self) -> Self:
        found = [each for each in DEFINITIONS if each.name == self.metric]
        if not found:
            there = ", ".join(dict.fromkeys(each.name for each in DEFINITIONS))
            raise ValueError(f"there is no metric {self.metric!r}; there are: {there}")
        bases = [each.basis for each in found]
        if self.basis not in (bases if len(bases) > 1 else [*bases, None]):
            raise ValueError(f"basis of {self.metric} must be one of: {', '.join(bases)}")
        if (self.above is None) == (self.below is None):
            raise ValueError("say one of `above` and `below`")
        return self

    @property
    def definition(self) -> Definition:
        return next(each for each in DEFINITIONS if each.name == self.metric and self.basis in (None, each.basis))


USUAL = {
    "onboarding_completion": TargetSettings(metric="onboarding_completion", above=0.9, days=90),
    "time_to_value": TargetSettings(metric="onboarding_time_to_value", below=7, days=180),
    "health": TargetSettings(metric="mean_health", above=0.7, days=30),
    "churn": TargetSettings(metric="logo_churn", below=0.05, days=365),
    "nps": TargetSettings(metric="nps", above=50, days=90),
    "renewal_rate": TargetSettings(metric="grr", basis="renewals_due", title="Renewal rate", above=0.9, days=365),
}
"""What counts where the file says nothing."""
