"""The ledger's channels to Slack, with what only the store knows: the thread a message belongs to, and what it shows.

`Posts` is the channel `slack`. The first message about a customer in a channel is the parent of those that follow within
`threads`; urgent ones are shown in the channel too. The ledger sends one message at a time to an address, so a thread is
known before the next message needs it. Where the process dies before it noted the thread, the next message begins another.

`Updates` is the channel `slack_update`: it makes the message anew from the state of this moment. If the state changed while
it was under way, the next update is reserved at once.

What they must know of messages is read for all that are sent at once (`prepare`); what they come to know of them is in their
`Notes`, written down together for all whose answers came together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from hub.delivery import Manners, Message, Prepares, Receipt, Refusal, Rejected
from hub.model.actions import Delivery
from hub.slack.showing import Shower, Standing, digest
from hub.slack.standing import find_standings
from hub.slack.updating import reserve_updates
from hub.store import Connection, Store
from hub.store import slack as rows
from hub.store.deliveries import find_deliveries
from hub.store.slack import SlackMessage


class Way(Protocol):
    """What hub.delivery has for it."""

    @property
    def manners(self) -> Manners: ...

    async def send(self, message: Message) -> Receipt: ...


Write = Callable[[Connection], Awaitable[object]]


class Notes:
    """What is known of messages that were posted or changed, until it is written: threads, and what messages show."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock
        self._kept: list[tuple[Sequence[Write], str | None]] = []
        self._writing = asyncio.Lock()

    def add(self, *writes: Write, shows: str | None) -> None:
        """Of one message: what to write, which twice is harmless, and the run whose state it shows."""
        self._kept.append((writes, shows))

    async def write(self) -> None:
        """When this returns, all that was there to be written is. What fails is not tried again, so that one does not stand
        in the way of all that follow: the ledger does not know then what became of the messages, and says so."""
        async with self._writing:
            kept = list(self._kept)
            try:
                if any(writes for writes, _ in kept):
                    async with self._store.transaction() as connection:
                        for write in (each for writes, _ in kept for each in writes):
                            await write(connection)
                # of what changed meanwhile nobody else could know that a message shows it
                if shown := {run_id for _, run_id in kept if run_id is not None}:
                    await reserve_updates(self._store, now=self._clock(), run_ids=sorted(shown))
            finally:
                del self._kept[: len(kept)]


class Posts:
    """threads: for how long messages follow the first one about their customer; zero: each stands by itself."""

    name = "slack"

    def __init__(
        self,
        way: Way,
        store: Store,
        shower: Shower,
        *,
        threads: timedelta,
        clock: Callable[[], datetime],
        notes: Notes | None = None,
    ) -> None:
        self.manners = way.manners
        self._way, self._store, self._shower, self._threads, self._clock = way, store, shower, threads, clock
        self._notes = notes or Notes(store, clock=clock)

    async def settle(self) -> None:
        await self._notes.write()

    async def prepare(self, sent: Sequence[Delivery]) -> Mapping[str, object]:
        now = self._clock()
        about = {(each.address, each.customer_id) for each in sent if each.customer_id is not None and self._threads}
        async with self._store.reading() as connection:
            standings = await find_standings(connection, {each.run_id for each in sent if each.run_id is not None})
            threads = await rows.find_threads(connection, about, since=now - self._threads) if about else {}
        return {
            each.id: _Post(
                each,
                standings.get(each.run_id or "", Standing()),
                threads.get((each.address, each.customer_id or "")),
            )
            for each in sent
        }

    async def send(self, message: Message) -> Receipt:
        found = await _found(self, self._store, message)
        return await (self._post(message, found) if isinstance(found, _Post) else self._way.send(message))

    async def _post(self, message: Message, found: "_Post") -> Receipt:
        now = self._clock()
        sent, standing, thread = found.sent, found.standing, found.thread
        payload: dict[str, Any] = {
            **message.payload,
            "blocks": blocks_of(self._shower, sent, message.payload, standing, now=now),
        }
        if thread is not None:
            urgent = standing.urgent or sent.severity == "urgent"
            payload |= {"thread_ts": thread, "reply_broadcast": urgent}
        receipt = await self._way.send(replace(message, payload=payload))
        channel, ts = receipt.get("channel"), receipt.get("ts")
        if not channel or not ts:
            return receipt
        writes: list[Write] = []
        if thread is None and sent.customer_id is not None and self._threads:
            writes.append(
                partial(rows.open_thread, address=message.address, customer_id=sent.customer_id, ts=ts, now=now)
            )
        if sent.run_id is not None and message.payload.get("buttons"):
            kept = SlackMessage(
                delivery_id=sent.id,
                run_id=sent.run_id,
                channel=channel,
                ts=ts,
                shown=digest(standing, now=now),
                version=0,
                shown_at=now,
            )
            writes.append(partial(rows.keep_message, message=kept))
        self._notes.add(*writes, shows=sent.run_id)
        return receipt if thread is None else {**receipt, "thread_ts": thread}


