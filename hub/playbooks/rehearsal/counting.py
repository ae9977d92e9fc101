"""Firings counted: by CSM and week, and beside those of another version."""

import math
from collections import Counter
from collections.abc import Sequence, Set
from datetime import date

from hub.playbooks.holdout import count_held_out
from hub.playbooks.rehearsal.firing import Rehearsed
from hub.playbooks.rehearsal.outcome import Ground, judge
from hub.playbooks.rehearsal.report import Compared, Counted, CsmLoad
from hub.playbooks.rehearsal.scene import Firing, Roster

WEEK = 7
MOST_NAMES = 5


def in_window(made: Rehearsed, first: date) -> list[Firing]:
    """Its firings from a day on, without the backlog of the first one."""
    return [each for each in made.firings if each.day >= first.toordinal() and not each.at_once]


def count(
    made: Rehearsed, roster: Roster, ground: Ground, *, first: date, days: int, csms: Set[str], since: date
) -> Counted:
    """One version's numbers in the window of so many days from `first` on. csms: everybody who has customers then."""
    fired = in_window(made, first)
    begin = first.toordinal()
    at_once = sum(each.day >= begin and each.at_once for each in made.firings)
    cells = Counter((each.csm, (each.day - begin) // WEEK) for each in fired)
    weeks = Counter((each.day - begin) // WEEK for each in fired)
    worst = max(cells, key=lambda cell: (cells[cell], -cell[1], str(cell[0]))) if cells else None
    everybody = set(csms) | {each.csm for each in fired if each.csm is not None}
    eligible: dict[int, int] = {}
    for each in made.firings:
        if each.day >= begin:
            eligible.setdefault(each.code, each.day)
    lots = ((roster.ids[code], date.fromordinal(day)) for code, day in eligible.items())
    return Counted(
        hash=made.playbook.hash,
        version=made.playbook.version,
        at_once=at_once,
        firings=len(fired),
        customers=len({each.code for each in fired}),
        matching_now=made.matching,
        csms=len(everybody),
        loads=_loads(fired, cells, days),
        mean_a_week=len(fired) / max(len(everybody), 1) / (days / WEEK),
        worst_week=cells[worst] if worst else 0,
        worst_csm=worst[0] if worst else None,
        worst_begins=date.fromordinal(begin + worst[1] * WEEK) if worst else None,
        most_a_week=max(weeks.values(), default=0),
        messages=dict(sorted(made.sent.messages.items())),
        calls=dict(sorted(made.sent.calls.items())),
        asked=made.sent.asked,
        held_out=count_held_out(made.playbook, lots),
        outcome=judge(made.firings, ground, roster, since=since.toordinal()),
    )


def _loads(fired: Sequence[Firing], cells: Counter[tuple[str | None, int]], days: int) -> tuple[CsmLoad, ...]:
    totals = Counter(each.csm for each in fired)
    worst: dict[str | None, int] = {}
    for (csm, _), number in cells.items():
        worst[csm] = max(worst.get(csm, 0), number)
    weeks = max(math.ceil(days / WEEK), 1) if days < WEEK else days / WEEK
    loads = (
        CsmLoad(csm=csm, firings=number, a_week=number / weeks, worst_week=worst[csm]) for csm, number in totals.items()
    )
    return tuple(sorted(loads, key=lambda each: (-each.firings, each.csm or "")))


def compare(new: Sequence[Firing], live: Sequence[Firing]) -> tuple[Compared, tuple[int, ...], tuple[int, ...]]:
    """Customers of both versions' firings; and the numbers of some that are one version's alone, most at stake first."""
    mine, theirs = ({each.code for each in fired} for fired in (new, live))
    compared = Compared(
        only_new=len(mine - theirs),
        only_live=len(theirs - mine),
        both=len(mine & theirs),
        new_names=(),
        live_names=(),
    )
    return compared, _most(new, mine - theirs), _most(live, theirs - mine)


def _most(fired: Sequence[Firing], codes: Set[int]) -> tuple[int, ...]:
    stake: dict[int, float] = {}
    for each in fired:
        if each.code in codes:
            stake[each.code] = max(stake.get(each.code, 0.0), each.at_stake)
    return tuple(sorted(stake, key=lambda code: (-stake[code], code))[:MOST_NAMES])
