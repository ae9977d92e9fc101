"""The shapes of hub.yaml, sources.yaml and identity.yaml; the other files' shapes belong to what they configure."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub.access.vault import SHORTEST_KEY
from hub.delivery import pagerduty as pagerduty_channel
from hub.delivery import slack as slack_channel
from hub.delivery import webhook as webhook_channel
from hub.delivery.reach import network
from hub.errors import ConfigError
from hub.playbooks.durations import parse_duration
from hub.settings.access import Access
from hub.settings.dashboard import Dashboard
from hub.settings.graphql import GraphQL
from hub.settings.hooks import Hook
from hub.settings.live import Live
from hub.settings.mail import Mail
from hub.settings.retention import Retention
from hub.settings.services import Airflow, Prefect
from hub.settings.sources import SourceEntry, cron
from hub.store.urls import parse_url

Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Serve(_Part):
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)


class Schedules(_Part):
    score: str = "15 5 * * *"
    train: str = "0 4 1 * *"

    _cron = field_validator("score", "train")(cron)


class Slack(_Part):
    """signing_secret: what Slack signs its requests with; without it nobody can press a button. threads: for how long
    messages about a customer follow the first one."""

    token: SecretStr
    signing_secret: SecretStr | None = Field(default=None, min_length=8)
    base_url: str = slack_channel.BASE_URL
    expiry: Duration = slack_channel.MANNERS.expiry
    threads: Duration = timedelta(days=14)


class PagerDuty(_Part):
    """services: {name that playbooks say: integration key of the Events API v2}."""

    services: dict[str, SecretStr] = Field(min_length=1)
    base_url: str = pagerduty_channel.BASE_URL
    expiry: Duration = pagerduty_channel.MANNERS.expiry

    @field_validator("services")
    @classmethod
    def _are_keys(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, key in value.items():
            _check_place(name)
            if not re.fullmatch(r"[A-Za-z0-9]{32}", key.get_secret_value()):
                raise ValueError(f"{name}: an integration key of the Events API v2 has 32 letters and digits")
        return value

    @field_validator("base_url")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError(f"{value!r} must begin with https://, for integration keys travel with every event")
        return value


class WebhookEndpoint(_Part):
    """Its address may be a secret too. `old_secret`: signs beside the new one while receivers change over."""

    url: SecretStr
    secret: SecretStr
    old_secret: SecretStr | None = None

    @field_validator("secret", "old_secret")
    @classmethod
    def _is_a_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            webhook_channel.key_of(value.get_secret_value())
        return value

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: SecretStr) -> SecretStr:
        try:
            parts = urlsplit(value.get_secret_value())
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
            fits = fits and (parts.port is None or parts.port > 0)
        except ValueError:
            fits = False
        if not fits:
            raise ValueError("must be an address such as https://hooks.example.com/cshub, without a user in it")
        return value

    @property
    def secrets(self) -> tuple[str, ...]:
        """The newest first."""
        return tuple(each.get_secret_value() for each in (self.secret, self.old_secret) if each is not None)


class Webhooks(_Part):
    """endpoints: {name that playbooks say: where}. `allow`: private networks that may be called."""

    endpoints: dict[str, WebhookEndpoint] = Field(default_factory=dict)
    allow: list[str] = Field(default_factory=list)
    expiry: Duration = webhook_channel.MANNERS.expiry
    disable_after: Duration = webhook_channel.DISABLED_AFTER

    @field_validator("endpoints")
    @classmethod
    def _names(cls, value: dict[str, WebhookEndpoint]) -> dict[str, WebhookEndpoint]:
        if not value:
            raise ValueError("names no endpoint: leave it out where there is none")
        for name in value:
            _check_place(name)
        return value

    @field_validator("allow")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for each in value:
            try:
                network(each)
            except ValueError:
                raise ValueError(f"{each!r} is no network; networks are such as 10.1.0.0/16 or fd00::/8") from None
        return value


def _check_place(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,49}", name):
        raise ValueError(f"{name!r} is no name: small letters, digits, - and _, a letter first, at most 50")


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
    product_url: str | None = None
    timezone: str = "UTC"
    store: str = Field(repr=False)  # may hold a password
    secret: SecretStr | None = Field(default=None, min_length=32)
    secrets_key: SecretStr | None = Field(default=None, min_length=SHORTEST_KEY)
    old_secrets_key: SecretStr | None = Field(default=None, min_length=SHORTEST_KEY)
    serve: Serve = Serve()
    graphql: GraphQL = GraphQL()
    live: Live = Live()
    access: Access = Access()
    dashboard: Dashboard = Dashboard()
    schedules: Schedules = Schedules()
    slack: Slack | None = None
    mail: Mail | None = None
    pagerduty: PagerDuty | None = None
    webhooks: Webhooks | None = None
    hooks: dict[str, Hook] = Field(default_factory=dict)
    airflow: Airflow | None = None
    prefect: Prefect | None = None
    operations: Operations | None = None
    retention: Retention = Retention()

    @field_validator("product_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        if value is not None and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError(f"{value!r} is no address such as https://app.example.com")
        return value

    @field_validator("hooks")
    @classmethod
    def _names(cls, value: dict[str, Hook]) -> dict[str, Hook]:
        for name in value:
            _check_place(name)
        return value

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
