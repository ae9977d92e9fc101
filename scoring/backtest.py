"""A backtest's arithmetic: what a definition of health, or a playbook's condition, would have been worth on the past.

    ground = Ground(…)                      who was a customer when, who was at stake, who left: the same for all candidates
    live, tried = Replayed(…), Replayed(…)  what each candidate said of every row of the ground
    judge(ground, {"tried": tried, "live": live}, bootstraps=200)  ->  {"tried": Judged, "live": Judged}, differences

What is measured, each with the 5th and 95th percentile of a bootstrap that draws whole customers:

    pr_auc, roc_auc, lift   of the rows at stake, ranked by 1 - score, against who left within the horizon. A withheld score
                            ranks last: it would have warned nobody, so withholding never makes a ranking better
    green_at_churn          share of those who left whose newest row at stake at least `lead` days before was in the best band
    warned                  share of those who left who were in alarm (warning, critical; a playbook: its condition held) on
                            their last day at stake
    warning_lead            median of the days from the first day of that unbroken alarm to the leaving; 0 for who had none
    alerts_per_csm_week     entries into alarm (a playbook: firings), of all customers, over CSMs and weeks
    coverage, withheld      of the rows at stake: mean share of weight with data; share without a score

Those who left count where they have a row at stake within `SEEN_WITHIN` days before leaving (and before notice).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from scoring.evaluation import Estimate
from scoring.facts import Floats
from scoring.outcomes import CHURNED, UNUSED
from scoring.ranking import Flags, Integers, Ranked, weighted_median
from scoring.rates import Rate

SEEN_WITHIN = 180
NEEDED = 10
"""So many distinct customers must have left before anything is measured against their leaving."""
BETTER: Mapping[str, int] = {
    "pr_auc": 1,
    "roc_auc": 1,
    "lift": 1,
    "green_at_churn": -1,
    "warned": 1,
    "warning_lead": 1,
    "alerts_per_csm_week": -1,
    "coverage": 1,
    "withheld": -1,
}
"""The metrics, and whether more of each is better (1) or worse (-1)."""
OF_CHURN = ("pr_auc", "roc_auc", "lift", "green_at_churn", "warned", "warning_lead")
_SPREAD = 10_000_000
"""More than any ordinal of a day: customer * _SPREAD + day is one sortable number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all candidates are judged on: n rows, of a customer on a day, ordered by customer and day; m leavings.

    customer, day   codes 0..customers-1 and ordinals, int64[n]
    at_stake        paid, long enough, and had not given notice, bool[n]
    outcome         of scoring.outcomes within the horizon, int8[n]; UNUSED also where the horizon is not over
    left, left_on   of the leavings: customer code, ordinal, int64[m]
    csms            how many people the alerts are shared among, at least 1; weeks: the span of the days
    lead            days before leaving at which `green_at_churn` looks
    """

    customers: int
    customer: Integers
    day: Integers
    at_stake: Flags
    outcome: npt.NDArray[np.int8]
    left: Integers
    left_on: Integers
    csms: float
    weeks: float
    lead: int

    @property
    def judged(self) -> Flags:
        """The rows that rankings are measured on."""
        judged: Flags = self.at_stake & (self.outcome != UNUSED)
        return judged

    @property
    def churned(self) -> int:
        """How many distinct customers left within the horizon of a judged row."""
        return len(np.unique(self.customer[self.at_stake & (self.outcome == CHURNED)]))

    def only(self, chosen: Flags) -> tuple[Self, Flags]:
        """The ground of some customers, bool[customers], and which rows they are. Codes stay as they are."""
        rows = chosen[self.customer]
        names = ("customer", "day", "at_stake", "outcome")
        kept = {name: getattr(self, name)[rows] for name in names}
        leavings = chosen[self.left]
        return replace(self, **kept, left=self.left[leavings], left_on=self.left_on[leavings]), rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a candidate said of each row of a ground, columns of length n.

    score     0-1, NaN where withheld; of a condition 0 where it held, 1 where not
    band      index into `bands`, which go from the worst to the best; -1 where withheld
    alarm     the band calls for action
    coverage  0-1
    fired     an alert began on the day
    """

    bands: tuple[str, ...]
    score: Floats
    band: Integers
    alarm: Flags
    coverage: Floats
    fired: Flags

    @property
    def risk(self) -> Floats:
        """1 - score; withheld scores rank last."""
        return np.where(np.isnan(self.score), -1.0, 1 - self.score)

    def only(self, rows: Flags) -> Self:
        names = ("score", "band", "alarm", "coverage", "fired")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One candidate. metrics: those that could be measured; bands and deciles of score (worst first): who left of each."""

    metrics: Mapping[str, Estimate]
    bands: tuple[Rate, ...]
    deciles: tuple[Rate, ...]
    precision_recall: tuple[tuple[float, float], ...] = field(repr=False)
    gains: tuple[tuple[float, float], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric of one candidate minus that of another, on the same customers, with its interval and what it says.

    verdict  "better", "worse", or "not told apart" where the interval holds 0
    """

    value: float
    low: float
    high: float
    verdict: str


