"""What each kind of step may say. `STEPS` names them; `hub.playbooks.program` puts them in order.

    - slack: {channel: "#cs-alerts", template: churn_save}
    - email: {to: csm | contacts | champions | deciders | address, template: churn_save}      see hub.playbooks.recipients
                 `in_window: true`: the run waits until mail to customers may go out, then asks `unless`, and writes what is so
                 then; without it a mail is written at once and waits by itself
    - pagerduty: {service: name, severity: …, summary: …}         opens an incident; `resolve: true` closes the run's own
    - webhook: {endpoint: name, event: customer.at_risk, data: {risk: "{{ churn.risk }}"}}
    - airflow: {service: name, dag: id, conf: {customer: "{{ customer.id }}"}}        starts a run of a DAG
    - prefect: {service: name, deployment: flow/deployment or its id, parameters: {…}} starts a flow run
                 `wait_for: 6 hours` in either: go on when that run has succeeded; it failed where it ended otherwise, or
                 takes longer, and without an `on_failure` the playbook's run ends there
    - update: {save_stage: offered, why: "{{ reasons[0] }}"}      writes custom fields, `custom.save_stage` in conditions and
                                                                  templates; no sync touches them. null takes one away
    - alert: {title: …, severity: low | normal | high | urgent, owner: csm | address, due: 2 days, reason: …}
    - task:  {the same; `due: 2 business days` too}
    - wait: 3 days
    - wait: {until: 30 days before renewal}
    - wait: {in_window: true}                                     until mail to customers may go out
    - wait: {until: {health: {gte: 0.5}}, at_most: 2 weeks, else: [steps]}       else: what is done when it took too long
    - branch: {when: {mrr: {gt: 1000}}, then: [steps], else: [steps]}
    - approve: {ask: …, of: csm | address, within: 2 days, declined: stop | continue | [steps], expired: the same}
    - playbook: nps_detractor                                     starts another for the same customer, unless it rests there
    - close: {outcome: success | no_success | invalid, note: …}   closes the alerts and tasks the run opened; or close: success.
                                                                  Its messages that wait for the CSM's morning are not sent
    - stop: why                                                   ends the run

Each may have `off: true`: it is passed over, and an `approve` that is off counts as approved. Each message may have
`optional: true`: it is passed over where its channel, service or endpoint is not set up, instead of failing in the ledger.
Each but `stop` may have `unless: <condition>`, which is asked when the step's turn comes; `wait: 3 days` and `playbook: name`
are short for {for: 3 days} and {name: name}. Each message may have `retry: {attempts: 3, pause: 10 minutes}`. Each message and
`playbook` may have `on_failure: stop | continue | [steps]`: then the run waits until it knows what became of the messages;
one that is kept for working hours, or for the window of mail to customers, keeps the run with it.
Without it a run goes on at once, whatever becomes of them, and stops where a template cannot be rendered.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from hub.model.actions import AlertOutcome
from hub.model.records import Severity
from hub.playbooks.durations import BusinessDays, Moment, parse_due, parse_duration, parse_moment
from hub.playbooks.recipients import CONTACTS
from hub.playbooks.vocabulary import OWN_NAME


def _owner(value: str) -> str:
    if value != "csm" and not _is_address(value):
        raise ValueError(f"{value!r} must be csm or an e-mail address")
    return value


def _recipient(value: str) -> str:
    if value != "csm" and value not in CONTACTS and not _is_address(value):
        raise ValueError(f"{value!r} must be csm, {', '.join(CONTACTS)} or an e-mail address")
    return value


def _channel(value: str) -> str:
    if not re.fullmatch(r"#[^\s#]{1,80}|[CGDU][A-Z0-9]{6,}", value):
        raise ValueError(f"{value!r} must be a Slack channel such as #cs-alerts, or its id")
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,59}", value):
        raise ValueError(f"{value!r} must be 2 to 60 small letters, digits and _, a letter first")
    return value


def _place(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", value):
        raise ValueError(f"{value!r} must be a name of config/hub.yaml")
    return value


def _kind(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", value):
        raise ValueError(f"{value!r} must be small words with dots between them, such as customer.at_risk")
    return value


def _dag(value: str) -> str:
    if not re.fullmatch(r"[\w.-]{1,250}", value):
        raise ValueError(f"{value!r} must be the id of a DAG: letters, digits, -, . and _")
    return value


def _deployment(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[^/\s][^/]*/[^/\s][^/]*", value):
        raise ValueError(f"{value!r} must be flow/deployment, or a deployment's id")
    return value


def _is_address(value: str) -> bool:
    local, at, domain = value.rpartition("@")
    return bool(at and local and domain) and not any(letter.isspace() for letter in value)


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Due = Annotated[timedelta | BusinessDays, BeforeValidator(parse_due)]
Name = Annotated[str, AfterValidator(_name)]
Place = Annotated[str, AfterValidator(_place)]
Owner = Annotated[str, AfterValidator(_owner)]
Line = Annotated[str, Field(min_length=1, max_length=300)]


def _until(value: object) -> object:
    """A moment, or a condition, which is read by itself for the sake of its faults."""
    return value if isinstance(value, Mapping) else parse_moment(value)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class Slack(Part):
    channel: Annotated[str, AfterValidator(_channel)]
    template: Name


class Email(Part):
    to: Annotated[str, AfterValidator(_recipient)]
    template: Name
    in_window: bool = False


class PagerDuty(Part):
    """An incident under a key of the run's own; `resolve` closes it."""

    service: Place
    summary: Line | None = None
    severity: Annotated[Severity, Field(strict=False)] = Severity.HIGH
    resolve: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> "PagerDuty":
        if not self.resolve and self.summary is None:
            raise ValueError("needs a summary, or resolve: true")
        return self


