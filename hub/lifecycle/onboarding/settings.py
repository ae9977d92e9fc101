"""Onboarding as config/lifecycle.yaml says it: programmes, their steps, and when one counts as behind, stalled or failed.

    onboarding:
      starts_within_days: 14         a first subscription no older than this starts one by itself; 0: only people start them
      programmes:                    the first whose `when` holds is a customer's; one without `when` is for all the others
        enterprise: {when: {plan: {eq: enterprise}}, steps: {…}}
        default:
          title: Getting started
          value: activation          the step that stands for value; default: the last one that is not optional
          behind_after_days: 21      since the start; each of these three counts beside what the steps say
          stalled_after_days: 35
          fail_after_days: 60
          steps:                     in order
            account_setup:
              title: Set up your account
              after: [welcome]       steps that must be done before; default: the one before it; []: at any time
              when: {…}              only customers it holds for have the step: a branch
              optional: true         may be skipped, and holds nobody up
              ours: true             ours to do: it is no progress of the customer's
              repeat: true           may be completed again
              due_days: 3            after its turn came; later is behind
              stalled_after_days: 7  default: twice due_days
              evidence: {mau: {gte: 1}}

Evidence is a mapping, all of which must hold, or a list of them, one of which must:

    {seat_utilisation: {gte: 0.5}}         a condition over the facts of the newest scorecard
    {event: report_created, times: 3}      events of a feature since the start, `feature:` says the same; a list: any of them
    {playbook: onboarding_welcome}         a run of that playbook for the customer, begun since the start, has ended well
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from hub.lifecycle.onboarding.programme import Evidence, Happening, Programme, Step
from hub.model.conditions import Condition, ConditionError, Key, Problem, parse
from hub.model.conditions import Field as Named
from hub.store.conditions import FIELDS
from scoring.facts import FACTS

NAME = r"^[a-z][a-z0-9_]{1,59}$"
HAPPENINGS = ("event", "feature", "playbook")
VOCABULARY: Mapping[str, Named] = {
    **{name: Named(name, fact.kind) for name, fact in FACTS.items()},
    **{name: field for name, field in FIELDS.items() if not name.startswith("onboarding_")},
}
"""What conditions of programmes may ask: all but where an onboarding stands itself."""
Days = Annotated[int, Field(ge=1, le=3650)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)


class StepSettings(_Part):
    title: Annotated[str, Field(min_length=1, max_length=200)]
    optional: bool = False
    ours: bool = False
    repeat: bool = False
    when: Any = None
    after: list[str] | None = None
    evidence: Any = None
    due_days: Days = 7
    stalled_after_days: Days | None = None

    @field_validator("when")
    @classmethod
    def _condition(cls, value: object) -> Condition | None:
        return _parsed(value, ())

    @field_validator("evidence")
    @classmethod
    def _alternatives(cls, value: object) -> tuple[Evidence, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            return (_evidence(value, ()),)
        if not value:
            raise _refused([Problem((), "must be a mapping, or a list of them that is not empty")])
        return tuple(_evidence(each, (index,)) for index, each in enumerate(value))

    @model_validator(mode="after")
    def _stalled_later_than_due(self) -> "StepSettings":
        if self.stalled_after_days is not None and self.stalled_after_days <= self.due_days:
            raise _refused([Problem(("stalled_after_days",), f"must be more than due_days, which are {self.due_days}")])
        return self


class ProgrammeSettings(_Part):
    title: Annotated[str, Field(min_length=1, max_length=200)] = "Onboarding"
    when: Any = None
    value: str | None = None
    behind_after_days: Days | None = None
    stalled_after_days: Days | None = None
    fail_after_days: Days = 60
    steps: dict[Annotated[str, Field(pattern=NAME, examples=["kick_off"])], StepSettings] = Field(min_length=1)

    @field_validator("when")
    @classmethod
    def _condition(cls, value: object) -> Condition | None:
        return _parsed(value, ())

    @model_validator(mode="after")
    def _fits_together(self) -> "ProgrammeSettings":
        problems = [*self._unknown_steps(), *self._circles(), *self._thresholds()]
        if all(step.optional for step in self.steps.values()):
            problems.append(Problem(("steps",), "all are optional: one at least must be done for it to be over"))
        if problems:
            raise _refused(problems)
        return self

    def _unknown_steps(self) -> list[Problem]:
        names = list(self.steps)
        found = []
        for name, step in self.steps.items():
            others = [each for each in names if each != name]
            found += [
                Problem(("steps", name, "after", index), f"there is no other step {each!r}", tuple(others))
                for index, each in enumerate(step.after or ())
                if each not in others
            ]
        if self.value is not None and self.value not in names:
            found.append(Problem(("value",), f"there is no step {self.value!r}", tuple(names)))
        return found

    def _circles(self) -> list[Problem]:
        """Steps that wait for themselves."""
        after = {name: set(_after(name, step, self.steps)) for name, step in self.steps.items()}
        while ready := [name for name, before in after.items() if not before & after.keys()]:
            for name in ready:
                del after[name]
        others = [Problem(("steps", name, "after"), f"waits for itself: {', '.join(sorted(after))}") for name in after]
        return others[:1]

    def _thresholds(self) -> list[Problem]:
        found = []
        order = [self.behind_after_days, self.stalled_after_days, self.fail_after_days]
        names = ("behind_after_days", "stalled_after_days", "fail_after_days")
        known = [(name, days) for name, days in zip(names, order, strict=True) if days is not None]
        for (before, fewer), (name, days) in pairwise(known):
            if days <= fewer:
                found.append(Problem((name,), f"must be more than {before}, which are {fewer}"))
        return found


class OnboardingSettings(_Part):
    enabled: bool = True
    starts_within_days: Annotated[int, Field(ge=0, le=365)] = 14
    programmes: dict[Annotated[str, Field(pattern=NAME, examples=["enterprise"])], ProgrammeSettings] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _one_for_everybody_at_most(self) -> "OnboardingSettings":
        free = [name for name, each in self.programmes.items() if each.when is None]
        problems = [
            Problem(
                ("programmes", name, "when"),
                f"is missing: {free[0]!r} already is for everybody without one of their own",
            )
            for name in free[1:]
        ]
        if problems:
            raise _refused(problems)
        return self

    def made(self) -> tuple[Programme, ...]:
        """The programmes in the order in which they are tried: the one for everybody else is the last."""
        if not self.enabled:
            return ()
        made = [_programme(name, each) for name, each in self.programmes.items()]
        return tuple(sorted(made, key=lambda each: each.when is None))


def _programme(name: str, given: ProgrammeSettings) -> Programme:
    steps = tuple(
        Step(
            name=each,
            title=step.title,
            position=position,
            optional=step.optional,
            ours=step.ours,
            repeat=step.repeat,
            when=step.when,
            after=tuple(_after(each, step, given.steps)),
            evidence=step.evidence or (),
            due_days=step.due_days,
            stalled_after_days=step.stalled_after_days or 2 * step.due_days,
        )
        for position, (each, step) in enumerate(given.steps.items())
    )
    required = [step.name for step in steps if not step.optional]
    return Programme(
        name=name,
        title=given.title,
        when=given.when,
        steps=steps,
        value=given.value or required[-1],
        behind_after_days=given.behind_after_days,
        stalled_after_days=given.stalled_after_days,
        fail_after_days=given.fail_after_days,
    )


def _after(name: str, step: StepSettings, steps: Mapping[str, StepSettings]) -> Sequence[str]:
    if step.after is not None:
        return step.after
    names = list(steps)
    place = names.index(name)
    return names[place - 1 : place] if place else []


def _evidence(value: object, key: Key) -> Evidence:
    if not isinstance(value, Mapping) or not value:
        message = "must be a condition such as {mau: {gte: 1}}, {event: name} or {playbook: name}"
        raise _refused([Problem(key, message)])
    problems: list[Problem] = []
    names: dict[str, tuple[str, ...]] = {}
    for kind in HAPPENINGS:
        if kind in value:
            given = value[kind] if isinstance(value[kind], list) else [value[kind]]
            names[kind] = tuple(each for each in given if isinstance(each, str) and each)
            if not given or len(names[kind]) != len(given):
                problems.append(Problem((*key, kind), "must be a name, or a list of names"))
    times = value.get("times", 1)
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        problems.append(Problem((*key, "times"), f"must be a whole number from 1 on, not {times!r}"))
    if "times" in value and not {"event", "feature"} & names.keys():
        problems.append(Problem((*key, "times"), "belongs to an event or a feature"))
    events = (*names.get("event", ()), *names.get("feature", ()))
    happenings = [Happening(kind="event", names=events, times=times)] if events and not problems else []
    if names.get("playbook"):
        happenings.append(Happening(kind="playbook", names=names["playbook"]))
    rest = {name: inner for name, inner in value.items() if name not in (*HAPPENINGS, "times")}
    condition = None
    try:
        condition = _parsed(rest, key) if rest else None
    except ValidationError as error:
        problems += [
            Problem(each["loc"], each["msg"], each.get("ctx", {}).get("choices", ())) for each in error.errors()
        ]
    if problems:
        raise _refused(problems)
    return Evidence(condition=condition, happenings=tuple(happenings))


def _parsed(value: object, key: Key) -> Condition | None:
    if value is None:
        return None
    try:
        return parse(value, VOCABULARY)
    except ConditionError as error:
        problems = [Problem((*key, *each.key), each.message, each.choices) for each in error.problems]
        raise _refused(problems) from None


def _refused(problems: Sequence[Problem]) -> ValidationError:
    """All of them as pydantic's own error, which keeps each at its place."""
    details: list[InitErrorDetails] = []
    for each in problems:
        # a message is no template of pydantic's, and choices go beside it: hub.documents shows them
        kind = PydanticCustomError("problem", "{message}", {"message": each.message, "choices": each.choices})
        details.append({"type": kind, "loc": each.key, "input": None})
    return ValidationError.from_exception_data("onboarding", details)