def judge(
    ground: Ground, candidates: Mapping[str, Replayed], *, bootstraps: int = 200, seed: int = 0
) -> tuple[dict[str, Judged], dict[str, Difference]]:
    """Each candidate, and {metric: the first minus the second} where there are two.

    Metrics of churn are left out where fewer than `NEEDED` customers left.
    """
    enough = ground.churned >= NEEDED
    measures = {name: _measure(ground, each, enough) for name, each in candidates.items()}
    ones = np.ones(ground.customers)
    points = {name: measure(ones) for name, measure in measures.items()}
    draws: dict[str, list[dict[str, float]]] = {name: [] for name in candidates}
    random = np.random.default_rng(seed)
    people = np.unique(ground.customer)
    for _ in range(bootstraps if len(people) else 0):
        drawn = np.bincount(people[random.integers(len(people), size=len(people))], minlength=ground.customers)
        for name, measure in measures.items():
            draws[name].append(measure(drawn.astype(np.float64)))
    judged = {
        name: _described(ground, each, enough, _estimates(points[name], draws[name]))
        for name, each in candidates.items()
    }
    names = list(candidates)
    return judged, _differences(points, draws, *names) if len(names) == 2 else {}


def _measure(ground: Ground, said: Replayed, enough: bool) -> Callable[[Floats], dict[str, float]]:
    """A function of customer weights to metrics."""
    judged, staked = ground.judged, ground.at_stake
    owner = ground.customer
    ranked = Ranked.of(ground.outcome[judged] == CHURNED, said.risk[judged]) if enough else None
    gone = Leavings.of(ground, said)

    def measure(weights: Floats) -> dict[str, float]:
        found: dict[str, float] = {}
        if ranked is not None:
            found |= ranked.measure(weights[owner[judged]])
            leavers = weights[ground.left]
            found["green_at_churn"] = _mean(gone.green, leavers * gone.seen)
            found["warned"] = _mean(gone.lead > 0, leavers * gone.known)
            found["warning_lead"] = weighted_median(gone.lead[gone.known], leavers[gone.known])
        rows = weights[owner]
        found["alerts_per_csm_week"] = float(rows @ said.fired / ground.csms / ground.weeks)
        found["coverage"] = _mean(said.coverage, rows * staked)
        found["withheld"] = _mean(np.isnan(said.score), rows * staked)
        return found

    return measure


def _mean(values: npt.NDArray[np.generic], weights: Floats) -> float:
    total = weights.sum()
    return float(values.astype(np.float64) @ weights / total) if total > 0 else float("nan")


def _staked_before(ground: Ground, days: int) -> tuple[Integers, Integers, Flags]:
    """(places of rows at stake, for each leaving the index into them of the newest at least `days` before, whether seen)."""
    places = np.flatnonzero(ground.at_stake)
    keys = ground.customer[places] * _SPREAD + ground.day[places]
    at = np.searchsorted(keys, ground.left * _SPREAD + ground.left_on - days, side="right") - 1
    if not len(places):
        return places, np.zeros(len(at), dtype=np.int64), np.zeros(len(at), dtype=np.bool_)
    row = places[np.maximum(at, 0)]
    seen = (at >= 0) & (ground.customer[row] == ground.left)
    return places, np.maximum(at, 0), seen & (ground.day[row] >= ground.left_on - days - SEEN_WITHIN)


