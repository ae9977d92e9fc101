"""Reads a folder of playbooks and checks everything about them that can be checked before one fires.

Each file's shape, every fact and operator, every template (rendered on trial with a customer of whom all is known and one
of whom nothing is), and every example. All faults of all files are told at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.delivery import Renderer, RenderError
from hub.documents import Document, Key, faults_of
from hub.errors import ConfigError, Fault
from hub.model.conditions import Condition, ConditionError, Field, matches, parse_day
from hub.playbooks import triggers
from hub.playbooks.discretion import indiscretions
from hub.playbooks.program import condition, read
from hub.playbooks.spec import Playbook, Sheet, assemble
from hub.playbooks.steps import Start
from hub.playbooks.trial import trial
from hub.playbooks.triggers import Trigger
from hub.playbooks.vocabulary import VOCABULARY
from hub.store.playbooks import RECORD_FIELDS

TEMPLATED = ("slack", "email")
MORE: Mapping[str, str] = {"threshold": "before", "record": "record", "webhook": "event"}
"""{trigger: what its examples may tell besides facts, and instead of them}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookFolder:
    """The playbooks of a folder by name, and the renderer of the templates they use."""

    playbooks: Mapping[str, Playbook]
    renderer: Renderer


def load_all(folder: Path, *, templates: Path) -> PlaybookFolder:
    """Every `*.yaml` of `folder`; raise ConfigError with every fault of every file."""
    renderer = Renderer(templates)
    faults: list[Fault] = []
    playbooks: dict[str, Playbook] = {}
    documents: dict[str, Document] = {}
    unread: set[str] = set()
    for path in sorted(folder.glob("*.yaml")):
        document = None
        try:
            document = Document.read(path)
            playbook = load(document, renderer=renderer)
        except ConfigError as error:
            faults += error.faults
            if document is not None and isinstance(document.value, Mapping):
                unread.add(str(document.value.get("playbook")))
            continue
        if playbook.name in playbooks:
            message = f"the name {playbook.name!r} is taken by {documents[playbook.name].name}"
            faults.append(document.fault(message, key=("playbook",)))
            continue
        playbooks[playbook.name] = playbook
        documents[playbook.name] = document
    faults += _starts(playbooks, documents, unread)
    if faults:
        raise ConfigError(faults)
    return PlaybookFolder(playbooks=playbooks, renderer=renderer)


def load(document: Document, *, renderer: Renderer) -> Playbook:
    """One playbook; raise ConfigError with every fault of it."""
    reading = _Reading(document, renderer)
    playbook = reading.playbook()
    if reading.faults or playbook is None:
        raise ConfigError(reading.faults)
    return playbook


def _starts(playbooks: Mapping[str, Playbook], documents: Mapping[str, Document], unread: set[str]) -> list[Fault]:
    """Playbooks that start one that isn't there, or, by whatever way, themselves."""
    faults = []
    for name, playbook in playbooks.items():
        for step in playbook.steps:
            if not isinstance(step.settings, Start):
                continue
            key: Key = (*step.path, "playbook")
            way = _way(playbooks, step.settings.name, name)
            if step.settings.name not in playbooks.keys() | unread:
                message = f"there is no playbook {step.settings.name!r}"
                faults.append(documents[name].fault(message, key=key, choices=tuple(sorted(playbooks))))
            elif way is not None:
                faults.append(documents[name].fault(f"starts itself without end: {' > '.join((name, *way))}", key=key))
    return faults


def _way(playbooks: Mapping[str, Playbook], begin: str, end: str) -> tuple[str, ...] | None:
    """The shortest way from one playbook to another over those that start each other; None where there is none."""
    ways: list[tuple[str, ...]] = [(begin,)]
    seen = {begin}
    while ways:
        way = ways.pop(0)
        if way[-1] == end:
            return way
        after = playbooks[way[-1]].starts if way[-1] in playbooks else frozenset()
        ways += [(*way, name) for name in sorted(after - seen)]
        seen |= after
    return None


def _besides(trigger: Trigger) -> str:
    more = MORE.get(trigger.kind)
    return f", {more}: {{…}}" if more else ""


