"""What one run does from where it stands to the next wait or the end, decided without writing anything.

A step that takes more than one move (it waits for a day, a condition, an answer or a receipt) holds the run: the counter
stays, `awaits` says for what and `since` since when, and each wake looks again. Steps are noted when they are over, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hub.delivery import RenderError
from hub.model.actions import Approval, ApprovalState, Delivery, DeliveryState, Run, RunState
from hub.model.conditions import matches
from hub.playbooks.durations import Moment
from hub.playbooks.mailing import Mailing
from hub.playbooks.planned import OFF, Planned
from hub.playbooks.planning import Planner
from hub.playbooks.program import STOP, Step
from hub.playbooks.rows import Started, Walk, alert_row, approval_row, close_row, delivery_row, step_row, update_rows
from hub.playbooks.spec import Playbook
from hub.playbooks.steps import Airflow, Approve, Branch, Close, Email, Prefect, Start, Stop, Update, Wait
from hub.playbooks.telling import control, say
from hub.store.conditions import CUSTOM
from hub.store.playbooks import Situation

DAILY = timedelta(days=1)
"""How often a wait for a day looks whether the day was moved."""
NEVER = timedelta(days=400)
"""How long a wait for a day goes on where nobody knows the day."""
LOOK = timedelta(hours=6)
"""How often a wait for a condition looks by itself; after every scoring it is woken anyway."""
WINDOW = "condition"
"""What `in_window` awaits: whether mail may go out, and of a mail, whether it is needed still."""
RECEIPT = timedelta(minutes=10)
"""The same for what became of messages; the ledger wakes the run before."""
OPEN_DELIVERIES = (DeliveryState.HELD, DeliveryState.RESERVED, DeliveryState.SENT)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a run that was held may have been waiting for."""

    approvals: dict[int, Approval] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)


class Walker:
    """Walks runs. `definitions`: what may be started; `mailing`: when customers get mail."""

    def __init__(self, planner: Planner, definitions: Mapping[str, Playbook], mailing: Mailing) -> None:
        self.planner = planner
        self.definitions = definitions
        self.mailing = mailing

    def walk(self, run: Run, playbook: Playbook, situation: Situation | None, heard: Heard, *, now: datetime) -> Walk:
        walk = Walk(run, run.step)
        if situation is None:
            walk.state, walk.error = RunState.CANCELLED, "the customer is gone or was merged into another"
            return walk
        while walk.step < len(playbook.steps):
            step = playbook.steps[walk.step]
            held = step.index == run.step and run.awaits is not None
            try:
                outcome = _Doing(self, walk, step, situation, playbook, heard, held=held, now=now).outcome()
            except RenderError as error:
                if step.exits.get("failed", STOP) == STOP:
                    return _failed(run, step, str(error), now)
                outcome = _noted(walk, step, "failed", str(error), now, "failed")
            if walk.awaits is not None:
                walk.state = RunState.WAITING
                return walk
            situation = _updated(situation, walk)
            leads = step.leads(outcome)
            if leads == STOP:
                if outcome == "failed":
                    walk.state, walk.error = RunState.FAILED, walk.steps[-1]["detail"]
                return walk
            walk.step = leads
            if walk.wake_at is not None:
                walk.state = RunState.WAITING
                return walk
        return walk


