"""Everything customers can be chosen by, shown as a column and ordered by: the facts of the catalogue, and what is no fact.

Facts come with the API's own answer (`settings { facts }`), so that a new one is here by itself. Of the rest the API tells
no list; OTHERS is it, and a test holds it against the API's filter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.web.dashboard.page import Data

BANDS = ("CRITICAL", "WARNING", "STABLE", "HEALTHY")
RISKS = ("HIGH", "MEDIUM", "LOW", "MINIMAL", "NOTICED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One of them.

    key      as filters and `Facts` of the API have it
    name     as saved conditions and exports have it
    kind     number, text, date or choice
    unit     of a number; those in SCALED are written a hundred times as large
    group    where it stands in lists
    choices  the values there are; of a choice the API knows them as an enum, of a text as words
    path     where a row of the answer has it; None: it can't be a column
    by       the API's name of grouping by it, which tells the values there are
    """

    key: str
    name: str
    title: str
    kind: str
    group: str
    unit: str | None = None
    meaning: str = ""
    choices: Sequence[str] = ()
    path: Sequence[str] | None = None
    by: str | None = None

    @property
    def order(self) -> str:
        """The API's name of ordering by it."""
        return self.name.upper()

    @property
    def scale(self) -> int:
        return 100 if self.unit in SCALED else 1

    @property
    def shown_unit(self) -> str:
        """Behind a number that people type."""
        return {"ratio": "%", "0-1": "of 100", "share": "%", "0-10": "of 10"}.get(self.unit or "", self.unit or "")


SCALED = ("ratio", "0-1", "share")


def _of(key: str, name: str, title: str, kind: str, group: str, path: str | None = None, **more: Any) -> Field:
    return Field(
        key=key, name=name, title=title, kind=kind, group=group, path=path.split(".") if path else None, **more
    )


def _lifecycle(key: str, name: str, title: str, kind: str, **more: Any) -> Field:
    return _of(key, name, title, kind, "Lifecycle", f"lifecycle.{key}", **more)


