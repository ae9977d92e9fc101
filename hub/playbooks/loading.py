"""Reads a folder of playbooks and checks everything about them that can be checked before one fires.

Each file's shape, every fact and operator, every template (rendered on trial with a customer of whom all is known and one
of whom nothing is), and every example. All faults of all files are told at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.delivery import Renderer, RenderError
from hub.documents import Document, Key, faults_of
from hub.errors import ConfigError, Fault
from hub.model.conditions import Condition, ConditionError, matches
from hub.playbooks.planning import trial
from hub.playbooks.spec import STEPS, Playbook, Sheet, Step, assemble, condition, split, step, unless_condition
from hub.playbooks.vocabulary import VOCABULARY


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
    origin: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = Document.read(path)
            playbook = load(document, renderer=renderer)
        except ConfigError as error:
            faults += error.faults
            continue
        if playbook.name in playbooks:
            message = f"the name {playbook.name!r} is taken by {origin[playbook.name]}"
            faults.append(document.fault(message, key=("playbook",)))
            continue
        playbooks[playbook.name] = playbook
        origin[playbook.name] = document.name
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
        self.consistent(value)
        raw = value.get("do")
        items = raw if isinstance(raw, list) else []
        steps = [self.step(item, ("do", index)) for index, item in enumerate(items)]
        if when is not None:
            self.examples(value.get("examples"), when)
        if sheet is None or self.faults:
            return None
        known = tuple(each for each in steps if each is not None)
        playbook = assemble(sheet, when=when, steps=known, definition=value)
        self.trial(playbook)
        return playbook

    def fault(self, message: str, key: Key, choices: tuple[str, ...] = ()) -> None:
        self.faults.append(self.document.fault(message, key=key, choices=choices))

    def consistent(self, value: Mapping[str, Any]) -> None:
        by = value.get("by", "scorecard")
        if by == "scorecard" and value.get("when") is None:
            self.fault("is missing: a playbook that fires after scoring says for whom", ("when",))
        if by == "hand" and value.get("when") is not None:
            self.fault("has no meaning in a playbook fired by hand", ("when",))

    def condition(self, value: object, key: Key, *, changes: bool = False) -> Condition | None:
        try:
            return unless_condition(value) if changes else condition(value)
        except ConditionError as error:
            for problem in error.problems:
                self.fault(problem.message, (*key, *problem.key), problem.choices)
            return None

    def step(self, item: object, key: Key) -> Step | None:
        if not isinstance(item, Mapping) or len(item) != 1 or next(iter(item)) not in STEPS:
            self.fault("must be one step, such as {slack: {…}}", key, tuple(STEPS))
            return None
        ((action, value),) = item.items()
        settings, unless = split(value)
        before = len(self.faults)
        if unless is not None and action != "wait":
            self.condition(unless, (*key, action, "unless"), changes=True)
        try:
            if action == "wait":
                return step(action, value)
            STEPS[action].model_validate(settings)
        except ValidationError as error:
            under = key if action == "wait" else (*key, action)
            self.faults += faults_of(error, self.document, under=under)
        if action in ("slack", "email"):
            self.template(action, settings, (*key, action, "template"))
        return step(action, value) if len(self.faults) == before else None

    def template(self, action: str, settings: Any, key: Key) -> None:
        name = settings.get("template") if isinstance(settings, Mapping) else None
        there = self.renderer.templates(action)
        if isinstance(name, str) and name not in there:
            self.fault(f"there is no {action} template {name!r}", key, there)

    def examples(self, examples: object, when: Condition) -> None:
        if examples is None or not isinstance(examples, list):
            examples = []
        seen = set()
        for index, example in enumerate(examples):
            key: Key = ("examples", index)
            if not self.is_example(example, key):
                continue
            fires = matches(when, example["facts"])
            seen.add(example["fires"])
            if fires is not example["fires"]:
                self.fault(f"says fires: {str(not fires).lower()}, but `when` says otherwise", key)
        for wanted in (True, False):
            if wanted not in seen:
                self.fault(f"there is none with fires: {str(wanted).lower()}", ("examples",))

    def is_example(self, example: Any, key: Key) -> bool:
        if (
            not isinstance(example, Mapping)
            or set(example) != {"facts", "fires"}
            or not isinstance(example["facts"], Mapping)
            or not isinstance(example["fires"], bool)
        ):
            self.fault("must be {facts: {name: value, …}, fires: true or false}", key)
            return False
        good = True
        for name, value in example["facts"].items():
            if (field := VOCABULARY.get(name)) is None:
                self.fault("is no fact", (*key, "facts", name))
                good = False
            elif value is not None and (
                isinstance(value, bool) or not isinstance(value, (int, float) if field.kind == "number" else str)
            ):
                self.fault(f"must be a {field.kind}, not {value!r}", (*key, "facts", name))
                good = False
        return good

    def trial(self, playbook: Playbook) -> None:
        for index, each in enumerate(playbook.steps):
            try:
                trial(playbook, index, renderer=self.renderer)
            except RenderError as error:
                self.fault(str(error), ("do", index, each.action))
