"""What a backtest is asked: what to try, how far back, how often, and what counts as having been right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from hub.errors import RefusedError
from hub.model.conditions import SEARCH, Condition, fields_of
from hub.store.conditions import CUSTOM, LIFECYCLE_FIELDS
from scoring.book import HealthBook
from scoring.churn_definition import ChurnDefinition
from scoring.facts import FACTS

Every = Literal["month", "week"]
MOST_MONTHS = 60
HORIZONS = range(7, 366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a playbook would fire: `when` holds, and its last firing is as old as `rest` and `busy` are long.

    busy  how long one of its runs stays open, by its waits: while it does there is no other
    """

    name: str
    when: Condition
    rest: timedelta = timedelta(days=30)
    busy: timedelta = timedelta(0)


Tried = HealthBook | Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """See the module.

    live        the definitions in force
    tried       what is compared with them; None: nothing, the live ones are judged alone
    name        what the tried one is called
    churn       what counts as leaving, and who is at stake
    months, every   the days replayed: month starts or Mondays of so many months before today
    horizon     days within which leaving counts as foreseen; lead: days before leaving at which green is looked for
    allow_peeking   go on when a fact knows the future
    """

    live: HealthBook
    tried: Tried | None = None
    name: str = ""
    churn: ChurnDefinition
    months: int = 18
    every: Every = "month"
    horizon: int = 90
    lead: int = 30
    bootstraps: int = 200
    allow_peeking: bool = False

    def check(self) -> None:
        """Raise RefusedError where it asks too much or makes no sense."""
        standing = {each.name for each in LIFECYCLE_FIELDS}
        asked = fields_of(self.condition) if self.condition is not None else frozenset()
        if custom := sorted(name for name in asked if name.startswith(CUSTOM)):
            raise RefusedError(
                f"{', '.join(custom)}: a custom field is known as of now, and a backtest would see the future in it"
            )
        if found := sorted(asked & standing):
            raise RefusedError(
                f"{', '.join(found)}: where customers stand in the lifecycle is kept as of now, and a backtest would see the "
                "future in it; `cshub playbook plan` replays it from the log of changes, as far as that goes back"
            )
        if not 1 <= self.months <= MOST_MONTHS:
            raise RefusedError(f"months must be 1 to {MOST_MONTHS}, not {self.months}")
        if self.horizon not in HORIZONS:
            raise RefusedError(f"the horizon must be {HORIZONS[0]} to {HORIZONS[-1]} days, not {self.horizon}")
        if self.horizon <= self.churn.lead_days:
            message = (
                f"the horizon must be longer than the {self.churn.lead_days} days before it that nobody could act on"
            )
            raise RefusedError(f"{message}, not {self.horizon}")
        if not 0 <= self.lead <= 180:
            raise RefusedError(f"the lead must be 0 to 180 days, not {self.lead}")

    @property
    def books(self) -> tuple[HealthBook, ...]:
        """Every book that is replayed."""
        return (self.live, self.tried) if isinstance(self.tried, HealthBook) else (self.live,)

    @property
    def condition(self) -> Condition | None:
        return self.tried.when if isinstance(self.tried, Rule) else None

    def fields(self) -> frozenset[str]:
        """What the condition asks about, a search being one of name and domain."""
        found = fields_of(self.condition) if self.condition is not None else frozenset()
        return found - {SEARCH} | {"name", "domain"} if SEARCH in found else found

    def facts(self) -> frozenset[str]:
        """The facts that what is replayed reads."""
        found = set().union(*(facts_of(book) for book in self.books))
        if self.condition is not None:
            found |= fields_of(self.condition) & FACTS.keys()
        return frozenset(found)


def facts_of(book: HealthBook) -> frozenset[str]:
    """The facts that the scores of a book are made of."""
    found: set[str] = set()
    for definition in book.definitions:
        for place in definition.places:
            measure = place.leaf.measure
            found |= {*measure.facts, measure.live}
            if measure.age is not None and place.leaf.stale_after_days is not None:
                found.add(measure.age)
    for variant in book.variants:
        found |= fields_of(variant.when)
    return frozenset(found & FACTS.keys())


def days_back(today: date, *, months: int, every: Every) -> Sequence[date]:
    """Month starts, or Mondays, of the last `months` months before `today`, oldest first."""
    first = today.replace(day=1)
    for _ in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    if every == "week":
        monday = first + timedelta(days=-first.weekday() % 7)
        return [monday + timedelta(days=step) for step in range(0, (today - monday).days, 7)]
    days: list[date] = []
    while first < today:
        days.append(first)
        first = (first + timedelta(days=32)).replace(day=1)
    return days
