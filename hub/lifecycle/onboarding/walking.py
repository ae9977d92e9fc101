"""How one onboarding goes on: whose turn it is, what may be done now, how it keeps pace. Arithmetic over its steps alone.

A step's turn comes when all the steps it comes after are passed: done or skipped; one that is optional, or not for this
customer, holds nobody up and is passed as soon as its own turn has come. The onboarding is completed when every step that is
for the customer and not optional is done or skipped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from hub.errors import RefusedError
from hub.lifecycle.onboarding.programme import Programme, Step
from hub.store.onboarding import ACTIVE, Onboarding, OnboardingStep

BEHIND_US = ("done", "skipped")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Proof:
    """Why the data says that a step is done: since when, and in words."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Journey:
    """An onboarding and its steps, in order."""

    onboarding: Onboarding
    steps: tuple[OnboardingStep, ...]

    def step(self, name: str) -> OnboardingStep:
        """RefusedError, which names the steps, where there is none called so."""
        for each in self.steps:
            if each.name == name:
                return each
        raise RefusedError(f"there is no step {name[:60]!r}; the steps are {_list(each.name for each in self.steps)}")

    def allowed(self) -> tuple[OnboardingStep, ...]:
        """The open steps whose turn has come."""
        return tuple(each for each in self.steps if each.state == "open" and each.turn_at is not None)

    @property
    def current(self) -> OnboardingStep | None:
        """The first of them that is not optional."""
        return next((each for each in self.allowed() if not each.optional), None)

    def with_step(self, changed: OnboardingStep) -> "Journey":
        steps = tuple(changed if each.name == changed.name else each for each in self.steps)
        return turned(Journey(self.onboarding, steps))


def followed(journey: Journey, programme: Programme, *, applies: Mapping[str, bool]) -> Journey:
    """The journey by the programme as it is now. What is done stays done; an open step that is gone from it is left out.

    applies  {step: whether it is for this customer}
    """
    before = {each.name: each for each in journey.steps}
    blank = OnboardingStep(onboarding_id=journey.onboarding.id, name="", position=0, title="")
    steps = []
    for step in programme.steps:
        was = before.pop(step.name, blank)
        state = was.state if was.state in BEHIND_US else "open" if applies.get(step.name, True) else "left_out"
        steps.append(
            replace(
                was,
                name=step.name,
                position=step.position,
                title=step.title,
                optional=step.optional,
                ours=step.ours,
                after=step.after,
                state=state,
            )
        )
    gone = [each if each.state in BEHIND_US else replace(each, state="left_out") for each in before.values()]
    gone = [replace(each, position=len(steps) + index) for index, each in enumerate(gone)]
    onboarding = replace(journey.onboarding, programme=programme.name)
    return turned(Journey(onboarding, (*steps, *gone)), programme)


def turned(journey: Journey, programme: Programme | None = None) -> Journey:
    """The journey with the moment at which each step's turn came; with a programme, also the days they are due."""
    known = {each.name: each for each in journey.steps}
    settings: Mapping[str, Step] = programme.by_name if programme is not None else {}
    turns: dict[str, datetime | None] = {}

    def turn(name: str) -> datetime | None:
        if name not in turns:
            turns[name] = None  # a programme has no circles; what is left of an older one may
            moments = [passes(before) for before in known[name].after if before in known]
            whole = [moment for moment in moments if moment is not None]
            turns[name] = max((journey.onboarding.started_at, *whole)) if len(whole) == len(moments) else None
        return turns[name]

    def passes(name: str) -> datetime | None:
        each = known[name]
        if each.optional or each.state == "left_out":
            return turn(name)
        return each.done_at if each.state in BEHIND_US else None

    steps = []
    for each in journey.steps:
        at = turn(each.name)
        due = each.due_on if at is not None and at == each.turn_at else None
        if at is not None and each.name in settings:
            due = (at + settings[each.name].due_days * DAY).date()
        steps.append(replace(each, turn_at=at, due_on=due) if each.state == "open" else each)
    return Journey(journey.onboarding, tuple(steps))


def completed(
    journey: Journey, name: str | None, programme: Programme | None, *, by: str, note: str | None, now: datetime
) -> Journey:
    """A person says that a step is done; RefusedError, which says what may be done now, where it may not be.

    name  None: the current one
    """
    name = name or (journey.current.name if journey.current is not None else "")
    step = journey.step(name)
    definition = programme.by_name.get(name) if programme is not None else None
    if step.state == "done" and definition is not None and definition.repeat:
        return journey.with_step(replace(step, times=step.times + 1, note=note or step.note))
    if step.state in BEHIND_US:
        who = f"by {step.done_by}" if step.done_by else f"as the data says ({step.evidence})"
        raise RefusedError(f"{name} was {step.state} on {step.done_at:%Y-%m-%d} already, {who}; {_now(journey)}")
    if step.state == "left_out":
        raise RefusedError(f"{name} is not for this customer; {_now(journey)}")
    if step.turn_at is None:
        raise RefusedError(f"{name} comes after {_list(_waited_for(journey, step))}; {_now(journey)}")
    return journey.with_step(replace(step, state="done", times=1, done_at=now, done_by=by, note=note))


