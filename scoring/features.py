"""Churn features: columns derived from facts, with the direction in which each may move the risk.

There is one vocabulary: a feature is a fact as it is, a ratio of facts, or one category of a text fact; nothing is read
from anywhere else. Missing stays NaN, which the trees route by themselves; it is never made a zero. `sign` is declared, not
learned: +1 means more of it can only raise the risk, -1 only lower it, 0 either. Ticket counts are 0 on purpose: silence
can be worse than complaint.

Not every fact is a feature. What a source only has of today (how many champions and executives there are, when an executive was
last seen) is known of past days only since the hub has watched: for those who stayed it was overwritten, for those who left
it stands still, and a model would learn that difference.

Nor may a feature hang on the weekday: a model learns from the firsts of months, whatever day they are, and speaks every day.
Windows of 28 and 84 days are whole weeks; how long nobody came is counted in whole working days, so that who comes from
Monday to Friday has been silent for none of them on a Sunday, and on a Monday morning before anybody is there. For such a
morning, too, days of use are rounded to so many a week: it has seen 19 of 20, of nearly everybody at once.

Each feature belongs to a theme; the effects of a theme are added up before reasons are ranked, because 28 and 84 days of
the same thing would otherwise share what is one reason. Which columns a model has is its `scoring.encoding`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from scoring.facts import FACTS, Fact, FactTable, Floats

SMALLEST_BASE = 5.0  # events or users below which a change in per cent says nothing
PRODUCT_USE = "events_28d:"  # column of FactTable.numbers: events of one product feature in 28 days
PRODUCT_SHARE = "share_28d:"
TEXTS = ("segment", "plan")  # text facts that may be a feature


@dataclass(frozen=True, slots=True)
class Feature:
    """One column. `fact` tells people what it is; `pair` names the facts (now, before) that a change is between."""

    name: str
    theme: str
    sign: int
    fact: Fact
    derive: partial[Floats]
    pair: tuple[str, str] | None = None

    @property
    def reads(self) -> set[str]:
        """The number facts it is made of."""
        given = self.derive.keywords
        single = {value for key, value in given.items() if isinstance(value, str) and key not in ("text", "value")}
        return single.union(given.get("products", ()))


def _over(part: Floats, whole: Floats, *, times: float = 1.0, base: float = 0.0) -> Floats:
    """part / whole; NaN where either is missing or the whole is not above `base`."""
    above = whole > base
    result = np.full(len(above), np.nan)
    np.divide(part * times, whole, out=result, where=above)
    return result


def _ratio(table: FactTable, part: str, whole: str, *, times: float = 1.0, base: float = 0.0) -> Floats:
    return _over(table.numbers[part], table.numbers[whole], times=times, base=base)


def _change(table: FactTable, now: str, before: str, *, base: float) -> Floats:
    return _ratio(table, now, before, base=base) - 1


def _column(table: FactTable, name: str) -> Floats:
    return table.numbers[name]


def _is(table: FactTable, text: str, value: str) -> Floats:
    return np.array([one == value for one in table.texts[text]], dtype=np.float64)


def _working_days(table: FactTable, since: str) -> Floats:
    """Whole working days between the day so many days ago and the as-of day, neither counted; NaN where unknown.

    Monday to Friday; holidays, and weeks that begin on another day, are not known here. Today does not count, because it is
    not over when it is scored.
    """
    days = table.numbers[since]
    known = ~np.isnan(days)
    today = np.datetime64(table.as_of, "D")
    after = today - days[known].astype(np.int64) + 1
    result = np.full(len(days), np.nan)
    result[known] = np.maximum(np.busday_count(after, today), 0)
    return result


def _a_week(table: FactTable, days: str) -> Floats:
    """Days of four weeks as whole days a week."""
    return np.rint(table.numbers[days] / 4)


def _fact(name: str, theme: str, sign: int, pair: tuple[str, str] | None = None) -> Feature:
    return Feature(name, theme, sign, FACTS[name], partial(_column, name=name), pair)


def _ratio_of(
    name: str, theme: str, sign: int, unit: str, meaning: str, part: str, whole: str, times: float = 1.0
) -> Feature:
    fact = Fact(name, "number", unit, meaning, theme)
    return Feature(name, theme, sign, fact, partial(_ratio, part=part, whole=whole, times=times))


def _change_of(name: str, meaning: str, now: str, before: str, base: float = SMALLEST_BASE) -> Feature:
    fact = Fact(name, "number", "ratio", meaning, "usage")
    return Feature(name, "usage_trend", -1, fact, partial(_change, now=now, before=before, base=base), (now, before))


FEATURES: tuple[Feature, ...] = (
    _fact("tenure_days", "tenure", 0),
    _fact("renewals", "tenure", 0),
    _fact("days_to_renewal", "renewal", 0),
    _fact("mrr", "size", 0),
    _fact("seats_purchased", "size", 0),
    _ratio_of("mrr_per_seat", "size", 0, "per month", "MRR a seat", "mrr", "seats_purchased"),
    _fact("mrr_change_90d", "contract", 0),
    _fact("seat_utilisation", "seats", -1),
    _ratio_of("events_per_seat", "seats", -1, "events", "events a seat, in 28 days", "events_28d", "seats_purchased"),
    _ratio_of("mrr_per_event", "value", 1, "per month", "MRR an event of 28 days", "mrr", "events_28d"),
    _ratio_of("mrr_per_user", "value", 1, "per month", "MRR an active user of 28 days", "mrr", "mau"),
    _fact("wau", "usage", -1),
    _fact("mau", "usage", -1),
    _fact("mean_dau_28d", "usage", -1),
    _fact("events_28d", "usage", -1),
    _fact("events_84d", "usage", -1),
    _fact("sessions_28d", "usage", -1),
    _fact("usage_trend", "usage_trend", -1, ("events_28d", "events_previous_28d")),
    _change_of("mau_trend", "users of 28 days against the 28 before, as a share of them", "mau", "mau_previous", 1.0),
    _change_of(
        "features_trend",
        "features used in 28 days against the 28 before, as a share of them",
        "features_used_28d",
        "features_used_previous_28d",
        1.0,
    ),
    _ratio_of(
        "usage_of_84d",
        "usage_trend",
        -1,
        "ratio",
        "events of 28 days, thrice, over those of 84",
        "events_28d",
        "events_84d",
        3.0,
    ),
    _ratio_of("wau_share", "usage_trend", -1, "ratio", "users of 7 days over those of 28", "wau", "mau"),
    Feature(
        "working_days_unused",
        "recency",
        1,
        Fact("working_days_unused", "number", "days", "whole working days since the last use", "usage"),
        partial(_working_days, since="days_since_active"),
    ),
    Feature(
        "days_a_week",
        "engagement",
        -1,
        Fact("days_a_week", "number", "days", "days of use a week, to the nearest, over 28 days", "usage"),
        partial(_a_week, days="active_days_28d"),
    ),
    _fact("logins_per_user_week", "engagement", -1),
    _fact("minutes_per_session", "engagement", -1),
    _fact("stickiness", "engagement", -1),
    _fact("events_per_user_28d", "engagement", -1),
    _fact("features_used_28d", "breadth", -1),
    _fact("feature_adoption", "breadth", -1),
    _fact("tickets_28d", "support_load", 0),
    _fact("tickets_90d", "support_load", 0),
    _fact("urgent_tickets_90d", "support_load", 0),
    _ratio_of(
        "tickets_per_user", "support_load", 0, "tickets", "tickets of 90 days an active user", "tickets_90d", "mau"
    ),
    _fact("tickets_open", "support_open", 0),
    _fact("severe_share_90d", "support_quality", 1),
    _fact("first_response_minutes_90d", "support_quality", 1),
    _fact("resolution_hours_90d", "support_quality", 1),
    _fact("reopen_rate_90d", "support_quality", 1),
    _fact("csat_90d", "csat", -1),
    _fact("csat_answers_90d", "csat", 0),
    _fact("nps_last", "nps", -1),
    _fact("nps_mean_180d", "nps", -1),
    _fact("nps_age_days", "nps", 0),
    _fact("nps_answers_180d", "nps", 0),
    _fact("survey_silence_days", "survey", 0),
    _fact("payment_failures_90d", "payment", 1),
    _fact("days_past_due", "payment", 1),
    _fact("champions_lost_90d", "champion", 1),
    _fact("sentiment", "sentiment", -1),
)


def of_text(name: str, text: str) -> Feature:
    """One column: 1 for whom the text fact has this value, 0 for everybody else."""
    return Feature(f"{name}={text}", name, 0, FACTS[name], partial(_is, text=name, value=text))


def of_product(product: str, products: Sequence[str]) -> tuple[Feature, Feature]:
    """Two columns a product feature: its events of 28 days, and their share among the `products`, which says what the
    customer does rather than how much."""
    name, share_name = PRODUCT_USE + product, PRODUCT_SHARE + product
    events = Fact(name, "number", "events", f"events of {product} in 28 days", "usage")
    share = Fact(share_name, "number", "ratio", f"share of {product} in the use of 28 days", "usage")
    everything = tuple(PRODUCT_USE + one for one in products)
    return (
        Feature(name, name, -1, events, partial(_column, name=name)),
        Feature(share_name, name, 0, share, partial(_share, part=name, products=everything)),
    )


def _share(table: FactTable, *, part: str, products: Sequence[str]) -> Floats:
    return _over(table.numbers[part], np.sum([table.numbers[name] for name in products], axis=0))
