"""What playbooks did, and whether it helped: the outcomes of treated and of held-out customers, beside each other.

    effects = await report(store, playbooks, names=(), horizon=90, grace=30, count_involuntary=True, now=now)

Customers are compared by what the lot said of them (hub.playbooks.holdout), whatever was done with them afterwards, from the
day of their first eligibility on. Each counts once, with its first one; who was drawn for again in a later period is left out
there. Whose time is not over is left out, and counted. Leaving takes months to be known; health and revenue after EARLY_DAYS
are known sooner, and are no promise of it. Without a hold-out nothing can be said about an effect: those whom a playbook
concerns differ from the others by the very thing that made it fire. What became of them is told (hub.playbooks.aftermath).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from hub.errors import NotFoundError
from hub.playbooks.aftermath import EARLY_DAYS, EARLY_WITHIN, Aftermath, aftermath
from hub.playbooks.holdout import HELD_OUT, TREATED
from hub.playbooks.spec import Playbook
from hub.store import Connection, Store
from hub.store.holdout import After, Tally, Unit, count_crossed, find_after, find_fired, find_units, tally
from hub.store.labels import find_churned
from scoring.experiment import LOWER, NO_DIFFERENCE, TOO_SMALL, Difference, means, proportions
from scoring.outcomes import CHURNED, STAYED, Churns, outcomes

HEALTH_DAYS = 30
WITHIN = 14
"""The scorecard so many days after counts as that of the day, where the day has none."""
ARR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Treated beside held-out customers.

    treated, held_out   customers the lot was drawn for; again: of these, drawn for once more in a later period
    immature            whose horizon and grace are not over: in no comparison of leaving and revenue
    crossed             held out, and fired for by hand all the same: they count as held out
    churn               the share that left within the horizon
    health              change of health, 0-1, after HEALTH_DAYS; no_health: customers without one of the two scorecards
    arr                 change of a year's revenue after the horizon, 0 for who left; no_arr: customers without one
    early_health, early_arr   the same after EARLY_DAYS, of customers with both scorecards; who left meanwhile has none
    """

    horizon: int
    treated: int
    held_out: int
    again: int
    immature: int
    crossed: int
    churn: Difference
    health: Difference
    no_health: int
    arr: Difference
    no_arr: int
    early_health: Difference
    early_arr: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A playbook's runs, and what they were worth.

    share       its hold-out as configured now, 0-1; None: there is none
    configured  whether it still is
    experiment  None where nobody's lot was ever drawn
    became      of those it did something for; None where there is an experiment, which says more
    says        what can be said about its effect, in a sentence
    """

    playbook: str
    configured: bool
    share: float | None
    did: Tally
    experiment: Experiment | None
    became: Aftermath | None = None
    says: str

    def as_json(self) -> dict[str, Any]:
        made = asdict(self)
        for name in ("first", "last"):
            moment: datetime | None = made["did"][name]
            made["did"][name] = None if moment is None else moment.isoformat()
        return made


async def report(
    store: Store,
    playbooks: Mapping[str, Playbook],
    *,
    names: Sequence[str] = (),
    horizon: int,
    grace: int,
    count_involuntary: bool,
    now: datetime,
) -> list[Effect]:
    """Of these playbooks, in order of their names; no names: of all that are configured or ever had a run."""
    async with store.reading() as connection:
        there = sorted({*playbooks, *await find_fired(connection)})
        for name in names:
            if name not in there:
                raise NotFoundError(f"there is no playbook {name!r}; there are: {', '.join(there) or 'none'}")
        found = await find_churned(connection, until=now.date(), grace_days=grace)
        churns = Churns.of(found["customer_id"], found["churned_on"], [kind == "involuntary" for kind in found["kind"]])
        effects = []
        for name in names or there:
            units = await find_units(connection, playbook=name)
            made = None
            if units:
                period = _Period(horizon, grace, count_involuntary, now.date())
                made = await _experiment(connection, name, units, churns, period)
            playbook = playbooks.get(name)
            share = playbook.holdout if playbook is not None else None
            effects.append(
                Effect(
                    playbook=name,
                    configured=playbook is not None,
                    share=share,
                    did=await tally(connection, playbook=name),
                    experiment=made,
                    became=None if made else await aftermath(connection, name, playbook, today=now.date()),
                    says=_says(made, share),
                )
            )
        return effects


@dataclass(frozen=True, slots=True)
class _Period:
    horizon: int
    grace: int
    count_involuntary: bool
    today: date

    def is_over(self, day: date) -> bool:
        return day + timedelta(days=self.horizon + self.grace) < self.today


async def _experiment(
    connection: Connection, playbook: str, drawn: Sequence[Unit], churns: Churns, period: _Period
) -> Experiment:
    first: dict[str, Unit] = {}
    for unit in drawn:
        first.setdefault(unit.customer_id, unit)
    units = list(first.values())
    mature = [unit for unit in units if period.is_over(unit.on)]
    verdicts = _verdicts(mature, churns, period)
    health = await _health(connection, playbook, units, period.today)
    early_health, early_arr = await _early(connection, playbook, units, period.today)
    arr = await _arr(connection, playbook, mature, verdicts, period)
    old = [unit for unit in units if unit.on + timedelta(days=HEALTH_DAYS + WITHIN) <= period.today]
    return Experiment(
        horizon=period.horizon,
        treated=sum(unit.arm == TREATED for unit in units),
        held_out=sum(unit.arm == HELD_OUT for unit in units),
        again=len({unit.customer_id for unit in drawn if unit is not first[unit.customer_id]}),
        immature=len(units) - len(mature),
        crossed=await count_crossed(connection, playbook=playbook),
        churn=proportions(
            left=_count(mature, verdicts, TREATED, CHURNED),
            of=_count(mature, verdicts, TREATED, CHURNED, STAYED),
            left_held=_count(mature, verdicts, HELD_OUT, CHURNED),
            of_held=_count(mature, verdicts, HELD_OUT, CHURNED, STAYED),
        ),
        health=means(*_arms(units, health)),
        no_health=sum(unit.customer_id not in health for unit in old),
        arr=means(*_arms(mature, arr)),
        no_arr=sum(unit.customer_id not in arr for unit in mature),
        early_health=means(*_arms(units, early_health)),
        early_arr=means(*_arms(units, early_arr)),
    )


def _verdicts(mature: Sequence[Unit], churns: Churns, period: _Period) -> dict[str, int]:
    found: dict[str, int] = {}
    for day, group in _by_day(mature).items():
        said = outcomes(
            [unit.customer_id for unit in group],
            day,
            churns,
            first=np.full(len(group), day.toordinal() + 1),
            last=np.full(len(group), day.toordinal() + period.horizon),
            count_involuntary=period.count_involuntary,
        )
        found |= {unit.customer_id: int(verdict) for unit, verdict in zip(group, said.tolist(), strict=True)}
    return found


async def _health(connection: Connection, playbook: str, units: Sequence[Unit], today: date) -> dict[str, float]:
    """{customer id: its health after a month, less what it was}."""
    found: dict[str, float] = {}
    for day, group in _by_day(units).items():
        if day + timedelta(days=HEALTH_DAYS + WITHIN) > today:
            continue
        later = await _after(connection, playbook, day, HEALTH_DAYS)
        for unit in group:
            was, now = unit.facts.get("health"), later.get(unit.customer_id)
            if isinstance(was, int | float) and now is not None and now.health is not None:
                found[unit.customer_id] = now.health - was
    return found


async def _early(
    connection: Connection, playbook: str, units: Sequence[Unit], today: date
) -> tuple[dict[str, float], dict[str, float]]:
    """{customer id: change after EARLY_DAYS} of health and of a year's revenue."""
    health, arr = dict[str, float](), dict[str, float]()
    for day, group in _by_day(units).items():
        first = day + timedelta(days=EARLY_DAYS)
        last = first + timedelta(days=EARLY_WITHIN)
        if last > today:
            continue
        later = await find_after(connection, playbook=playbook, eligible_on=day, first=first, last=last)
        for unit in group:
            now = later.get(unit.customer_id)
            was_health, was_mrr = unit.facts.get("health"), unit.facts.get("mrr")
            if now is not None and now.health is not None and isinstance(was_health, int | float):
                health[unit.customer_id] = now.health - was_health
            if now is not None and now.mrr is not None and isinstance(was_mrr, int | float):
                arr[unit.customer_id] = (now.mrr - was_mrr) * ARR
    return health, arr


