"""The runs of a rehearsal: how long they stay open, and what they would have sent on the way.

Each run walks through the steps as a real one does, a day at a time: waits end on their day, conditions and branches are asked
of the scorecards of the day, `unless` too. Of what only people or other systems know the way with the most messages is taken:
every approval is given at once, and every message is delivered.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hub.model.conditions import Condition, matches
from hub.playbooks.durations import Moment
from hub.playbooks.program import STOP, Step
from hub.playbooks.recipients import CONTACTS
from hub.playbooks.rehearsal.needs import asks_before, conditions
from hub.playbooks.rehearsal.scene import Scene
from hub.playbooks.spec import Playbook
from hub.playbooks.steps import MESSAGES, Email, Wait

DAY = timedelta(days=1)
NEVER = 10**7
"""An ordinal no day has."""
CALLS = ("alert", "task")


@dataclass(slots=True)
class _Run:
    code: int
    facts: Mapping[str, Any]
    step: int = 0
    since: float | None = None
    """When the wait it stands at began."""
    wake: float = 0.0


@dataclass(slots=True)
class Sent:
    """What happened on one day: {channel: messages}, {alert, task: opened}, and questions to people."""

    messages: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    asked: int = 0


class Walks:
    """The open runs of one playbook. `contacts`: how many addresses a mail to a customer's contacts has, by number."""

    def __init__(self, playbook: Playbook, contacts: Mapping[int, int]) -> None:
        self._steps = playbook.steps
        self._contacts = contacts
        self._keeps_facts = any(map(asks_before, conditions(playbook)))
        self._sleeping: list[_Run] = []
        self._watching: list[_Run] = []
        self.open: set[int] = set()

    def begin(self, codes: list[int], scene: Scene, sent: Sent) -> None:
        for code in codes:
            run = _Run(code, scene.values(code) if self._keeps_facts else {})
            self.open.add(code)
            self._walk(run, scene, scene.ordinal, sent)

    def wake(self, scene: Scene, sent: Sent, *, before: bool) -> None:
        """Move what slept long enough; before: only what was over before the day's scoring."""
        due = [run for run in self._sleeping if run.wake < scene.ordinal or (not before and run.wake <= scene.ordinal)]
        if due:
            gone = {id(run) for run in due}
            self._sleeping = [run for run in self._sleeping if id(run) not in gone]
        for run in due:
            self._walk(run, scene, max(run.wake, run.since or 0.0), sent)

    def look(self, scene: Scene, sent: Sent) -> None:
        """Ask again what waits for a condition."""
        watching, self._watching = self._watching, []
        for run in watching:
            self._walk(run, scene, scene.ordinal, sent)

    def _walk(self, run: _Run, scene: Scene, at: float, sent: Sent) -> None:
        while 0 <= run.step < len(self._steps):
            step = self._steps[run.step]
            outcome = self._do(run, step, scene, at, sent)
            if outcome == "stays":
                return
            run.since = None
            run.step = step.leads(outcome)
            if run.step == STOP:
                break
        self.open.discard(run.code)

    def _do(self, run: _Run, step: Step, scene: Scene, at: float, sent: Sent) -> str | None:
        if step.off:
            return None
        if run.since is None and step.unless is not None and self._holds(step.unless, run, scene):
            return None
        match step.action:
            case "wait":
                assert isinstance(step.settings, Wait), "the settings of its action"
                return self._wait(run, step, step.settings, scene, at)
            case "branch":
                assert step.condition is not None, "reading saw to it"
                return "then" if self._holds(step.condition, run, scene) else "else"
            case "stop":
                return "stopped"
            case "approve":
                sent.asked += 1
            case action if action in MESSAGES:
                sent.messages[action] += self._addresses(run, step, scene)
            case action if action in CALLS:
                sent.calls[action] += 1
        return None

    def _wait(self, run: _Run, step: Step, settings: Wait, scene: Scene, at: float) -> str | None:
        if settings.wait is not None:
            if run.since is not None:
                return None
            run.since, run.wake = at, at + settings.wait / DAY
            self._sleeping.append(run)
            return "stays"
        if settings.in_window:  # the past is told by the day, and no window is as long
            return None
        run.since = at if run.since is None else run.since
        deadline = run.since + (settings.at_most / DAY if settings.at_most else NEVER)
        if isinstance(settings.until, Moment):
            day = settings.until.day_of(scene.values(run.code), scene.day)
            came, look = day is not None and day.toordinal() <= scene.ordinal, None if day is None else day.toordinal()
        else:
            assert step.condition is not None, "reading saw to it"
            came, look = self._holds(step.condition, run, scene), None
        if came:
            return None
        if deadline <= scene.ordinal:
            return "else"
        if look is None:
            self._watching.append(run)
        else:
            run.wake = min(float(look), deadline)
            self._sleeping.append(run)
        return "stays"

    def _holds(self, condition: Condition, run: _Run, scene: Scene) -> bool:
        if asks_before(condition):
            return matches(condition, scene.values(run.code), before=run.facts, today=scene.day)
        return scene.holds_for(run.code, condition)

    def _addresses(self, run: _Run, step: Step, scene: Scene) -> int:
        settings = step.settings
        if not isinstance(settings, Email):
            return 1
        if settings.to in CONTACTS:  # of those of a role no more than all
            return self._contacts.get(run.code, 0)
        if settings.to == "csm":
            place = scene.place(run.code)
            return int(place is not None and bool(scene.text("csm_email")[place]))
        return 1
