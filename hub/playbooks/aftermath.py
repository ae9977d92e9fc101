"""What became of those a playbook did something for: no proof of anything, and said so.

Without a hold-out nobody knows what would have become of them anyway. Who is picked at its worst tends to get better by itself,
so a rise of health is to be expected. It is told all the same: a playbook after which nothing ever changes is worth a look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hub.playbooks.spec import Playbook
from hub.store import Connection
from hub.store.aftermath import STANDING, count_standing, find_health, find_treated

EARLY_DAYS = 14
"""Outcomes that need not be waited for as long as leaving: so many days after."""
EARLY_WITHIN = 7
"""The first scorecard of so many days after that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """customers  with a run that was not held out, each with its first
    seen       of these, whose EARLY_DAYS are over and whose health is known before and after
    before, after   their mean health, 0-1; better, worse: how many have more, or less, than before
    stands     {what the playbook looks at in the lifecycle: {what that says now: customers}}
    """

    customers: int
    seen: int
    before: float | None
    after: float | None
    better: int
    worse: int
    stands: Mapping[str, Mapping[str, int]]


async def aftermath(connection: Connection, name: str, playbook: Playbook | None, *, today: date) -> Aftermath:
    treated = await find_treated(connection, playbook=name)
    pairs: list[tuple[float, float]] = []
    for day in sorted({each.on for each in treated}):
        first = day + timedelta(days=EARLY_DAYS)
        last = first + timedelta(days=EARLY_WITHIN)
        if last > today:
            continue
        later = await find_health(connection, playbook=name, on=day, first=first, last=last)
        pairs += [
            (each.health, later[each.customer_id])
            for each in treated
            if each.on == day and each.health is not None and each.customer_id in later
        ]
    fields = [] if playbook is None else _looked_at(playbook)
    return Aftermath(
        customers=len(treated),
        seen=len(pairs),
        before=_mean([before for before, _ in pairs]),
        after=_mean([after for _, after in pairs]),
        better=sum(after > before for before, after in pairs),
        worse=sum(after < before for before, after in pairs),
        stands=await count_standing(connection, fields, playbook=name),
    )


def _looked_at(playbook: Playbook) -> list[str]:
    """What of the lifecycle its trigger and its condition name."""
    named = _names(playbook.definition.get("by")) | _names(playbook.definition.get("when"))
    if any(name.startswith("onboarding_") for name in named):
        named |= {"onboarding_state"}
    return [name for name in STANDING if name in named]


def _names(written: Any) -> set[str]:
    if isinstance(written, Mapping):
        return set(written) | {name for each in written.values() for name in _names(each)}
    return {name for each in written for name in _names(each)} if isinstance(written, list) else set()


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
