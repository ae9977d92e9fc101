"""Change many alerts in one go: each by itself, so that one that cannot be changed keeps none of the others from it.

Each is noted in the audit log as if it had been changed alone, and the idempotency key holds for each: who sends the same
request again after half of it changes the other half.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

import strawberry

from schema.context import AlertChange
from schema.enums import AlertOutcome, AlertState, Role
from schema.errors import MutationError
from schema.loaders import ApiInfo, load_by_id
from schema.nodes import keys_of
from schema.performing import Outcome, answering, check_key, perform
from schema.permissions import root
from schema.playbooks.mutations import check_change, plain_change
from schema.playbooks.types import Alert

MOST = 100
FIELDS = ("state", "outcome", "snoozed_until", "note", "owner_email")


@strawberry.input(description="Change alerts alike. What is left out stays as it is; null clears it.")
class AlertsUpdateInput:
    ids: list[strawberry.ID] = strawberry.field(description=f"1 to {MOST}; one named twice is changed once.")
    state: AlertState | None = strawberry.UNSET
    outcome: AlertOutcome | None = strawberry.UNSET
    snoozed_until: datetime | None = strawberry.UNSET
    note: str | None = strawberry.UNSET
    owner_email: str | None = strawberry.UNSET
    idempotency_key: str | None = strawberry.field(
        default=None, description="The same key changes each of them once, however often it is sent."
    )


@strawberry.type
class AlertsUpdatePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def alerts(self, info: ApiInfo) -> list[Alert]:
        """Those that were changed, as they are now, in the order of ids."""
        found: list[Alert] = await load_by_id(info, "alert", self.outcome.result.get("alert_ids", []))
        return found

    @answering
    def errors(self) -> list[MutationError]:
        """Of an alert that was not changed one with its place in ids, such as ids.3."""
        return self.outcome.errors


@strawberry.type
class AlertsMutations:
    @root(Role.CSM, description="Take, snooze, close or annotate many alerts alike, each by itself.")
    async def alerts_update(self, info: ApiInfo, input: AlertsUpdateInput) -> AlertsUpdatePayload:  # noqa: A002 - the API's word
        context = info.context
        given = {name: getattr(input, name) for name in FIELDS if getattr(input, name) is not strawberry.UNSET}

        def changing(alert_id: str) -> Callable[[], Awaitable[Mapping[str, Any]]]:
            async def run() -> Mapping[str, Any]:
                change = AlertChange(alert_id=alert_id, by=context.viewer.actor, given=frozenset(given), **given)
                await context.actions.update_alert(change, now=context.now)
                return {"alert_id": alert_id}

            return run

        with Outcome.collecting() as outcome:
            places = {alert_id: index for index, alert_id in reversed(list(enumerate(_ids(input))))}
            check_change(given)
            check_key(input.idempotency_key)
            for alert_id, index in sorted(places.items(), key=lambda each: each[1]):
                with Outcome.collecting(of=f"ids.{index}") as one:
                    await perform(
                        one,
                        info,
                        "alertUpdate",  # what becomes of an alert is read from the log by this word
                        subject=alert_id,
                        request={"alert": alert_id, **plain_change(given)},
                        run=changing(alert_id),
                        key=_own(input.idempotency_key, alert_id),
                        about={"alert": [alert_id]},
                    )
                outcome.errors += [replace(error, field=error.field or f"ids.{index}") for error in one.errors]
                if not one.errors:
                    outcome.result = {"alert_ids": [*outcome.result.get("alert_ids", []), alert_id]}
        return AlertsUpdatePayload(outcome=outcome)


def _ids(given: AlertsUpdateInput) -> list[str]:
    """The key at each place of `ids`."""
    keys_of(given.ids, "alert", field="ids", most=MOST)
    return [keys_of([each], "alert", field="ids", most=1)[0] for each in given.ids]


def _own(key: str | None, alert_id: str) -> str | None:
    """The idempotency key of one of the alerts."""
    return None if key is None else "many." + blake2b(f"{key}\x1f{alert_id}".encode(), digest_size=24).hexdigest()
