"""A source of sources.yaml: what it may say beside its connector's settings, and the source that becomes of it.

sources:
  helpdesk:
    connector: zendesk
    schedule: "*/15 * * * *"
    settings: {…}
    raw_log: {days: 30}              keep its rows as they came, to map them anew after a mapping was mended; default: no
    reconcile:                       compare its streams with what the vendor lists, and mend them
      schedule: "50 4 * * 0"         default: Sundays; null: only when somebody asks
      delete_at_most: 0.1            share of a stream's rows that it may mark deleted at once without a person
    write:                           give its companies what the hub finds out; default: nothing is written
      fields: {health: cshub_health, band: cshub_band}
      schedule: "30 6 * * *"         default: each morning; null: only when somebody asks
    fresh_for: 2 days                older than that its streams lower the coverage of scores; default: a week behind its syncs
    complete_from: 0.95              holding less than this share of the vendor's rows does so, too
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from croniter import croniter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from connectors.kit import registry
from connectors.kit.base import Connector
from connectors.kit.settings import SourceSettings
from hub.documents import Document
from hub.errors import ConfigError, Fault
from hub.identity import SourceRules
from hub.playbooks.durations import parse_duration
from hub.sync import Source


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def cron(value: str) -> str:
    if len(value.split()) != 5 or not croniter.is_valid(value):
        raise ValueError(f'{value!r} is no cron expression; five fields are, such as "*/15 * * * *"')
    return value


class SourceIdentity(_Part):
    creates_customers: bool | None = None
    external_keys_of: str | None = None
    company_keys_of: str | None = None


class RawLog(_Part):
    days: int = Field(default=30, ge=1, le=365)


class Reconcile(_Part):
    schedule: str | None = "50 4 * * 0"
    delete_at_most: float = Field(default=0.1, ge=0, le=1)

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        return None if value is None else cron(value)


class WriteBack(_Part):
    """fields: {ours: the vendor's name of the field}."""

    fields: dict[str, str] = Field(min_length=1)
    schedule: str | None = "30 6 * * *"

    @field_validator("fields")
    @classmethod
    def _are_told_apart(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value.values():
            if not name.strip():
                raise ValueError("the vendor's name of a field is empty")
        if doubled := sorted({name for name in value.values() if list(value.values()).count(name) > 1}):
            raise ValueError(f"{', '.join(doubled)} would be written from more than one field")
        return value

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        return None if value is None else cron(value)


class SourceEntry(_Part):
    connector: str
    enabled: bool = True
    schedule: str = "0 * * * *"
    settings: dict[str, Any] = Field(default_factory=dict)
    identity: SourceIdentity = SourceIdentity()
    raw_log: RawLog | None = None
    reconcile: Reconcile = Reconcile()
    write: WriteBack | None = None
    fresh_for: Annotated[timedelta | None, BeforeValidator(lambda value: value and parse_duration(value))] = None
    complete_from: float = Field(default=0.95, ge=0, le=1)

    _cron = field_validator("schedule")(cron)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledSource:
    """A source, when it syncs and is compared with its vendor, and how true its streams have to be.

    reconcile      cron; None: only when somebody asks
    fresh_for      beyond it its streams lower the coverage of scores; None: where they lag behind its own syncs
    complete_from  below this share of the vendor's rows they do so, too
    settings       of its connector, for its webhooks and for writing; None where it has neither
    write          what is written back to it; None: nothing
    """

    source: Source
    schedule: str
    settings: SourceSettings | None = field(default=None, repr=False)
    reconcile: str | None = None
    write: WriteBack | None = None
    fresh_for: timedelta | None = None
    complete_from: float = 0.95

    @classmethod
    def of(cls, name: str, connector: Connector, entry: SourceEntry) -> "ScheduledSource":
        source = Source(
            name=name,
            connector=connector,
            connector_name=entry.connector,
            raw_days=entry.raw_log.days if entry.raw_log else None,
            extra_share=entry.reconcile.delete_at_most,
        )
        return cls(
            source=source,
            schedule=entry.schedule,
            settings=_settings(entry) if registry.webhook(entry.connector) or entry.write else None,
            write=entry.write,
            reconcile=entry.reconcile.schedule,
            fresh_for=entry.fresh_for,
            complete_from=entry.complete_from,
        )

    def demands(self) -> dict[str, Any]:
        """As the store keeps them, see `hub.store.streams.set_demands`."""
        return {
            "fresh_seconds": None if self.fresh_for is None else self.fresh_for.total_seconds(),
            "complete_share": self.complete_from,
            "raw_days": self.source.raw_days,
        }


def _settings(entry: SourceEntry) -> SourceSettings:
    """They are valid: the connector was made of them."""
    return registry.settings_model(entry.connector).model_validate(entry.settings)


def connector_of(document: Document, name: str, raw: Mapping[str, Any]) -> Connector | None:
    """The connector of a source; None where its shape is wrong, which is told elsewhere."""
    connector, settings = raw.get("connector"), raw.get("settings", {})
    if not isinstance(connector, str):
        return None
    if connector not in registry.names():
        key = ("sources", name, "connector")
        raise ConfigError([document.fault(f"there is no connector {connector!r}", key=key, choices=registry.names())])
    if not isinstance(settings, dict):
        return None
    return registry.build(connector, settings, document=document, under=("sources", name, "settings"))


def writing_faults(document: Document, name: str, connector: Connector, entry: SourceEntry) -> list[Fault]:
    """What a source is to be given that its connector cannot write."""
    given, can = entry.write, tuple(connector.manifest.writes)
    if given is None:
        return []
    under = ("sources", name, "write")
    if not can:
        return [document.fault(f"nothing can be written to {entry.connector}", key=under)]
    return [
        document.fault(f"there is no field {field!r} to write", key=(*under, "fields", field), choices=can)
        for field in given.fields
        if field not in can
    ]


def rules_of(connector: Connector, identity: SourceIdentity) -> SourceRules:
    creates = identity.creates_customers
    return SourceRules(
        creates_customers=connector.manifest.creates_customers if creates is None else creates,
        external_keys_of=identity.external_keys_of,
        company_keys_of=identity.company_keys_of,
    )


def clashes(hooks: Mapping[str, Any], sources: Mapping[str, ScheduledSource], *, where: str) -> list[Fault]:
    """Hooks of hub.yaml and sources that would be heard at the same address."""
    heard = [name for name, each in sources.items() if registry.webhook(each.source.connector_name) is not None]
    return [
        Fault(
            f"the hook {name!r} and the source {name!r} of sources.yaml would both be heard at /hooks/{name}; "
            "give one of them another name",
            where=where,
            key=f"hooks.{name}",
        )
        for name in sorted(set(hooks) & set(heard))
    ]
