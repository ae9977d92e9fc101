"""Churn features: columns derived from facts, with the direction in which each may move the risk.

There is one vocabulary: a feature is a fact as it is, a ratio of facts, or one category of a text fact; nothing is read
from anywhere else. Missing stays NaN, which the trees route by themselves; it is never made a zero. `sign` is declared, not
learned: +1 means more of it can only raise the risk, -1 only lower it, 0 either. Ticket counts are 0 on purpose: silence
can be worse than complaint.

Not every fact is a feature. What a source only has of today (how many champions and executives there are, when an executive was
last seen) is known of past days only since the hub has watched: for those who stayed it was overwritten, for those who left
it stands still, and a model would learn that difference.

Each feature belongs to a theme; the effects of a theme are added up before reasons are ranked, because 28 and 84 days of
the same thing would otherwise share what is one reason. An `Encoding` is what a model keeps of its training set: the
categories of the text facts and the product features it counts, hence the names of the columns and their order.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np

from scoring.facts import FACTS, Fact, FactTable, Floats
from scoring.learner import Matrix

Numbers = Mapping[str, Floats]

CATEGORIES = 8  # of a text fact; the rarer ones are none of them
FEWEST_CUSTOMERS = 10  # with a category before it is one
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


def _ratio(numbers: Numbers, part: str, whole: str, *, times: float = 1.0, base: float = 0.0) -> Floats:
    """part / whole; NaN where either is missing or the whole is not above `base`."""
    above = numbers[whole] > base
    result = np.full(len(above), np.nan)
    np.divide(numbers[part] * times, numbers[whole], out=result, where=above)
    return result


def _change(numbers: Numbers, now: str, before: str, *, base: float) -> Floats:
    return _ratio(numbers, now, before, base=base) - 1


def _column(numbers: Numbers, name: str) -> Floats:
    return numbers[name]


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
    _fact("days_since_active", "recency", 1),
    _fact("active_days_28d", "engagement", -1),
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

NEEDED: frozenset[str] = frozenset(
    name for feature in FEATURES for name in feature.derive.keywords.values() if isinstance(name, str)
)
"""The number facts that a table must have for features to be made of it."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """What turns a fact table into a matrix: categories of the text facts, product features counted one by one."""

    categories: Mapping[str, Sequence[str]]
    product: Sequence[str] = ()

    @classmethod
    def of(cls, tables: Iterable[FactTable], *, texts: Sequence[str], product: Sequence[str] = ()) -> Self:
        """Categories that at least 10 customers of `tables` have had: the 8 commonest of each of `texts`, in order of name."""
        seen: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in texts}
        for table in tables:
            for name in texts:
                for customer, text in zip(table.customers, table.texts[name], strict=True):
                    if text is not None:
                        seen[name][text].add(customer)
        categories = {}
        for name, customers in seen.items():
            by_size = sorted((-len(who), text) for text, who in customers.items() if len(who) >= FEWEST_CUSTOMERS)
            categories[name] = sorted(text for _, text in by_size[:CATEGORIES])
        return cls(categories, tuple(product))

    @property
    def features(self) -> list[Feature]:
        """All columns in order: FEATURES, then categories, then product features."""
        columns = list(FEATURES)
        for name, texts in self.categories.items():
            fact = FACTS[name]
            columns += [Feature(f"{name}={text}", name, 0, fact, partial(_column, name=name)) for text in texts]
        for product in self.product:
            columns += _of_product(product, self.product)
        return columns

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @property
    def signs(self) -> tuple[int, ...]:
        return tuple(feature.sign for feature in self.features)

    def matrix(self, table: FactTable) -> Matrix:
        """float32[n, f] of the table's customers, NaN where missing; ValueError names facts that the table lacks."""
        if missing := sorted({*NEEDED, *(PRODUCT_USE + name for name in self.product)} - table.numbers.keys()):
            raise ValueError(f"the table lacks facts: {', '.join(missing)}")
        columns = [feature.derive(table.numbers) for feature in FEATURES]
        for name, texts in self.categories.items():
            values = np.array(table.texts[name], dtype=object)
            columns += [(values == text).astype(np.float64) for text in texts]
        for product in self.product:
            columns += [feature.derive(table.numbers) for feature in _of_product(product, self.product)]
        return np.column_stack(columns).astype(np.float32)

    def as_json(self) -> dict[str, Any]:
        return {
            "categories": {name: list(texts) for name, texts in self.categories.items()},
            "product": list(self.product),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls({name: tuple(texts) for name, texts in value["categories"].items()}, tuple(value["product"]))


def _of_product(product: str, products: Sequence[str]) -> tuple[Feature, Feature]:
    """Two columns a product feature: its events of 28 days, and their share among the `products`, which says what the
    customer does rather than how much."""
    name, share_name = PRODUCT_USE + product, PRODUCT_SHARE + product
    events = Fact(name, "number", "events", f"events of {product} in 28 days", "usage")
    share = Fact(share_name, "number", "ratio", f"share of {product} in the use of 28 days", "usage")
    return (
        Feature(name, name, -1, events, partial(_column, name=name)),
        Feature(
            share_name, name, 0, share, partial(_share, product=name, products=[PRODUCT_USE + one for one in products])
        ),
    )


def _share(numbers: Numbers, *, product: str, products: Sequence[str]) -> Floats:
    total = np.sum([numbers[name] for name in products], axis=0)
    return _ratio({"part": numbers[product], "whole": total}, "part", "whole")
