"""A playbook as its YAML says it: for whom, how often, and which steps.

    playbook: churn_save            unique; part of every key, so a renamed playbook is another one
    version: 1                      raise it when runs should count as new; running ones keep what they began with
    title: …
    about: …
    reason: churn                   what it speaks about; playbooks of one reason share messages and alerts (hub.attention).
                                    Default: its own name, so that it shares with none
    severity: high                  of its messages: low, normal (the default), high or urgent, which is never held back
    by: scorecard | hand | {…}      what sets it off: see hub.playbooks.triggers
    when: {churn_band: {eq: high}}  a condition (hub.model.conditions); not for `by: hand`
    rest: 30 days                   a customer that had a run is left alone for so long
    holdout: 10 %                   a share of customers, 1 to 50 %, that is left untreated by lot: see hub.playbooks.holdout
    replaces: running               runs in flight go over to this version (hub.playbooks.replacing); else they keep theirs
    do:                             steps, in order: see hub.playbooks.steps
      - slack: {channel: "#cs-alerts", template: churn_save}
      - wait: 3 days
      - task: {title: …, due: 2 business days, unless: {health: {rises_by: 0.05}}}
    examples:                       at least one that fires and one that does not; checked whenever the file is read
      - {facts: {churn_band: high}, fires: true}

`unless`, a branch's `when` and a wait's `until` are asked when the step's turn comes, of the facts of that moment; there
`rises_by`, `falls_by` and `changes` compare with the facts at firing. Titles, reasons and questions are templates themselves.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Annotated, Any, Literal

import orjson
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from hub.documents import Key
from hub.model.conditions import Condition, ConditionError, matches
from hub.model.records import Severity
from hub.playbooks import triggers
from hub.playbooks.program import Step, condition, read
from hub.playbooks.recipients import CONTACTS
from hub.playbooks.steps import MESSAGES, Duration, Email, Name, Part, Start, Wait
from hub.playbooks.triggers import Trigger


def _share(value: object) -> float | None:
    match = re.fullmatch(r"(\d{1,2}(?:\.\d+)?) ?%", value) if isinstance(value, str) else None
    if match is None or not 1 <= float(match[1]) <= 50:
        raise ValueError(f"{value!r} must be a share of 1 % to 50 %, such as 10 %")
    return float(match[1]) / 100


class Sheet(Part):
    """The file's outer keys; conditions, steps and examples are read one by one for the sake of their faults."""

    playbook: Name
    version: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(min_length=1)]
    about: str = ""
    reason: Name | None = None
    severity: Annotated[Severity, Field(strict=False)] = Severity.NORMAL
    by: Any = "scorecard"
    when: Any = None
    rest: Duration = timedelta(days=30)
    holdout: Annotated[float | None, BeforeValidator(_share)] = None
    replaces: Literal["running"] | None = None
    do: list[Any] = Field(min_length=1)
    examples: list[Any] = Field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Playbook:
    """A playbook, parsed. `definition` is what a run keeps: all of it but the examples, as plain JSON.

    holdout  the share of customers, 0-1, that is left untreated; None: nobody is
    """

    name: str
    version: int
    title: str
    about: str
    trigger: Trigger
    when: Condition | None
    rest: timedelta
    holdout: float | None = None
    replaces: bool = False
    reason: str = ""
    severity: Severity = Severity.NORMAL
    steps: tuple[Step, ...]
    definition: Mapping[str, Any]

    @property
    def by(self) -> str:
        """The kind of what sets it off."""
        return self.trigger.kind

    @property
    def condition(self) -> Condition | None:
        """All that must hold by the newest scorecard: `when`, and the trigger's own."""
        return self.trigger.with_when(self.when)

    def fires(self, values: Mapping[str, Any]) -> bool:
        """Whether its condition holds, which was settled before (see settling); one that has none is for anybody."""
        return self.condition is None or matches(self.condition, values)

    def rested_since(self, now: datetime) -> datetime | None:
        """Whoever had a run since then is left alone; None: it never rests."""
        return now - self.rest if self.rest else None

    @cached_property
    def hash(self) -> str:
        """Of its definition: what runs name the version they began with by."""
        return blake2b(orjson.dumps(self.definition, option=orjson.OPT_SORT_KEYS), digest_size=24).hexdigest()

    @property
    def busy(self) -> timedelta:
        """How long a run stays open at least, by the waits outside of blocks."""
        steps = (step.settings for step in self.steps if not step.depth and not step.off)
        waits = (each.wait for each in steps if isinstance(each, Wait))
        return sum((wait for wait in waits if wait is not None), timedelta(0))

    @property
    def channels(self) -> frozenset[str]:
        """The channels it may send by."""
        return frozenset(step.action for step in self.steps if not step.off) & MESSAGES

    @property
    def starts(self) -> frozenset[str]:
        """The playbooks it may start."""
        return frozenset(step.settings.name for step in self.steps if isinstance(step.settings, Start))

    @property
    def writes_contacts(self) -> bool:
        return any(isinstance(step.settings, Email) and step.settings.to in CONTACTS for step in self.steps)


class _Definition(Sheet):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, arbitrary_types_allowed=True)


class _Trusted:
    """Faults of what was checked before it was kept: each is a bug."""

    def say(self, key: Key, message: str, choices: tuple[str, ...] = ()) -> None:
        raise ValueError(f"{'.'.join(map(str, key))}: {message}")

    def invalid(self, key: Key, error: ValidationError) -> None:
        raise error

    def no_condition(self, key: Key, error: ConditionError) -> None:
        raise error

    def seen(self, action: str, settings: object, key: Key) -> None:
        """Templates may have gone since; that is found when the step's turn comes."""


def from_definition(definition: Mapping[str, Any]) -> Playbook:
    """The playbook a run began with. It was checked then, so a failure here is a bug."""
    sheet = _Definition.model_validate(dict(definition))
    when = None if sheet.when is None else condition(sheet.when)
    trusted = _Trusted()
    steps, trigger = read(sheet.do, trusted), triggers.read(sheet.by, trusted)
    return assemble(sheet, trigger=trigger, when=when, steps=steps, definition=definition)


def assemble(
    sheet: Sheet,
    *,
    trigger: Trigger | None = None,
    when: Condition | None,
    steps: tuple[Step, ...],
    definition: Mapping[str, Any],
) -> Playbook:
    return Playbook(
        name=sheet.playbook,
        version=sheet.version,
        title=sheet.title,
        about=sheet.about,
        trigger=trigger or Trigger(),
        when=when,
        rest=sheet.rest,
        holdout=sheet.holdout,
        replaces=sheet.replaces is not None,
        reason=sheet.reason or sheet.playbook,
        severity=sheet.severity,
        steps=steps,
        definition={name: value for name, value in definition.items() if name != "examples"},
    )


__all__ = ["Playbook", "Sheet", "assemble", "condition", "from_definition"]
