"""The steps of a playbook in one row, with jumps, so that a run's place in it is a number.

Steps count in the order they are written, and those inside a branch (or a step's other blocks) follow right after it. A
playbook without blocks counts as it always did, so runs that began before there were any still stand where they stood.

    0 slack                                  next 1
    1 branch      {then: 2, else: 4}         next 5
    2   wait                                 next 3
    3   task                                 next 5
    4   email                                next 5
    5 (the end)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from hub.documents import Key
from hub.model.conditions import Condition, ConditionError, parse
from hub.playbooks.steps import (
    BLOCKS,
    MAY_SAY_VERDICT,
    MESSAGES,
    SHORT,
    STEPS,
    VERDICTS,
    Airflow,
    Prefect,
    Retry,
    Settings,
    Wait,
)
from hub.playbooks.vocabulary import VOCABULARY

STOP = -1
"""An exit that ends the run."""
DEEPEST = 8
MOST_STEPS = 100
OUTCOMES: Mapping[str, str] = {"on_failure": "failed"}
"""{block: the outcome that leads there}, where the two are not called the same."""
DEFAULT_STOPS = frozenset({"declined", "expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    action      its key in STEPS
    condition   of a branch, or what a wait waits for
    off         switched off: passed over with all its blocks
    optional    passed over where its channel, or the place it names there, is not set up
    next        the index of the step after it and all its blocks
    exits       {outcome: index of the step it leads to, or STOP}; an outcome that isn't here leads to `next`
    path        where it stands in the definition, such as ("do", 1, "branch", "then", 0)
    """

    index: int
    action: str
    settings: Settings
    unless: Condition | None = None
    condition: Condition | None = None
    retry: Retry | None = None
    off: bool = False
    optional: bool = False
    next: int
    exits: Mapping[str, int] = field(default_factory=dict)
    path: Key = ()

    @property
    def depth(self) -> int:
        """How many blocks it stands in."""
        return (len(self.path) - 2) // 3

    @property
    def heeds(self) -> bool:
        """Whether the run waits until it is known what became of the step's messages."""
        return self.action in MESSAGES and "failed" in self.exits

    def leads(self, outcome: str | None) -> int:
        return self.next if outcome is None else self.exits.get(outcome, self.next)


class Faults(Protocol):
    """Who is told what is wrong with steps."""

    def say(self, key: Key, message: str, choices: tuple[str, ...] = ()) -> None: ...

    def invalid(self, key: Key, error: ValidationError) -> None: ...

    def no_condition(self, key: Key, error: ConditionError) -> None: ...

    def seen(self, action: str, settings: object, key: Key) -> None:
        """Settings as they stand in the file, good or not, to look at what only they who ask can judge."""
        ...


def read(items: object, faults: Faults) -> tuple[Step, ...]:
    """The steps of a `do`; what is wrong is told to `faults`, and then the steps are not to be used."""
    reading = _Reading(faults)
    if isinstance(items, list):
        reading.block(items, ("do",), 0, _size(items))
        if len(reading.steps) > MOST_STEPS:
            faults.say(("do",), f"has {len(reading.steps)} steps; more than {MOST_STEPS} are nobody's playbook")
    return tuple(reading.steps[index] for index in sorted(reading.steps))


def raw(definition: Mapping[str, Any], step: Step) -> Any:
    """A step's value as it stands in the definition."""
    value: Any = definition
    for part in step.path:
        value = value[part]
    return value[step.action]


def condition(value: object, *, changes: bool = False) -> Condition:
    return parse(value, VOCABULARY, changes=changes)


