"""The desk: does what people ask for in Slack and tells them what came of it.

    action    a button or menu: below a run's message, beside a call, on a card, or a firing that was previewed
    command   /cshub NAME | mine | help
    event     somebody opens the App Home

Whoever may not is told so, alone and politely; then nothing is done. A CSM with a book is answered as if there were no other
customers, whatever is typed and below whichever message a button is pressed. What a message shows is updated through the
ledger.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hub.delivery.render_slack import escape_slack
from hub.delivery.slack_answer import answer
from hub.durable import Durable
from hub.errors import CshubError, TransientError
from hub.model.actions import Role
from hub.playbooks.jobs import SEND
from hub.slack import cards, firing, showing
from hub.slack.cards import Cards, choice
from hub.slack.firing import Firings
from hub.slack.home import Homes
from hub.slack.people import People, Person
from hub.slack.presses import Press, Presses
from hub.slack.updating import reserve_updates
from hub.store import Store
from hub.store.slack import SlackRequest
from hub.store.slack_book import search_customers

HELP = """*What I can do here*
• `/cshub NAME`: a customer's card, by name, a part of it, domain or id
• `/cshub mine`: my customers, those first that most may be lost with
• `/cshub help`: this
Buttons below my messages acknowledge, snooze and assign; what they change is seen by everybody in the message."""
SILENT = frozenset({"open", ""})
LONGEST_NAME = 200


class Desk:
    """base_url: of Slack's Web API; answers may go to its host too."""

    def __init__(
        self,
        store: Store,
        durable: Durable,
        *,
        people: People,
        presses: Presses,
        firings: Firings,
        cards: Cards,
        homes: Homes,
        base_url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._durable, self._clock, self._base_url = store, durable, clock, base_url
        self._people, self._presses, self._firings = people, presses, firings
        self._cards, self._homes = cards, homes

    async def do(self, request: SlackRequest) -> None:
        """Carry out a request of the inbox; once more is harmless. TransientError: later."""
        payload = request.payload
        person = await self._people.find(str(payload.get("user", "")))
        if request.kind == "event":
            await self._homes.open(person, now=self._clock())
            await self._durable.enqueue(SEND, {})
            return
        try:
            reply = await (self._command if request.kind == "command" else self._action)(request, person)
        except TransientError:
            raise
        except CshubError as error:
            reply = _text(escape_slack(str(error)))
        url = payload.get("response_url")
        if reply is not None and url:
            await answer(str(url), reply, base_url=self._base_url)

    async def _action(self, request: SlackRequest, person: Person) -> dict[str, Any] | None:
        payload, now = request.payload, self._clock()
        name, value = str(payload.get("name", "")), str(payload.get("value", ""))
        kind, _, subject = str(payload.get("block", "")).partition(":")
        if name in SILENT:
            return None
        if name == "dismiss":
            return {"delete_original": True}
        needed = Role.VIEWER if name == "card" else Role.CSM
        if not person.may(needed):
            return _text(person.refusal(Role.CSM))
        if name == "card":
            return await self._cards.card(subject, book=person.viewer.book, may_act=person.may(Role.CSM), now=now)
        if name == "fire":
            customer_id = subject
            if kind == showing.BLOCK:
                customer_id = await self._firings.customer_of(subject, book=person.viewer.book)
            return dict(
                await self._firings.preview(value, customer_id, viewer=person.viewer, request_id=request.id, now=now)
            )
        if name == "fire_now" and kind == firing.BLOCK:
            told = await self._firings.fire(value, subject, viewer=person.viewer, request_id=request.id, now=now)
            return {**_text(escape_slack(told)), "replace_original": True}
        return await self._press(request, person, kind=kind, subject=subject, name=name, value=value)

    async def _press(
        self, request: SlackRequest, person: Person, *, kind: str, subject: str, name: str, value: str
    ) -> dict[str, Any] | None:
        chosen = request.payload.get("chosen")
        press = Press(
            id=request.id,
            name=name,
            viewer=person.viewer,
            at=request.received_at,
            run_id=subject if kind == showing.BLOCK else None,
            alert_id=subject if kind == cards.ALERT else None,
            value=value,
            chosen=(await self._people.find(str(chosen))).member if chosen else None,
        )
        try:
            told = await self._presses.do(press)
        finally:  # what was refused was perhaps asked of a message that shows what is not so any more
            now = self._clock()
            await reserve_updates(self._store, now=now, run_ids=[press.run_id] if press.run_id else None)
            await self._homes.refresh(now=now, user=person.user)
            await self._durable.enqueue(SEND, {})
        return _text(escape_slack(told))

    async def _command(self, request: SlackRequest, person: Person) -> dict[str, Any]:
        text, now = " ".join(str(request.payload.get("text", "")).split()), self._clock()
        if text.lower() in ("", "help"):
            return _text(HELP)
        if not person.may(Role.VIEWER) or person.member is None:
            return _text(person.refusal(Role.CSM))
        if text.lower() == "mine":
            blocks, count = await self._homes.mine(person.member.email, now=now)
            return {"text": f"{count} customers", "blocks": blocks} if blocks else _text("No customer is yours.")
        if len(text) > LONGEST_NAME:
            return _text(f"A name has at most {LONGEST_NAME} letters.")
        book = person.viewer.book
        async with self._store.reading() as connection:
            search = await search_customers(connection, text, book=book)
        if len(search.found) == 1:
            return await self._cards.card(search.found[0].id, book=book, may_act=person.may(Role.CSM), now=now)
        return choice(text, search.found or search.near, near=not search.found)


def _text(text: str) -> dict[str, Any]:
    """A message of one text; what other systems called things has no markup in it."""
    return {"text": text, "replace_original": False}
