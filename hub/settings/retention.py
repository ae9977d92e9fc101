"""`retention:` of hub.yaml: for how long each kind of record is kept."""

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from hub.playbooks.durations import parse_duration
from hub.store.privacy.keeping import Kind
from hub.store.privacy.kinds import BY_NAME, KINDS


def _age(value: Any) -> Any:
    return None if value in (None, "forever") else parse_duration(value)


Age = Annotated[timedelta | None, BeforeValidator(_age)]


class Retention(BaseModel):
    """{kind: how long}; "forever" for what is never thinned. A kind that is not named is kept as `Kind.days` says."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    schedule: str = "40 3 * * *"
    keep: dict[str, Age] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _are_kinds(self) -> Self:
        for name, age in self.keep.items():
            if name not in BY_NAME:
                raise ValueError(f"keep: {name!r} is no kind of record; kinds are {', '.join(BY_NAME)}")
            least = timedelta(days=BY_NAME[name].least_days)
            if age is not None and age < least:
                raise ValueError(f"keep.{name}: {least.days} days are the least; {BY_NAME[name].why_least}")
        return self

    def ages(self) -> dict[Kind, timedelta | None]:
        """How long each kind is kept; None: for ever."""
        usual = {kind.name: timedelta(days=kind.days) for kind in KINDS if kind.days is not None}
        return {kind: self.keep[kind.name] if kind.name in self.keep else usual.get(kind.name) for kind in KINDS}