def skipped(journey: Journey, name: str, *, by: str, note: str | None, now: datetime) -> Journey:
    """A person passes over an optional step; RefusedError where it is none, or behind us already."""
    step = journey.step(name)
    if step.state != "open":
        said = "is not for this customer" if step.state == "left_out" else f"is {step.state} already"
        raise RefusedError(f"{name} {said}; {_skippable(journey)}")
    if not step.optional:
        raise RefusedError(f"{name} is not optional; {_skippable(journey)}")
    return journey.with_step(replace(step, state="skipped", done_at=now, done_by=by, note=note))


def proved(journey: Journey, proofs: Mapping[str, Proof], *, now: datetime) -> Journey:
    """All that the data proves, one step after the other as their turns come. proofs: {step: why}."""
    while ready := [each for each in journey.allowed() if each.name in proofs]:
        for step in ready:
            proof = proofs[step.name]
            at = min(max(proof.at, step.turn_at or proof.at), now)
            journey = journey.with_step(replace(step, state="done", times=1, done_at=at, evidence=proof.text))
    return journey


def judged(journey: Journey, programme: Programme, proofs: Mapping[str, Proof], *, now: datetime) -> Journey:
    """The journey with its state, pace, current step and progress as of `now`."""
    was, value = journey.onboarding, programme.value
    value_at = was.value_at
    if value_at is None and value in proofs:
        value_at = min(max(proofs[value].at, was.started_at), now)
    done = next((each for each in journey.steps if each.name == value and each.state == "done"), None)
    if value_at is None and done is not None:
        value_at = done.done_at
    required = [each for each in journey.steps if not each.optional and each.state != "left_out"]
    theirs = [each for each in required if not each.ours]
    progress = sum(each.state in BEHIND_US for each in theirs) / len(theirs) if theirs else 0.0
    moved = replace(was, value_at=value_at, progress=round(progress, 4))
    if all(each.state in BEHIND_US for each in required):
        at = max((each.done_at for each in required if each.done_at is not None), default=now)
        return Journey(_ended(moved, "completed", at=at, why="every step is done", progress=1.0), journey.steps)
    if now - was.started_at > programme.fail_after_days * DAY:
        why = f"not completed within {programme.fail_after_days} days"
        return Journey(_ended(moved, "failed", at=now, why=why), journey.steps)
    current = journey.current
    assert current is not None, "a programme has no circles, so some open step's turn has come"
    moved = replace(moved, step=current.name, step_since=current.turn_at, pace=_pace(moved, current, programme, now))
    return Journey(moved, journey.steps)


def ended(onboarding: Onboarding, state: str, *, why: str, now: datetime, by: str | None = None) -> Onboarding:
    """An active onboarding that is over now."""
    return _ended(onboarding, state, at=now, why=why, by=by)


def stands(onboarding: Onboarding, *, now: datetime) -> dict[str, object]:
    """Its columns of the lifecycle."""
    active = onboarding.state == ACTIVE
    since = onboarding.step_since
    return {
        "onboarding_state": onboarding.state,
        "onboarding_pace": onboarding.pace,
        "onboarding_step": onboarding.step,
        "onboarding_progress": onboarding.progress,
        "onboarding_days": _days((onboarding.ended_at or now) - onboarding.started_at),
        "onboarding_step_days": _days(now - since) if active and since is not None else None,
    }


def moment_of(day: date) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time.min, UTC)


def _pace(onboarding: Onboarding, current: OnboardingStep, programme: Programme, now: datetime) -> str:
    of_all, of_step = now - onboarding.started_at, now - (current.turn_at or now)
    step = programme.by_name.get(current.name)
    for pace, days, step_days in (
        ("stalled", programme.stalled_after_days, step.stalled_after_days if step else None),
        ("behind", programme.behind_after_days, step.due_days if step else None),
    ):
        if (days is not None and of_all > days * DAY) or (step_days is not None and of_step > step_days * DAY):
            return pace
    return "on_track"


def _ended(
    onboarding: Onboarding, state: str, *, at: datetime, why: str, by: str | None = None, progress: float | None = None
) -> Onboarding:
    return replace(
        onboarding,
        state=state,
        pace=None,
        step=None,
        step_since=None,
        progress=onboarding.progress if progress is None else progress,
        ended_at=at,
        ended_by=by,
        ended_why=why,
    )


def _days(length: timedelta) -> float:
    return round(max(length / DAY, 0.0), 2)


def _waited_for(journey: Journey, step: OnboardingStep) -> list[str]:
    """The steps that must be done before `step` may be, and are not: those that hold others up first."""
    known = {each.name: each for each in journey.steps}
    found: list[str] = []
    for name in step.after:
        if (before := known.get(name)) is None or before.state in BEHIND_US:
            continue
        if before.optional or before.state == "left_out":
            found += _waited_for(journey, before)
        else:
            found.append(name)
    return list(dict.fromkeys(found))


def _now(journey: Journey) -> str:
    may = _list(each.name for each in journey.allowed())
    return f"what can be done now: {may or 'nothing, it is over'}"


def _skippable(journey: Journey) -> str:
    may = _list(each.name for each in journey.steps if each.optional and each.state == "open")
    return f"what can be skipped: {may or 'nothing'}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
