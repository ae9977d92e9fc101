"""What the API asks of the configuration: the part of `schema.context.Actions` about it, and what it answers with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.model.team import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class BandCut:
    """A band and where it begins."""

    band: str
    begins: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """A definition of health. role: main; variant: in the main one's place for some; beside: a scorecard of its own."""

    name: str
    role: str
    hash: str
    coverage_floor: float
    bands: tuple[BandCut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What of the configuration frontends go by.

    churn_bands  cut on the annualised probability
    horizons     of churn models, the primary one first
    """

    timezone: str
    health: tuple[HealthSettings, ...]
    churn_bands: tuple[BandCut, ...]
    horizons: tuple[str, ...]


class SettingsActions(Protocol):
    """The configuration, as far as the API shows it."""

    def known_settings(self) -> Known: ...

    def team_members(self) -> Sequence[Member]: ...
