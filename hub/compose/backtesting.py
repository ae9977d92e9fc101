"""What people want to try on the past, made into what a backtest replays: files, a playbook's name, a bare condition."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from hub.backtest import Rule
from hub.documents import Document
from hub.errors import ConfigError, Fault, RefusedError
from hub.model.conditions import Condition, ConditionError, parse
from hub.playbooks import Playbook
from hub.playbooks.loading import load as load_playbook
from hub.playbooks.spec import Wait
from hub.playbooks.vocabulary import VOCABULARY
from hub.settings import Settings
from scoring import book_file, definition
from scoring.book import HealthBook

MAIN_FILE, FOLDER = "health.yaml", "health"


def book_at(path: Path, settings: Settings) -> HealthBook:
    """The book to try: of one file, its definition alone; of a folder, all of it. ConfigError with every fault.

    A folder is like config/ (health.yaml, and health/ beside it), or like config/health/: then the main one is the live one.
    """
    if not path.is_dir():
        return book_of(Document.read(path), name=path.stem)
    main = path / MAIN_FILE
    others = sorted((path / FOLDER).glob("*.yaml")) if main.is_file() else sorted(path.glob("*.yaml"))
    if not main.is_file() and not others:
        raise ConfigError([Fault(f"has neither {MAIN_FILE} nor any other definition", where=str(path))])
    if not main.is_file():
        main = settings.folder / MAIN_FILE
    return book_file.load(Document.read(main), {each.stem: Document.read(each) for each in others})


def book_of(document: Document, *, name: str) -> HealthBook:
    """One definition, tried as the only one there is."""
    return HealthBook(definition.load(document, name=name))


def rule_called(name: str, settings: Settings) -> Rule:
    """The rule of a configured playbook, or of a playbook's file."""
    if name in settings.playbooks.playbooks:
        return rule_of(settings.playbooks.playbooks[name])
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return rule_of(load_playbook(Document.read(path), renderer=settings.playbooks.renderer))
    there = tuple(sorted(settings.playbooks.playbooks))
    raise ConfigError([Fault(f"there is no playbook {name!r}, and no such file", key="--playbook", choices=there)])


def rule_of(playbook: Playbook) -> Rule:
    if playbook.when is None:
        raise RefusedError(f"{playbook.name} is fired by hand: it has no condition to replay")
    waits = (step.settings.wait for step in playbook.steps if isinstance(step.settings, Wait))
    return Rule(name=playbook.name, when=playbook.when, rest=playbook.rest, busy=sum(waits, timedelta(0)))


def rule_when(text: str, *, rest: timedelta) -> Rule:
    """A bare condition, such as {health: {lt: 0.4}}; YAML or JSON. ConfigError with every fault."""
    document = Document.from_text(text, name="--when")
    return Rule(name="condition", when=_condition(document), rest=rest)


def _condition(document: Document) -> Condition:
    value: Mapping[str, Any] = document.value
    try:
        return parse(value, VOCABULARY)
    except ConditionError as error:
        faults = [document.fault(each.message, key=each.key, choices=each.choices) for each in error.problems]
        raise ConfigError(faults) from None
