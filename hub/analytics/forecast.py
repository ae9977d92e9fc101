"""What the renewals that fall due in a month or a quarter are expected to come to, on both bases of retention.

    (usd,) = await forecast(store, "2026-Q4", now=now)
    usd.target, usd.expected, usd.figure("grr", "renewals_due", "expected").value

The same initials mean two numbers, so each figure says its basis:

    renewals_due   what falls due in the period is the denominator (sum of targets, a year's). Every renewal counts with what
                   it came to, an open one with its target times its probability; what goes beyond a target is upsell: it is
                   in nrr where it is known, and in no forecast of what is open
    cohort         ARR of those who pay on the day before the period (or today, where that is still to come) is the
                   denominator. Each customer's ARR at the end is today's, with the renewals of the period that are still to
                   show in it: open ones kept or lost by their probabilities. grr caps each customer, in each of the ways it may
                   come, at its start. A period that is over is simply its balances

And one of three scenarios:

    expected    open renewals by their probability
    committed   what is renewed, and what renews by itself and can no longer be given notice of; everything else open is lost
    best_case   everything open is renewed at its target

Amounts of several currencies are not added up: each currency is a forecast of its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import fsum
from typing import Any, Literal

from hub.analytics.months import Month, Period
from hub.errors import RefusedError
from hub.store import Store
from hub.store.renewals import find_due
from hub.store.retention import find_balances

Metric = Literal["grr", "nrr"]
Basis = Literal["renewals_due", "cohort"]
Scenario = Literal["expected", "committed", "best_case"]
SCENARIOS: tuple[Scenario, ...] = ("expected", "committed", "best_case")
OPEN = frozenset({"upcoming", "due", "overdue"})
FORMULAS: Mapping[tuple[Basis, Metric], str] = {
    ("renewals_due", "grr"): "sum of each renewal's smaller of final and target (open: of the scenario) / sum of targets",
    ("renewals_due", "nrr"): "the same with what final amounts go beyond their targets / sum of targets",
    ("cohort", "grr"): "sum of each customer's smaller of ARR at the end (open: of the scenario) and start / ARR at the start",
    ("cohort", "nrr"): "ARR at the end (open: of the scenario) / ARR at the start, of the customers of the start",
}  # fmt: skip
_QUARTER = re.compile(r"(\d{4})-[Qq]([1-4])")
MOST_WAYS = 64
"""So many ways one customer's renewals may come are told apart; beyond, their mean stands for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A share, with what it stands on. value: None where there is nothing to divide by, and then why."""

    metric: Metric
    basis: Basis
    scenario: Scenario
    value: float | None
    numerator: float
    denominator: float
    reason: str | None = None

    @property
    def formula(self) -> str:
        return FORMULAS[self.basis, self.metric]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Renewals of a period in one currency. Amounts are a year's; counts are of renewals.

    target     what falls due      renewed, upsell, downsell, lost   of what is decided: final amounts, and against the target
    still_open   targets of what is open; overdue and by_itself (renews by itself) are parts of it
    sources    {where probabilities of open ones are from: how many}
    """

    period: Period
    as_of: date
    currency: str
    count: int
    decided: int
    target: float
    renewed: float
    upsell: float
    downsell: float
    lost: float
    still_open: float
    overdue: float
    by_itself: float
    expected: float
    committed: float
    best_case: float
    sources: Mapping[str, int]
    figures: tuple[Figure, ...]

    def figure(self, metric: Metric, basis: Basis, scenario: Scenario = "expected") -> Figure:
        key = (metric, basis, scenario)
        return next(each for each in self.figures if (each.metric, each.basis, each.scenario) == key)


def parse_period(text: str) -> Period:
    """Read "2026-12" or "2026-Q4"; RefusedError where it is neither."""
    quarter = _QUARTER.fullmatch(text.strip())
    if quarter is not None and int(quarter[1]) >= 1000:
        first = Month(int(quarter[1]), 3 * int(quarter[2]) - 2)
        return Period(first.first, first.plus(2).last)
    try:
        month = Month.parse(text)
    except RefusedError:
        raise RefusedError(f"{text[:40]!r} is no month or quarter; write it as 2026-12 or 2026-Q4") from None
    return Period(month.first, month.last)


async def forecast(store: Store, period: str, *, now: datetime, book: str | None = None) -> tuple[Forecast, ...]:
    """A forecast for each currency that anything falls due or is paid in, in order of their names.

    book  of the customers of one CSM only, by their address in small letters
    """
    span, today = parse_period(period), now.date()
    opening, closing = min(span.opening, today), min(span.last, today)
    async with store.reading() as connection:
        due = await find_due(connection, book=book, first=span.first, last=span.last)
        balances = await find_balances(connection, [opening, closing], book=book)
    return forecasts(due, balances, span, today=today)


def forecasts(due: Sequence[Any], balances: Sequence[Any], span: Period, *, today: date) -> tuple[Forecast, ...]:
    """The same of rows already read: of `find_due` for the period, of `find_balances` for its start and end (or today)."""
    start: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    end: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for customer, currency, _, _, first, last in balances:
        start[currency][customer] += 12 * first
        end[currency][customer] += 12 * last
    currencies = sorted({row.currency for row in due} | {name for name, paid in start.items() if any(paid.values())})
    return tuple(
        _forecast([row for row in due if row.currency == name], start[name], end[name], span, name, today)
        for name in currencies
    )


def _forecast(
    rows: Sequence[Any],
    start: Mapping[str, float],
    end: Mapping[str, float],
    period: Period,
    currency: str,
    today: date,
) -> Forecast:
    renewed = [row for row in rows if row.status == "renewed"]
    open_ = [row for row in rows if row.status in OPEN]
    sources: dict[str, int] = defaultdict(int)
    for row in open_:
        sources[row.probability_by] += 1
    target = fsum(row.target for row in rows)
    upsell = fsum(max(row.final - row.target, 0.0) for row in renewed)
    kept = {
        scenario: fsum(min(row.final, row.target) for row in renewed)
        + fsum(row.target * _chance(row, scenario, today) for row in open_)
        for scenario in SCENARIOS
    }
    figures = [*_of_renewals(kept, upsell, target, period), *_of_cohort(rows, start, end, period, today)]
    return Forecast(
        period=period,
        as_of=today,
        currency=currency,
        count=len(rows),
        decided=len(rows) - len(open_),
        target=target,
        renewed=fsum(row.final for row in renewed),
        upsell=upsell,
        downsell=fsum(max(row.target - row.final, 0.0) for row in renewed),
        lost=fsum(row.target for row in rows if row.status == "churned"),
        still_open=fsum(row.target for row in open_),
        overdue=fsum(row.target for row in open_ if row.status == "overdue"),
        by_itself=fsum(row.target for row in open_ if row.auto),
        expected=kept["expected"],
        committed=kept["committed"],
        best_case=kept["best_case"],
        sources=dict(sorted(sources.items())),
        figures=tuple(figures),
    )


def _chance(row: Any, scenario: Scenario, today: date) -> float:
    """Of an open renewal being renewed, in a scenario."""
    if scenario == "expected":
        return float(row.probability)
    bound = row.auto and row.running and row.notice_by is not None and row.notice_by < today
    return 1.0 if scenario == "best_case" or bound else 0.0


def _of_renewals(kept: Mapping[Scenario, float], upsell: float, target: float, period: Period) -> Iterable[Figure]:
    for scenario in SCENARIOS:
        yield _figure("grr", "renewals_due", scenario, kept[scenario], target, f"nothing falls due in {period}")
        net = kept[scenario] + upsell
        yield _figure("nrr", "renewals_due", scenario, net, target, f"nothing falls due in {period}")


def _of_cohort(
    rows: Sequence[Any], start: Mapping[str, float], end: Mapping[str, float], period: Period, today: date
) -> Iterable[Figure]:
    of_customer: dict[str, list[Any]] = defaultdict(list)
    for row in rows if period.last >= today else ():  # of a period that is over, balances say everything
        of_customer[row.customer_id].append(row)
    cohort = {id_: amount for id_, amount in start.items() if amount > 0}
    base = fsum(cohort.values())
    for scenario in SCENARIOS:
        net, gross = [], []
        for id_, begun in cohort.items():
            ways = _ways(end[id_], of_customer.get(id_, ()), scenario, today)
            net.append(fsum(chance * amount for chance, amount in ways))
            gross.append(fsum(chance * min(amount, begun) for chance, amount in ways))
        none = f"nobody pays at the start of {period}"
        yield _figure("grr", "cohort", scenario, fsum(gross), base, none)
        yield _figure("nrr", "cohort", scenario, fsum(net), base, none)


def _ways(now: float, rows: Sequence[Any], scenario: Scenario, today: date) -> list[tuple[float, float]]:
    """(probability, ARR at the end) of each way the renewals of a customer may come; today's ARR is `now`."""
    ways = [(1.0, now)]
    for row in rows:
        chance, if_renewed, if_lost = _moves(row, scenario, today)
        ways = [
            (p * share, amount + move)
            for p, amount in ways
            for share, move in ((chance, if_renewed), (1 - chance, if_lost))
            if share > 0
        ]
        if len(ways) > MOST_WAYS:
            ways = [(1.0, fsum(p * amount for p, amount in ways))]
    return [(p, max(amount, 0.0)) for p, amount in ways]


def _moves(row: Any, scenario: Scenario, today: date) -> tuple[float, float, float]:
    """Probability of being renewed, and what today's ARR moves by when it is and when it is not.

    ARR has what runs: of a renewal whose terms have ended it has what followed already, and not what has yet to follow.
    """
    if row.status in OPEN:
        moves = (0.0, -row.arr) if row.running else (row.arr, 0.0)
        return (_chance(row, scenario, today), *moves)
    if row.status == "churned":
        return 0.0, 0.0, -row.arr if row.running else 0.0
    still_to_show = row.running and (row.due_on > today or not row.auto)
    return 1.0, row.final - row.arr if still_to_show else 0.0, 0.0


def _figure(
    metric: Metric, basis: Basis, scenario: Scenario, numerator: float, denominator: float, none: str
) -> Figure:
    return Figure(
        metric=metric,
        basis=basis,
        scenario=scenario,
        value=numerator / denominator if denominator else None,
        numerator=numerator,
        denominator=denominator,
        reason=None if denominator else none,
    )
