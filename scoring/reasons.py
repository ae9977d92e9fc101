"""Why a customer's risk is above or below the book's: the model's own contributions, grouped, ranked and put into words.

The effects of a theme's features are added up; the strongest raising and lowering themes are shown. The sentence is about
the feature with the largest share in it: value, reference, direction and day, and never a cause. "Customers like this
leave more often" is all that a model of this kind knows.

A code says in a word what the value is, so that playbooks can test for it. It is chosen by the side of a pivot the value
lies on (the book's median, or a fixed one where a number means something by itself: a change of zero, an NPS of 6). Where
the value's side and the direction disagree (the book has an NPS of 9, the customer 8, and the risk is raised) the theme's
neutral code is given instead of one that would be untrue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        members = [[at for at, feature in enumerate(features) if feature.theme == theme] for theme in themes]
        by_theme = np.column_stack([effects[:, at].sum(axis=1) for at in members])
        raising = _strongest(by_theme, self.limits.raising)
        lowering = _strongest(-by_theme, self.limits.lowering)
        result = []
        for row in range(len(table)):
            chosen = [theme for theme in raising[row] if by_theme[row, theme] >= self.limits.least_effect]
            chosen += [theme for theme in lowering[row] if -by_theme[row, theme] >= self.limits.least_effect]
            result.append(
                [
                    self._reason(table, row, features, members[theme], matrix[row], effects[row], by_theme[row, theme])
                    for theme in chosen
                ]
            )
        return result

    def _reason(
        self,
        table: FactTable,
        row: int,
        features: Sequence[Feature],
        members: Sequence[int],
        values: Any,
        effects: Any,
        effect: Any,
    ) -> Reason:
        at = max(members, key=effects.__getitem__) if effect > 0 else min(members, key=effects.__getitem__)
        lead, raises = features[at], bool(effect > 0)
        if lead.theme in TEXTS:
            text = table.texts[lead.theme][row]
            return _wording(
                lead,
                raises,
                effect,
                text,
                f"{lead.theme.capitalize()} is {text or 'not known'}",
                _theme_of(lead).neutral,
            )
        value = float(f"{values[at]:.6g}")  # all the digits that a float32 has
        if np.isnan(value):
            statement = f"{_sentence(lead.fact.meaning)}: not known"
            return _wording(lead, raises, effect, None, statement, _theme_of(lead).missing)
        return _wording(
            lead, raises, effect, value, self._statement(lead, value, table, row), self._code(lead, value, raises)
        )

    def _code(self, lead: Feature, value: float, raises: bool) -> str:
        theme, pivot = _theme_of(lead), PIVOTS.get(lead.name, self.medians[lead.name])
        if np.isnan(pivot):
            return theme.neutral
        low = value < pivot
        if lead.sign and low == (raises is (lead.sign > 0)):
            return theme.neutral
        return theme.low if low else theme.high

    def _statement(self, lead: Feature, value: float, table: FactTable, row: int) -> str:
        day = f"{table.as_of:%-d %b %Y}"
        if lead.pair:
            now, before = (float(table.numbers[name][row]) for name in lead.pair)
            verb = "fell" if value < 0 else "rose" if value > 0 else "moved"
            what = lead.fact.meaning.split(" against ")[0].removesuffix(" of 28 days")
            return f"{_sentence(what)} {verb} {abs(value):.0%} ({before:,.0f} to {now:,.0f}) in the 28 days to {day}"
        statement = f"{_sentence(lead.fact.meaning)}: {_shown(value, lead.fact.unit)} on {day}"
        median = self.medians[lead.name]
        return (
            statement if np.isnan(median) else f"{statement}, the median customer has {_shown(median, lead.fact.unit)}"
        )


def _theme_of(feature: Feature) -> Theme:
    return PRODUCT if feature.theme.startswith(PRODUCT_USE) else THEMES[feature.theme]


def _strongest(effects: Matrix, count: int) -> Any:
    """[n, count]: places of the largest effects of each row, the largest first; the earlier theme where they are equal."""
    return np.argsort(-effects, axis=1, kind="stable")[:, :count]


def _wording(lead: Feature, raises: bool, effect: Any, value: float | str | None, statement: str, code: str) -> Reason:
    context = _theme_of(lead).context
    often = "more" if raises else "less"
    return {
        "code": code,
        "text": f"{statement}; customers like this leave {often} often{' (context)' if context else ''}.",
        "feature": lead.theme if lead.theme in TEXTS else lead.name,
        "value": value,
        "effect": round(float(effect), 4),
        "direction": "raises" if raises else "lowers",
        "context": context,
    }


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
