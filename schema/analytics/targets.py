"""Targets: figures held against what config says they should be."""

from datetime import date
from enum import StrEnum
from typing import Any

import strawberry

from hub.analytics.shares import MOST_ROWS
from schema.analytics.types import MetricComponent, MetricRow, checked
from schema.errors import BadInputError
from schema.fields import DEFAULT_FIRST, computed
from schema.loaders import ApiInfo
from schema.permissions import root


@strawberry.enum(description="NOT_KNOWN is neither met nor missed; `why` says why.")
class KpiStatus(StrEnum):
    MET = "met"
    MISSED = "missed"
    NOT_KNOWN = "not known"


@strawberry.enum(description="Beside as many days before, by whether higher is better.")
class KpiTrend(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    SAME = "the same"
    NOT_KNOWN = "not known"


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found, name), description=description)


def _value(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found.value, name), description=description)


def _defined(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found.definition, name), description=description)


def _rows(root: strawberry.Parent[Any], first: int = DEFAULT_FIRST, skip: int = 0) -> list[MetricRow]:
    if skip < 0:
        raise BadInputError(f"skip must be 0 or more, not {skip}")
    found: Any = root.value.rows(checked(first), skip=skip)
    return found  # type: ignore[no-any-return]  # rows, read by their attributes


@strawberry.type(description="How a target stands; one each where its metric has several currencies or scales.")
class KpiTarget:
    name: str = _of("name", "As lifecycle.yaml names it.")
    title: str = _of("title")
    metric: str = _defined("name", "Of `metricDefinitions`.")
    basis: str = _defined("basis")
    version: int = _defined("version", "Of the definition.")
    formula: str = _defined("formula", "In words.")
    unit: str = _defined("unit")
    above: float | None = computed(lambda found: found.target.above, description="The value must be above it.")
    below: float | None = computed(lambda found: found.target.below, description="The value must be below it.")
    goal: str = _of("goal", "What it must be, as people read it.")
    actual: str | None = _of("actual", "What it is, as people read it.")
    status: KpiStatus = computed(lambda found: KpiStatus(found.status.value))
    why: str | None = _of("why", "Why the status is not known.")
    trend: KpiTrend = computed(lambda found: KpiTrend(found.trend.value))
    value: float | None = _value("value")
    n: int = _value("n", "How many rows it is made of.")
    currency: str | None = _value("currency")
    scale: str | None = _value("scale")
    components: list[MetricComponent] = computed(lambda found: list(found.value.components.items()))
    coverage: float | None = _of("coverage", "Of health: how much of the data it could stand on is there, 0 to 1.")
    first_day: date = computed(lambda found: found.value.period.first)
    last_day: date = computed(lambda found: found.value.period.last)
    as_of: date = _of("as_of")
    rows: list[MetricRow] = strawberry.field(
        resolver=_rows,
        description=f"1 to {MOST_ROWS} of the customers, deals or answers it is made of, after the skipped ones; those that "
        "cost it most come first.",
    )
    before: float | None = computed(
        lambda found: None if found.before is None else found.before.value, description="Of as many days before."
    )


@strawberry.type
class TargetQueries:
    @root(whole=True, description="The targets of the configuration, as they stand.")
    async def kpi_targets(self, info: ApiInfo) -> list[KpiTarget]:
        found: Any = list(await info.context.actions.targets(now=info.context.now))
        return found  # type: ignore[no-any-return]  # standings, read by their attributes
