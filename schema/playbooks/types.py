"""Alerts, playbooks as configured, their runs with steps, and the delivery ledger."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.scalars import JSON

from hub.store.query import Order
from schema.enums import AlertOutcome, AlertState, DeliveryState, RunState, Severity
from schema.fields import column, computed, computed_now, key, many, one
from schema.links import without_signatures
from schema.nodes import Node
from schema.own_words import title_of

if TYPE_CHECKING:
    from schema.customers.types import Customer

CustomerRef = Annotated["Customer", strawberry.lazy("schema.customers.types")]
HeldRef = Annotated["Delivery", strawberry.lazy("schema.playbooks.types")]
RunRef = Annotated["PlaybookRun", strawberry.lazy("schema.playbooks.types")]


@strawberry.type(description="A dated, owned call for human action.")
class Alert(Node):
    kind: str = column(description="alert or task.")
    title: str = computed_now(
        title_of,
        "kind",
        "title",
        "dedup_key",
        description="As its playbook says it. What a person wrote instead is shown with the scope personal alone.",
    )
    reason: str | None = column(personal=True)
    reason_key: str | None = column(
        description="What its playbook speaks about: one call is open for a customer and reason."
    )
    severity: Severity = column()
    state: AlertState = column()
    outcome: AlertOutcome | None = column(description="How it was closed.")
    owner_email: str | None = column()
    due_on: date | None = column()
    snoozed_until: datetime | None = column()
    snoozed: bool = computed_now(
        lambda row, context: row["snoozed_until"] is not None and row["snoozed_until"] > context.now, "snoozed_until"
    )
    note: str | None = column(personal=True)
    opened_at: datetime = column()
    updated_at: datetime = column()
    closed_at: datetime | None = column()
    customer: CustomerRef = one("customer", key="id", parent="customer_id", unique=True)
    run: RunRef | None = one("playbook_run", key="id", parent="run_id", unique=True)


@strawberry.type(description="A step a run has behind it.")
class PlaybookStep:
    index: int = column()
    action: str = column()
    state: str = column(description="done, skipped or failed.")
    detail: str | None = column(personal=True)
    done_at: datetime = column()


@strawberry.type(description="One message to one place, as the delivery ledger knows it.")
class Delivery(Node):
    channel: str = column()
    address: str = column(personal=True)
    subject: str | None = column(personal=True)
    payload: JSON = computed(
        lambda row: without_signatures(row["payload"]),
        "payload",
        description="What is sent; links that are signed for one person are cut short.",
        personal=True,
    )
    state: DeliveryState = column()
    dedup_key: str = column(
        description="The same for every attempt; channels hand it on where the other side knows it."
    )
    receipt: JSON | None = column(description="What the channel answered.", personal=True)
    error: str | None = column(personal=True)
    attempts: int = column()
    reserved_at: datetime = column()
    not_before: datetime | None = column(description="When it is tried next, where it has to wait.")
    expires_at: datetime | None = column(description="When it is tried no longer; null before its first attempt.")
    doubted_at: datetime | None = column(description="Since when it may have arrived: an attempt had no answer.")
    sent_at: datetime | None = column()
    confirmed_at: datetime | None = column()
    audience: str | None = column(description="Whose attention it takes: csm, team, customer or system.")
    owner_email: str | None = column(description="Of audience csm: whose.")
    severity: str | None = column(description="low, normal, high or urgent, which is never held.")
    reason_key: str | None = column(description="What its playbook speaks about.")
    rank: float | None = column(description="Churn risk times a year's revenue, as it was reserved.")
    held: str | None = column(description="Why it waited or was not sent: hours, digest, merged or snoozed.")
    held_by: str | None = column(description="The digest or the earlier message that tells it, or the snooze.")
    tells: list[HeldRef] = many(
        "delivery",
        key="held_by",
        order=Order("reserved_at"),
        most=100,
        description="The messages that are told in this one.",
    )
    customer: CustomerRef | None = one("customer", key="id", parent="customer_id", unique=True)
    run: RunRef | None = one("playbook_run", key="id", parent="run_id", unique=True)


@strawberry.type(description="A person's word that a run waits for.")
class PlaybookApproval:
    step: int = column(description="Index of the step that asked.")
    question: str = column(personal=True)
    asked_of: str | None = column()
    state: str = column(description="open, approved, declined, expired or cancelled.")
    asked_at: datetime = column()
    expires_at: datetime | None = column()
    decided_at: datetime | None = column()
    decided_by: str | None = column()
    note: str | None = column(personal=True)


@strawberry.type(description="One firing of a playbook for one customer.")
class PlaybookRun(Node):
    playbook: str = column()
    playbook_version: int = column()
    state: RunState = column()
    cause: str = column(description="scorecard; hand: somebody fired it; playbook: another one started it.")
    started_by: str | None = column()
    step: int = column(description="Index of the step to do next.")
    wake_at: datetime | None = column()
    awaits: str | None = column(
        description="What it stands still for: date, condition, approval, delivery, or run: one it started elsewhere."
    )
    since: datetime | None = column(description="Since when it does.")
    facts: JSON = column(description="As they were when it fired.", personal=True)
    error: str | None = column(personal=True)
    started_at: datetime = column()
    updated_at: datetime = column()
    finished_at: datetime | None = column()
    customer: CustomerRef = one("customer", key="id", parent="customer_id", unique=True)
    steps: list[PlaybookStep] = many("playbook_step", key="run_id", order=Order("index"), most=100)
    approvals: list[PlaybookApproval] = many("approval", key="run_id", order=Order("asked_at"), most=100)
    deliveries: list[Delivery] = many("delivery", key="run_id", order=Order("reserved_at"), most=100)


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda value: getattr(value, name), description=description)


@strawberry.type(description="A step as configured.")
class PlaybookStepDefinition:
    action: str = _of("action")
    summary: str = _of("summary")
    depth: int = _of("depth", "In how many blocks it stands, such as those of a branch.")
    block: str | None = _of("block", "The block it stands in: then, else, declined, expired or on_failure.")


@strawberry.type(description="A playbook that is stopped.")
class PlaybookStopped:
    playbook: str = key(description="Its name; * where all are.")
    reason: str = key()
    stopped_by: str = key()
    stopped_at: datetime = key()


@strawberry.type(description="A playbook as configured now.")
class Playbook:
    name: str = _of("name")
    version: int = _of("version")
    title: str = _of("title")
    description: str | None = _of("description")
    rest_days: float | None = _of("rest_days")
    enabled: bool = _of("enabled")
    when: JSON | None = _of("when")
    steps: list[PlaybookStepDefinition] = _of("steps")
    stopped: PlaybookStopped | None = _of("stopped", "By whom and why it is stopped now, or all are; null: it is not.")
