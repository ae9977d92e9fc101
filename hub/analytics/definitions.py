"""Every figure by name: what it is called, the version and basis of its definition, and its formula in words.

A definition whose arithmetic changes gets the next version, so that two values with the same name, version and basis
can be compared. Bases:

    cohort        who pays on the day before the period, at its end: new customers and those who return are on neither side
    renewals_due  the renewal deals that close in the period; the same initials, another number
    closing       the last day of the period
    answers       answers given in the period, the newest of each contact
    grace         churn as events: a customer gone for longer than a grace, on the first day nothing is paid
    starters      customers whose first paid term began in the period
    scored        who has a score on the last day of the period, or on one shortly before it
    onboardings   onboardings: those that ended in the period, or for what takes time those that began in it
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.errors import NotFoundError


class Aggregation(StrEnum):
    """How a headline is made of its rows."""

    RATIO = "ratio"
    SUM = "sum"
    MEDIAN = "kaplan_meier_median"


IN_WORDS: Mapping[Aggregation, str] = {
    Aggregation.RATIO: "sum of the rows' numerators / sum of their denominators",
    Aggregation.SUM: "sum of the rows' numerators",
    Aggregation.MEDIAN: "Kaplan-Meier median of the rows' numerators (days); denominator 1: reached, 0: not yet (censored)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a figure is.

    unit      share (0-1 where nothing grows), score (0-1), money, points, customers or days
    needs     which records it is computed of: terms, renewals, answers, starts, events, onboardings, scorecards
    survey    type of the answers
    """

    name: str
    title: str
    basis: str
    formula: str
    unit: str
    needs: str
    version: int = 1
    aggregation: Aggregation = Aggregation.RATIO
    higher_is_better: bool | None = True
    survey: str | None = None
    per_currency: bool = False

    @property
    def drill_down(self) -> str:
        return IN_WORDS[self.aggregation]


def _money(name: str, title: str, formula: str, *, better: bool | None = True) -> Definition:
    return Definition(
        name=name,
        title=title,
        basis="cohort",
        formula=f"{formula}; per currency",
        unit="share",
        needs="terms",
        higher_is_better=better,
        per_currency=True,
    )


def _count(name: str, title: str, formula: str, *, better: bool, per_currency: bool = False) -> Definition:
    return Definition(
        name=name,
        title=title,
        basis="cohort",
        formula=formula,
        unit="customers",
        needs="terms",
        aggregation=Aggregation.SUM,
        higher_is_better=better,
        per_currency=per_currency,
    )


def _closing(name: str, title: str, formula: str, aggregation: Aggregation = Aggregation.SUM) -> Definition:
    return Definition(
        name=name,
        title=title,
        basis="closing",
        formula=f"{formula}; per currency",
        unit="money",
        needs="terms",
        aggregation=aggregation,
        per_currency=True,
    )


def _renewal(name: str, title: str, formula: str) -> Definition:
    return Definition(
        name=name,
        title=title,
        basis="renewals_due",
        formula=f"{formula}, over renewal deals that close in the period; per currency",
        unit="share",
        needs="renewals",
        per_currency=True,
    )


def _survey(name: str, title: str, formula: str, *, survey: str, unit: str) -> Definition:
    formula = f"{formula}; the newest answer of each contact in the period, per scale"
    return Definition(
        name=name, title=title, basis="answers", formula=formula, unit=unit, needs="answers", survey=survey
    )


