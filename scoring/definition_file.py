"""The shape of `config/health.yaml`: which keys there are and what values they take. What they mean: scoring.definition."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from scoring.curves import Curve, Percentile, Points, Thresholds
from scoring.measure import Missing

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Pair = tuple[Annotated[float, Field(allow_inf_nan=False)], Share]


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


class MeasureSpec(_Strict):
    weight: Share
    missing: Missing | None = None
    curve: CurveSpec | None = None


class GroupSpec(_Strict):
    weight: Share
    of: dict[str, "NodeSpec"] = Field(min_length=1)


def is_group(value: Any) -> bool:
    """Whether a node of the tree, raw or parsed, is a group."""
    return "of" in value if isinstance(value, dict) else isinstance(value, GroupSpec)


# the tags stand in square brackets to be told from keys when a fault's place is shown
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
    """The whole file."""

    coverage_floor: Share = 0.5
    bands: BandsSpec
    groups: dict[str, NodeSpec] = Field(min_length=1)
