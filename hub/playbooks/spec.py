"""A playbook as its YAML says it: for whom, how often, and which steps.

    playbook: churn_save            unique; part of every key, so a renamed playbook is another one
    version: 1                      raise it when runs should count as new; running ones keep what they began with
    title: …
    about: …
    by: scorecard | hand            after every scoring, or only when a person fires it
    when: {churn_band: {eq: high}}  a condition (hub.model.conditions); not for `by: hand`
    rest: 30 days                   a customer that had a run is left alone for so long
    do:                             steps, in order; each but `wait` may have `unless: <condition>`
      - slack: {channel: "#cs-alerts", template: churn_save}
      - email: {to: csm | contacts | address, template: churn_save}
      - alert: {title: …, severity: low | normal | high | urgent, owner: csm | address, due: 2 days, reason: …}
      - task:  {the same}
      - wait: 3 days
    examples:                       at least one that fires and one that does not; checked whenever the file is read
      - {facts: {churn_band: high}, fires: true}

`unless` is asked when the step's turn comes, of the facts of that moment; there `rises_by` and `falls_by` compare with the
facts at firing. Titles and reasons are templates themselves.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from hub.model.conditions import Condition, ConditionError, matches, parse
from hub.model.records import Severity
from hub.playbooks.durations import parse_duration
from hub.playbooks.vocabulary import VOCABULARY


def _owner(value: str) -> str:
    if value != "csm" and not _is_address(value):
        raise ValueError(f"{value!r} must be csm or an e-mail address")
    return value


def _recipient(value: str) -> str:
    if value not in ("csm", "contacts") and not _is_address(value):
        raise ValueError(f"{value!r} must be csm, contacts or an e-mail address")
    return value


def _channel(value: str) -> str:
    if not re.fullmatch(r"#[^\s#]{1,80}|[CGDU][A-Z0-9]{6,}", value):
        raise ValueError(f"{value!r} must be a Slack channel such as #cs-alerts, or its id")
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,59}", value):
        raise ValueError(f"{value!r} must be 2 to 60 small letters, digits and _, a letter first")
    return value


def _is_address(value: str) -> bool:
    local, at, domain = value.rpartition("@")
    return bool(at and local and domain) and not any(letter.isspace() for letter in value)


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Name = Annotated[str, AfterValidator(_name)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Slack(_Part):
    channel: Annotated[str, AfterValidator(_channel)]
    template: Name


class Email(_Part):
    to: Annotated[str, AfterValidator(_recipient)]
    template: Name


class Wait(_Part):
    wait: Duration


class Call(_Part):
    """What an alert or a task says."""

    title: Annotated[str, Field(min_length=1, max_length=300)]
    severity: Annotated[Severity, Field(strict=False)] = Severity.NORMAL
    owner: Annotated[str, AfterValidator(_owner)] = "csm"
    due: Duration | None = None
    reason: str | None = None


Settings = Slack | Email | Wait | Call
STEPS: Mapping[str, type[Settings]] = {"slack": Slack, "email": Email, "wait": Wait, "alert": Call, "task": Call}


class Sheet(_Part):
    """The file's outer keys; conditions, steps and examples are read one by one for the sake of their faults."""

    playbook: Name
    version: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(min_length=1)]
    about: str = ""
    by: Literal["scorecard", "hand"] = "scorecard"
    when: Any = None
    rest: Duration = timedelta(days=30)
    do: list[Any] = Field(min_length=1)
    examples: list[Any] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `action` is its key in STEPS. `unless` is raw in `definition` too, for people to read."""

    action: str
    settings: Settings
    unless: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A playbook, parsed. `definition` is what a run keeps: all of it but the examples, as plain JSON."""

    name: str
    version: int
    title: str
    about: str
    by: str
    when: Condition | None
    rest: timedelta
    steps: tuple[Step, ...]
    definition: Mapping[str, Any]

    def fires(self, values: Mapping[str, Any]) -> bool:
        return self.when is not None and matches(self.when, values)


class _Definition(Sheet):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


def from_definition(definition: Mapping[str, Any]) -> Playbook:
    """The playbook a run began with. It was checked then, so a failure here is a bug."""
    sheet = _Definition.model_validate(dict(definition))
    steps = []
    for item in sheet.do:
        ((action, value),) = item.items()
        steps.append(step(action, value))
    return assemble(sheet, when=condition(sheet.when), steps=tuple(steps), definition=definition)


def assemble(
    sheet: Sheet, *, when: Condition | None, steps: tuple[Step, ...], definition: Mapping[str, Any]
) -> Playbook:
    return Playbook(
        name=sheet.playbook,
        version=sheet.version,
        title=sheet.title,
        about=sheet.about,
        by=sheet.by,
        when=when,
        rest=sheet.rest,
        steps=steps,
        definition={name: value for name, value in definition.items() if name != "examples"},
    )


def condition(value: object) -> Condition | None:
    return None if value is None else parse(value, VOCABULARY)


def step(action: str, value: Any) -> Step:
    """One step; raise pydantic's ValidationError, and ConditionError for its `unless` (before, where both are wrong)."""
    if action == "wait":
        return Step(action, Wait.model_validate({"wait": value}))
    settings, unless = split(value)
    return Step(action, STEPS[action].model_validate(settings), unless_condition(unless))


def split(value: Any) -> tuple[Any, Any]:
    """A step's own settings, and its `unless`."""
    if not isinstance(value, Mapping):
        return value, None
    return {name: inner for name, inner in value.items() if name != "unless"}, value.get("unless")


def unless_condition(value: object) -> Condition | None:
    return None if value is None else parse(value, VOCABULARY, changes=True)


__all__ = ["STEPS", "Call", "ConditionError", "Email", "Playbook", "Settings", "Sheet", "Slack", "Step", "Wait"]