DEFINITIONS: tuple[Definition, ...] = (
    _money("nrr", "Net revenue retention", "ARR at the end / ARR at the start, of the customers of the start"),
    _money(
        "grr",
        "Gross revenue retention",
        "sum of each customer's smaller of ARR at the end and ARR at the start / ARR at the start",
    ),
    _renewal("nrr", "Net renewal rate", "sum of final amounts (0 where not won) / sum of target amounts"),
    _renewal(
        "grr",
        "Gross renewal rate",
        "sum of each deal's smaller of final and target amount (0 where not won) / sum of target amounts",
    ),
    Definition(
        name="logo_retention",
        title="Logo retention",
        basis="cohort",
        formula="customers of the start who pay at the end, in any currency / customers of the start",
        unit="share",
        needs="terms",
    ),
    Definition(
        name="logo_churn",
        title="Logo churn",
        basis="cohort",
        formula="customers of the start who pay nothing at the end / customers of the start",
        unit="share",
        needs="terms",
        higher_is_better=False,
    ),
    _money(
        "mrr_churn",
        "MRR churn",
        "MRR at the start of those who pay nothing at the end / MRR at the start",
        better=False,
    ),
    _money("gross_mrr_churn", "Gross MRR churn", "(churned + contracted MRR) / MRR at the start", better=False),
    _money("net_mrr_churn", "Net MRR churn", "(churned + contracted - expanded MRR) / MRR at the start", better=False),
    _count("churned_customers", "Churned", "customers of the start who pay nothing at the end", better=False),
    Definition(
        name="churn_events",
        title="Churn events",
        basis="grace",
        formula="times a customer's last paid term ended in the period and none began again within the grace",
        unit="customers",
        needs="events",
        aggregation=Aggregation.SUM,
        higher_is_better=False,
    ),
    _count(
        "contracted_customers",
        "Contracted",
        "customers of the start who pay less at the end, but something; per currency",
        better=False,
        per_currency=True,
    ),
    _count(
        "expanded_customers",
        "Expanded",
        "customers of the start who pay more at the end; per currency",
        better=True,
        per_currency=True,
    ),
    _count(
        "new_customers",
        "New",
        "customers who pay at the end, not at the start, and never before the period",
        better=True,
    ),
    _count(
        "reactivated_customers",
        "Reactivated",
        "customers who pay at the end, not at the start, but had before; counted as neither new nor retained",
        better=True,
    ),
    _closing("mrr", "MRR", "recurring revenue a month of the terms that run on the last day, trials excluded"),
    _closing("arr", "ARR", "12 x MRR"),
    _closing("arpa", "ARPA", "MRR / paying customers", Aggregation.RATIO),
    _closing(
        "ltv",
        "Lifetime value",
        "ARPA / mean logo churn of the six months before the last one, of customers who pay in the currency; no margin applied",
        Aggregation.RATIO,
    ),
    _closing(
        "margin_ltv",
        "Lifetime value, gross margin",
        "ARPA x gross margin / mean logo churn of the six months before the last one, of customers who pay in the currency",
        Aggregation.RATIO,
    ),
    _survey(
        "nps", "NPS", "100 x (promoters 9-10 less detractors 0-6) / answers, on 0-10 alone", survey="nps", unit="points"
    ),
    _survey(
        "csat",
        "CSAT",
        "method top-two-box: answers on the two best places / answers (the best place, where there are fewer than four)",
        survey="csat",
        unit="share",
    ),
    _survey(
        "csat_mean",
        "CSAT mean",
        "method mean: sum of scores / answers, in places of the scale",
        survey="csat",
        unit="points",
    ),
    _survey(
        "ces",
        "CES",
        "method agree: answers above the middle of the scale / answers; the top of the scale is the least effort",
        survey="ces",
        unit="share",
    ),
    _survey(
        "ces_mean",
        "CES mean",
        "method mean: sum of scores / answers, in places of the scale; the top is the least effort",
        survey="ces",
        unit="points",
    ),
    Definition(
        name="time_to_value",
        title="Time to value",
        basis="starters",
        formula="median days from the first paid day to the first day of value, by Kaplan-Meier: "
        "who has not got there counts for as long as observed (until today or the end of the contract)",
        unit="days",
        needs="starts",
        aggregation=Aggregation.MEDIAN,
        higher_is_better=False,
    ),
    Definition(
        name="mean_health",
        title="Mean health",
        basis="scored",
        formula="mean of the health in force, overrides included, of customers who have a score; 0 worst, 1 best",
        unit="score",
        needs="scorecards",
    ),
    Definition(
        name="onboarding_completion",
        title="Onboardings completed",
        basis="onboardings",
        formula="completed / (completed + failed + customer left) of the onboardings that ended in the period; "
        "called off by a person is left out",
        unit="share",
        needs="onboardings",
    ),
    Definition(
        name="onboarding_time_to_value",
        title="Onboarding, time to value",
        basis="onboardings",
        formula="median days from the start of an onboarding in the period to the step that stands for value, by "
        "Kaplan-Meier: one that is not there yet counts for as long as it was watched (until now, or it ended)",
        unit="days",
        needs="onboardings",
        aggregation=Aggregation.MEDIAN,
        higher_is_better=False,
    ),
)
NAMES: tuple[str, ...] = tuple(dict.fromkeys(definition.name for definition in DEFINITIONS))


def choose(names: tuple[str, ...]) -> tuple[Definition, ...]:
    """The definitions of these names, on every basis; of all where no name is given. NotFoundError lists the names."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise NotFoundError(f"no metric {unknown[0][:60]!r}; there are {', '.join(NAMES)}")
    return tuple(definition for definition in DEFINITIONS if not names or definition.name in names)
