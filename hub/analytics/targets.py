"""Targets: figures held against what config says they should be, each met, missed or not known, and how it moved.

    for standing in await find_targets(store, targets, now=now): standing.status, standing.value.value, standing.trend

A target is about a figure of `hub.analytics.definitions`, so what it means is said there and its rows can be looked at there.
It is taken over so many days up to today, beside as many days before them. Where a figure has several values (one a currency,
one a scale of answers), each is held against the target by itself. What can't be told is neither met nor missed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from hub.analytics.definitions import DEFINITIONS, Definition
from hub.analytics.frame import Frame, Known
from hub.analytics.measuring import FROM
from hub.analytics.months import Month, Period
from hub.analytics.records import Records, read
from hub.analytics.request import GRACE_DAYS, Request
from hub.analytics.shares import Value
from hub.analytics.targets_settings import TargetSettings
from hub.store import Store
from hub.store.retention import Profile

STEADY = 1e-9
NPS_MONTHS = 6
MONTHS = 0
"""In the place of a target's days: the months of the trend of NPS."""
Key = tuple[str, int]
"""What is needed (see `Definition.needs`), and of how many days."""


class Status(StrEnum):
    MET = "met"
    MISSED = "missed"
    UNKNOWN = "not known"


class Trend(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    SAME = "the same"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a target stands. `group`: the CSM; None: everybody.

    value, before   of the days up to today, and of as many before them; their `reason` says why they are None
    why             why the status is not known
    """

    name: str
    target: TargetSettings
    group: str | None
    value: Value
    before: Value | None
    status: Status
    trend: Trend
    why: str | None
    as_of: date

    @property
    def definition(self) -> Definition:
        return self.value.definition

    @property
    def title(self) -> str:
        of = self.value.currency or (self.value.scale if self.definition.unit == "points" else None)
        title = self.target.title or self.definition.title
        return f"{title} ({of})" if of and self.value.scale != "0-10" else title

    @property
    def goal(self) -> str:
        if self.target.above is not None:
            return f"> {said(self.target.above, self.definition.unit)}"
        assert self.target.below is not None, "one of both there is"
        return f"< {said(self.target.below, self.definition.unit)}"

    @property
    def actual(self) -> str | None:
        return None if self.value.value is None else said(self.value.value, self.definition.unit)

    @property
    def was(self) -> str | None:
        before = self.before
        return None if before is None or before.value is None else said(before.value, self.definition.unit)

    @property
    def coverage(self) -> float | None:
        """Of health: how much data the scores stand on, 0-1."""
        return self.value.components.get("coverage")

    def as_json(self) -> dict[str, Any]:
        value, before, definition = self.value, self.before, self.definition
        return {
            "target": self.name,
            "title": self.title,
            "metric": definition.name,
            "basis": definition.basis,
            "version": definition.version,
            "formula": definition.formula,
            "unit": definition.unit,
            "above": self.target.above,
            "below": self.target.below,
            "csm": self.group,
            "currency": value.currency,
            "scale": value.scale,
            "from": str(value.period.first),
            "to": str(value.period.last),
            "as_of": str(self.as_of),
            "value": value.value,
            "n": value.n,
            "coverage": self.coverage,
            "status": self.status.value,
            "why": self.why,
            "before": None if before is None else before.value,
            "before_n": None if before is None else before.n,
            "trend": self.trend.value,
            "components": dict(value.components),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Targets of everybody and of each CSM, and NPS (0-10) month by month, the last one as far as today."""

    standings: Mapping[str | None, Sequence[Standing]]
    nps: Mapping[str | None, Sequence[tuple[Month, float | None]]]


async def find_targets(
    store: Store, targets: Mapping[str, TargetSettings], *, now: datetime, grace_days: int = GRACE_DAYS
) -> Sequence[Standing]:
    """Of everybody, in the order of `targets`."""
    measured = await measure_targets(store, targets, now=now, by_csm=False, grace_days=grace_days)
    return measured.standings[None]


async def measure_targets(
    store: Store,
    targets: Mapping[str, TargetSettings],
    *,
    now: datetime,
    by_csm: bool,
    grace_days: int = GRACE_DAYS,
) -> Measured:
    """The same for each CSM beside everybody, in as many statements."""
    today = now.date()
    spans = {name: _spans(target.days, today) for name, target in targets.items()}
    this = Month.of(today)
    months = [this.plus(back - NPS_MONTHS + 1) for back in range(NPS_MONTHS)]
    of_months = [Period(month.first, min(month.last, today)) for month in months]
    needed: dict[Key, tuple[Period, ...]] = {
        (target.definition.needs, target.days): spans[name] for name, target in targets.items()
    }
    needed["answers", MONTHS] = tuple(of_months)
    first = min(period.first for periods in needed.values() for period in periods)
    request = Request(first=Month.of(first), last=this, by="csm" if by_csm else None, grace_days=grace_days)
    read_for: dict[Key, tuple[Sequence[Period], Records]] = {}
    profiles: Mapping[str, Profile] = {}
    async with store.reading() as connection:
        for key, wanted in needed.items():  # each its own days, for those of one reading must not overlap
            periods = sorted(wanted, key=lambda each: each.first)
            records = await read(connection, request, periods, needs={key[0]}, now=now)
            profiles = profiles or _lowered(records.profiles)
            read_for[key] = periods, replace(records, profiles=profiles)
    return await asyncio.to_thread(
        _measured, targets, spans, dict(zip(months, of_months, strict=True)), request, read_for
    )


def _lowered(profiles: Mapping[str, Profile]) -> dict[str, Profile]:
    """One CSM however a source spells the address."""
    return {
        id_: each if each.csm_email is None else replace(each, csm_email=each.csm_email.lower())
        for id_, each in profiles.items()
    }


def _spans(days: int, today: date) -> tuple[Period, Period]:
    """The days up to today, and as many before them."""
    first = today - timedelta(days=days - 1)
    return Period(first, today), Period(first - timedelta(days=days), first - timedelta(days=1))


def _measured(
    targets: Mapping[str, TargetSettings],
    spans: Mapping[str, tuple[Period, Period]],
    months: Mapping[Month, Period],
    request: Request,
    read_for: Mapping[Key, tuple[Sequence[Period], Records]],
) -> Measured:
    known: dict[Key, Known] = {key: {} for key in read_for}

    def values(definition: Definition, days: int, period: Period) -> list[Value]:
        key = (definition.needs, days)
        periods, records = read_for[key]
        frame = Frame(records, request, period, periods.index(period), known[key])
        return list(FROM[definition.needs](frame, definition))

    standings: dict[str | None, list[Standing]] = {None: []}
    for name, target in targets.items():
        now, before = (values(target.definition, target.days, span) for span in spans[name])
        then = {(each.group, each.currency, each.scale): each for each in before}
        for value in now:
            old = then.get((value.group, value.currency, value.scale))
            standings.setdefault(value.group, []).append(_standing(name, target, value, old, spans[name][0].last))
    trend: dict[str | None, list[tuple[Month, float | None]]] = {}
    nps = next(each for each in DEFINITIONS if each.name == "nps")
    for place, (month, period) in enumerate(months.items()):
        found = {value.group: value.value for value in values(nps, MONTHS, period) if value.scale in (None, "0-10")}
        for group in found.keys() | trend.keys():
            row = trend.setdefault(group, [(each, None) for each in list(months)[:place]])
            row.append((month, found.get(group)))
    return Measured(standings=standings, nps=trend)


def _standing(name: str, target: TargetSettings, value: Value, before: Value | None, as_of: date) -> Standing:
    why = value.reason
    if value.value is not None and value.n < target.fewest:
        why = f"of {value.n} nothing is told; it takes {target.fewest}"
    status = Status.UNKNOWN
    if why is None and value.value is not None:
        if target.above is not None:
            met = value.value > target.above
        else:
            assert target.below is not None, "one of both there is"
            met = value.value < target.below
        status = Status.MET if met else Status.MISSED
    return Standing(
        name=name,
        target=target,
        group=value.group,
        value=value,
        before=before,
        status=status,
        trend=_trend(target, value, before),
        why=why if status is Status.UNKNOWN else None,
        as_of=as_of,
    )


def _trend(target: TargetSettings, value: Value, before: Value | None) -> Trend:
    if before is None or value.value is None or before.value is None or min(value.n, before.n) < target.fewest:
        return Trend.UNKNOWN
    moved = value.value - before.value
    if abs(moved) <= STEADY:
        return Trend.SAME
    return Trend.BETTER if (moved > 0) == (target.above is not None) else Trend.WORSE


def said(value: float, unit: str) -> str:
    """A value as people read it."""
    match unit:
        case "share":
            return f"{100 * value:.1f} %".replace(".0 %", " %")
        case "score":
            return f"{100 * value:.0f} of 100"
        case "days":
            return f"{value:.1f} days".replace(".0 days", " days")
        case "points":
            return f"{value:+.0f}"
        case _:
            return f"{value:,.0f}"
