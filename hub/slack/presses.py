"""What buttons do to calls: acknowledge, snooze, assign, answer, say that it was of no use.

A button stands below a run's message (block "cshub.run:<run>") or beside one call ("cshub.alert:<alert>"). Everything is
audited in the name of who pressed it, at most once for a request, and twice is the same as once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub.access import Viewer
from hub.access.acting import act
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Alert, AlertState, ApprovalState, Run
from hub.model.team import Member
from hub.playbooks import Playbooks
from hub.playbooks.alerts import change_alert
from hub.slack.showing import SNOOZES
from hub.store import Store, runs
from hub.store import alerts as alert_rows
from hub.store.approvals import find_approvals
from hub.store.books import holds_alert, holds_run
from hub.store.deliveries import find_deliveries
from hub.store.slack import find_calls

GONE = "I don't find any more what this message was about."


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One press. `name`: the button. `run_id` or `alert_id`: what it stands at. `id`: the request's, for ever the same."""

    id: str
    name: str
    viewer: Viewer
    at: datetime
    run_id: str | None = None
    alert_id: str | None = None
    value: str = ""
    chosen: Member | None = None


class Opinions(Protocol):
    """What the attention budget does with people's words; hub.compose gives it."""

    async def vote(self, run_id: str, *, by: str, now: datetime) -> None: ...

    async def snooze(self, customer_id: str, *, reason: str, until: datetime, by: str, now: datetime) -> None: ...


