"""One pass over a configuration folder, gathering faults instead of stopping at the first."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.attention import Rules
from hub.documents import Document, Key
from hub.errors import ConfigError, Fault
from hub.identity import IdentityRules, SourceRules
from hub.model.team import Team
from hub.playbooks.loading import PlaybookFolder, load_all
from hub.resources import CONFIG, TEMPLATES
from hub.settings.attention import AttentionFile
from hub.settings.files import HubFile, IdentityFile, SourcesFile
from hub.settings.graphql import documents_of
from hub.settings.lifecycle import LifecycleFile
from hub.settings.pieces import entries, is_off, mappings, parsed
from hub.settings.secrets import StoredSecrets, secret_keys
from hub.settings.sources import ScheduledSource, clashes, connector_of, rules_of, writing_faults
from hub.settings.team import TeamFile
from hub.settings.variables import Filled, filled
from schema.guard.trusted import Documents
from scoring import book_file
from scoring import churn_definition as churn
from scoring.book import HealthBook

Loaded = TypeVar("Loaded")


class Environment(BaseSettings):
    """What the hub takes from the environment by itself."""

    model_config = SettingsConfigDict(env_prefix="CSHUB_", extra="ignore")

    config: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it, typed and valid."""

    hub: HubFile
    sources: Mapping[str, ScheduledSource]
    identity: IdentityRules
    health: HealthBook
    churn: churn.ChurnDefinition
    playbooks: PlaybookFolder
    lifecycle: LifecycleFile
    team: Team
    attention: Rules
    documents: Documents
    folder: Path

    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.hub.timezone)


def load(folder: Path | None = None, *, environment: Mapping[str, str] | None = None) -> Settings:
    """Read everything; raise ConfigError with every fault of every file.

    folder       None: $CSHUB_CONFIG, else ./config where it holds a hub.yaml, else what ships with the hub
    environment  None: the process's own
    """
    return _Loading(_folder(folder), os.environ if environment is None else environment).all()


def load_store(folder: Path | None = None, *, environment: Mapping[str, str] | None = None) -> str:
    """The store's URL alone, whatever is wrong with the rest: for who has to stop something in a hurry."""
    return _Loading(_folder(folder), os.environ if environment is None else environment).store()


def load_secret_keys(folder: Path | None = None, *, environment: Mapping[str, str] | None = None) -> list[str]:
    """The keys of stored secrets, the newest first: hub.yaml's, else those of the environment."""
    own = _folder(folder) / "hub.yaml"
    return secret_keys(own if own.exists() else CONFIG / "hub.yaml", os.environ if environment is None else environment)


def _folder(folder: Path | None) -> Path:
    if folder is None:
        folder = Environment().config
    if folder is None:
        here = Path.cwd() / "config"
        folder = here if (here / "hub.yaml").is_file() else CONFIG
    if not folder.is_dir():
        raise ConfigError([Fault("no such folder", where=str(folder), key="--config")])
    return folder


