"""Programmes of onboarding: which steps there are, which of them hold up which, and how a step is proved by the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hub.model.conditions import Condition


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened since the start: `times` events of any of the features `names`, or a run of a playbook."""

    kind: Literal["event", "playbook"]
    names: tuple[str, ...]
    times: int = 1

    def __str__(self) -> str:
        what = " or ".join(self.names)
        if self.kind == "playbook":
            return f"playbook {what} has run"
        return f"event {what}" + (f", {self.times} times" if self.times > 1 else "")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves a step: all of it."""

    condition: Condition | None = None
    happenings: tuple[Happening, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a programme. evidence: any of them is enough; none: a person must say so."""

    name: str
    title: str
    position: int
    optional: bool = False
    ours: bool = False
    repeat: bool = False
    when: Condition | None = None
    after: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    due_days: int = 7
    stalled_after_days: int = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What customers go through. value: the step that stands for value."""

    name: str
    title: str
    when: Condition | None
    steps: tuple[Step, ...]
    value: str
    behind_after_days: int | None = None
    stalled_after_days: int | None = None
    fail_after_days: int = 60

    @property
    def by_name(self) -> Mapping[str, Step]:
        return {step.name: step for step in self.steps}
