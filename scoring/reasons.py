"""Why a customer's risk is above or below the book's: the model's own contributions, grouped, ranked and put into words.

The effects of a theme's features are added up; the strongest raising and lowering themes are shown. The sentence is about
the feature with the largest share in it: value, reference, direction and day, and never a cause. "Customers like this
leave more often" is all that a model of this kind knows.

A code says in a word what the value is, so that playbooks can test for it. It is chosen by the side of a pivot the value
lies on (the book's median, or a fixed one where a number means something by itself: a change of zero, an NPS of 6). Where
the value's side and the direction disagree (the book has an NPS of 9, the customer 8, and the risk is raised) the theme's
neutral code is given instead of one that would be untrue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from scoring.churn_definition import ReasonLimits
from scoring.facts import FactTable, Floats
from scoring.features import PRODUCT_USE, TEXTS, Encoding, Feature
from scoring.learner import Matrix

Reason = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Theme:
    """Codes by what the value is: low, high, missing, or none of these. `context`: nothing a CSM could act on."""

    low: str
    high: str
    missing: str
    neutral: str
    context: bool = False


def _theme(stem: str, low: str, high: str, *, context: bool = False) -> Theme:
    return Theme(low, high, f"{stem}_UNKNOWN", stem, context)


THEMES: Mapping[str, Theme] = {
    "usage": _theme("USAGE", "USAGE_LOW", "USAGE_HIGH"),
    "usage_trend": _theme("USAGE_TREND", "USAGE_DROP", "USAGE_GROWTH"),
    "recency": _theme("ACTIVITY", "RECENT_ACTIVITY", "NO_RECENT_ACTIVITY"),
    "engagement": _theme("ENGAGEMENT", "ENGAGEMENT_LOW", "ENGAGEMENT_HIGH"),
    "breadth": _theme("BREADTH", "FEW_FEATURES_USED", "MANY_FEATURES_USED"),
    "seats": _theme("SEAT_USE", "LOW_SEAT_USE", "HIGH_SEAT_USE"),
    "value": _theme("PRICE_OF_USE", "LOW_PRICE_OF_USE", "HIGH_PRICE_OF_USE"),
    "support_load": _theme("SUPPORT_LOAD", "SUPPORT_SILENT", "SUPPORT_BUSY"),
    "support_open": _theme("SUPPORT_OPEN", "SUPPORT_RESOLVED", "SUPPORT_UNRESOLVED"),
    "support_quality": _theme("SUPPORT_QUALITY", "SUPPORT_GOOD", "SUPPORT_POOR"),
    "csat": _theme("CSAT", "CSAT_LOW", "CSAT_HIGH"),
    "nps": _theme("NPS", "NPS_DETRACTOR", "NPS_NO_DETRACTOR"),
    "contract": _theme("CONTRACT", "MRR_CUT", "MRR_GROWTH"),
    "renewal": _theme("RENEWAL", "RENEWAL_NEAR", "RENEWAL_FAR", context=True),
    "tenure": _theme("TENURE", "NEW_CUSTOMER", "LONG_CUSTOMER", context=True),
    "size": _theme("SIZE", "SMALL_CUSTOMER", "LARGE_CUSTOMER", context=True),
    "segment": _theme("SEGMENT", "SEGMENT", "SEGMENT", context=True),
    "plan": _theme("PLAN", "PLAN", "PLAN", context=True),
}
PRODUCT = _theme("FEATURE_USE", "FEATURE_LITTLE_USED", "FEATURE_MUCH_USED")
PIVOTS: Mapping[str, float] = {
    "usage_trend": 0,
    "mau_trend": 0,
    "features_trend": 0,
    "mrr_change_90d": 0,
    "days_since_active": 7,
    "tickets_open": 0.5,
    "nps_last": 6.5,
    "nps_mean_180d": 6.5,
    "days_to_renewal": 120,
    "tenure_days": 180,
}
CODES: frozenset[str] = frozenset(
    code for theme in (*THEMES.values(), PRODUCT) for code in (theme.low, theme.high, theme.missing, theme.neutral)
)


@dataclass(frozen=True, slots=True)
class Explainer:
    """Words for contributions. medians: of the rows the model learned from, by feature, NaN where never known."""

    encoding: Encoding
    medians: Mapping[str, float]
    limits: ReasonLimits

    def reasons(self, table: FactTable, matrix: Matrix, effects: Matrix) -> list[list[Reason]]:
        """Per customer of `table`: the strongest raising reasons, then the strongest lowering ones.

        matrix, effects  float32[n, f]: features, and what each adds in log-odds

        A reason is {code, text, feature, value, effect, direction, context}: effect is the theme's, in log-odds, value the
        named feature's (a number, a text, or None where missing), direction "raises" or "lowers".
        """
        features = self.encoding.features
        themes = list(dict.fromkeys(feature.theme for feature in features))
        members = [np.array([at for at, one in enumerate(features) if one.theme == theme]) for theme in themes]
        by_theme = np.column_stack([effects[:, at].sum(axis=1) for at in members])
        found: list[list[Reason]] = [[] for _ in range(len(table))]
        for sign, count in ((1, self.limits.raising), (-1, self.limits.lowering)):
            # a theme is spoken of by the feature that does most in its direction
            leads = np.column_stack([at[(sign * effects[:, at]).argmax(axis=1)] for at in members])
            strongest = np.argsort(-sign * by_theme, axis=1, kind="stable")[:, :count]
            rows, places = np.nonzero(
                np.take_along_axis(sign * by_theme, strongest, axis=1) >= self.limits.least_effect
            )
            chosen = strongest[rows, places]
            lead_of = leads[rows, chosen]
            columns = (rows, lead_of, matrix[rows, lead_of], by_theme[rows, chosen])
            for row, at, value, effect in zip(*(column.tolist() for column in columns), strict=True):
                found[row].append(self._reason(table, row, features[at], value, effect))
        return found

    def _reason(self, table: FactTable, row: int, lead: Feature, value: float, effect: float) -> Reason:
        theme = _theme_of(lead)
        shown: float | str | None = None
        context = theme.context
        if lead.theme in TEXTS:
            shown = table.texts[lead.theme][row]
            code, statement = theme.neutral, f"{_sentence(lead.theme)} is {shown or 'not known'}"
        elif np.isnan(value):
            # that something is not known says more about our sources than about the customer
            code, statement, context = theme.missing, f"{_sentence(lead.fact.meaning)}: not known", True
        else:
            shown = float(f"{value:.6g}")  # all the digits that a float32 has
            code, statement = self._code(lead, shown, effect > 0), self._statement(lead, shown, table, row)
        often = "more" if effect > 0 else "less"
        return {
            "code": code,
            "text": f"{statement}; customers like this leave {often} often{' (context)' if context else ''}.",
            "feature": lead.theme if lead.theme in TEXTS else lead.name,
            "value": shown,
            "effect": round(effect, 4),
            "direction": "raises" if effect > 0 else "lowers",
            "context": context,
        }

    def _code(self, lead: Feature, value: float, raises: bool) -> str:
        theme, pivot = _theme_of(lead), PIVOTS.get(lead.name, self.medians[lead.name])
        if np.isnan(pivot):
            return theme.neutral
        low = value < pivot
        if lead.sign and low == (raises is (lead.sign > 0)):
            return theme.neutral
        return theme.low if low else theme.high

    def _statement(self, lead: Feature, value: float, table: FactTable, row: int) -> str:
        day, meaning = _date(table.as_of), lead.fact.meaning
        if lead.pair:
            now, before = (float(table.numbers[name][row]) for name in lead.pair)
            verb = "fell" if value < 0 else "rose" if value > 0 else "moved"
            what = _sentence(meaning.split(" against ")[0].removesuffix(" of 28 days"))
            return f"{what} {verb} {abs(value):.0%} ({before:,.0f} to {now:,.0f}) in the 28 days to {day}"
        if lead.name == "days_to_renewal":
            due = table.as_of + timedelta(days=round(value))
            return f"The running subscription falls due in {value:.0f} days, on {_date(due)}"
        unit = "" if lead.fact.unit in meaning and lead.fact.unit != "ratio" else lead.fact.unit
        statement = f"{_sentence(meaning)}: {_shown(value, unit)} on {day}"
        median = self.medians[lead.name]
        return statement if np.isnan(median) else f"{statement}, where the median customer has {_shown(median, unit)}"


@lru_cache(maxsize=1024)
def _date(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _theme_of(feature: Feature) -> Theme:
    return PRODUCT if feature.theme.startswith(PRODUCT_USE) else THEMES[feature.theme]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _shown(value: float, unit: str) -> str:
    """The value as people write it: whole numbers without decimals, shares in per cent, the unit behind."""
    if unit == "ratio":
        return f"{value:.0%}"
    number = f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:,.1f}"
    return f"{number} {unit}" if unit and not unit[0].isdigit() else number


def medians(encoding: Encoding, matrix: Matrix) -> dict[str, float]:
    """The median of each feature over the rows where it is known; NaN where it never is."""
    result = {}
    for at, name in enumerate(encoding.names):
        column: Floats = matrix[:, at].astype(np.float64)
        known = column[~np.isnan(column)]
        result[name] = float(np.median(known)) if known.size else float("nan")
    return result
