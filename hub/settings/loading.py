"""One pass over a configuration folder, gathering faults instead of stopping at the first."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.kit import registry
from hub.documents import Document
from hub.errors import ConfigError, Fault
from hub.identity import IdentityRules, SourceRules
from hub.playbooks.loading import PlaybookFolder, load_all
from hub.resources import CONFIG, TEMPLATES
from hub.settings.files import HubFile, IdentityFile, SourceEntry, SourcesFile
from hub.settings.variables import Key, filled
from hub.sync import Source
from scoring import churn_definition as churn
from scoring import definition as health

Loaded = TypeVar("Loaded")


class Environment(BaseSettings):
    """What the hub takes from the environment by itself."""

    model_config = SettingsConfigDict(env_prefix="CSHUB_", extra="ignore")

    config: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledSource:
    """A source and when it syncs."""

    source: Source
    schedule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it, typed and valid."""

    hub: HubFile
    sources: Mapping[str, ScheduledSource]
    identity: IdentityRules
    health: health.HealthDefinition
    churn: churn.ChurnDefinition
    playbooks: PlaybookFolder
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

    def all(self) -> Settings:
        hub = self._try(lambda: self._document("hub.yaml").parse(HubFile))
        sources, rules = self._sources()
        identity = self._try(lambda: self._identity(rules))
        health_definition = self._try(lambda: health.load(self._document("health.yaml")))
        churn_definition = self._try(lambda: churn.load(self._document("churn.yaml")))
        playbooks = self._try(lambda: load_all(self._path("playbooks"), templates=self._templates()))
        if (
            self.faults
            or hub is None
            or identity is None
            or health_definition is None
            or churn_definition is None
            or playbooks is None
        ):
            raise ConfigError(self.faults)
        return Settings(
            hub=hub,
            sources=sources,
            identity=identity,
            health=health_definition,
            churn=churn_definition,
            playbooks=playbooks,
            folder=self.folder,
        )

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
        document, missing = filled(Document.read(self._path(name)), self.environment)
        self.faults += [fault for key, fault in missing.items() if not _is_disabled(document.value, key)]
        return document

    def _sources(self) -> tuple[dict[str, ScheduledSource], dict[str, SourceRules]]:
        document = self._try(lambda: self._document("sources.yaml"))
        parsed = self._try(lambda: document.parse(SourcesFile)) if document else None
        sources: dict[str, ScheduledSource] = {}
        rules: dict[str, SourceRules] = {}
        for name, source in (parsed.sources if parsed else {}).items():
            assert document is not None
            if not source.enabled:
                continue
            made = self._try(partial(self._source, document, name, source))
            if made is not None:
                sources[name], rules[name] = made
        if document and parsed:
            self._check_references(document, parsed)
        return sources, rules

    def _source(self, document: Document, name: str, source: SourceEntry) -> tuple[ScheduledSource, SourceRules]:
        if source.connector not in registry.names():
            key = ("sources", name, "connector")
            raise ConfigError(
                [document.fault(f"there is no connector {source.connector!r}", key=key, choices=registry.names())]
            )
        connector = registry.build(
            source.connector, source.settings, document=document, under=("sources", name, "settings")
        )
        creates = source.identity.creates_customers
        rules = SourceRules(
            creates_customers=connector.manifest.creates_customers if creates is None else creates,
            external_keys_of=source.identity.external_keys_of,
            company_keys_of=source.identity.company_keys_of,
        )
        made = Source(name=name, connector=connector, connector_name=source.connector)
        return ScheduledSource(source=made, schedule=source.schedule), rules

    def _check_references(self, document: Document, parsed: SourcesFile) -> None:
        for name, source in parsed.sources.items():
            for field in ("external_keys_of", "company_keys_of"):
                other = getattr(source.identity, field)
                if other is not None and other not in parsed.sources:
                    key = ("sources", name, "identity", field)
                    self.faults.append(
                        document.fault(f"there is no source {other!r}", key=key, choices=sorted(parsed.sources))
                    )

    def _identity(self, rules: Mapping[str, SourceRules]) -> IdentityRules:
        document = self._document("identity.yaml")
        parsed = document.parse(IdentityFile)
        same_as: dict[tuple[str, str], tuple[str, str]] = {}
        faults = []
        for source, keys in parsed.same_as.items():
            for key, target in keys.items():
                other, _, other_key = target.partition(" ")
                if not other_key:
                    at = ("same_as", source, key)
                    faults.append(document.fault('must be "SOURCE KEY", such as "crm 9000000001"', key=at))
                same_as[source, key] = (other, other_key)
        if faults:
            raise ConfigError(faults)
        return IdentityRules(
            sources=rules, same_as=same_as, free_mail=frozenset(domain.lower() for domain in parsed.free_mail)
        )


def _is_disabled(value: Any, key: Key) -> bool:
    match key:
        case ("sources", name, *_):
            entry = value["sources"][name]
            return isinstance(entry, dict) and entry.get("enabled") is False
    return False
