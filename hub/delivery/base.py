"""What every channel is: something that takes one message and says honestly what became of it.

    CshubError
    ├── Rejected    surely not sent
    │     TRANSIENT   try again, after `retry_after` where the channel said when
    │     PERMANENT   this message will never be taken: no such channel, no such mailbox
    │     DENIED      no message of ours will be taken until a person renews our credentials or rights
    └── Uncertain   handed over, and no answer: it may have arrived, so nobody may send it again by himself, unless the
                    other side recognises it (`Manners.recognises`)

Anything else a channel raises is a bug, and to the ledger it is the same as Uncertain.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from hub.errors import CshubError
from hub.model.actions import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one address.

    id         the ledger's; empty where no ledger stands behind the message
    dedup_key  the same for every attempt at this message; channels hand it on where the other side has a place for it
    payload    what the channel's renderer made: Slack {text, blocks}, e-mail {text, html}, PagerDuty an event
               (hub.delivery.pagerduty), a webhook {type, timestamp, data} (hub.delivery.webhook)
    at         the time of this attempt
    found      what its own channel found for it before (`Prepares`); None: it has not looked
    """

    id: str = ""
    dedup_key: str
    address: str
    subject: str | None = None
    payload: Mapping[str, Any] = field(repr=False)
    at: datetime
    found: object = field(default=None, repr=False)


Receipt = Mapping[str, Any]
"""What the other side answered, kept in the ledger: Slack's channel and ts, the Message-ID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How the other side wants to be used; the ledger keeps to it.

    interval        at least so long between two messages to one address
    ordered         whether no message may overtake an earlier one to the same address that has to be tried again
    recognises      whether the other side knows our key again, so that what may have arrived can be sent once more
    expiry          how long after its first attempt a message is tried; what is older is not sent any more
    disabled_after  an address that fails for so long without a single success is sent nothing more until a person
                    enables it again; None: never
    """

    interval: timedelta = timedelta(seconds=1)
    ordered: bool = True
    recognises: bool = False
    expiry: timedelta = timedelta(hours=6)
    disabled_after: timedelta | None = None


USUAL = Manners()


class Channel(Protocol):
    """One way out. `name` is its kind, as steps of playbooks say it: slack, email, pagerduty, webhook."""

    @property
    def name(self) -> str: ...

    @property
    def manners(self) -> Manners: ...

    async def send(self, message: Message) -> Receipt:
        """Hand over `message` once, never trying twice; raise Rejected or Uncertain."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a run that a message started stands elsewhere. state: in the other side's words."""

    state: str
    ended: bool
    succeeded: bool = False


@runtime_checkable
class Follows(Protocol):
    """A channel whose messages start something that ends."""

    async def look(self, address: str, receipt: Receipt) -> Standing:
        """How what this receipt is of stands now; raise Rejected or Uncertain where nobody says."""
        ...


@runtime_checkable
class Stays(Protocol):
    """A channel that can keep its connections open from one message to the next."""

    def staying(self) -> AbstractContextManager[None]:
        """While within, connections stay open for more."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """A channel that looks up what it sends, better for several at once."""

    async def prepare(self, sent: Sequence[Delivery]) -> Mapping[str, object]:
        """{id: what `Message.found` is to be} of messages that are sent right after."""
        ...


@runtime_checkable
class Settles(Protocol):
    """A channel that has notes of its own to make about what it sent."""

    async def settle(self) -> None:
        """Write down what is to be known of all that was sent since the last time: just before it is confirmed."""
        ...


def unready(channels: Mapping[str, Channel], channel: str, address: str) -> str | None:
    """Why nothing can be sent there as things are set up; None where it can. A channel's `places`, where it has them, are
    the only addresses it knows."""
    if channel not in channels:
        return f"{channel} is not set up"
    places = getattr(channels[channel], "places", None)
    return None if places is None or address in places else f"{channel} {address!r} is not set up"


class Refusal(StrEnum):
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    DENIED = "denied"


class Rejected(CshubError):  # noqa: N818  what became of a message, in the ledger's words
    """Surely not sent.

    retry_after  set where the other side said how long to wait
    gone         whether the other side said that the address is no more: nothing else need be tried there
    """

    def __init__(self, reason: str, *, kind: Refusal, retry_after: timedelta | None = None, gone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.retry_after = retry_after
        self.gone = gone


class Uncertain(CshubError):  # noqa: N818  the same
    """It may have been sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
