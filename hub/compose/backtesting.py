"""What people want to try on the past, made into what a backtest replays: files, a playbook's name, a bare condition."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hub.backtest import Ask, Report, Rule, run
from hub.backtest.ask import Tried
from hub.compose.hub import Hub
from hub.documents import Document
from hub.errors import BusyError, ConfigError, Fault, NotFoundError, RefusedError
from hub.model.conditions import Condition, ConditionError, parse
from hub.playbooks import Playbook
from hub.playbooks.loading import load as load_playbook
from hub.playbooks.vocabulary import VOCABULARY
from hub.settings import Settings
from schema.context import BacktestRequest
from scoring import book_file, definition
from scoring.book import HealthBook

MAIN_FILE, FOLDER = "health.yaml", "health"


class BacktestActions:
    """Backtests as the GraphQL mutation calls them, one at a time; the caller has checked who may."""

    _hub: Hub
    _backtesting = False

    async def backtest(self, request: BacktestRequest, *, now: datetime) -> Report:
        """Raises ConfigError with every fault of what is tried, BusyError while another one runs."""
        if self._backtesting:
            raise BusyError("a backtest is running; there is one at a time")
        ask = Ask(
            live=self._hub.settings.health,
            tried=tried_by(request, self._hub.settings),
            churn=self._hub.settings.churn,
            months=request.months,
            every=request.every,
            horizon=request.horizon,
            lead=request.lead,
            allow_peeking=request.allow_peeking,
        )
        self._backtesting = True
        try:
            return await run(self._hub.store, ask, now=now)
        finally:
            self._backtesting = False


def tried_by(request: BacktestRequest, settings: Settings) -> Tried | None:
    """What a request wants to try; None: nothing."""
    if request.definition is not None:
        document = Document.from_text(request.definition, name="definition")
        return book_of(document, name="tried", live=settings.health)
    if request.playbook is not None:
        playbooks = settings.playbooks.playbooks
        if request.playbook not in playbooks:  # a path would be another's file
            there = ", ".join(sorted(playbooks)) or "none"
            raise NotFoundError(f"there is no playbook {request.playbook!r}; there are: {there}")
        return rule_of(playbooks[request.playbook])
    if request.when is not None:
        return rule_when(request.when, rest=timedelta(days=request.rest_days), name="when")
    return None


def book_at(path: Path, settings: Settings) -> HealthBook:
    """The book to try, of one file (`book_of`) or of a folder. ConfigError with every fault.

    A folder is like config/ (health.yaml, and health/ beside it), or like config/health/: then the main one is the live one.
    """
    if not path.is_dir():
        return book_of(Document.read(path), name=path.stem, live=settings.health)
    main = path / MAIN_FILE
    there = main.is_file()
    others = sorted((path / FOLDER).glob("*.yaml")) if there else sorted(path.glob("*.yaml"))
    if not there and not others:
        raise ConfigError([Fault(f"has neither {MAIN_FILE} nor any other definition", where=str(path))])
    documents = {each.stem: Document.read(each) for each in others}
    return book_file.load(Document.read(main) if there else settings.health.main, documents)


def book_of(document: Document, *, name: str, live: HealthBook) -> HealthBook:
    """One definition: the only one there is, or where it says `when`, in its place among the live ones, enabled or not.

    There it stands for the live one of its name, or of its priority, if there is one.
    """
    if not (isinstance(document.value, dict) and "when" in document.value):
        return HealthBook(definition.load(document, name=name))
    called = name if book_file.NAME.fullmatch(name) and name != definition.MAIN else "tried"
    (tried,) = book_file.load(live.main, {called: document}, all_enabled=True).variants
    others = (each for each in live.variants if each.definition.name != called and each.priority != tried.priority)
    return replace(live, variants=tuple(sorted((*others, tried), key=lambda each: -each.priority)))


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
    """What its scorecards say. A threshold is replayed as what holds below or above it, once in each rest."""
    if playbook.condition is None or playbook.by not in ("scorecard", "threshold", "date", "schedule", "change"):
        by = {"record": "new records"}.get(playbook.by, playbook.by)
        raise RefusedError(f"{playbook.name} is fired by {by}: it has no condition to replay")
    return Rule(name=playbook.name, when=playbook.condition, rest=playbook.rest, busy=playbook.busy)


def rule_when(text: str, *, rest: timedelta, name: str = "--when") -> Rule:
    """A bare condition, such as {health: {lt: 0.4}}; YAML or JSON. ConfigError with every fault."""
    document = Document.from_text(text, name=name)
    return Rule(name="condition", when=_condition(document), rest=rest)


def _condition(document: Document) -> Condition:
    value: Mapping[str, Any] = document.value
    try:
        return parse(value, VOCABULARY)
    except ConditionError as error:
        faults = [document.fault(each.message, key=each.key, choices=each.choices) for each in error.problems]
        raise ConfigError(faults) from None
