"""Features of all customers of an event set on one day, a few passes of numpy over what was known by then.

The scheme is that of `scoring.features`: counts in windows of 28 and 84 days, changes, recency, breadth, life to date, tenure,
renewal, money, and for each of the commonest events its counts and its share. Only rows of the day and before are read.
The signs are the same too: more use lowers the risk, and what an event's share among all does is left open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.datasets.eventset import RUNS_ON, EventSet, Terms
from scoring.datasets.tables import EPOCH, NO_DAY
from scoring.evaluation import Integers
from scoring.facts import Floats

SHORT, LONG = 28, 84
SMALLEST_BASE = 5.0  # events below which a change in per cent says nothing
MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class Scheme:
    """kinds: codes of the events counted one by one; plans: a column each."""

    kinds: Sequence[int]
    plans: Sequence[str]


class Columns(dict[str, tuple[int, Floats]]):
    """{feature: (sign, values by customer)}."""

    def add(self, name: str, sign: int, values: Floats) -> Floats:
        self[name] = (sign, values)
        return values


def snapshot(data: EventSet, first: Integers, day: int, scheme: Scheme) -> Columns:
    """The features on `day`. first: the ordinal each customer began on, NO_DAY where unknown."""
    columns = Columns()
    tenure = columns.add("tenure_days", 0, np.where((first != NO_DAY) & (first <= day), day - first, np.nan))
    mrr, seats = _money(columns, data.terms, day, len(first), scheme) if data.terms else (None, None)
    _use(columns, data, day, tenure, scheme, mrr=mrr, seats=seats)
    return columns


def _ratio(part: Floats, whole: Floats, *, base: float = 0.0) -> Floats:
    """NaN where the whole is not above `base`."""
    result = np.full(len(whole), np.nan)
    np.divide(part, whole, out=result, where=whole > base)
    return result


def _use(
    columns: Columns,
    data: EventSet,
    day: int,
    tenure: Floats,
    scheme: Scheme,
    *,
    mrr: Floats | None,
    seats: Floats | None,
) -> None:
    events, people, kinds = data.events, len(tenure), len(data.events.names)
    bounds = np.searchsorted(events.days, [day - LONG + 1, day - 2 * SHORT + 1, day - SHORT + 1, day + 1])
    at_long, at_before, at_short, end = bounds.tolist()

    def total(start: int, stop: int, weights: Floats = events.counts) -> Floats:
        return _sums(events.customers[start:stop], weights[start:stop], people)

    def by_kind(start: int, stop: int) -> Floats:
        cells = events.customers[start:stop] * kinds + events.kinds[start:stop]
        return _sums(cells, events.counts[start:stop], people * kinds).reshape(people, kinds)

    active, on_days = events.active

    def active_days(after: int) -> Floats:
        start, stop = np.searchsorted(on_days, [after + 1, day + 1])
        return _rows(active[start:stop], people)

    # who is newer than a window has had less time to fill it
    lived = np.clip(tenure + 1, 1, LONG)
    short, before, life = total(at_short, end), total(at_before, at_short), total(0, end)
    long = total(at_long, end) * SHORT / np.maximum(lived, SHORT)
    columns.add("events_28d", -1, short)
    columns.add("events_84d", -1, long)
    columns.add("events_life", 0, life)
    rate = columns.add("events_a_month", -1, life / np.maximum(tenure + 1, SHORT) * SHORT)
    whole = tenure + 1 >= 2 * SHORT
    columns.add("usage_trend", -1, np.where(whole, _ratio(short, before, base=SMALLEST_BASE) - 1, np.nan))
    columns.add("usage_of_84d", -1, np.where(whole, _ratio(short, long), np.nan))
    columns.add("usage_of_life", -1, np.where(whole, _ratio(short, rate), np.nan))

    columns.add("active_days_28d", -1, active_days(day - SHORT))
    columns.add("active_days_84d", -1, active_days(day - LONG) * SHORT / np.maximum(lived, SHORT))
    days_life = columns.add("active_days_life", -1, active_days(0))
    last = np.full(people, -1, dtype=np.int64)
    last[events.customers[:end]] = events.days[:end]  # of several the latest remains: they are ordered by day
    silent = columns.add("days_since_active", 1, np.where(last >= 0, day - last, np.nan))
    opening = np.full(people, -1, dtype=np.int64)
    opening[events.customers[:end][::-1]] = events.days[:end][::-1]
    pause = _ratio((last - opening).astype(np.float64), days_life - 1)
    columns.add("mean_pause", 1, pause)
    columns.add("silence_in_pauses", 1, _ratio(silent, pause))

    kinds_short, kinds_long = by_kind(at_short, end), by_kind(at_long, end)
    if kinds > 1:
        used = columns.add("features_used_28d", -1, (kinds_short > 0).sum(axis=1).astype(np.float64))
        used_before = (by_kind(at_before, at_short) > 0).sum(axis=1).astype(np.float64)
        columns.add("features_trend", -1, np.where(whole, _ratio(used, used_before) - 1, np.nan))
        columns.add("features_used_84d", -1, (kinds_long > 0).sum(axis=1).astype(np.float64))
        of_all = kinds_long.sum(axis=1)
        for kind in scheme.kinds:
            name = events.names[kind]
            columns.add(f"events_28d:{name}", -1, kinds_short[:, kind])
            columns.add(f"events_84d:{name}", -1, kinds_long[:, kind] * SHORT / np.maximum(lived, SHORT))
            columns.add(f"share_84d:{name}", 0, _ratio(kinds_long[:, kind], of_all))

    if events.users is not None:
        users = columns.add(
            "users_an_event_day",
            -1,
            _ratio(total(at_long, end, events.users), _rows(events.customers[at_long:end], people)),
        )
        columns.add("events_per_user", -1, _ratio(long, users))
        if seats is not None:
            columns.add("seat_utilisation", -1, _ratio(users, seats))
    if events.values is not None:
        spent = columns.add("value_84d", 0, total(at_long, end, events.values))
        columns.add("value_28d", 0, total(at_short, end, events.values))
        columns.add("value_life", 0, total(0, end, events.values))
        columns.add("value_per_event", 0, _ratio(spent, total(at_long, end)))
    if mrr is not None:
        columns.add("mrr_per_event", 1, _ratio(mrr, long))
    if seats is not None:
        columns.add("events_per_seat", -1, _ratio(long, seats))


def _sums(places: Integers, weights: Floats, size: int) -> Floats:
    return np.bincount(places, weights, size).astype(np.float64)


def _rows(customers: Integers, people: int) -> Floats:
    return np.bincount(customers, minlength=people).astype(np.float64)


def _money(columns: Columns, terms: Terms, day: int, people: int, scheme: Scheme) -> tuple[Floats, Floats]:
    """The running terms: sums of MRR and seats, and of the dearest its plan, length and discount; (mrr, seats)."""
    mrr, seats = _running_sum(terms, terms.mrr, day, people), _running_sum(terms, terms.seats, day, people)
    columns.add("mrr", 0, mrr)
    columns.add("mrr_change_90d", 0, _ratio(mrr, _running_sum(terms, terms.mrr, day - 90, people)) - 1)
    columns.add("seats_purchased", 0, seats)
    columns.add("mrr_per_seat", 0, _ratio(mrr, seats))

    runs = np.flatnonzero((terms.starts <= day) & (terms.ends > day))
    by_price = runs[np.argsort(np.nan_to_num(terms.mrr[runs]), kind="stable")]
    dearest = np.full(people, -1, dtype=np.int64)
    dearest[terms.customers[by_price]] = by_price
    known = dearest >= 0
    plans = np.where(known, terms.plans[dearest], "")
    for plan in scheme.plans:
        columns.add(f"plan={plan}", 0, (plans == plan).astype(np.float64))
    # what runs longest decides when there is a choice to leave
    by_end = runs[np.lexsort((terms.months[runs], terms.ends[runs]))]
    longest = np.full(people, -1, dtype=np.int64)
    longest[terms.customers[by_end]] = by_end
    columns.add("term_months", 0, np.where(known, terms.months[longest], np.nan))
    columns.add("discount", 0, np.where(known, terms.discounts[longest], np.nan))
    due, periods = _due(terms, longest, day)
    columns.add("days_to_renewal", 0, np.where(known, due, np.nan))
    begun = terms.starts <= day
    times = np.unique(terms.customers[begun] * (1 << 24) + terms.starts[begun]) >> 24
    columns.add("renewals", 0, _rows(times, people) - 1 + np.where(known, periods, 0))
    return mrr, seats


def _running_sum(terms: Terms, values: Floats, day: int, people: int) -> Floats:
    """NaN where no running term has a value."""
    runs = (terms.starts <= day) & (terms.ends > day) & ~np.isnan(values)
    total = np.bincount(terms.customers[runs], values[runs], people)
    return np.where(np.bincount(terms.customers[runs], minlength=people) > 0, total, np.nan)


def _due(terms: Terms, chosen: Integers, day: int) -> tuple[Floats, Floats]:
    """(days until each chosen term falls due, billing periods it has been through before), both knowable on the day.

    By its billing period where there is one: then the end is of no interest. Else by its end, if that was known from the start.
    """
    starts, months = terms.starts[chosen], terms.months[chosen]
    billed = months >= 1
    length = np.where(billed, months, 1).astype(np.int64)
    began = (starts - EPOCH).astype("datetime64[D]")
    month = began.astype("datetime64[M]")
    of_month = (began - month.astype("datetime64[D]")).astype(np.int64)
    today = np.datetime64(day - EPOCH, "D")
    on = (today - today.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    elapsed = (today.astype("datetime64[M]") - month).astype(np.int64) - (of_month > on)
    periods = np.maximum(elapsed, 0) // length
    due_month = month + (periods + 1) * length
    last_of_month = ((due_month + 1).astype("datetime64[D]") - due_month.astype("datetime64[D]")).astype(np.int64) - 1
    due = due_month.astype("datetime64[D]") + np.minimum(of_month, last_of_month)
    days = (due - today).astype(np.float64)
    ends = terms.ends[chosen]
    by_end = np.where(terms.ends_foreseen & (ends < RUNS_ON), (ends - day).astype(np.float64), np.nan)
    return np.where(billed, days, by_end), np.where(billed, periods, 0).astype(np.float64)
