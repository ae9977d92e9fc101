"""Steps and conditions in words, for lists, dry runs and approvals."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hub.model.conditions import All, Any, Condition, Not, Operator, Scalar, Test
from hub.playbooks.durations import Moment, show_duration
from hub.playbooks.program import Step
from hub.playbooks.steps import (
    Airflow,
    Approve,
    Branch,
    Call,
    Close,
    Email,
    PagerDuty,
    Prefect,
    Slack,
    Start,
    Stop,
    Update,
    Wait,
    Webhook,
)

_WORDS: Mapping[Operator, str] = {
    Operator.EQ: "is",
    Operator.NE: "is not",
    Operator.LT: "is below",
    Operator.LTE: "is at most",
    Operator.GT: "is above",
    Operator.GTE: "is at least",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.CONTAINS: "contains",
    Operator.STARTS_WITH: "starts with",
    Operator.RISES_BY: "has risen since firing by",
    Operator.FALLS_BY: "has fallen since firing by",
}
_DAYS: Mapping[Operator, str] = {
    Operator.LT: "is before",
    Operator.LTE: "is not after",
    Operator.GT: "is after",
    Operator.GTE: "is not before",
    Operator.WITHIN: "is in",
}
"""Of dates, where other words fit better."""
_FLAGS: Mapping[Operator, tuple[str, str]] = {
    Operator.EXISTS: ("is known", "is not known"),
    Operator.CHANGES: ("is not what it was at firing", "is what it was at firing"),
}
"""Of operators that are asked yes or no."""


def say(condition: Condition) -> str:
    """A condition in words: "health is below 0.5 and (band is critical or mrr is above 1000)"."""
    if isinstance(condition, Test):
        return _test(condition)
    if isinstance(condition, Not):
        return f"not ({say(condition.condition)})"
    joint = " and " if isinstance(condition, All) else " or "
    return joint.join(
        f"({say(each)})" if isinstance(each, All | Any) and len(each.conditions) > 1 else say(each)
        for each in condition.conditions
    )


def _test(test: Test) -> str:
    name = test.field.name
    if test.operator in _FLAGS:
        return f"{name} {_FLAGS[test.operator][0 if test.value else 1]}"
    if test.operator is Operator.SEARCH:
        return f"the name or domain has {test.value}"
    if test.operator is Operator.MEMBER:
        return f"is in the segment {test.value}"
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    if test.operator is Operator.BETWEEN:
        return f"{name} is from {_value(values[0])} to {_value(values[1])}"
    said = _DAYS.get(test.operator) if test.field.kind == "date" else None
    return f"{name} {said or _WORDS[test.operator]} {', '.join(map(_value, values))}"


def _value(value: Scalar) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def summary(step: Step) -> str:
    """What a step does, as configured."""
    if step.off:
        return f"switched off: {summary(replace(step, off=False))}"
    match step.settings:
        case Slack() as slack:
            told = f"{slack.channel}, template {slack.template}"
        case Email() as email:
            told = f"to {email.to}, template {email.template}"
            told += ", when mail to customers may go out" if email.in_window else ""
        case PagerDuty() as call:
            told = f"{call.service}: " + ("resolve" if call.resolve else f"{call.summary} ({call.severity.value})")
        case Airflow() as run:
            told = f"starts the DAG {run.dag} at {run.service}" + _waits(run)
        case Prefect() as flow:
            told = f"starts the deployment {flow.deployment} at {flow.service}" + _waits(flow)
        case Update() as update:
            told = "; ".join(f"{name} {_written(value)}" for name, value in update.fields.items())
        case Webhook() as hook:
            told = f"{hook.event} to {hook.endpoint}"
        case Call() as call:
            told = f"{call.title} ({call.severity.value}, owner {call.owner})"
        case Wait() | Branch() | Approve() | Start() | Close() | Stop():
            told = control(step)
    return told


def _waits(settings: Airflow | Prefect) -> str:
    return "" if settings.wait_for is None else f" and waits {show_duration(settings.wait_for)} at most for its end"


def _written(value: object) -> str:
    return "is taken away" if value is None else f"becomes {value}"


def control(step: Step) -> str:
    """What a step that sends nothing does, and where it leads; texts in it are as configured."""
    match step.settings:
        case Wait(wait=timedelta() as pause):
            return show_duration(pause)
        case Wait(in_window=True):
            return "until mail to customers may go out"
        case Wait() as wait:
            until = wait.until
            told = f"until {until.show()}" if isinstance(until, Moment) else f"until {say(_asked(step))}"
            return told + (f", for {show_duration(wait.at_most)} at most" if wait.at_most else "")
        case Branch():
            return f"if {say(_asked(step))}"
        case Approve() as approve:
            ends = {name: "ends" if step.exits[name] < 0 else "goes on" for name in ("declined", "expired")}
            return (
                f"asks {approve.of}: {approve.ask} Waits {show_duration(approve.within)} for an answer; "
                f"declined it {ends['declined']}, unanswered it {ends['expired']}"
            )
        case Start() as start:
            return f"starts {start.name}, unless it rests"
        case Close() as close:
            return f"closes what it opened: {close.outcome.value}" + (f", {close.note}" if close.note else "")
        case Stop() as stop:
            return f"ends here: {stop.reason}"
    raise AssertionError(f"{step.action} sends something")


def _asked(step: Step) -> Condition:
    assert step.condition is not None, "reading saw to it"
    return step.condition