class Webhook(Part):
    """An event with the customer in it, and whatever `data` adds; texts in it are templates."""

    endpoint: Place
    event: Annotated[str, AfterValidator(_kind)]
    data: Mapping[str, Any] = Field(default_factory=dict)


class Airflow(Part):
    """A run of a DAG; texts in `conf` are templates. `wait_for`: how long it is waited for, None: not at all."""

    service: Place
    dag: Annotated[str, AfterValidator(_dag)]
    conf: Mapping[str, Any] = Field(default_factory=dict)
    wait_for: Duration | None = None


class Prefect(Part):
    """A flow run; texts in `parameters` are templates. `wait_for` as above."""

    service: Place
    deployment: Annotated[str, AfterValidator(_deployment)]
    parameters: Mapping[str, Any] = Field(default_factory=dict)
    wait_for: Duration | None = None


class Update(Part):
    """Custom fields to write; texts are templates, None takes a field away."""

    fields: Annotated[Mapping[str, str | int | float | None], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            raise ValueError("must be {field: value}")
        for name, inner in value.items():
            if not isinstance(name, str) or not OWN_NAME.fullmatch(name):
                raise ValueError(f"{name!r} must be small letters, digits and _, a letter first, at most 30")
            if isinstance(inner, bool) or not isinstance(inner, str | int | float | None):
                raise ValueError(f"{name}: must be a text, a number or null, not {inner!r}")
        return {"fields": dict(value)}


class Wait(Part):
    """Exactly one of `wait`, `until` and `in_window`. `until`: a Moment, or a condition as it stands in the file."""

    wait: Annotated[Duration | None, Field(alias="for")] = None
    until: Annotated[Moment | Mapping[str, Any] | None, BeforeValidator(_until)] = None
    at_most: Duration | None = None
    in_window: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> "Wait":
        if (self.wait is not None) + (self.until is not None) + self.in_window != 1:
            raise ValueError("needs one of `for: <duration>`, `until: <day or condition>` and `in_window: true`")
        if self.until is None and self.at_most is not None:
            raise ValueError("`at_most` belongs to `until`")
        if isinstance(self.until, Mapping) and self.at_most is None:
            raise ValueError("needs `at_most`: nobody knows when a condition will hold")
        return self


class Call(Part):
    """What an alert or a task says."""

    title: Line
    severity: Annotated[Severity, Field(strict=False)] = Severity.NORMAL
    owner: Owner = "csm"
    due: Due | None = None
    reason: str | None = None


class Branch(Part):
    pass


class Approve(Part):
    ask: Line
    of: Owner = "csm"
    within: Duration = timedelta(days=3)


class Start(Part):
    name: Name


class Close(Part):
    """What came of it, of all that the run opened and that is still open. A note of a person's stays, with ours below."""

    outcome: Annotated[AlertOutcome, Field(strict=False)]
    note: Line | None = None


class Stop(Part):
    reason: Line


class Retry(Part):
    """How often a message is tried, and how long after a try that failed."""

    attempts: Annotated[int, Field(ge=1, le=20)]
    pause: Duration | None = None


Settings = (
    Slack
    | Email
    | PagerDuty
    | Webhook
    | Airflow
    | Prefect
    | Update
    | Wait
    | Call
    | Branch
    | Approve
    | Start
    | Close
    | Stop
)
STEPS: Mapping[str, type[Settings]] = {
    "slack": Slack,
    "email": Email,
    "pagerduty": PagerDuty,
    "webhook": Webhook,
    "airflow": Airflow,
    "prefect": Prefect,
    "update": Update,
    "alert": Call,
    "task": Call,
    "wait": Wait,
    "branch": Branch,
    "approve": Approve,
    "playbook": Start,
    "close": Close,
    "stop": Stop,
}
SHORT: Mapping[str, str] = {"wait": "for", "playbook": "name", "close": "outcome", "stop": "reason"}
"""{step: the setting that its value is, where it is no mapping}."""
MESSAGES = frozenset({"slack", "email", "pagerduty", "webhook", "airflow", "prefect"})
BLOCKS: Mapping[str, tuple[str, ...]] = {
    "branch": ("then", "else"),
    "wait": ("else",),
    "approve": ("declined", "expired"),
    **dict.fromkeys((*sorted(MESSAGES), "playbook"), ("on_failure",)),
}
"""{step: its settings that hold steps}."""
VERDICTS = ("stop", "continue")
MAY_SAY_VERDICT = frozenset({"declined", "expired", "on_failure"})