async def _arr(
    connection: Connection, playbook: str, mature: Sequence[Unit], verdicts: Mapping[str, int], period: _Period
) -> dict[str, float]:
    """{customer id: a year's revenue after the horizon, less what it was}."""
    found: dict[str, float] = {}
    for day, group in _by_day(mature).items():
        later = await _after(connection, playbook, day, period.horizon)
        for unit in group:
            was, now = unit.facts.get("mrr"), later.get(unit.customer_id)
            mrr = 0.0 if verdicts.get(unit.customer_id) == CHURNED else None if now is None else now.mrr
            if isinstance(was, int | float) and mrr is not None:
                found[unit.customer_id] = (mrr - was) * ARR
    return found


async def _after(connection: Connection, playbook: str, day: date, days: int) -> Mapping[str, After]:
    first = day + timedelta(days=days)
    return await find_after(
        connection, playbook=playbook, eligible_on=day, first=first, last=first + timedelta(days=WITHIN)
    )


def _by_day(units: Sequence[Unit]) -> dict[date, list[Unit]]:
    found: dict[date, list[Unit]] = {}
    for unit in units:
        found.setdefault(unit.on, []).append(unit)
    return found


def _count(units: Sequence[Unit], verdicts: Mapping[str, int], arm: str, *wanted: int) -> int:
    return sum(unit.arm == arm and verdicts.get(unit.customer_id) in wanted for unit in units)


