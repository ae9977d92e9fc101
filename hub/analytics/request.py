"""What can be asked of the figures, checked: which, of which months, by which grouping."""

from dataclasses import dataclass
from datetime import date

from hub.analytics.feedback import MINIMUM_ANSWERS
from hub.analytics.months import Month
from hub.errors import RefusedError

GROUPINGS = ("segment", "csm", "plan")
MOST_MONTHS = 60
GRACE_DAYS = 30
VALUE_USERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """first, last        months, both included; monthly: a value for each instead of one for all

    metrics          names; none: all of them
    by               a grouping of `GROUPINGS`, beside the value for everybody. Segment and CSM are today's: no source
                     tells when they changed. The plan is that of the cohort's first day, for who is new that of the last
    minimum_answers  fewer are no value
    value_users      the first day of value is the first on which so many people used the product …
    value_event      … or used this feature, where one is named
    grace_days       who pays again within so many days has not churned, by the rule of the churn events
    gross_margin     share of revenue that serving customers leaves, 0-1; without it no margin is assumed
    """

    first: Month
    last: Month
    monthly: bool = False
    metrics: tuple[str, ...] = ()
    by: str | None = None
    minimum_answers: int = MINIMUM_ANSWERS
    value_users: int = VALUE_USERS
    value_event: str | None = None
    grace_days: int = GRACE_DAYS
    gross_margin: float | None = None

    def check(self, today: date) -> None:
        """RefusedError where it cannot be answered."""
        if self.last < self.first:
            raise RefusedError(f"the months end ({self.last}) before they begin ({self.first})")
        if self.first.first > today or Month.of(today) < self.last:
            raise RefusedError(f"{max(self.first, self.last)} is still to come; the newest month is {Month.of(today)}")
        if self.first.to(self.last) >= MOST_MONTHS:
            raise RefusedError(f"{self.first} to {self.last} is more than {MOST_MONTHS} months")
        if self.by is not None and self.by not in GROUPINGS:
            raise RefusedError(f"no grouping by {self.by[:40]!r}; there are {', '.join(GROUPINGS)}")
        if self.gross_margin is not None and not 0 < self.gross_margin <= 1:
            raise RefusedError(f"gross_margin must be above 0 and at most 1, not {self.gross_margin:g}")
        for name, value in (
            ("minimum_answers", self.minimum_answers),
            ("value_users", self.value_users),
            ("grace_days", self.grace_days),
        ):
            if value < 1:
                raise RefusedError(f"{name} must be at least 1, not {value}")