def _at_lead(ground: Ground, said: Replayed) -> tuple[Flags, Flags]:
    places, at, seen = _staked_before(ground, ground.lead)
    if not len(places):
        return seen, seen
    row = places[at]
    return seen, seen & (said.band[row] == len(said.bands) - 1)


def _warned(ground: Ground, said: Replayed) -> tuple[Flags, Floats]:
    places, at, seen = _staked_before(ground, 1)
    if not len(places):
        return seen, np.zeros(len(at))
    alarm, owner = said.alarm[places], ground.customer[places]
    goes_on = np.concatenate([[False], alarm[1:] & alarm[:-1] & (owner[1:] == owner[:-1])])
    begins = np.maximum.accumulate(np.where(goes_on, 0, np.arange(len(places))))
    since = ground.day[places[begins[at]]]
    return seen, np.where(seen & alarm[at], ground.left_on - since, 0).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Leavings:
    """Of each leaving of a ground, arrays of length m.

    seen, green   whether there is a row at stake at least `lead` days before, and whether it was in the best band
    known, lead   whether there is one at all, and for how many days an unbroken alarm had stood; 0 for none
    """

    seen: Flags
    green: Flags
    known: Flags
    lead: Floats

    @classmethod
    def of(cls, ground: Ground, said: Replayed) -> Self:
        return cls(*_at_lead(ground, said), *_warned(ground, said))


def _estimates(point: Mapping[str, float], draws: list[dict[str, float]]) -> dict[str, Estimate]:
    return {
        name: Estimate(value, *_interval([one[name] for one in draws]))
        for name, value in point.items()
        if not np.isnan(value)
    }


def _interval(values: list[float]) -> tuple[float, float]:
    known = [value for value in values if not np.isnan(value)]
    if not known:
        return float("-inf"), float("inf")
    low, high = np.percentile(known, [5, 95]).tolist()
    return low, high


def _differences(
    points: Mapping[str, Mapping[str, float]], draws: Mapping[str, list[dict[str, float]]], tried: str, live: str
) -> dict[str, Difference]:
    found = {}
    for name, value in points[tried].items():
        apart = value - points[live].get(name, float("nan"))
        if np.isnan(apart):
            continue
        pairs = zip(draws[tried], draws[live], strict=True)
        low, high = _interval([one[name] - other[name] for one, other in pairs])
        better = low > 0 if BETTER[name] > 0 else high < 0
        worse = high < 0 if BETTER[name] > 0 else low > 0
        found[name] = Difference(apart, low, high, "better" if better else "worse" if worse else "not told apart")
    return found


def _described(ground: Ground, said: Replayed, enough: bool, metrics: Mapping[str, Estimate]) -> Judged:
    """The metrics, with bands, deciles and curves of the judged rows."""
    judged = ground.judged
    left, band, score = ground.outcome[judged] == CHURNED, said.band[judged], said.score[judged]
    names = [*enumerate(said.bands), (-1, "no score")]
    bands = [Rate.of(name, int((band == index).sum()), int((left & (band == index)).sum())) for index, name in names]
    scored = np.flatnonzero(~np.isnan(score))
    parts = np.array_split(scored[np.argsort(score[scored], kind="stable")], 10) if len(scored) >= 10 else []
    ranked = Ranked.of(left, said.risk[judged]) if enough else None
    return Judged(
        metrics=metrics,
        bands=tuple(rate for rate in bands if rate.rows or rate.name != "no score"),
        deciles=tuple(Rate.of(str(n), len(part), int(left[part].sum())) for n, part in enumerate(parts, start=1)),
        precision_recall=tuple(ranked.precision_recall()) if ranked else (),
        gains=tuple(ranked.gains()) if ranked else (),
    )