OTHERS: Sequence[Field] = (
    _of("health", "health", "Health", "number", "Score", "health.score", unit="0-1"),
    _of("band", "band", "Band", "choice", "Score", "health.band", choices=BANDS),
    _of("healthChange30d", "health_change_30d", "Change, 30 days", "number", "Score", "health.change30d", unit="0-1"),
    _of("previousBand", "previous_band", "Band before", "choice", "Score", "health.previousBand", choices=BANDS),
    _of("coverage", "coverage", "Coverage", "number", "Score", "health.coverage", unit="share"),
    _of("churnRisk", "churn_risk", "Churn risk", "number", "Score", "churnRisk.probability", unit="share"),
    _of(
        "churnAnnualised",
        "churn_annualised",
        "Churn risk a year",
        "number",
        "Score",
        "churnRisk.annualised",
        unit="share",
    ),
    _of("churnBand", "churn_band", "Band of churn risk", "choice", "Score", "churnRisk.band", choices=RISKS),
    _of("name", "name", "Name", "text", "Customer", "name"),
    _of("domain", "domain", "Web domain", "text", "Customer", "domain"),
    _of("industry", "industry", "Industry", "text", "Customer", "industry", by="INDUSTRY"),
    _of("country", "country", "Country", "text", "Customer", "country", by="COUNTRY"),
    _of("employees", "employees", "Employees", "number", "Customer", "employees", unit="people"),
    _of("csmName", "csm_name", "Name of the CSM", "text", "Customer", "csm.name"),
    _of("becameCustomerOn", "became_customer_on", "Customer since", "date", "Customer", "becameCustomerOn"),
    _of("createdAt", "created_at", "Known since", "date", "Customer", "createdAt"),
    _lifecycle(
        "renewalStatus",
        "renewal_status",
        "Renewal",
        "text",
        choices=("upcoming", "due", "overdue", "renewed", "churned"),
    ),
    _lifecycle("renewalDays", "renewal_days", "Days to the renewal", "number", unit="days"),
    _of("renewalOn", "renewal_on", "Renewal on", "date", "Lifecycle"),
    _lifecycle("renewalAuto", "renewal_auto", "Renews by itself", "text", choices=("yes", "no")),
    _lifecycle("renewalAmount", "renewal_amount", "Renewal, a year", "number", unit="a year"),
    _of("renewalExpected", "renewal_expected", "Renewal, expected", "number", "Lifecycle", unit="a year"),
    _lifecycle("watchLevel", "watch_level", "Health watch", "text", choices=("clear", "warning", "critical")),
    _lifecycle("watchDays", "watch_days", "Days on watch", "number", unit="days"),
    _lifecycle("churnLevel", "churn_level", "Churn watch", "text", choices=("clear", "medium", "high")),
    _lifecycle("churnDays", "churn_days", "Days on churn watch", "number", unit="days"),
    _lifecycle(
        "onboardingState",
        "onboarding_state",
        "Onboarding",
        "text",
        choices=("active", "completed", "failed", "cancelled"),
    ),
    _lifecycle(
        "onboardingPace", "onboarding_pace", "Pace of onboarding", "text", choices=("on_track", "behind", "stalled")
    ),
    _lifecycle("onboardingStep", "onboarding_step", "Step of onboarding", "text", by="ONBOARDING_STEP"),
    _lifecycle("onboardingProgress", "onboarding_progress", "Onboarding done", "number", unit="share"),
    _lifecycle("onboardingDays", "onboarding_days", "Days of onboarding", "number", unit="days"),
    _lifecycle("onboardingStepDays", "onboarding_step_days", "Days at this step", "number", unit="days"),
    _lifecycle("expansionKind", "expansion_kind", "Has outgrown", "text", choices=("plan_upgrade", "add_on", "seats")),
    _lifecycle("expansionValue", "expansion_value", "Expansion, expected", "number", unit="a year"),
    _lifecycle("advocacy", "advocacy", "Would recommend us", "text", choices=("promoter", "passive", "detractor")),
    _lifecycle("advocacyScore", "advocacy_score", "Recommends", "number", unit="0-10"),
    _lifecycle("surveyAskedDays", "survey_asked_days", "Days since asked", "number", unit="days"),
)
TITLES: Mapping[str, str] = {
    "csmEmail": "CSM",
    "mrr": "Revenue",
    "mrrChange90d": "Revenue, change in 90 days",
    "dau": "Users a day",
    "wau": "Weekly active users",
    "mau": "Monthly active users",
    "mauPrevious": "Monthly active users before",
    "meanDau28d": "Users a day, mean",
    "npsLast": "Newest NPS",
    "npsMean180d": "NPS, mean",
    "csat90d": "CSAT",
    "daysToRenewal": "Renews in",
    "sentiment": "Sentiment",
}
"""Facts whose name is no title."""
GROUPS: Mapping[str, str] = {
    "billing": "Contract",
    "usage": "Use",
    "support": "Support",
    "feedback": "Surveys",
    "profile": "Customer",
    "judgement": "Judgement",
}
_BY: Mapping[str, str] = {"segment": "SEGMENT", "plan": "PLAN", "csmEmail": "CSM"}
DEFAULT = ("band", "healthChange30d", "churnRisk", "mrr", "daysToRenewal", "csmEmail", "segment")
"""Columns beside the name, where none are chosen."""
MOST_COLUMNS = 20


def every(facts: Iterable[Data]) -> dict[str, Field]:
    """All there are, by key. facts: `settings { facts { name field kind unit meaning group } }`."""
    of_facts = [
        Field(
            key=each["field"],
            name=each["name"],
            title=TITLES.get(each["field"]) or _title(each["name"]).replace("Csat", "CSAT").replace("Nps", "NPS"),
            kind=each["kind"],
            unit=each["unit"],
            meaning=each["meaning"],
            group=GROUPS.get(each["group"], each["group"].capitalize()),
            path=("facts", each["field"]),
            by=_BY.get(each["field"]),
        )
        for each in facts
    ]
    return {each.key: each for each in [*OTHERS, *of_facts]}


def _title(name: str) -> str:
    """usage_trend as Usage trend; tickets_90d as Tickets, 90 days."""
    words, _, last = name.rpartition("_")
    if last.endswith("d") and last[:-1].isdecimal():
        return f"{words.replace('_', ' ').capitalize()}, {last[:-1]} days"
    return name.replace("_", " ").capitalize()


def value(row: Data, field: Field) -> Any:
    """What a row has of it; None where it has none."""
    at: Any = row
    for part in field.path or ():
        if at is None:
            return None
        at = at.get(part)
    return at
