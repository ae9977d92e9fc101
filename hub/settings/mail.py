"""The `mail:` part of hub.yaml: the server, what holds for mail to customers, and where bounces come from."""

import re
from datetime import time, timedelta
from email.utils import parseaddr
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub.delivery import mail as mail_channel
from hub.delivery import webhook as webhook_channel
from hub.playbooks.durations import parse_duration
from hub.playbooks.mailing import DAYS

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)


def _sender(value: str) -> str:
    if "@" not in parseaddr(value)[1]:
        raise ValueError(f"{value!r} holds no e-mail address; write it as Name <name@example.com>")
    return value


def _address(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", value):
        raise ValueError(f"{value!r} is no e-mail address")
    return value


class Window(_Part):
    """From and to are times of day; `days` of the week, such as [mon, tue]."""

    begin: time = Field(default=time(8), alias="from")
    end: time = Field(default=time(18), alias="to")
    days: list[Day] = Field(default=["mon", "tue", "wed", "thu", "fri"], min_length=1)

    @field_validator("begin", "end", mode="before")
    @classmethod
    def _is_a_time(cls, value: Any) -> Any:
        """YAML reads 08:00 without quotes as a number of minutes."""
        if isinstance(value, time) or (isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value)):
            return value
        raise ValueError(f'{value!r} is no time of day; write it in quotes, such as "08:00"')

    @model_validator(mode="after")
    def _is_open(self) -> "Window":
        if self.begin >= self.end:
            raise ValueError(f"to: {self.end:%H:%M} must be later than from: {self.begin:%H:%M}")
        return self

    @property
    def weekdays(self) -> frozenset[int]:
        return frozenset(DAYS.index(day) for day in self.days)


class Customers(_Part):
    """What holds for mail to customers.

    sender       who writes to customers; None: nobody does, and what playbooks would is left out and says so
    reply_to     csm, or an address; None for the sender
    window, most_per_week   null: any time, and as many as come
    always       topics of mail that is never left out for most_per_week, and counts for others
    zones        {country, as customers have it: time zone}; elsewhere the hub's holds
    unsubscribe  an address beside the link, for programs that know no better; mail to the bounce mailbox will do
    """

    sender: str | None = None
    reply_to: str | None = "csm"
    window: Window | None = Window()
    zones: dict[str, str] = Field(default_factory=dict)
    most_per_week: int | None = Field(default=3, ge=1)
    always: list[str] = Field(default=["onboarding"])
    unsubscribe: str | None = None

    @field_validator("sender")
    @classmethod
    def _has_an_address(cls, value: str | None) -> str | None:
        return None if value is None else _sender(value)

    @field_validator("reply_to")
    @classmethod
    def _is_somebody(cls, value: str | None) -> str | None:
        return value if value == "csm" else _address(value)

    _is_address = field_validator("unsubscribe")(_address)

    @field_validator("zones")
    @classmethod
    def _are_zones(cls, value: dict[str, str]) -> dict[str, str]:
        for zone in value.values():
            if zone not in available_timezones():
                raise ValueError(f"{zone!r} is no time zone; names are such as UTC, Europe/Berlin, America/New_York")
        return {country.lower(): zone for country, zone in value.items()}


class Mailbox(_Part):
    """An IMAP mailbox that bounces come to, read every five minutes. What was read is marked as seen."""

    host: str
    port: int = Field(default=993, ge=1, le=65535)
    tls: bool = True
    user: str
    password: SecretStr
    folder: str = "INBOX"


class BounceHook(_Part):
    """POST /mail/bounces. `secret`: of our own form, signed; `password`: of the user cshub, for the services' forms."""

    secret: SecretStr | None = None
    password: SecretStr | None = None

    @field_validator("secret")
    @classmethod
    def _is_a_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            webhook_channel.key_of(value.get_secret_value())
        return value

    @field_validator("password")
    @classmethod
    def _is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 16:
            raise ValueError("must have 16 characters at least")
        return value

    @model_validator(mode="after")
    def _has_one(self) -> "BounceHook":
        if self.secret is None and self.password is None:
            raise ValueError("needs a secret, a password, or both")
        return self


class Soft(_Part):
    """So many bounces for now within so long are as good as one for ever."""

    most: int = Field(default=5, ge=1)
    within: Duration = timedelta(days=14)


class Bounces(_Part):
    """address: the return path of our mail; tagged: name+<message>@…, where the server delivers such addresses too."""

    address: str | None = None
    tagged: bool = False
    mailbox: Mailbox | None = None
    webhook: BounceHook | None = None
    soft: Soft = Soft()

    _is_address = field_validator("address")(_address)

    @model_validator(mode="after")
    def _has_an_address(self) -> "Bounces":
        if self.tagged and self.address is None:
            raise ValueError("tagged: needs an address to tag")
        return self


class Mail(_Part):
    host: str
    port: int = Field(default=587, ge=1, le=65535)
    tls: bool = False
    starttls: bool | None = None
    username: str | None = None
    password: SecretStr | None = None
    sender: str
    expiry: Duration = mail_channel.MANNERS.expiry
    customers: Customers = Customers()
    bounces: Bounces = Bounces()

    _has_an_address = field_validator("sender")(_sender)
