"""Whom a playbook would have fired for on each past day: its trigger, its rest, and its runs that were still open.

Each kind of trigger means what it means when it really fires: see hub.playbooks.triggers. What a person did is not replayed:
snoozed alerts, runs fired by hand, and what other playbooks started.

On the first day a condition holds for customers of whom nobody knows since when; they are told apart (`at_once`), and rest.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from hub.durable.schedule import Schedule, schedule
from hub.model.conditions import fields_of
from hub.playbooks.rehearsal.scene import Booleans, Firing, Integers, Kept, Roster, Scene
from hub.playbooks.rehearsal.standing import Standing
from hub.playbooks.rehearsal.walking import Sent, Walks
from hub.playbooks.spec import Playbook
from hub.playbooks.triggers import CATCH_UP
from hub.store.rehearsal import Learned

DAY = timedelta(days=1)
MOST_EXAMPLES = 10
MOST_TICKS = 24
"""Of one day: more often than that nothing changes."""


@dataclass(frozen=True, slots=True)
class Example:
    """A firing with the facts that made it."""

    firing: Firing
    facts: Mapping[str, Any]


@dataclass(slots=True)
class _Taken:
    """What of a scene fires: customers in the order of the table, and the record that set each off."""

    places: Integers
    records: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


class Rehearsed:
    """A playbook, day after day.

    since  the first day that examples, messages and calls are counted of
    """

    def __init__(
        self,
        playbook: Playbook,
        roster: Roster,
        *,
        standing: Standing,
        contacts: Mapping[int, int],
        since: date,
        timezone: str,
    ) -> None:
        self.playbook = playbook
        self.firings: list[Firing] = []
        self.sent = Sent()
        self.matching = 0
        self._roster = roster
        self._standing = standing
        self._since = since.toordinal()
        self._walks = Walks(playbook, contacts)
        self._fired = Kept(-np.inf)
        self._before = Kept(0.0)
        self._used = Kept(np.nan)
        self._examples: list[tuple[float, int, int, Example]] = []
        self._begun = False
        cron = playbook.trigger.cron
        self._schedule: Schedule | None = (
            None if cron is None else schedule("plan", cron, "plan", {}, timezone=timezone)
        )
        asked = [each for each in (playbook.condition, playbook.trigger.before) if each is not None]
        self._shown = (set().union(*map(fields_of, asked)) if asked else set()) | {"mrr"}

    @property
    def examples(self) -> list[Example]:
        """Those with the most at stake, each customer once."""
        return [each for _, _, _, each in sorted(self._examples, key=lambda one: one[:3], reverse=True)]

    def take(self, scene: Scene, learned: Sequence[Learned]) -> None:
        """A day, later than those before. `learned`: records of the trigger's kind that became known since then."""
        sent = Sent()
        self._walks.wake(scene, sent, before=True)
        for _ in range(self._ticks(scene)):
            self._fire(scene, self._due(scene, learned), sent)
        self._walks.wake(scene, sent, before=False)
        self._walks.look(scene, sent)
        if scene.ordinal >= self._since:
            self.sent.messages += sent.messages
            self.sent.calls += sent.calls
            self.sent.asked += sent.asked
        if self.playbook.trigger.before is not None:
            held = scene.holds(self.playbook.trigger.before)
            self._before.put(scene.codes, held.astype(np.float64))
        if self._schedule is not None:  # its last tick may be long ago
            self.matching = int(self._holds(scene).sum())
        self._begun = True

    def remember(self, scene: Scene) -> None:
        """A day before the first one, for what must have held by the scorecard before."""
        if self.playbook.trigger.before is not None:
            self._before.put(scene.codes, scene.holds(self.playbook.trigger.before).astype(np.float64))

    def _ticks(self, scene: Scene) -> int:
        """How often it looks at the day's scorecards."""
        if self._schedule is None:
            return 1
        end = datetime.combine(scene.until, time(), UTC)
        tick = datetime.combine(scene.day, time(), UTC) - timedelta(microseconds=1)
        count = 0
        while (tick := self._schedule.next_tick(tick)) < end and count < MOST_TICKS:
            count += 1
        return count if not self.playbook.rest else min(count, 1)

    def _due(self, scene: Scene, learned: Sequence[Learned]) -> _Taken:
        free = self._free(scene)
        trigger = self.playbook.trigger
        if trigger.record is not None:
            return self._records(scene, free, learned)
        holds = self._holds(scene)
        if trigger.before is not None:
            holds = holds & (self._before.of(scene.codes) == 1.0)
        self.matching = int(holds.sum())
        if trigger.moment is not None:
            return self._once(scene, holds & free, self._dates(scene, holds))
        if trigger.field is not None:
            turned = np.array(self._standing.turned(trigger.field, scene.table.customers, was=trigger.was))
            fresh = turned > datetime.combine(scene.day + DAY, time(), UTC).timestamp() - CATCH_UP.total_seconds()
            self.matching = int((holds & fresh).sum())
            return self._once(scene, holds & free & fresh, turned)
        return _Taken(np.flatnonzero(holds & free))

    def _holds(self, scene: Scene) -> Booleans:
        """For whom all holds that is asked of the newest scorecard."""
        condition = self.playbook.condition
        return np.ones(len(scene.codes), dtype=np.bool_) if condition is None else scene.holds(condition)

    def _free(self, scene: Scene) -> Booleans:
        rested = scene.ordinal - self._fired.of(scene.codes) >= self.playbook.rest / DAY
        if not self._walks.open:
            return rested
        busy = np.fromiter((code in self._walks.open for code in scene.codes.tolist()), np.bool_, len(scene.codes))
        return rested & ~busy

    def _dates(self, scene: Scene, holds: Booleans) -> Any:
        moment = self.playbook.trigger.moment
        assert moment is not None, "asked of date triggers alone"
        found = np.full(len(scene.codes), np.nan)
        for place in np.flatnonzero(holds).tolist():
            day = moment.day_of({moment.fact: float(scene.number(moment.fact)[place])}, scene.day)
            if day is not None:
                found[place] = day.toordinal()
        return found

    def _once(self, scene: Scene, due: Booleans, what: Any) -> _Taken:
        """Of those due, for whom it is another day, or another change, than what it fired for last."""
        new = due & ~np.isnan(what) & (what != self._used.of(scene.codes))
        self._used.put(scene.codes[new], what[new])
        return _Taken(np.flatnonzero(new))

    def _records(self, scene: Scene, free: Booleans, learned: Sequence[Learned]) -> _Taken:
        """One customer's newest record that is new; each of them where it does not rest."""
        when, rests = self.playbook.when, bool(self.playbook.rest)
        found: dict[int, list[Mapping[str, Any]]] = {}
        for record in learned:
            code = self._roster.find(record.customer_id)
            place = None if code is None else scene.place(code)
            if place is None or (rests and not free[place]):
                continue
            if when is None or bool(scene.holds(when)[place]):
                found.setdefault(place, []).append(record.values)
        places = [place for place, each in found.items() for _ in (each if not rests else each[:1])]
        self.matching = len(found)
        newest = {int(scene.codes[place]): each[-1] for place, each in found.items()}
        return _Taken(np.array(sorted(places), dtype=np.int64), newest)

    def _fire(self, scene: Scene, taken: _Taken, sent: Sent) -> None:
        places = taken.places
        if not len(places):
            return
        codes = scene.codes[places]
        at_once = not self._begun and self.playbook.by in ("scorecard", "date", "schedule")
        csms = scene.text("csm_email")
        revenue, risk = np.nan_to_num(scene.number("mrr")) * 12, scene.number("churn_annualised")
        stake = np.where(np.isnan(risk), revenue, revenue * np.nan_to_num(risk))
        for place, code in zip(places.tolist(), codes.tolist(), strict=True):
            firing = Firing(code, scene.ordinal, at_once, csms[place] or None, float(stake[place]))
            self.firings.append(firing)
            if scene.ordinal >= self._since:
                self._show(firing, scene, place, taken.records.get(code))
        self._fired.put(codes, float(scene.ordinal))
        self._walks.begin(codes.tolist(), scene, sent)

    def _show(self, firing: Firing, scene: Scene, place: int, record: Mapping[str, Any] | None) -> None:
        """Keep it among the examples if it is one of those with the most at stake."""
        rank = (not firing.at_once, firing.at_stake)
        entry = (rank[1] + (1e18 if rank[0] else 0.0), firing.day, -firing.code)
        known = [each for each in self._examples if each[3].firing.code == firing.code]
        if known and known[0][:3] >= entry:
            return
        if not known and len(self._examples) >= MOST_EXAMPLES and self._examples[0][:3] >= entry:
            return
        facts = {name: value for name, value in scene.table.at(place).items() if name in self._shown}
        if record is not None:
            facts |= {f"record.{name}": value for name, value in record.items() if name in ("id", *self._asked())}
        if known:
            self._examples.remove(known[0])
        self._examples.append((*entry, Example(firing, facts)))
        heapq.heapify(self._examples)
        while len(self._examples) > MOST_EXAMPLES:
            heapq.heappop(self._examples)

    def _asked(self) -> frozenset[str]:
        where = self.playbook.trigger.where
        return frozenset() if where is None else fields_of(where)


__all__ = ["Example", "Rehearsed"]