@dataclass(frozen=True, slots=True)
class _Doing:
    """One step of one run, now. `held`: the run was waiting at it, so it was begun before."""

    walker: Walker
    walk: Walk
    step: Step
    situation: Situation
    playbook: Playbook
    heard: Heard
    held: bool
    now: datetime

    def outcome(self) -> str | None:
        """What came of the step, as its exits know it; with `awaits` set it is not over."""
        run, settings = self.walk.run, self.step.settings
        if self.step.off:
            return self.note("skipped", OFF)
        if not self.begun and self.walker.planner.spares(self.step, self.situation, run.facts):
            return self.note("skipped", "not needed: its `unless` holds")
        match settings:
            case Wait(wait=timedelta() as pause):
                self.walk.wake_at = self.now + pause
                return self.note("done", control(self.step))
            case Wait(in_window=True):
                return None if self.held_back() else self.note("done", control(self.step))
            case Wait():
                return self.wait(settings)
            case Branch():
                return self.branch()
            case Approve():
                return self.approve(settings)
            case Start():
                return self.start(settings.name)
            case Update():
                return self.update()
            case Close():
                return self.close(settings)
            case Stop():
                return self.note("done", settings.reason, "stopped")
        return self.receipts() if self.begun else self.act()

    def note(self, state: str, detail: str, outcome: str | None = None) -> str | None:
        return _noted(self.walk, self.step, state, detail, self.now, outcome)

    def hold(self, awaits: str, until: datetime) -> None:
        self.walk.awaits, self.walk.wake_at = awaits, until
        self.walk.since = self.walk.run.since if self.held else self.now

    @property
    def begun(self) -> bool:
        """Whether the step's turn has come before: not where a mail waits only for its hours."""
        return self.held and not (isinstance(self.step.settings, Email) and self.walk.run.awaits == WINDOW)

    @property
    def since(self) -> datetime:
        return (self.walk.run.since if self.held else None) or self.now

    def wait(self, settings: Wait) -> str | None:
        deadline = self.since + (settings.at_most or NEVER)
        if isinstance(settings.until, Moment):
            at = settings.until.at(self.situation.values, self.situation.as_of)
            came, awaits, look = at is not None and at <= self.now, "date", self.now + DAILY
            look = look if at is None else min(look, at)
        else:
            assert self.step.condition is not None, "reading saw to it"
            came = matches(self.step.condition, self.situation.values, before=self.walk.run.facts)
            awaits, look = "condition", self.now + LOOK
        if came:
            return self.note("done", control(self.step))
        if deadline <= self.now:
            return self.note("done", f"{control(self.step)}: it did not come", "else")
        self.hold(awaits, min(look, deadline))
        return None

    def branch(self) -> str | None:
        assert self.step.condition is not None, "reading saw to it"
        holds = matches(self.step.condition, self.situation.values, before=self.walk.run.facts)
        taken = "then" if holds else "else"
        return self.note("done", f"{taken}: {say(self.step.condition)}" + ("" if holds else " does not hold"), taken)

    def start(self, name: str) -> str | None:
        playbook = self.walker.definitions.get(name)
        if playbook is None:
            return self.note("failed", f"there is no playbook {name!r} any more", "failed")
        self.note("done", f"started {name}")
        self.walk.starts.append(Started(playbook, self.walk.steps[-1], self.situation.values))
        return None

    def close(self, settings: Close) -> str | None:
        (planned,) = self.plan()
        self.walk.closes.append(
            (len(self.walk.alerts), close_row(self.walk.run, settings.outcome, planned.reason, self.now))
        )
        return self.note("done", planned.show())

    def update(self) -> str | None:
        (planned,) = self.plan()
        self.walk.updates += update_rows(self.walk.run, planned.written)
        return self.note("done", planned.show())

    def approve(self, settings: Approve) -> str | None:
        given = self.heard.approvals.get(self.step.index) if self.held else None
        if given is None:
            self.ask(settings)
            return None
        note = f": {given.note}" if given.note else ""
        if given.state is ApprovalState.APPROVED:
            return self.note("done", f"approved by {given.decided_by}{note}")
        if given.state is ApprovalState.OPEN and given.expires_at is not None and given.expires_at <= self.now:
            self.walk.expired.append(given.id)
            return self.note("done", "nobody answered in time", "expired")
        if given.state is ApprovalState.OPEN:
            self.hold("approval", given.expires_at or self.now + DAILY)
            return None
        if given.state is ApprovalState.EXPIRED:
            return self.note("done", "nobody answered in time", "expired")
        return self.note("done", f"declined by {given.decided_by}{note}", "declined")

    def ask(self, settings: Approve) -> None:
        (planned,) = self.plan()
        run, until = self.walk.run, self.now + settings.within
        self.walk.approvals.append(approval_row(run, planned, until=until, now=self.now))
        self.walk.alerts.append(alert_row(run, planned, self.now, kind="task"))
        self.hold("approval", until)

    def act(self) -> str | None:
        run, planned = self.walk.run, self.plan()
        settings = self.step.settings
        in_window = isinstance(settings, Email) and settings.in_window and any(each.channel for each in planned)
        if in_window and self.held_back():
            return None
        sent = [self.message(each) for each in planned if each.channel is not None]
        self.walk.deliveries += sent
        calls = [each for each in planned if not each.channel and each.title is not None]
        self.walk.alerts += [alert_row(run, each, self.now, kind=each.action) for each in calls]
        if sent and self.step.heeds:
            self.hold("delivery", self.now + RECEIPT)
            return None
        shown = planned[0].show() if len(planned) == 1 else f"to {len(planned)} addresses"
        return self.note("skipped" if planned[0].skipped else "done", shown)

    def held_back(self) -> bool:
        """Whether mail to this customer may not go out now: then the run waits until it may."""
        opens = self.walker.mailing.opens(self.situation.values.get("country"), now=self.now)
        if opens > self.now:
            self.hold(WINDOW, opens)
        return opens > self.now

    def receipts(self) -> str | None:
        mine = [each for each in self.heard.deliveries if each.step == self.step.index]
        if any(each.state in OPEN_DELIVERIES for each in mine):
            self.hold("delivery", self.now + RECEIPT)
            return None
        shown = f"to {mine[0].address}" if len(mine) == 1 else f"to {len(mine)} addresses"
        failed = [each for each in mine if each.state is DeliveryState.FAILED]
        if failed:
            return self.note("failed", f"{shown}: {failed[0].error}", "failed")
        if isinstance(self.step.settings, Airflow | Prefect) and self.step.settings.wait_for is not None:
            return self.run_elsewhere(mine[0], self.since + self.step.settings.wait_for)
        unknown = any(each.state is DeliveryState.UNKNOWN for each in mine)
        return self.note("done", shown + (", and nobody knows whether it arrived" if unknown else ""))

    def run_elsewhere(self, sent: Delivery, deadline: datetime) -> str | None:
        """What became of the run that was started there; see hub.playbooks.following."""
        at = f"at {sent.address}"
        if sent.state is DeliveryState.UNKNOWN:
            return self.note("failed", f"nobody knows whether it was started {at}", "failed")
        if sent.state is not DeliveryState.CONFIRMED:
            return self.note("failed", f"it was not started {at}: {sent.error or sent.state.value}", "failed")
        stands: Mapping[str, Any] = (sent.receipt or {}).get("run") or {}
        if stands.get("ended"):
            told = f"its run {at} ended: {stands['state']}"
            return self.note("done", told) if stands["succeeded"] else self.note("failed", told, "failed")
        if deadline <= self.now:
            last = stands.get("error") or stands.get("state") or "nobody looked"
            return self.note("failed", f"its run {at} has not ended in time; the last that is known: {last}", "failed")
        self.hold("run", min(deadline, self.now + LOOK))
        return None

    def message(self, planned: Planned) -> dict[str, Any]:
        return delivery_row(self.walk.run, planned, retry=self.step.retry, now=self.now)

    def plan(self) -> list[Planned]:
        run = self.walk.run
        return self.walker.planner.step(self.playbook, self.step.index, self.situation, before=run.facts, now=self.now)


def _noted(
    walk: Walk, step: Step, state: str, detail: str | None, now: datetime, outcome: str | None = None
) -> str | None:
    walk.steps.append(step_row(walk.run, step.index, step.action, state, detail, now))
    return outcome


def _updated(situation: Situation, walk: Walk) -> Situation:
    """What is known after the step, with what it wrote."""
    if not walk.updates:
        return situation
    own = {f"{CUSTOM}{row['name']}": row["value"] for row in walk.updates}
    return replace(situation, values={**situation.values, **own})


def _failed(run: Run, step: Step, reason: str, now: datetime) -> Walk:
    """Nothing of this move is kept, not even the steps before the one that failed: a person mends the template first."""
    walk = Walk(run, run.step, state=RunState.FAILED, error=reason)
    _noted(walk, step, "failed", reason, now)
    return walk
