"""What became of those a rehearsed playbook fired for: who left, how early it would have spoken, and how many it missed.

Leaving is certain only once its grace is over, so a firing counts when its horizon and the grace after it are; younger ones
are counted apart. A customer who had given notice foretells nothing, and is counted apart too.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from statistics import median

import numpy as np
import numpy.typing as npt

from hub.playbooks.rehearsal.report import Outcome
from hub.playbooks.rehearsal.scene import Firing, Roster, Scene
from scoring.experiment import wilson
from scoring.outcomes import CHURNED, STAYED, Churns, outcomes

WEEK = 7


@dataclass(slots=True)
class Ground:
    """Who was at stake on the days that can be judged, and who of all left.

    last  the newest day that can be judged: its horizon and grace are over; certain: the newest day a leaving is known of
    """

    churns: Churns
    horizon: int
    count_involuntary: bool
    last: int
    certain: int
    first: int | None = None
    staked: dict[int, Set[str]] = field(default_factory=dict)
    base: list[int] = field(default_factory=lambda: [0, 0])
    _based_on: int = 0

    @classmethod
    def of(cls, churns: Churns, *, horizon: int, grace: int, count_involuntary: bool, today: date) -> "Ground":
        certain = today.toordinal() - grace - 1
        return cls(churns, horizon, count_involuntary, last=certain - horizon, certain=certain)

    def wants(self, day: date) -> bool:
        """Whether it wants to know who was at stake on a day."""
        return day.toordinal() <= self.last

    def take(self, scene: Scene, staked: Sequence[str]) -> None:
        """Who was at stake on a day that can be judged; one day a week makes the base rate."""
        self.first = self.first or scene.ordinal
        self.staked[scene.ordinal] = frozenset(staked)
        if scene.ordinal - self._based_on >= WEEK:
            self._based_on = scene.ordinal
            verdicts = self.verdicts(list(staked), scene.ordinal)
            self.base[0] += int((verdicts == CHURNED).sum())
            self.base[1] += int((verdicts != -1).sum())

    def verdicts(self, customers: Sequence[str], ordinal: int) -> npt.NDArray[np.int8]:
        """CHURNED, STAYED or UNUSED of customers after a day."""
        return outcomes(
            customers,
            date.fromordinal(ordinal),
            self.churns,
            first=np.full(len(customers), ordinal + 1),
            last=np.full(len(customers), ordinal + self.horizon),
            count_involuntary=self.count_involuntary,
        )

    def leavings(self) -> dict[str, list[int]]:
        """{customer: days it left on, oldest first}, of leavings that count."""
        counted = self.churns.involuntary <= self.count_involuntary
        found: dict[str, list[int]] = {}
        for id_, day in zip(self.churns.customers[counted].tolist(), self.churns.days[counted].tolist(), strict=True):
            found.setdefault(id_, []).append(day)
        return found


def judge(firings: Sequence[Firing], ground: Ground, roster: Roster, *, since: int) -> Outcome:
    """Of one version's firings, on the first day as well. since: the first day rehearsed."""
    left = ground.leavings()
    first: dict[str, int] = {}
    later: dict[str, int] = {}
    not_at_stake = 0
    for each in firings:
        id_ = roster.ids[each.code]
        if each.day > ground.last:
            later.setdefault(id_, each.day)
        elif id_ in ground.staked.get(each.day, ()):
            first.setdefault(id_, each.day)
        else:
            not_at_stake += 1
    judged = _count(first, ground)
    immature_left = sum(any(day < gone for gone in left.get(id_, ())) for id_, day in later.items())
    leads = _leads(firings, left, ground, roster, since=since)
    reached = [lead for lead in leads if lead is not None]
    low, high = wilson(*judged) if judged[1] else (None, None)
    return Outcome(
        horizon=ground.horizon,
        first=None if ground.first is None else date.fromordinal(ground.first),
        last=None if ground.first is None else date.fromordinal(max(ground.staked)),
        customers=judged[1],
        left=judged[0],
        precision=judged[0] / judged[1] if judged[1] else None,
        low=low,
        high=high,
        base_rate=ground.base[0] / ground.base[1] if ground.base[1] else None,
        not_at_stake=not_at_stake,
        immature=len(later),
        immature_left=immature_left,
        churners=len(leads),
        reached=len(reached),
        median_lead=float(median(reached)) if reached else None,
    )


def _count(first: Mapping[str, int], ground: Ground) -> tuple[int, int]:
    """(who left within the horizon, of how many) of customers with the day of their first firing."""
    by_day: dict[int, list[str]] = {}
    for id_, day in first.items():
        by_day.setdefault(day, []).append(id_)
    churned = known = 0
    for day, ids in by_day.items():
        verdicts = ground.verdicts(ids, day)
        churned += int((verdicts == CHURNED).sum())
        known += int(np.isin(verdicts, (CHURNED, STAYED)).sum())
    return churned, known


def _leads(
    firings: Sequence[Firing], left: Mapping[str, list[int]], ground: Ground, roster: Roster, *, since: int
) -> list[int | None]:
    """Of each leaving with the whole horizon before it rehearsed: days from the first firing in that, or None."""
    fired: dict[str, list[int]] = {}
    for each in firings:
        fired.setdefault(roster.ids[each.code], []).append(each.day)
    found: list[int | None] = []
    for id_, days in left.items():
        if roster.find(id_) is None:  # never had a scorecard in all that time
            continue
        for gone in days:
            if since + ground.horizon <= gone <= ground.certain:
                within = [day for day in fired.get(id_, ()) if gone - ground.horizon <= day < gone]
                found.append(gone - min(within) if within else None)
    return found


def later_of(firing: Firing, ground: Ground, left: Mapping[str, list[int]], roster: Roster) -> str:
    """What became of one firing, in words."""
    gone = next((day for day in left.get(roster.ids[firing.code], ()) if day > firing.day), None)
    if gone is not None:
        days = gone - firing.day
        return f"left on {date.fromordinal(gone)}, {days} day{'' if days == 1 else 's'} later"
    if firing.day <= ground.last:
        return f"stayed for {ground.horizon} days"
    return f"not known yet ({max(ground.certain - firing.day, 0)} of {ground.horizon} days)"