class _Loading:
    """One pass over a configuration folder, gathering faults instead of stopping at the first."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.faults: list[Fault] = []
        self.filled: list[Filled] = []
        self.stored = StoredSecrets(self.store, lambda: secret_keys(self._path("hub.yaml"), environment))
        self.names: list[str] | None = None  # of all sources, the ones that are switched off too; None: not readable

    def all(self) -> Settings:
        hub = self._try(lambda: self._document("hub.yaml").parse(HubFile))
        sources, rules = self._sources()
        identity = self._try(lambda: self._identity(rules))
        health = self._try(self._health)
        churn_definition = self._try(lambda: churn.load(self._document("churn.yaml")))
        playbooks = self._try(lambda: load_all(self._path("playbooks"), templates=self._templates()))
        lifecycle = self._try(lambda: self._document("lifecycle.yaml").parse(LifecycleFile))
        team = self._try(lambda: self._document("team.yaml").parse(TeamFile))
        attention = self._try(lambda: self._document("attention.yaml").parse(AttentionFile))
        if lifecycle is not None and health is not None:
            self._try(lambda: lifecycle.watch.health_scale(health.main.bands))
        if lifecycle is not None and churn_definition is not None:
            self._try(lambda: lifecycle.watch.churn_scale(churn_definition.bands))
        documents = self._try(lambda: documents_of(hub, self.folder))
        if hub is not None:
            self.faults += clashes(hub.hooks, sources, where=str(self._path("hub.yaml")))
        if (
            self.faults
            or hub is None
            or identity is None
            or health is None
            or churn_definition is None
            or playbooks is None
            or lifecycle is None
            or team is None
            or attention is None
            or documents is None
        ):
            raise ConfigError(self._shown())
        return Settings(
            hub=hub,
            sources=sources,
            identity=identity,
            health=health,
            churn=churn_definition,
            playbooks=playbooks,
            lifecycle=lifecycle,
            team=team.team(timezone=hub.timezone),
            attention=attention.rules(),
            documents=documents,
            folder=self.folder,
        )

    def store(self) -> str:
        made = filled(Document.read(self._path("hub.yaml")), self.environment)
        if unset := [fault for key, fault in made.missing.items() if key == ("store",)]:
            raise ConfigError(unset)
        value = made.document.value
        given = value.get("store") if isinstance(value, Mapping) else None
        return made.document.parse(HubFile).store if not isinstance(given, str) else given

    def _shown(self) -> list[Fault]:
        """The faults, each once, without a value of the environment; at a variable that is not set only that is told."""
        missing = {(fault.where, fault.key): fault for each in self.filled for fault in each.missing.values()}
        shown = [fault for fault in self.faults if missing.get((fault.where, fault.key), fault) is fault]
        for each in self.filled:
            shown = [each.hide(fault) for fault in shown]
        return list(dict.fromkeys(shown))

    def _try(self, load: Callable[[], Loaded]) -> Loaded | None:
        try:
            return load()
        except ConfigError as error:
            self.faults += error.faults
            return None

    def _path(self, name: str) -> Path:
        own = self.folder / name
        return own if own.exists() else CONFIG / name

    def _templates(self) -> Path:
        own = self.folder / "templates"
        return own if own.is_dir() else TEMPLATES

    def _document(self, name: str) -> Document:
        """A file with its variables filled in; one that is not set is a fault, except in a source that is switched off."""
        made = filled(Document.read(self._path(name)), self.environment, self.stored.get)
        self.filled.append(made)
        self.faults += [fault for key, fault in made.missing.items() if not _is_disabled(made.document.value, key)]
        return made.document

    def _health(self) -> HealthBook:
        """health.yaml, and what the folder health/ beside it has; who brings either has no other of those that ship."""
        own = (self.folder / "health.yaml").exists() or (self.folder / "health").exists()
        folder = (self.folder if own else CONFIG) / "health"
        names = sorted(path.stem for path in folder.glob("*.yaml"))
        unread = "would not be read: definitions of health are in files that end in .yaml"
        self.faults += [Fault(unread, where=str(path)) for path in sorted(folder.glob("*.yml"))]
        others = {name: self._try(partial(self._document, f"health/{name}.yaml")) for name in names}
        read = {name: document for name, document in others.items() if document is not None}
        return book_file.load(self._document("health.yaml"), read)

    def _sources(self) -> tuple[dict[str, ScheduledSource], dict[str, SourceRules]]:
        """Each source is looked at by itself, so that a fault in one, or of another kind, hides none."""
        document = self._try(lambda: self._document("sources.yaml"))
        if document is None:
            return {}, {}
        self._try(partial(document.parse, SourcesFile))
        sources: dict[str, ScheduledSource] = {}
        rules: dict[str, SourceRules] = {}
        given = entries(document)
        self.names = sorted(given)
        for name, raw in given.items():
            self._check_references(document, name, raw, self.names)
            if is_off(raw):
                continue
            connector = self._try(partial(connector_of, document, name, raw))
            entry = parsed(raw)
            if connector is not None and entry is not None:
                self.faults += writing_faults(document, name, connector, entry)
                sources[name] = ScheduledSource.of(name, connector, entry)
                rules[name] = rules_of(connector, entry.identity)
        return sources, rules

    def _check_references(self, document: Document, name: str, raw: Mapping[str, Any], known: list[str]) -> None:
        identity = raw.get("identity")
        if not isinstance(identity, dict):
            return
        for field in ("external_keys_of", "company_keys_of"):
            other = identity.get(field)
            if isinstance(other, str) and other not in known:
                key = ("sources", name, "identity", field)
                self.faults.append(document.fault(f"there is no source {other!r}", key=key, choices=known))

    def _identity(self, rules: Mapping[str, SourceRules]) -> IdentityRules:
        document = self._document("identity.yaml")
        faults = []
        same_as: dict[tuple[str, str], tuple[str, str]] = {}
        for source, key, target in mappings(document):
            at = ("same_as", source, key)
            other, _, other_key = target.partition(" ")
            if not other_key:
                faults.append(document.fault('must be "SOURCE KEY", such as "crm 9000000001"', key=at))
            faults += [
                document.fault(f"there is no source {name!r}", key=at, choices=self.names)
                for name in (source, other)
                if self.names is not None and name not in self.names
            ]
            same_as[source, key] = (other, other_key)
        try:
            file = document.parse(IdentityFile)
        except ConfigError as error:
            raise ConfigError([*error.faults, *faults]) from None
        if faults:
            raise ConfigError(faults)
        return IdentityRules(
            sources=rules, same_as=same_as, free_mail=frozenset(domain.lower() for domain in file.free_mail)
        )


def _is_disabled(value: Any, key: Key) -> bool:
    match key:
        case ("sources", name, *_):
            entry = value["sources"][name]
            return isinstance(entry, dict) and is_off(entry)
    return False
