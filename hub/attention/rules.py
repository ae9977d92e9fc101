"""What config/attention.yaml says, as the budget reads it."""

from dataclasses import dataclass
from datetime import time, timedelta

from hub.model.records import Severity

SEVERITIES = tuple(each.value for each in Severity)
"""From the least to the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Of messages to CSMs: urgent ones are under none of these.

    hours         they wait for the CSM's working hours
    most_a_day    so many a day go out by themselves; those with the least at stake go into the digest. None: all
    digest_at     when digests go out, local times of the CSM's working days
    into_digest   severities that go into the digest anyway
    together      for so long what another playbook says for the same reason is the same message
    urgent_through_snoozes   whether urgent messages and alerts come through a snooze
    fewest_votes  below so many, a precision is not told
    """

    hours: bool = True
    most_a_day: int | None = 10
    digest_at: tuple[time, ...] = (time(9),)
    into_digest: frozenset[Severity] = frozenset({Severity.LOW})
    together: timedelta = timedelta(days=7)
    urgent_through_snoozes: bool = True
    fewest_votes: int = 10


def is_urgent(severity: str | None) -> bool:
    return severity == Severity.URGENT


def weight(severity: str | None) -> int:
    """Its place among SEVERITIES; what has none counts as normal."""
    return SEVERITIES.index(severity or Severity.NORMAL)