class _Reading:
    def __init__(self, document: Document, renderer: Renderer) -> None:
        self.document = document
        self.renderer = renderer
        self.faults: list[Fault] = []

    def playbook(self) -> Playbook | None:
        value = self.document.value
        sheet: Sheet | None = None
        try:
            sheet = Sheet.model_validate(value)
        except ValidationError as error:
            self.faults += faults_of(error, self.document)
        if not isinstance(value, Mapping):
            return None
        when = self.condition(value.get("when"), ("when",))
        trigger = triggers.read(value.get("by", "scorecard"), self)
        self.consistent(value, trigger)
        steps = read(value.get("do"), self)
        if when is not None or trigger.tests_something:
            self.examples(value.get("examples"), trigger, when)
        if sheet is None or self.faults:
            return None
        playbook = assemble(sheet, trigger=trigger, when=when, steps=steps, definition=value)
        self.trial(playbook)
        return playbook

    def say(self, key: Key, message: str, choices: tuple[str, ...] = ()) -> None:
        self.faults.append(self.document.fault(message, key=key, choices=choices))

    def invalid(self, key: Key, error: ValidationError) -> None:
        self.faults += faults_of(error, self.document, under=key)

    def no_condition(self, key: Key, error: ConditionError) -> None:
        for problem in error.problems:
            self.say((*key, *problem.key), problem.message, problem.choices)

    def consistent(self, value: Mapping[str, Any], trigger: Trigger) -> None:
        if trigger.kind in ("scorecard", "schedule") and value.get("when") is None:
            after = "after scoring" if trigger.kind == "scorecard" else "on a schedule"
            self.say(("when",), f"is missing: a playbook that fires {after} says for whom")
        if trigger.kind == "hand" and value.get("when") is not None:
            self.say(("when",), "has no meaning in a playbook fired by hand")

    def condition(self, value: object, key: Key) -> Condition | None:
        if value is None:
            return None
        try:
            return condition(value)
        except ConditionError as error:
            self.no_condition(key, error)
            return None

    def seen(self, action: str, settings: object, key: Key) -> None:
        """A step's template must be there, whatever else is wrong with the step."""
        name = settings.get("template") if isinstance(settings, Mapping) else None
        if action in TEMPLATED and isinstance(name, str) and name not in (there := self.renderer.templates(action)):
            self.say((*key, "template"), f"there is no {action} template {name!r}", there)

    def examples(self, examples: object, trigger: Trigger, when: Condition | None) -> None:
        if examples is None or not isinstance(examples, list):
            examples = []
        seen, read = set(), True
        for index, example in enumerate(examples):
            key: Key = ("examples", index)
            if not self.is_example(example, trigger, key):
                read = False
                continue
            facts = example.get("facts", {})
            fires = (when is None or matches(when, facts, today=triggers.EXAMPLE_DAY)) and trigger.holds(
                facts, example.get("before", {}), example.get("record", {}), example.get("event", {})
            )
            seen.add(example["fires"])
            if fires is not example["fires"]:
                what = "`when` says" if trigger.kind in ("scorecard", "schedule") else "`by` and `when` say"
                self.say(key, f"says fires: {str(not fires).lower()}, but {what} otherwise")
        for wanted in (True, False) if read else ():
            if wanted not in seen:
                said, besides = str(wanted).lower(), _besides(trigger)
                self.say(
                    ("examples",),
                    f"there is none with fires: {said}, such as - {{facts: {{…}}{besides}, fires: {said}}}",
                )

    def is_example(self, example: Any, trigger: Trigger, key: Key) -> bool:
        more = MORE.get(trigger.kind)
        parts = ("facts", *((more,) if more else ()))
        if (
            not isinstance(example, Mapping)
            or not {"fires", *(() if more else ("facts",))} <= set(example) <= {*parts, "fires"}
            or not all(isinstance(example.get(part, {}), Mapping) for part in parts)
            or not isinstance(example["fires"], bool)
        ):
            self.say(key, f"must be {{facts: {{name: value, …}}{_besides(trigger)}, fires: true or false}}")
            return False
        good = [  # a list, so that every fault is told
            self.is_value(name, value, self.fields(trigger, part), (*key, part))
            for part in parts
            if part != "event" and (part != "record" or trigger.record)
            for name, value in example.get(part, {}).items()
        ]
        return all(good)

    def fields(self, trigger: Trigger, part: str) -> Mapping[str, Field]:
        return RECORD_FIELDS[trigger.record] if part == "record" and trigger.record else VOCABULARY

    def is_value(self, name: str, value: Any, fields: Mapping[str, Field], key: Key) -> bool:
        if (field := fields.get(name)) is None:
            self.say((*key, name), "is no fact" if fields is VOCABULARY else "is no field of the record")
            return False
        if field.kind == "segment":
            return self.are_segments(name, value, key)
        if field.kind == "date":
            return self.is_day(name, value, key)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, (int, float) if field.kind == "number" else str)
        ):
            self.say((*key, name), f"must be a {field.kind}, not {value!r}")
            return False
        return True

    def are_segments(self, name: str, value: Any, key: Key) -> bool:
        """Saved segments the customer of an example is in: a name or a list of them."""
        good = all(isinstance(each, str) for each in (value if isinstance(value, list) else [value]))
        if not good:
            self.say((*key, name), f"must be the name of a saved segment, or a list of them, not {value!r}")
        return good

    def is_day(self, name: str, value: Any, key: Key) -> bool:
        if value is None or isinstance(value, date):
            return True
        try:
            parse_day(str(value))
        except ValueError as error:
            self.say((*key, name), str(error))
            return False
        return True

    def trial(self, playbook: Playbook) -> None:
        event = self.event()
        for step in playbook.steps:
            for fault in indiscretions(step.settings, playbook.trigger):
                self.say((*step.path, step.action), fault)
            try:
                trial(playbook, step.index, renderer=self.renderer, event=event)
            except RenderError as error:
                self.say((*step.path, step.action), str(error))

    def event(self) -> Mapping[str, Any]:
        """That of the first example with one: what templates are tried with."""
        value = self.document.value
        examples = value.get("examples") if isinstance(value, Mapping) else None
        for example in examples if isinstance(examples, list) else ():
            if isinstance(example, Mapping) and isinstance(example.get("event"), Mapping):
                return dict(example["event"])
        return {}
