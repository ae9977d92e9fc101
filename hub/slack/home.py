"""App Homes: "my customers", ranked by what may be lost with them, and what is open for me.

Who opens the Home gets it anew. Who opened it within a week gets it again when it has changed, at the watch's modest pace;
Slack's own limits are kept by the ledger, through which Homes are published.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from hub.model.actions import AlertState, DeliveryState, Role
from hub.slack.cards import Cards, Render, percent
from hub.slack.people import People, Person
from hub.slack.showing import Shower
from hub.store import Store
from hub.store import slack_book as rows
from hub.store.alerts import find_alerts
from hub.store.customers import find_names
from hub.store.deliveries import reserve
from hub.store.slack_book import Entry

SHOWN, SHOWN_CALLS = 20, 8
LOOKED_AT = timedelta(days=7)
Blocks = list[Mapping[str, Any]]


class Homes:
    def __init__(self, store: Store, render: Render, shower: Shower, cards: Cards, people: People) -> None:
        self._store, self._render, self._shower = store, render, shower
        self._cards, self._people = cards, people

    async def open(self, person: Person, *, now: datetime) -> None:
        """Somebody looks: publish it, whatever was published before."""
        async with self._store.transaction() as connection:
            await rows.note_home(connection, person.user, now=now)
        await self._publish(person, shown=None, now=now)

    async def refresh(self, *, now: datetime, user: str | None = None) -> int:
        """Publish again what has changed, of one who looks at it or of all; how many."""
        async with self._store.reading() as connection:
            looking = await rows.find_homes(connection, opened_since=now - LOOKED_AT)
        wanted = {each: shown for each, shown in looking.items() if user in (None, each)}
        return sum(
            [await self._publish(await self._people.find(each), shown=shown, now=now) for each, shown in wanted.items()]
        )

    async def _publish(self, person: Person, *, shown: str | None, now: datetime) -> bool:
        blocks = await self.blocks(person, now=now)
        digest = blake2b(orjson.dumps(blocks), digest_size=16).hexdigest()
        if digest == shown:
            return False
        key = f"slack_home.{person.user}.{digest}.{now.isoformat()}"
        row = {
            "id": f"del_{blake2b(key.encode(), digest_size=16).hexdigest()}",
            "dedup_key": key,
            "channel": "slack_home",
            "address": person.user,
            "payload": {"blocks": blocks},
            "state": DeliveryState.RESERVED.value,
            "attempts": 0,
            "reserved_at": now,
        }
        async with self._store.transaction() as connection:
            await reserve(connection, [row])
            await rows.note_published(connection, person.user, shown=digest, now=now)
        return True

    async def blocks(self, person: Person, *, now: datetime) -> Blocks:
        if not person.may(Role.VIEWER) or person.member is None:
            return [{"type": "section", "text": {"type": "mrkdwn", "text": person.refusal(Role.CSM)}}]
        email, may_act = person.member.email, person.may(Role.CSM)
        entries, count, calls, names = await self._book(email, book=person.viewer.book, today=now)
        due = [each for each in calls if each.due_on is not None and each.due_on <= now.date()]
        head = {"member": email, "count": count, "shown": len(entries), "calls": len(calls), "due": len(due)}
        made: Blocks = [*self._render("app_home", head).payload["blocks"]]
        shown = [*due, *(each for each in calls if each not in due)][:SHOWN_CALLS]
        for call in shown:
            of = names.get(call.customer_id)
            made += self._cards.call(call, may_act=may_act, now=now, of=of)
        if shown:
            made.append({"type": "divider"})
        return [*made, *self.lines(entries)]

    def lines(self, entries: Sequence[Entry]) -> Blocks:
        """A block for each customer."""
        return [
            block
            for each in entries
            for block in self._render("app_home_customer", self._words(each)).payload["blocks"]
        ]

    async def mine(self, email: str, *, now: datetime) -> tuple[Blocks, int]:
        """The first of a CSM's customers as blocks, and how many there are."""
        entries, count, _, _ = await self._book(email, book=None, today=now)
        return self.lines(entries), count

    async def _book(self, email: str, *, book: str | None, today: datetime) -> Any:
        """Their customers, and what they own that is open: of other people's customers too, unless they have a book."""
        async with self._store.reading() as connection:
            entries, count = await rows.find_book(connection, email, today=today.date(), now=today, limit=SHOWN)
            found = await find_alerts(
                connection,
                owner_email=email,
                states=(AlertState.OPEN, AlertState.IN_PROGRESS),
                limit=100,
                book=book,
            )
            calls = [each for each in found if each.snoozed_until is None or each.snoozed_until <= today]
            names = await find_names(connection, {each.customer_id for each in calls})
        return entries, count, calls, names

    def _words(self, entry: Entry) -> dict[str, Any]:
        return {
            "name": entry.name,
            "health": percent(entry.health),
            "band": entry.band,
            "churn": percent(entry.churn_annualised),
            "mrr": entry.mrr,
            "alerts": entry.alerts,
            "tasks": entry.tasks,
            "due": entry.due,
            "link": f"{self._shower.hub_url.rstrip('/')}/customers/{entry.customer_id}",
        }
