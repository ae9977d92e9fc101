"""What a rehearsal found, as data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CsmLoad:
    """Firings of one CSM's customers. csm: None: of customers without one. worst_week: the most in seven days."""

    csm: str | None
    firings: int
    a_week: float
    worst_week: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An example: the customer, the day, the facts that made it fire, and what became of it.

    later  "left on 2026-08-01, 43 days later", "stayed", or "not known yet"
    """

    customer_id: str
    name: str
    day: date
    csm: str | None
    facts: Mapping[str, Any]
    later: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of those it fired for, beside everybody.

    first, last      days whose horizon and grace are over: firings of these are judged; None: no day is
    customers, left  fired for on one of these days while at stake (the first such firing of each), and who of them left
                     within the horizon
    precision, low, high   the share that left, with its 95 % interval; None where there is nobody
    base_rate        the share of all customers at stake on those days that left within the horizon
    not_at_stake     firings of those days that are left out: who had given notice, or pays nothing or only since lately
    immature, immature_left   customers fired for later, whose time is not over, and who of them left already
    churners, reached   who left with the whole horizon before it rehearsed, and who of them it had fired for within that
    median_lead      days from the first such firing to leaving
    """

    horizon: int
    first: date | None
    last: date | None
    customers: int
    left: int
    precision: float | None
    low: float | None
    high: float | None
    base_rate: float | None
    not_at_stake: int
    immature: int
    immature_left: int
    churners: int
    reached: int
    median_lead: float | None

    @property
    def lift(self) -> float | None:
        return self.precision / self.base_rate if self.precision is not None and self.base_rate else None

    @property
    def reached_share(self) -> float | None:
        return self.reached / self.churners if self.churners else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One version's firings in the window.

    hash, version    of the definition
    at_once          on the first day, of who met the condition already; in no other number
    firings, customers   afterwards
    matching_now     who meets its condition by the newest scorecards, whether or not it rests: it fires for them when it is
                     switched on
    csms             of customers with scorecards in the window; loads: by firings, most first
    mean_a_week      firings a CSM and week; worst_week, worst_csm, worst_begins: the most, whose and when
    messages         {channel: at most so many}; calls: {alert, task: opened}; asked: questions to people
    held_out         customers that its hold-out would leave untreated; they are in all other numbers
    """

    hash: str
    version: int
    at_once: int
    firings: int
    customers: int
    matching_now: int
    csms: int
    loads: tuple[CsmLoad, ...]
    mean_a_week: float
    worst_week: int
    worst_csm: str | None
    worst_begins: date | None
    most_a_week: int
    messages: Mapping[str, int]
    calls: Mapping[str, int]
    asked: int
    held_out: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Customers fired for in the window by the new version alone, by the live one alone, and by both; some of them by name."""

    only_new: int
    only_live: int
    both: int
    new_names: tuple[str, ...]
    live_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a playbook would have done.

    first, last   the window, in days; scored: how many of them have scorecards, on which alone it can fire
    rehearsed_since   the first day replayed, for rests and outcomes
    live          the version it is compared with; None: there is none, or it is the same
    live_is       what that is, in words
    """

    playbook: str
    title: str
    by: str
    days: int
    first: date
    last: date
    scored: int
    rehearsed_since: date
    customers: int
    new: Counted
    live: Counted | None
    live_is: str
    compared: Compared | None
    examples: tuple[Shown, ...]
    cautions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As JSON takes it: days in ISO form."""
        made: dict[str, Any] = _plain(asdict(self))
        for name in ("new", "live"):
            counted: Counted | None = getattr(self, name)
            if counted is not None:
                made[name]["outcome"] |= {"lift": counted.outcome.lift, "reached_share": counted.outcome.reached_share}
        return made


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and value != value else value
