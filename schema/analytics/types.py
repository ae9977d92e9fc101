"""A figure as the API shows it: its value, the definition it was computed by, and the rows it is made of."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import strawberry

from hub.analytics import Agreement, Request, Value, agree, measure
from hub.analytics.shares import MOST_ROWS
from hub.store import Store
from schema.errors import BadInputError
from schema.fields import DEFAULT_FIRST, computed
from schema.nodes import global_id
from schema.selection import MOST_ROWS as MOST_ROWS_OF_A_QUERY


@strawberry.enum(description="What customers are grouped by. Segment and CSM are today's.")
class AnalyticsGroup(StrEnum):
    SEGMENT = "segment"
    CSM = "csm"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Shown:
    """A value, and how many there are beside it: each may be asked for its rows."""

    value: Value
    among: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the fields of `Analytics` answer; each computes only when it is asked for."""

    store: Store
    request: Request
    now: datetime


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found, name), description=description)


def _value(name: str, description: str | None = None) -> Any:
    return computed(lambda shown: getattr(shown.value, name), description=description)


def _defined(name: str, description: str | None = None) -> Any:
    return computed(lambda shown: getattr(shown.value.definition, name), description=description)


def checked(first: int) -> int:
    if not 1 <= first <= MOST_ROWS:
        raise BadInputError(f"first must be 1 to {MOST_ROWS}, not {first}")
    return first


@strawberry.type(description="A part of a formula, or a count worth knowing beside it.")
class MetricComponent:
    name: str = computed(lambda pair: pair[0])
    amount: float = computed(lambda pair: pair[1])


@strawberry.type(description="One row of a drill-down: a customer, a deal or an answer, and what it brings.")
class MetricRow:
    id: str = _of("id", "Of the customer, deal or answer in the store.")
    customer_id: strawberry.ID = computed(lambda row: global_id("customer", row.customer_id))
    customer_name: str = _of("customer_name")
    numerator: float = _of("numerator")
    denominator: float = _of("denominator")
    note: str = _of("note", "What happened, in a word or two.")


def _rows(root: strawberry.Parent[Any], first: int = DEFAULT_FIRST, skip: int = 0) -> list[MetricRow]:
    shown: Shown = root
    if skip < 0:
        raise BadInputError(f"skip must be 0 or more, not {skip}")
    if checked(first) * shown.among > MOST_ROWS_OF_A_QUERY:
        raise BadInputError(
            f"the query asks for up to {first * shown.among:,} rows; the limit is {MOST_ROWS_OF_A_QUERY:,}: "
            "lower first, or ask for fewer metrics or months"
        )
    found: Any = shown.value.rows(first, skip=skip)
    return found  # type: ignore[no-any-return]  # rows, read by their attributes


@strawberry.type(
    description="A value with the definition it was computed by. Two compare only if all of it is the same."
)
class MetricValue:
    metric: str = _defined("name")
    version: int = _defined("version", "Of the definition.")
    basis: str = _defined("basis", "cohort, renewals_due, closing, answers, grace, starters, scored or onboardings.")
    title: str = _defined("title")
    formula: str = _defined("formula", "In words.")
    unit: str = _defined(
        "unit", "share (0 to 1 where nothing grows), score (0 to 1), money, points, customers or days."
    )
    drill_down: str = _defined("drill_down", "How `value` is made of all `rows`.")
    higher_is_better: bool | None = _defined("higher_is_better")
    given: str | None = _value("given", "What the request settled that the definition leaves open.")
    first_day: date = computed(lambda shown: shown.value.period.first)
    last_day: date = computed(lambda shown: shown.value.period.last)
    group: str | None = _value("group", "Null: everybody.")
    currency: str | None = _value("currency", "Amounts of several currencies are never added up.")
    scale: str | None = _value("scale", "Lowest-highest. Answers on several scales are never mixed.")
    value: float | None = _value("value", "Null where it cannot be told; `reason` says why.")
    reason: str | None = _value("reason")
    n: int = _value("n", "How many rows it is made of.")
    components: list[MetricComponent] = computed(lambda shown: list(shown.value.components.items()))

    rows: list[MetricRow] = strawberry.field(
        resolver=_rows,
        description=f"1 to {MOST_ROWS} of its rows after the skipped ones; those that cost it most come first.",
    )


@strawberry.type(description="A customer that one way of counting churn counts oftener than the other.")
class ChurnDifference:
    customer_id: strawberry.ID = computed(lambda found: global_id("customer", found.customer_id))
    customer_name: str = _of("customer_name")
    case: str = _of("case", "grace_running, back_in_grace, back_later, began_inside or left_again.")
    why: str = _of("why")
    surplus: int = _of("surplus", "Churn events less what the cohort counts.")


def _differences(root: strawberry.Parent[Any], first: int = DEFAULT_FIRST) -> list[ChurnDifference]:
    agreement: Agreement = root
    found: Any = list(agreement.differences[: checked(first)])
    return found  # type: ignore[no-any-return]  # differences, read by their attributes


@strawberry.type(description="Churned customers by balances and by events: cohort + all surplus = events.")
class ChurnAgreement:
    first_day: date = computed(lambda found: found.period.first)
    last_day: date = computed(lambda found: found.period.last)
    grace_days: int = _of("grace_days")
    cohort: int = _of("cohort")
    events: int = _of("events")
    total_differences: int = computed(lambda found: len(found.differences))

    differences: list[ChurnDifference] = strawberry.field(
        resolver=_differences, description=f"The first of them, 1 to {MOST_ROWS}, in order of customer."
    )


@strawberry.type(description="A metric there is, as it is defined now.")
class MetricDefinition:
    name: str = _of("name")
    version: int = _of("version")
    basis: str = _of("basis")
    title: str = _of("title")
    formula: str = _of("formula")
    unit: str = _of("unit")
    drill_down: str = _of("drill_down")
    higher_is_better: bool | None = _of("higher_is_better")


async def _values(root: strawberry.Parent[Any]) -> list[MetricValue]:
    report = await measure(root.store, root.request, now=root.now)
    found: Any = [Shown(value, len(report.values)) for value in report.values]
    return found  # type: ignore[no-any-return]  # values, read by their attributes


async def _agreements(root: strawberry.Parent[Any]) -> list[ChurnAgreement]:
    found: Any = list(await agree(root.store, root.request, now=root.now))
    return found  # type: ignore[no-any-return]  # agreements, read by their attributes


@strawberry.type(description="Figures of some months.")
class Analytics:
    first_day: date = computed(lambda found: found.request.first.first)
    last_day: date = computed(lambda found: min(found.request.last.last, found.now.date()))

    values: list[MetricValue] = strawberry.field(
        resolver=_values, description="The figures, in order of period, metric, currency or scale, and group."
    )
    churn_agreement: list[ChurnAgreement] = strawberry.field(
        resolver=_agreements,
        description="Churn by balances against churn by events, period by period, and where they differ.",
    )