def _arms(units: Sequence[Unit], values: Mapping[str, float]) -> tuple[Any, Any]:
    """float[n], float[m]: the values of treated and held-out customers, in order of their ids."""
    known = sorted((unit for unit in units if unit.customer_id in values), key=lambda unit: unit.customer_id)
    treated, held = (
        np.array([values[unit.customer_id] for unit in known if unit.arm == arm], dtype=np.float64)
        for arm in (TREATED, HELD_OUT)
    )
    return treated, held


def _says(made: Experiment | None, share: float | None) -> str:
    if made is None:
        begun = "nobody has been drawn for yet" if share is not None else "nobody is held out (`holdout: 10 %` would)"
        return f"Nothing can be said about its effect: {begun}."
    churn = made.churn
    if churn.verdict == TOO_SMALL or churn.low is None or churn.high is None or churn.value is None:
        about = (
            f" about {churn.needed:,} customers more would find a cut of churn by 30 %"
            if churn.needed
            else " too few of them left, or stayed, to say how many it takes"
        )
        matured = f"{churn.n_treated:,} treated and {churn.n_held:,} held-out customers have matured"
        return f"Too small to tell: {matured};{about}. {_says_early(made.early_health)}"
    points = f"{100 * churn.value:+.1f} points (95 %: {100 * churn.low:+.1f} to {100 * churn.high:+.1f})"
    if churn.verdict == NO_DIFFERENCE:
        more = f"; about {churn.needed:,} customers more would find a cut by 30 %" if churn.needed else ""
        return f"No difference found: treated less held out, leaving differs by {points}{more}."
    how = "less" if churn.verdict == LOWER else "more"
    return f"Treated customers left {how} often than held-out ones: {points}."


def _says_early(health: Difference) -> str:
    """What is known before anybody can have left; no promise of it."""
    what = f"Health after {EARLY_DAYS} days"
    if health.verdict == TOO_SMALL or health.value is None or health.low is None or health.high is None:
        more = f"; about {health.needed:,} customers more would find a small one" if health.needed else ""
        return f"{what} tells no difference either: {health.n_treated:,} treated, {health.n_held:,} held out{more}."
    points = f"{100 * health.value:+.1f} points (95 %: {100 * health.low:+.1f} to {100 * health.high:+.1f})"
    if health.verdict == NO_DIFFERENCE:
        return f"{what} differs by {points}: no difference found."
    return f"{what} rose {'less' if health.verdict == LOWER else 'more'} with treatment: {points}."
