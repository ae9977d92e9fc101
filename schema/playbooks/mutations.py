"""Fire a playbook, and update an alert."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import strawberry

from schema.context import AlertChange, Fired, FireRequest
from schema.enums import AlertOutcome, AlertState, Role
from schema.errors import BadInputError, MutationError
from schema.fields import computed, key, plain
from schema.loaders import ApiInfo, load_by_id, load_one
from schema.nodes import global_id, key_of, keys_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.playbooks.types import Alert, PlaybookRun

MOST_FIRED = 1_000


@strawberry.input(description="Fire a playbook by hand. The same idempotencyKey fires once, however often it is sent.")
class PlaybookFireInput:
    playbook: str
    customer_ids: list[strawberry.ID]
    idempotency_key: str
    dry_run: bool = strawberry.field(default=False, description="Show what would be sent, and do nothing.")
    force: bool = strawberry.field(default=False, description="Even for customers the playbook rests for.")


@strawberry.type(description="What a step would do: a message as it would be sent, or a deed in words.")
class StepPreview:
    action: str = key(description="slack, email, alert, task or wait.")
    channel: str | None = key(description="Of a message; null for anything else.")
    address: str | None = key(personal=True)
    subject: str | None = key(personal=True)
    body: str = key(personal=True)
    after_seconds: float = key(description="How long after firing its turn comes.")


@strawberry.type(description="What firing did for one customer.")
class PlaybookFiring:
    customer_id: strawberry.ID = computed(lambda row: global_id("customer", row["customer_id"]))
    run_id: strawberry.ID | None = computed(
        lambda row: None if row["run_id"] is None else global_id("playbook_run", row["run_id"])
    )
    state: str = key(
        description="fired; already_fired: by the same key; resting: left alone until restUntil; would_fire: a dry run."
    )
    matches: bool | None = key(description="Whether the playbook's own condition holds; by hand it need not.")
    rest_until: datetime | None = computed(
        lambda row: datetime.fromisoformat(row["rest_until"]) if row["rest_until"] else None
    )
    previews: list[StepPreview] = key(description="What would be done, step by step; of a dry run.")


@strawberry.type
class PlaybookFirePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def runs(self, info: ApiInfo) -> list[PlaybookRun]:
        """The runs that began, in the order of customerIds."""
        ids = [item["run_id"] for item in self.outcome.result.get("fired", []) if item["run_id"] is not None]
        found: list[PlaybookRun] = await load_by_id(info, "playbook_run", ids)
        return found

    @answering
    def firings(self) -> list[PlaybookFiring]:
        """What happened for each customer."""
        found: list[Any] = self.outcome.result.get("fired", [])
        return found

    @answering
    def previews(self) -> list[StepPreview]:
        """What would be done, for all customers; of a dry run."""
        found: list[Any] = [one for item in self.outcome.result.get("fired", []) for one in item["previews"]]
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.input(description="Change an alert. What is left out stays as it is; null clears it.")
class AlertUpdateInput:
    id: strawberry.ID
    state: AlertState | None = strawberry.UNSET
    outcome: AlertOutcome | None = strawberry.UNSET
    snoozed_until: datetime | None = strawberry.UNSET
    note: str | None = strawberry.UNSET
    owner_email: str | None = strawberry.UNSET
    idempotency_key: str | None = None


@strawberry.type
class AlertUpdatePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def alert(self, info: ApiInfo) -> Alert | None:
        """The alert as it is now; null where nothing was changed."""
        if (key := self.outcome.result.get("alert_id")) is None:
            return None
        found: Alert | None = await load_one(info, "alert", key)
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class PlaybookMutations:
    @root(Role.CSM, description="Run a playbook for some customers, or show what it would send.")
    async def playbook_fire(self, info: ApiInfo, input: PlaybookFireInput) -> PlaybookFirePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            request = FireRequest(
                playbook=input.playbook,
                customer_ids=keys,
                by=context.viewer.actor,
                key=f"{context.viewer.token_id}:{input.idempotency_key}",
                dry_run=input.dry_run,
                force=input.force,
            )
            return {"fired": [_stored(item) for item in await context.actions.fire(request, now=context.now)]}

        known = any(each.name == input.playbook for each in context.playbooks())
        with Outcome.collecting(of="customerIds" if known else "playbook") as outcome:
            keys = keys_of(input.customer_ids, "customer", field="customerIds", most=MOST_FIRED)
            await perform(
                outcome,
                info,
                "playbookFire",
                subject=input.playbook,
                request={
                    "playbook": input.playbook,
                    "customers": list(keys),
                    "dry_run": input.dry_run,
                    "force": input.force,
                },
                run=run,
                about={"customer": keys},
                # a dry run does nothing that could be done twice, and must not use up the key of the real one
                key=None if input.dry_run else input.idempotency_key,
            )
        return PlaybookFirePayload(outcome=outcome)

    @root(Role.CSM, description="Take, snooze, close or annotate an alert.")
    async def alert_update(self, info: ApiInfo, input: AlertUpdateInput) -> AlertUpdatePayload:  # noqa: A002 - the API's word
        context = info.context
        given = {
            name: getattr(input, name)
            for name in ("state", "outcome", "snoozed_until", "note", "owner_email")
            if getattr(input, name) is not strawberry.UNSET
        }

        async def run() -> Mapping[str, Any]:
            change = AlertChange(alert_id=alert_id, by=context.viewer.actor, given=frozenset(given), **given)
            await context.actions.update_alert(change, now=context.now)
            return {"alert_id": alert_id}

        with Outcome.collecting(of="id") as outcome:
            alert_id = key_of(input.id, "alert", field="id")
            check_change(given)
            await perform(
                outcome,
                info,
                "alertUpdate",
                subject=alert_id,
                request={"alert": alert_id, **plain_change(given)},
                run=run,
                key=input.idempotency_key,
                about={"alert": [alert_id]},
            )
        return AlertUpdatePayload(outcome=outcome)


def check_change(given: Mapping[str, Any]) -> None:
    """Refuse a change that says nothing, or that no alert could take."""
    if not given:
        raise BadInputError("nothing to change: give state, outcome, snoozedUntil, note or ownerEmail")
    if "state" in given and given["state"] is None:
        raise BadInputError("an alert always has a state: open, in_progress or closed", field="state")
    until = given.get("snoozed_until")
    if until is not None and until.tzinfo is None:
        raise BadInputError("snoozedUntil needs a time zone, such as 2026-01-31T09:00:00Z", field="snoozedUntil")


def plain_change(given: Mapping[str, Any]) -> dict[str, Any]:
    """A change for the audit log."""
    return {name: value.isoformat() if isinstance(value, datetime) else plain(value) for name, value in given.items()}


def _stored(fired: Fired) -> Mapping[str, Any]:
    return {
        "customer_id": fired.customer_id,
        "run_id": fired.run_id,
        "state": fired.state,
        "matches": fired.matches,
        "rest_until": None if fired.rest_until is None else fired.rest_until.isoformat(),
        "previews": [asdict(preview) for preview in fired.previews],
    }
