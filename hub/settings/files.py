"""The shapes of hub.yaml, sources.yaml and identity.yaml; the other files' shapes belong to what they configure."""

import re
from email.utils import parseaddr
from typing import Any, Literal, Self
from zoneinfo import available_timezones

from croniter import croniter
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub.errors import ConfigError
from hub.store.store import parse_url


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _cron(value: str) -> str:
    if len(value.split()) != 5 or not croniter.is_valid(value):
        raise ValueError(f'{value!r} is no cron expression; five fields are, such as "*/15 * * * *"')
    return value


class Serve(_Part):
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)


class Schedules(_Part):
    score: str = "15 5 * * *"
    train: str = "0 4 1 * *"

    _cron = field_validator("score", "train")(_cron)


class Slack(_Part):
    token: SecretStr
    base_url: str = "https://slack.com/api/"


class Mail(_Part):
    host: str
    port: int = Field(default=587, ge=1, le=65535)
    tls: bool = False
    starttls: bool | None = None
    username: str | None = None
    password: SecretStr | None = None
    sender: str

    @field_validator("sender")
    @classmethod
    def _has_an_address(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1]:
            raise ValueError(f"{value!r} holds no e-mail address; write it as Name <name@example.com>")
        return value


class Operations(_Part):
    """Where messages about the hub itself go, such as that a model has drifted."""

    channel: Literal["slack", "email"]
    to: str = Field(min_length=1)

    @model_validator(mode="after")
    def _is_an_address(self) -> Self:
        if self.channel == "email" and "@" not in self.to:
            raise ValueError(f"to: {self.to!r} is no e-mail address")
        return self


class HubFile(_Part):
    """config/hub.yaml."""

    company: str = "Our company"
    url: str = "http://127.0.0.1:8000"
    timezone: str = "UTC"
    store: str = Field(repr=False)  # may hold a password
    serve: Serve = Serve()
    schedules: Schedules = Schedules()
    slack: Slack | None = None
    mail: Mail | None = None
    operations: Operations | None = None

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is no time zone; names are such as UTC, Europe/Berlin, America/New_York")
        return value

    @field_validator("store")
    @classmethod
    def _is_a_database(cls, value: str) -> str:
        try:
            parse_url(value)
        except ConfigError as error:
            [fault] = error.faults
            raise ValueError(f"{fault.message}, such as {' or '.join(fault.choices)}") from None
        return value


class SourceIdentity(_Part):
    creates_customers: bool | None = None
    external_keys_of: str | None = None
    company_keys_of: str | None = None


class SourceEntry(_Part):
    connector: str
    enabled: bool = True
    schedule: str = "0 * * * *"
    settings: dict[str, Any] = Field(default_factory=dict)
    identity: SourceIdentity = SourceIdentity()

    _cron = field_validator("schedule")(_cron)


class SourcesFile(_Part):
    sources: dict[str, SourceEntry] = Field(default_factory=dict)

    @field_validator("sources")
    @classmethod
    def _names(cls, value: dict[str, SourceEntry]) -> dict[str, SourceEntry]:
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9_-]{0,49}", name):
                raise ValueError(f"{name!r} is no name for a source: small letters, digits, - and _, at most 50")
        return value


class IdentityFile(_Part):
    same_as: dict[str, dict[str, str]] = Field(default_factory=dict)
    free_mail: list[str] = Field(default_factory=list)
