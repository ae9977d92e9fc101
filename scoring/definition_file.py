"""The shape of `config/health.yaml` and of `config/health/*.yaml`: which keys there are and what values they take.

What they mean: scoring.definition, and scoring.book_file for how the files stand to each other.
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    Tag,
    model_validator,
)

from scoring.curves import ByTenure, Curve, Percentile, Points, Thresholds
from scoring.measure import Missing

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1)]
Pair = tuple[Annotated[float, Field(allow_inf_nan=False)], Share]


class Rollup(StrEnum):
    """How a parent customer's health is made of its children's: weighed by their value, the plain mean, the worst one."""

    VALUE = "value"
    MEAN = "mean"
    WORST = "worst"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CurveSpec(_Strict):
    """One of: points or thresholds, pairs of (input, reading) with inputs rising; percentile, which end is better."""

    points: list[Pair] | None = Field(default=None, min_length=2)
    thresholds: list[Pair] | None = Field(default=None, min_length=2)
    percentile: Literal["higher", "lower"] | None = None

    @model_validator(mode="after")
    def _is_one_curve(self) -> Self:
        kinds = [kind for kind in CurveSpec.model_fields if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError("needs exactly one of points, thresholds and percentile")
        inputs = [pair[0] for pair in self.points or self.thresholds or []]
        if any(after <= before for before, after in pairwise(inputs)):
            raise ValueError(f"inputs must rise from each pair to the next, and are {', '.join(map(str, inputs))}")
        return self

    def made(self) -> Curve:
        """The curve itself."""
        if self.percentile:
            return Percentile(self.percentile)
        return Points(tuple(self.points)) if self.points else Thresholds(tuple(self.thresholds or ()))


class HoldSpec(_Strict):
    """Hold the last reading known up to an age; `then` is what a missing input means after that."""

    hold_days: Days
    then: Missing = "exclude"


def _told_how_long(value: Any) -> Any:
    if value == "hold":
        raise ValueError("must say for how long: {hold_days: 30, then: exclude}")
    return value


# the tags stand in square brackets to be told from keys when a fault's place is shown
MissingSpec = Annotated[
    Annotated[HoldSpec, Tag("[hold]")] | Annotated[Missing, Tag("[policy]")],
    Discriminator(lambda value: "[hold]" if isinstance(value, dict | HoldSpec) else "[policy]"),
    BeforeValidator(_told_how_long),
]


class TenureStep(_Strict):
    """The curve from a tenure on. That steps begin at 0 and rise is a rule (scoring.definition_rules)."""

    from_days: Annotated[int, Field(ge=0)]
    curve: CurveSpec


class MeasureSpec(_Strict):
    weight: Share
    missing: MissingSpec | None = None
    stale_after_days: Days | None = None
    curve: CurveSpec | None = None
    by_tenure: list[TenureStep] | None = Field(default=None, min_length=1)

    def made(self) -> Curve | None:
        """The curve that is given here, if one is."""
        if self.by_tenure:
            return ByTenure(tuple((step.from_days, step.curve.made()) for step in self.by_tenure))
        return self.curve.made() if self.curve else None


class GroupSpec(_Strict):
    weight: Share
    of: dict[str, "NodeSpec"] = Field(min_length=1)


def is_group(value: Any) -> bool:
    """Whether a node of the tree, raw or parsed, is a group."""
    return "of" in value if isinstance(value, dict) else isinstance(value, GroupSpec)


NodeSpec = Annotated[
    Annotated[GroupSpec, Tag("[group]")] | Annotated[MeasureSpec, Tag("[measure]")],
    Discriminator(lambda value: "[group]" if is_group(value) else "[measure]"),
]


class BandSpec(_Strict):
    """Scores of at least `from` and less than `below`; the highest band has no end."""

    start: Share = Field(alias="from")
    below: Share | None = None


class BandsSpec(_Strict):
    critical: BandSpec
    warning: BandSpec
    stable: BandSpec
    healthy: BandSpec

    def __iter__(self) -> Iterator[tuple[str, BandSpec]]:  # type: ignore[override]  # fields in order, as pydantic gives
        for name in BandsSpec.model_fields:
            yield name, getattr(self, name)


class HealthFile(_Strict):
    """The whole file. Which of the keys before the tree stand in which file is a rule (scoring.book_file)."""

    when: Any = None  # a condition, read by hub.model.conditions
    priority: StrictInt | None = None
    beside: StrictBool = False
    enabled: StrictBool = True
    rollup: Rollup = Rollup.VALUE
    coverage_floor: Share = 0.5
    bands: BandsSpec
    groups: dict[str, NodeSpec] = Field(min_length=1)
