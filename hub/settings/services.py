"""The sections `airflow` and `prefect` of config/hub.yaml: where playbooks may start runs.

airflow:
  services:                       the name a playbook says
    data: {url: "https://airflow.example.com", token: ${AIRFLOW_TOKEN}}     or username and password
  allow: [10.1.0.0/16]            private networks they may be in; without it only public addresses
prefect:
  services:
    flows: {url: "https://prefect.example.com/api", key: ${PREFECT_KEY}}    or auth: user:password, or neither
"""

import re
from datetime import timedelta
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from hub.delivery.reach import network
from hub.delivery.started import MANNERS
from hub.playbooks.durations import parse_duration


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        fits = fits and (parts.port is None or parts.port > 0) and not parts.query and not parts.fragment
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("must be an address such as https://airflow.example.com, without a user in it")
    return value


def _network(value: str) -> str:
    try:
        network(value)
    except ValueError:
        raise ValueError(f"{value!r} is no network; networks are such as 10.1.0.0/16 or fd00::/8") from None
    return value


def _place(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,49}", value):
        raise ValueError(f"{value!r} is no name: small letters, digits, - and _, a letter first, at most 50")
    return value


Address = Annotated[str, AfterValidator(_address)]
Allowed = Annotated[str, AfterValidator(_network)]
Place = Annotated[str, AfterValidator(_place)]
Expiry = Annotated[timedelta, BeforeValidator(parse_duration)]


class AirflowService(_Part):
    url: Address
    token: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        named = self.username is not None and self.password is not None
        if (self.token is not None) is named or (self.username is None) is not (self.password is None):
            raise ValueError("needs a token, or username and password")
        return self


class Airflow(_Part):
    """services: {name that playbooks say: where}. `allow`: private networks that may be called."""

    services: dict[Place, AirflowService] = Field(min_length=1)
    allow: list[Allowed] = Field(default_factory=list)
    expiry: Expiry = MANNERS.expiry


class PrefectService(_Part):
    url: Address
    key: SecretStr | None = None
    auth: SecretStr | None = None

    @model_validator(mode="after")
    def _has_one_way_in(self) -> Self:
        if self.key is not None and self.auth is not None:
            raise ValueError("has either a key or auth")
        return self


class Prefect(_Part):
    """services: {name that playbooks say: where}. `allow`: private networks that may be called."""

    services: dict[Place, PrefectService] = Field(min_length=1)
    allow: list[Allowed] = Field(default_factory=list)
    expiry: Expiry = MANNERS.expiry
