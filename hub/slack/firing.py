"""Firing a playbook from Slack: first what it would do is shown to who chose it, then one button fires it, once.

Below a run's message the customer is the run's; on a customer's card it is the card's. The key of the firing is the request
that asked for the preview, so the button pressed twice fires once.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from hub.access import Viewer
from hub.access.acting import act
from hub.delivery.render_slack import escape_slack, shorten
from hub.errors import NotFoundError
from hub.playbooks import Playbooks
from hub.playbooks.durations import show_duration
from hub.slack.showing import button
from hub.store import Store, runs
from hub.store.books import holds_customer, holds_run

BLOCK = "cshub.firing"
MOST_STEPS = 15


class Firings:
    def __init__(self, store: Store, playbooks: Playbooks) -> None:
        self._store, self._playbooks = store, playbooks

    async def customer_of(self, run_id: str, *, book: str | None) -> str:
        async with self._store.reading() as connection:
            is_there = await holds_run(connection, run_id, book=book)
            found = await runs.find_runs(connection, ids=[run_id]) if is_there else []
        if not found:
            raise NotFoundError("I don't find any more what this message was about.")
        return found[0].customer_id

    async def preview(self, name: str, customer_id: str, *, viewer: Viewer, request_id: str, now: datetime) -> Any:
        """What firing would do, as a message with a button that fires."""
        key = f"slack.{blake2b(request_id.encode(), digest_size=12).hexdigest()}"
        playbook = self._playbooks.get(name)
        await self._look(customer_id, viewer=viewer)
        (firing,) = await self._playbooks.fire(name, [customer_id], by=viewer.actor, key=key, now=now, dry_run=True)
        steps = []
        for each in firing.plan:
            after = f"after {show_duration(each.after)}: " if each.after else ""
            steps.append(f"• {'    ' * each.depth}{after}{escape_slack(f'{each.action}: {each.show()}')}")
        if len(steps) > MOST_STEPS:
            steps = [*steps[:MOST_STEPS], f"… and {len(steps) - MOST_STEPS} more"]
        head = f"*{escape_slack(playbook.title)}* for *{escape_slack(firing.customer_name)}* would"
        notes = [] if firing.matches else ["Its own condition does not hold for this customer."]
        if firing.rest_until is not None and firing.rest_until > now:
            notes.append(
                f"It rests for this customer until {firing.rest_until:%Y-%m-%d %H:%M} UTC: nothing would happen."
            )
        blocks: list[Mapping[str, Any]] = [_section(shorten("\n".join([head, *steps]), 3_000))]
        if notes:
            blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": " ".join(notes)}]})
        buttons = [
            button("fire_now", "Fire it", value=f"{name}|{key}", style="primary"),
            button("dismiss", "Leave it"),
        ]
        blocks.append({"type": "actions", "block_id": f"{BLOCK}:{customer_id}", "elements": buttons})
        return {"text": f"{playbook.title} for {firing.customer_name}: fire it?", "blocks": blocks}

    async def fire(self, value: str, customer_id: str, *, viewer: Viewer, request_id: str, now: datetime) -> str:
        """Fire what was previewed; what came of it, in words."""
        name, _, key = value.partition("|")
        made: dict[str, Any] = {}

        async def carry_out() -> Mapping[str, Any]:
            await self._look(customer_id, viewer=viewer)
            (firing,) = await self._playbooks.fire(name, [customer_id], by=viewer.actor, key=key, now=now)
            told = {
                "fired": f"fired for {firing.customer_name}",
                "already_fired": f"was fired for {firing.customer_name} already",
                "resting": f"rests for {firing.customer_name}: nothing was done",
            }
            made["text"] = f"{name} {told.get(firing.state, firing.state)}."
            return dict(made)

        request = {"playbook": name, "customer": customer_id, "key": key}
        result = await act(
            self._store,
            viewer,
            action="slackFire",
            subject=name,
            request=request,
            now=now,
            run=carry_out,
            key=request_id,
        )
        return str(result["text"])

    async def _look(self, customer_id: str, *, viewer: Viewer) -> None:
        """NotFoundError for a customer that is not there, or not in the viewer's book."""
        async with self._store.reading() as connection:
            if not await holds_customer(connection, customer_id, book=viewer.book):
                raise NotFoundError(f"there is no customer {customer_id!r}")


def _section(text: str) -> Mapping[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
