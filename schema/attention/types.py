"""The inbox, what was held, snoozes, and how precise playbooks are."""

from datetime import date, datetime
from typing import Any

import strawberry

from schema.enums import Severity
from schema.fields import computed, computed_now
from schema.links import without_signatures
from schema.nodes import global_id
from schema.own_words import title_of


def _of(name: str, description: str | None = None, *, personal: bool = False) -> Any:
    return computed(lambda value: getattr(value, name), description=description, personal=personal)


def _call(name: str, description: str | None = None) -> Any:
    return computed(lambda value: getattr(value.call, name), description=description)


@strawberry.type(description="An open alert or task, with what is at stake.")
class InboxEntry:
    alert_id: strawberry.ID = computed(lambda entry: global_id("alert", entry.call.id))
    customer_id: strawberry.ID = computed(lambda entry: global_id("customer", entry.call.customer_id))
    customer_name: str | None = _call("customer_name")
    kind: str = _call("kind", "alert or task.")
    title: str = computed_now(
        lambda entry, context: title_of(
            {"kind": entry.call.kind, "title": entry.call.title, "dedup_key": entry.call.dedup_key}, context
        ),
        description="As its playbook says it. What a person wrote instead is shown with the scope personal alone.",
    )
    severity: Severity = computed(lambda entry: Severity(entry.call.severity))
    reason_key: str | None = _call("reason_key", "What its playbook speaks about.")
    owner_email: str | None = _call("owner_email")
    due_on: date | None = _call("due_on")
    opened_at: datetime = _call("opened_at")
    churn_risk: float | None = _call("churn_risk")
    arr: float | None = _call("arr", "A year's revenue.")
    stake: float = _of("stake", "Churn risk times a year's revenue; 0 where either is unknown.")


@strawberry.type(description="A message, alert or task that people did not get by itself, and why.")
class Withheld:
    id: str = _of("id", "Of the delivery; of an alert or task as it would have been called.")
    what: str = _of("what", "The channel of a message; alert or task.")
    held: str = _of("held", "hours, digest, merged or snoozed.")
    customer_id: strawberry.ID = computed(lambda row: global_id("customer", row.customer_id))
    customer_name: str | None = _of("customer_name")
    owner_email: str | None = _of("owner_email", "Whose attention it would have taken.")
    title: str | None = _of("title", personal=True)
    severity: str | None = _of("severity")
    reason_key: str | None = _of("reason_key")
    playbook: str | None = _of("playbook")
    detail: str | None = _of("detail", "Why, in words.", personal=True)
    by: str | None = _of("by", "The digest, message, alert or snooze that it is held by.")
    until: datetime | None = _of("until")
    at: datetime = _of("at")


@strawberry.type(description="Until then nothing new comes up about a customer for a reason, but what is urgent.")
class Snooze:
    id: str = _of("id")
    customer_id: strawberry.ID = computed(lambda row: global_id("customer", row.customer_id))
    customer_name: str | None = _of("customer_name")
    reason_key: str = _of("reason_key", "As playbooks say it; * for any.")
    until: datetime = _of("until")
    note: str | None = _of("note", personal=True)
    made_by: str = _of("made_by")
    made_at: datetime = _of("made_at")
    lifted_by: str | None = _of("lifted_by")
    lifted_at: datetime | None = _of("lifted_at")


@strawberry.type(description="So many good of so many, with the 95 % interval (Wilson).")
class PrecisionShare:
    good: int = _of("good")
    of: int = _of("of")
    share: float | None = _of("share", "Null where there are none.")
    low: float = _of("low")
    high: float = _of("high")
    enough: bool = _of("told", "Whether there are enough to say so.")


@strawberry.type(description="How much of what a playbook says is of use.")
class PlaybookPrecision:
    playbook: str = _of("playbook")
    votes: PrecisionShare = _of("votes", "Useful votes of all; one vote a person and run.")
    outcomes: PrecisionShare = _of("outcomes", "Its alerts closed as success, of those closed as success or invalid.")


@strawberry.type(description="What a CSM's digest would be now.")
class AttentionDigest:
    owner_email: str = _of("owner_email")
    subject: str | None = computed(lambda digest: digest.deliveries[0]["subject"], personal=True)
    body: str = computed(
        lambda digest: without_signatures(str(digest.deliveries[0]["payload"].get("text", ""))), personal=True
    )
    delivery_ids: list[strawberry.ID] = computed(
        lambda digest: [global_id("delivery", each.id) for each in digest.items],
        description="The messages it tells, the most at stake first.",
    )


@strawberry.type(description="What a person thought of a run, as it counts now.")
class PlaybookVote:
    run_id: strawberry.ID = computed(lambda row: global_id("playbook_run", row["run_id"]))
    playbook: str = computed(lambda row: row["playbook"])
    voter: str = computed(lambda row: row["voter"])
    useful: bool = computed(lambda row: row["useful"])