class _Reading:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.steps: dict[int, Step] = {}

    def block(self, items: list[Any], key: Key, start: int, after: int) -> None:
        """Steps from `start` on; the last of them leads to `after`."""
        index = start
        for number, item in enumerate(items):
            last = number + 1 == len(items)
            follow = after if last else index + _width(item)
            self.step(item, (*key, number), index, follow)
            if not last and _ends(item):
                self.faults.say((*key, number + 1), "is never reached: the step before it ends the run")
            index += _width(item)

    def step(self, item: object, key: Key, index: int, follow: int) -> None:
        if not isinstance(item, Mapping) or len(item) != 1 or next(iter(item)) not in STEPS:
            self.faults.say(key, "must be one step, such as {slack: {…}}", tuple(STEPS))
            return
        ((action, value),) = item.items()
        key = (*key, action)
        whole, own = _full(action, value)
        unless = self.condition(own.get("unless"), (*key, "unless"))
        settings = self.settings(action, whole, key, short=not isinstance(value, Mapping))
        self.faults.seen(action, whole, key)
        wanted = own.get("when") if action == "branch" else None
        if action == "branch" and wanted is None:
            self.faults.say((*key, "when"), "is missing")
        if isinstance(settings, Wait) and isinstance(settings.until, Mapping):
            wanted = settings.until
        asked = self.condition(wanted, (*key, "when" if action == "branch" else "until"))
        retry = self.retry(own.get("retry"), (*key, "retry"))
        off, optional = (self.flag(own.get(name), (*key, name)) for name in ("off", "optional"))
        exits = self.exits(action, own, key, index + 1, follow)
        if isinstance(settings, Airflow | Prefect) and settings.wait_for is not None:
            exits.setdefault("failed", STOP)  # who waits for it wants it done
        if settings is not None:
            self.steps[index] = Step(
                index=index,
                action=action,
                settings=settings,
                unless=unless,
                condition=asked,
                retry=retry,
                off=off,
                optional=optional,
                next=follow,
                exits=exits,
                path=key[:-1],
            )

    def condition(self, value: object, key: Key) -> Condition | None:
        if value is None:
            return None
        try:
            return condition(value, changes=True)
        except ConditionError as error:
            self.faults.no_condition(key, error)
            return None

    def settings(self, action: str, whole: object, key: Key, *, short: bool) -> Settings | None:
        try:
            return STEPS[action].model_validate(whole)
        except ValidationError as error:
            if short and action in SHORT:
                for detail in error.errors(include_url=False, include_input=False):
                    self.faults.say(key, detail["msg"].removeprefix("Value error, "))
            else:
                self.faults.invalid(key, error)
            return None

    def flag(self, value: object, key: Key) -> bool:
        if value is not None and not isinstance(value, bool):
            self.faults.say(key, f"must be true or false, not {value!r}")
        return value is True

    def retry(self, value: object, key: Key) -> Retry | None:
        try:
            return None if value is None else Retry.model_validate(value)
        except ValidationError as error:
            self.faults.invalid(key, error)
            return None

    def exits(self, action: str, own: Mapping[str, Any], key: Key, begin: int, follow: int) -> dict[str, int]:
        found: dict[str, int] = {"stopped": STOP} if action == "stop" else {}
        if len(key) > 3 * DEEPEST:
            self.faults.say(key, f"stands deeper than {DEEPEST} blocks")
            return found
        for name in BLOCKS.get(action, ()):
            outcome, value = OUTCOMES.get(name, name), own.get(name)
            if isinstance(value, list):
                found[outcome] = begin if value else follow
                self.block(value, (*key, name), begin, follow)
                begin += _size(value)
            elif value is None:
                if name in DEFAULT_STOPS:
                    found[outcome] = STOP
                elif name == "then":
                    self.faults.say((*key, name), "is missing")
            elif name in MAY_SAY_VERDICT and value in VERDICTS:
                found[outcome] = STOP if value == "stop" else follow
            else:
                told = (
                    "must be stop, continue or a list of steps"
                    if name in MAY_SAY_VERDICT
                    else "must be a list of steps"
                )
                self.faults.say((*key, name), told)
        return found


def _own(action: str) -> frozenset[str]:
    """What a step may have beside its settings."""
    names = {"off", *BLOCKS.get(action, ())}
    if action != "stop":
        names.add("unless")
    if action in MESSAGES:
        names |= {"retry", "optional"}
    if action == "branch":
        names.add("when")
    return frozenset(names)


def _full(action: str, value: object) -> tuple[object, Mapping[str, Any]]:
    """A step's settings, with its short form written out, and what it has beside them."""
    if not isinstance(value, Mapping):
        return ({SHORT[action]: value} if action in SHORT else value), {}
    own = _own(action)
    settings = {name: inner for name, inner in value.items() if name not in own}
    return settings, {name: inner for name, inner in value.items() if name in own}


def _ends(item: object) -> bool:
    """Whether no step after it in its block is ever reached."""
    stop = item.get("stop") if isinstance(item, Mapping) else None
    return stop is not None and not (isinstance(stop, Mapping) and stop.get("off") is True)


def _width(item: object) -> int:
    """How many steps an item is, with its blocks."""
    if not isinstance(item, Mapping) or len(item) != 1:
        return 1
    ((action, value),) = item.items()
    if not isinstance(value, Mapping) or action not in BLOCKS:
        return 1
    return 1 + sum(_size(value.get(name)) for name in BLOCKS[action])


def _size(items: object) -> int:
    return sum(map(_width, items)) if isinstance(items, list) else 0