class Updates:
    """See the module. Payload in the ledger: {update_of: the delivery that posted the message}."""

    name = "slack_update"

    def __init__(
        self, way: Way, store: Store, shower: Shower, *, clock: Callable[[], datetime], notes: Notes | None = None
    ) -> None:
        self.manners = way.manners
        self._way, self._store, self._shower, self._clock = way, store, shower, clock
        self._notes = notes or Notes(store, clock=clock)

    async def settle(self) -> None:
        await self._notes.write()

    async def prepare(self, sent: Sequence[Delivery]) -> Mapping[str, object]:
        of = {each.id: str(each.payload["update_of"]) for each in sent}
        async with self._store.reading() as connection:
            kept = {each.delivery_id: each for each in await rows.find_messages(connection, delivery_ids=of.values())}
            posted = {each.id: each for each in await find_deliveries(connection, ids=of.values())}
            standings = await find_standings(connection, {each.run_id for each in kept.values()})
        return {
            id_: _Update(posted[each], kept[each], standings[kept[each].run_id])
            for id_, each in of.items()
            if each in posted and each in kept
        }

    async def send(self, message: Message) -> Receipt:
        found = await _found(self, self._store, message)
        if not isinstance(found, _Update):
            raise Rejected("the message it changes was never posted", kind=Refusal.PERMANENT)
        now = self._clock()
        posted, kept, standing = found.posted, found.kept, found.standing
        payload = {
            "channel": kept.channel,
            "ts": kept.ts,
            "text": posted.payload["text"],
            "blocks": blocks_of(self._shower, posted, posted.payload, standing, now=now),
        }
        receipt = await self._way.send(replace(message, payload=payload))
        write = partial(rows.note_shown, message=kept, shown=digest(standing, now=now), now=now)
        self._notes.add(write, shows=kept.run_id)
        return receipt


@dataclass(frozen=True, slots=True)
class _Post:
    """What a message is made of: its row, how its run stands, the thread it belongs to."""

    sent: Delivery
    standing: Standing
    thread: str | None


@dataclass(frozen=True, slots=True)
class _Update:
    """What an update is made of: the row of what it changes, what that shows, how its run stands."""

    posted: Delivery
    kept: SlackMessage
    standing: Standing


async def _found(channel: Prepares, store: Store, message: Message) -> object:
    """What the channel found for the message before, or finds now; None for what no ledger stands behind."""
    if message.found is not None or not message.id:
        return message.found
    async with store.reading() as connection:
        sent = await find_deliveries(connection, ids=[message.id])
    return (await channel.prepare(sent)).get(message.id)


def blocks_of(
    shower: Shower, sent: Delivery, payload: Mapping[str, Any], standing: Standing, *, now: datetime
) -> list[Mapping[str, Any]]:
    """What the message shows now. Without buttons it is what its template made, and nothing else."""
    buttons = payload.get("buttons") or ()
    if not buttons or sent.customer_id is None:
        return list(payload["blocks"])
    if sent.run_id is None:
        buttons = [each for each in buttons if each == "open"]
    return shower.blocks(
        payload["blocks"],
        standing,
        buttons=buttons,
        run_id=sent.run_id or "",
        customer_id=sent.customer_id,
        now=now,
    )
