"""What a digest tells, as numbers and names; `words` makes sentences of it and `charts` pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from hub.analytics.forecast import Forecast
from hub.analytics.months import Month
from hub.analytics.targets import Standing

BANDS = ("critical", "warning", "stable", "healthy")
NO_SCORE = "no score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """Who there is. Customers: who pays today or has a current scorecard; `was`, then: as of the day before the first.

    arr, arr_then   {currency: 12 times the MRR}; arr_of: {currency: {band: ARR today}}
    bands, bands_then  {band: customers}, those without a score as "no score"
    health, health_then  means of those who have a score then
    coverage    mean, of those who have a score: how much data it stands on
    scored_on   the oldest and the newest day of the scorecards in force
    """

    customers: int
    was: int
    came: int
    left: int
    arr: Mapping[str, float]
    arr_then: Mapping[str, float]
    arr_of: Mapping[str, Mapping[str, float]]
    bands: Mapping[str, int]
    bands_then: Mapping[str, int]
    health: float | None
    health_then: float | None
    coverage: float | None
    scored_on: tuple[date, date] | None


@dataclass(frozen=True, slots=True)
class Reason:
    """What one measure adds to a change of health for one cause (data, missing_data, definition, override)."""

    measure: str
    cause: str
    amount: float
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A customer whose health has changed. `reasons` add up to `after - before`, the largest first; note: why none."""

    customer_id: str
    name: str
    before: float
    after: float
    card_id: str
    then_id: str
    reasons: tuple[Reason, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A customer that came into a worse band, warning or critical."""

    customer_id: str
    name: str
    band: str
    was: str


@dataclass(frozen=True, slots=True)
class Due:
    """A renewal. Amount: a year's."""

    customer_id: str
    name: str
    on: date
    amount: float
    currency: str
    status: str
    probability: float


@dataclass(frozen=True, slots=True)
class Begun:
    """An onboarding that is stalled."""

    customer_id: str
    name: str
    step: str | None
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboardings:
    """Active ones by pace, and what happened in the days of the digest."""

    on_track: int
    behind: int
    stalled: int
    begun: int
    completed: int
    failed: int
    stuck: tuple[Begun, ...]

    @property
    def any(self) -> bool:
        return bool(self.on_track + self.behind + self.stalled + self.begun + self.completed + self.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A playbook in the days of the digest: its runs by state, and its alerts and tasks that were closed, by outcome.

    useful, votes   of everybody's votes, and whether there are enough to tell
    effect          what its hold-out says, where there is one; of all customers
    """

    playbook: str
    runs: Mapping[str, int]
    closed: Mapping[str, int]
    useful: int = 0
    votes: int = 0
    told: bool = False
    effect: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An approval that a run waits for."""

    customer_id: str
    name: str
    playbook: str
    question: str
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a digest tells of a CSM's customers (`owner`), or of all (None).

    bands      {day: {band: customers}}, oldest first
    forecasts  {days ahead: one for each currency}
    nps        month by month, None where it cannot be told
    gaps       what is missing in the data, in words
    more_…     how many are not shown
    """

    kind: str
    owner: str | None
    begin: date
    today: date
    portfolio: Portfolio
    bands: Mapping[date, Mapping[str, int]]
    falls: tuple[Move, ...]
    rises: tuple[Move, ...]
    at_risk: tuple[AtRisk, ...]
    more_at_risk: int
    forecasts: Mapping[int, tuple[Forecast, ...]]
    due: tuple[Due, ...]
    more_due: int
    onboardings: Onboardings
    played: tuple[Played, ...]
    targets: tuple[Standing, ...]
    nps: tuple[tuple[Month, float | None], ...]
    open_calls: int
    overdue_calls: int
    approvals: tuple[Waiting, ...]
    more_approvals: int
    gaps: tuple[str, ...]

    @property
    def moved(self) -> bool:
        """Whether anything happened or waits; otherwise the digest is a few lines."""
        return bool(
            self.falls
            or self.rises
            or self.at_risk
            or self.due
            or self.onboardings.any
            or self.played
            or self.approvals
            or self.portfolio.came
            or self.portfolio.left
        )
