"""Playbooks and sources as they are configured now, as the API shows them; whoever puts the hub together makes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDefinition:
    """A step of a playbook: what it does (`action`), in words; in how many blocks it stands, and the name of the inmost."""

    action: str
    summary: str
    depth: int = 0
    block: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookDefinition:
    """A playbook as configured now. rest_days: its quiet period per customer; stopped: what stops it, if that was asked for."""

    name: str
    version: int
    title: str
    description: str | None = None
    rest_days: float | None = None
    enabled: bool = True
    when: Mapping[str, Any] | None = None
    steps: tuple[StepDefinition, ...] = ()
    stopped: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDefinition:
    """A source as configured now. `schedule`: cron, in `timezone`."""

    name: str
    connector: str
    enabled: bool = True
    schedule: str | None = None
    timezone: str = "UTC"
