"""What reasons are spoken of by: themes that gather features of one kind, and the code that says in a word what the value is.

A code is chosen by the side of a pivot the value lies on (the book's median, or a fixed one where a number means something
by itself: a change of zero, an NPS of 6), so that playbooks can test for it. Where the value's side and the direction
disagree (the book has an NPS of 9, the customer 8, and the risk is raised) the theme's neutral code is given instead of one
that would be untrue.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.features import PRODUCT_USE, Feature


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
    "survey": _theme("SURVEYS", "SURVEYS_ANSWERED", "SURVEYS_SILENT"),
    "payment": _theme("PAYMENT", "PAYMENTS_FINE", "PAYMENT_FAILED"),
    "champion": _theme("CHAMPION", "CHAMPION_STAYED", "CHAMPION_LEFT"),
    "sentiment": _theme("SENTIMENT", "SENTIMENT_LOW", "SENTIMENT_HIGH"),
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
    "working_days_unused": 5,
    "tickets_open": 0.5,
    "nps_last": 6.5,
    "nps_mean_180d": 6.5,
    "payment_failures_90d": 0.5,
    "days_past_due": 0.5,
    "champions_lost_90d": 0.5,
    "sentiment": 0.5,
    "days_to_renewal": 120,
    "tenure_days": 180,
}
CODES: frozenset[str] = frozenset(
    code for theme in (*THEMES.values(), PRODUCT) for code in (theme.low, theme.high, theme.missing, theme.neutral)
)


def theme_of(feature: Feature) -> Theme:
    return PRODUCT if feature.theme.startswith(PRODUCT_USE) else THEMES[feature.theme]


def pivot_of(feature: Feature, *, median: float) -> float:
    """The value that parts low from high; NaN where there is none."""
    return PIVOTS.get(feature.name, median)


def code_of(theme: Theme, value: float, *, pivot: float, sign: int, raises: bool) -> str:
    """The code of a value that is known. sign: the feature's; raises: whether it raises the risk here."""
    if pivot != pivot:
        return theme.neutral
    low = value < pivot
    if sign and low == (raises is (sign > 0)):
        return theme.neutral
    return theme.low if low else theme.high
