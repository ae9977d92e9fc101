"""Which records are behind which fact: kinds of records, and the days they lie in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from hub.store.facts.window import Window

Kind = Literal[
    "activity",
    "feature",
    "ticket",
    "solved_ticket",
    "open_ticket",
    "csat",
    "nps",
    "survey",
    "subscription",
    "term",
    "failed_invoice",
    "overdue_invoice",
    "company",
    "champion",
    "lost_champion",
    "executive",
    "executive_answer",
    "executive_ticket",
    "sentiment",
]


@dataclass(frozen=True, slots=True)
class Span:
    """Records of a kind in the `days` that end `skip` days before the day; None: however old."""

    kind: Kind
    days: int | None = None
    skip: int = 0

    def window(self, as_of: date, customer_ids: Sequence[str]) -> Window:
        return Window(as_of - timedelta(days=self.skip), customer_ids)


def _activity(days: int | None, skip: int = 0) -> tuple[Span, ...]:
    return (Span("activity", days, skip),)


_RUNNING = (Span("subscription"),)
_TERMS = (Span("term"),)

_SENTIMENT = (Span("sentiment"),)

BEHIND: Mapping[str, tuple[Span, ...]] = {
    "segment": (Span("company"),),
    "csm_email": (Span("company"),),
    "plan": _RUNNING,
    "tenure_days": _TERMS,
    "mrr": _RUNNING,
    "mrr_change_90d": (Span("subscription"), Span("subscription", skip=90)),
    "seats_purchased": _RUNNING,
    "seat_utilisation": (*_activity(28), *_RUNNING),
    "days_to_renewal": _RUNNING,
    "renewals": _TERMS,
    "dau": _activity(1),
    "wau": _activity(7),
    "mau": _activity(28),
    "mau_previous": _activity(28, skip=28),
    "mean_dau_28d": _activity(28),
    "events_28d": _activity(28),
    "events_previous_28d": _activity(28, skip=28),
    "usage_trend": (*_activity(28), *_activity(28, skip=28)),
    "events_84d": _activity(84),
    "active_days_28d": _activity(28),
    "days_since_active": _activity(None),
    "sessions_28d": _activity(28),
    "logins_per_user_week": _activity(28),
    "minutes_per_session": _activity(28),
    "stickiness": _activity(28),
    "events_per_user_28d": _activity(28),
    "events_per_user_previous_28d": _activity(28, skip=28),
    "depth_trend": (*_activity(28), *_activity(28, skip=28)),
    "features_used_28d": (Span("feature", 28),),
    "features_used_previous_28d": (Span("feature", 28, 28),),
    "feature_adoption": (Span("feature", 28),),
    "tickets_28d": (Span("ticket", 28),),
    "tickets_90d": (Span("ticket", 90),),
    "tickets_open": (Span("open_ticket"),),
    "urgent_tickets_90d": (Span("ticket", 90),),
    "severe_share_90d": (Span("ticket", 90),),
    "first_response_minutes_90d": (Span("ticket", 90),),
    "resolution_hours_90d": (Span("solved_ticket", 90),),
    "reopens_90d": (Span("ticket", 90),),
    "tickets_solved_90d": (Span("solved_ticket", 90),),
    "reopen_rate_90d": (Span("solved_ticket", 90),),
    "csat_90d": (Span("csat", 90),),
    "csat_answers_90d": (Span("csat", 90),),
    "nps_last": (Span("nps"),),
    "nps_mean_180d": (Span("nps", 180),),
    "nps_age_days": (Span("nps"),),
    "nps_answers_180d": (Span("nps", 180),),
    "survey_answers_90d": (Span("survey", 90),),
    "survey_silence_days": (Span("survey"),),
    "payment_failures_90d": (Span("failed_invoice", 90),),
    "days_past_due": (Span("overdue_invoice"),),
    "champions": (Span("champion"),),
    "champions_lost_90d": (Span("lost_champion", 90),),
    "executives": (Span("executive"),),
    "executive_silence_days": (Span("executive"), Span("executive_answer"), Span("executive_ticket")),
    "sentiment": _SENTIMENT,
    "sentiment_age_days": _SENTIMENT,
}
"""The records of each fact. How old the data of a group is, is told by syncs and by no record."""
