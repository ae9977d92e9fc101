"""What a request brings along, and what mutations call: the use cases behind the `Actions` protocol.

The API knows no use case by name. Whoever puts the hub together gives it something that fires playbooks, rescores, syncs and
updates alerts; each takes a frozen request and returns a frozen result, or raises one of hub.errors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from hub.access import Viewer
from hub.model.actions import AlertOutcome, AlertState
from hub.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FireRequest:
    """Run a playbook for some customers by hand. `key`: the same key fires once. `force`: even while it rests."""

    playbook: str
    customer_ids: tuple[str, ...]
    by: str
    key: str
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A message as it would be sent."""

    channel: str
    address: str
    subject: str | None
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """What firing did for one customer. `state` says in a word why no run began, where none did."""

    customer_id: str
    run_id: str | None
    state: str
    previews: tuple[Preview, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """The customers that have a new scorecard, and its day."""

    customer_ids: tuple[str, ...]
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStarted:
    """A sync that was begun (and may be over already)."""

    source: str
    run_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChange:
    """New values of an alert. Only the fields named in `given` change; None in one of them clears it."""

    alert_id: str
    by: str
    given: frozenset[str]
    state: AlertState | None = None
    outcome: AlertOutcome | None = None
    snoozed_until: datetime | None = None
    note: str | None = None
    owner_email: str | None = None


class Actions(Protocol):
    """The use cases mutations call."""

    async def fire(self, request: FireRequest, *, now: datetime) -> Sequence[Fired]: ...

    async def rescore(self, customer_ids: Sequence[str], *, by: str, now: datetime) -> Rescored: ...

    async def sync(self, source: str, *, by: str, now: datetime) -> SyncStarted: ...

    async def update_alert(self, change: AlertChange, *, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDefinition:
    """A step of a playbook: what it does (`action`), in words."""

    action: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookDefinition:
    """A playbook as configured now. `rest_days`: its quiet period per customer."""

    name: str
    version: int
    title: str
    description: str | None = None
    rest_days: float | None = None
    enabled: bool = True
    when: Mapping[str, Any] | None = None
    steps: tuple[StepDefinition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request: who asks, when, and what there is to ask."""

    store: Store
    viewer: Viewer
    now: datetime
    actions: Actions
    playbooks: Callable[[], Sequence[PlaybookDefinition]] = field(repr=False)