class Presses:
    """See the module. `opinions`: None where nobody listens to them."""

    def __init__(self, store: Store, playbooks: Playbooks, *, opinions: Opinions | None) -> None:
        self._store, self._playbooks, self._opinions = store, playbooks, opinions
        self._doing: Mapping[str, Callable[[Press], Awaitable[str]]] = {
            "acknowledge": self._acknowledge,
            "snooze": self._snooze,
            "assign": self._assign,
            "approve": self._answer,
            "decline": self._answer,
            "not_useful": self._not_useful,
        }

    async def do(self, press: Press) -> str:
        """What was done, in words; RefusedError or NotFoundError why not."""
        if press.name not in self._doing:
            raise RefusedError(f"I don't know the button {press.name!r}")
        subject = press.alert_id or press.run_id or ""
        request = {
            "button": press.name,
            "subject": subject,
            "value": press.value,
            "assigned": press.chosen.email if press.chosen else None,
        }
        told: dict[str, Any] = {}

        async def carry_out() -> Mapping[str, Any]:
            await self._look(press)
            told["text"] = await self._doing[press.name](press)
            return dict(told)

        action = "slack" + "".join(word.title() for word in press.name.split("_"))
        result = await act(
            self._store,
            press.viewer,
            action=action,
            subject=subject,
            request=request,
            now=press.at,
            run=carry_out,
            key=press.id,
        )
        return str(result["text"])

    async def _look(self, press: Press) -> None:
        """NotFoundError for what is not there, or is about a customer outside the book of who presses."""
        if press.viewer.book is None:
            return
        async with self._store.reading() as connection:
            if press.alert_id is not None:
                is_there = await holds_alert(connection, press.alert_id, book=press.viewer.book)
            else:
                is_there = await holds_run(connection, press.run_id or "", book=press.viewer.book)
        if not is_there:
            raise NotFoundError(GONE)

    async def _acknowledge(self, press: Press) -> str:
        calls = await self._calls(press)
        untouched = [each for each in calls if each.state is AlertState.OPEN]
        if not untouched:
            return f"It is acknowledged already, by {calls[0].changed_by or calls[0].owner_email or 'somebody'}."
        for each in untouched:
            changes: dict[str, Any] = {} if each.owner_email else {"owner_email": press.viewer.actor}
            await self._change(each, press, state=AlertState.IN_PROGRESS.value, **changes)
        return "Acknowledged."

    async def _snooze(self, press: Press) -> str:
        if press.value not in SNOOZES:
            raise RefusedError(f"snooze for one of: {', '.join(label for label, _ in SNOOZES.values())}")
        label, pause = SNOOZES[press.value]
        until = press.at + pause
        for each in await self._calls(press):
            await self._change(each, press, snoozed_until=until)
        if self._opinions is not None and press.run_id is not None:
            async with self._store.reading() as connection:
                told = await find_deliveries(connection, run_ids=[press.run_id])
            reasons = {(each.customer_id, each.reason_key) for each in told if each.customer_id and each.reason_key}
            for customer_id, reason in sorted(reasons):
                await self._opinions.snooze(
                    customer_id, reason=reason, until=until, by=press.viewer.actor, now=press.at
                )
        return f"Snoozed for {label}."

    async def _assign(self, press: Press) -> str:
        if press.chosen is None:
            raise RefusedError(
                "I don't know whom you chose: add them to `config/team.yaml`, with their Slack user, and assign again."
            )
        for each in await self._calls(press):
            await self._change(each, press, owner_email=press.chosen.email)
        return f"Assigned to {press.chosen.name or press.chosen.email}."

    async def _answer(self, press: Press) -> str:
        if press.run_id is None:
            raise RefusedError("there is nothing to answer here")
        approved = press.name == "approve"
        step = int(press.value) if press.value.isdecimal() else None
        try:
            await self._playbooks.approve(press.run_id, approved=approved, by=press.viewer.actor, step=step)
        except RefusedError:
            # their own answer, that a process noted and died before it could say so, or that they gave twice
            if step is None or not await self._answered(press, step, approved=approved):
                raise
        return "Approved." if approved else "Declined."

    async def _answered(self, press: Press, step: int, *, approved: bool) -> bool:
        """Whether that is what they answered already."""
        async with self._store.reading() as connection:
            asked = await find_approvals(connection, run_ids=[press.run_id or ""])
        wanted = ApprovalState.APPROVED if approved else ApprovalState.DECLINED
        given = [(each.step, each.state, each.decided_by) for each in asked]
        return (step, wanted, press.viewer.actor) in given

    async def _not_useful(self, press: Press) -> str:
        if self._opinions is None or press.run_id is None:
            raise RefusedError("nobody counts votes on this message")
        await self._opinions.vote(press.run_id, by=press.viewer.actor, now=press.at)
        return "Thank you: it counts against this playbook's precision."

    async def _change(self, call: Alert, press: Press, **changes: Any) -> None:
        await change_alert(self._store, call.id, **changes, by=press.viewer.actor, now=press.at)

    async def _calls(self, press: Press) -> Sequence[Alert]:
        """What the button is about and is not closed; of a run that opened nothing, an alert is opened now."""
        async with self._store.reading() as connection:
            if press.alert_id is not None:
                found = [await alert_rows.get_alert(connection, press.alert_id)]
            else:
                found = (await find_calls(connection, [press.run_id or ""]))[press.run_id or ""]
            told = await find_deliveries(connection, run_ids=[press.run_id]) if press.run_id else []
            ran = await runs.find_runs(connection, ids=[press.run_id]) if press.run_id else []
        if found:
            if unfinished := [each for each in found if each.state is not AlertState.CLOSED]:
                return unfinished
            by = f" by {found[0].changed_by}" if found[0].changed_by else ""
            raise RefusedError(f"It is closed already{by}.")
        if not ran:
            raise NotFoundError(GONE)
        said = next((each.payload.get("text") for each in told if each.channel == "slack"), None)
        return [await self._open(ran[0], str(said or ran[0].playbook), press)]

    async def _open(self, run: Run, title: str, press: Press) -> Alert:
        """The call that a message without one is, from the moment somebody takes it up."""
        row: dict[str, Any] = {
            "id": f"alert_slack_{run.id.removeprefix('run_')}",
            "customer_id": run.customer_id,
            "kind": "alert",
            "title": title[:300],
            "severity": "normal",
            "state": AlertState.OPEN.value,
            "run_id": run.id,
            "dedup_key": f"slack.{run.id}",
            "opened_at": press.at,
            "updated_at": press.at,
        }
        async with self._store.transaction() as connection:
            await alert_rows.open_alerts(connection, [row])
            return await alert_rows.get_alert(connection, row["id"])
