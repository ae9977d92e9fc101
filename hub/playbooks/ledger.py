"""The delivery ledger: every message is a row before it is a message, and says afterwards what became of it.

    reserved -> sent -> confirmed        committed just before the call, and just after the answer
                  ├──-> reserved         surely not sent, worth another try: later, a bounded number of times
                  ├──-> failed           surely not sent, and it won't be: the reason says what a person can do
                  └──-> unknown          no answer, or the process died before it wrote one down: never sent again by itself

Exactly-once does not exist towards Slack or SMTP. What is promised: never twice by us, and the few messages nobody can
vouch for are listed (`unknown`) for a person to look up, and to resend if he wants.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from hub.delivery import Channel, Message, Refusal, Rejected, Uncertain
from hub.durable.process import is_gone
from hub.model.actions import Delivery, DeliveryState
from hub.store import Store, deliveries, executors

log = logging.getLogger(__name__)

PARALLEL = 4
MAX_ATTEMPTS = 6
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
SILENCE = timedelta(seconds=60)
"""A process that has not beaten for so long is dead, and what it was sending is unknown; one surely gone is dead at once."""


class Ledger:
    """Sends what is reserved, through `channels` ({kind: channel}), as the process `executor`."""

    def __init__(
        self, store: Store, channels: Mapping[str, Channel], *, executor: str, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._channels = channels
        self._executor = executor
        self._clock = clock
        self._under_way: set[str] = set()

    async def drain(self) -> datetime | None:
        """Send what is due; return when the next message is, None where none is left."""
        while True:
            now = self._clock()
            async with self._store.transaction() as connection:
                claimed = await deliveries.claim(connection, executor=self._executor, now=now, limit=PARALLEL)
            if not claimed:
                async with self._store.reading() as connection:
                    return await deliveries.next_due(connection, now=self._clock())
            # one that goes wrong beyond its channel must not stop the others halfway
            for outcome in await asyncio.gather(*map(self._send, claimed), return_exceptions=True):
                if outcome is not None:
                    raise outcome

    async def sweep(self, *, now: datetime) -> list[str]:
        """Messages left `sent` by dead processes become unknown; return their ids."""
        async with self._store.transaction() as connection:
            beats = await executors.find_beats(connection)
            alive = {id_ for id_, at in beats.items() if at > now - SILENCE} | {self._executor}
            senders = await deliveries.find_senders(connection)
            lost = await deliveries.doubt_abandoned(
                connection,
                alive=alive,
                gone={each for each in senders if is_gone(each, own=self._executor)},
                own=self._executor,
                under_way=self._under_way,
                claimed_by=now - SILENCE,
                reason="its sender died, or lost the store, before it noted the answer",
            )
        if lost:
            log.warning("%d messages may or may not have been sent; see deliveries in state unknown", len(lost))
        return lost

    async def resend(self, ids: Iterable[str], *, by: str) -> list[str]:
        """A person wants failed or unknown messages sent after all, knowing that an unknown one may arrive twice."""
        async with self._store.transaction() as connection:
            return await deliveries.release(connection, ids, note=f"sent again for {by}")

    async def due(self) -> bool:
        async with self._store.reading() as connection:
            return bool(await deliveries.find_deliveries(connection, states=[DeliveryState.RESERVED], limit=1))

    async def _send(self, sent: Delivery) -> None:
        self._under_way.add(sent.id)
        try:
            await self._attempt(sent)
        finally:
            self._under_way.discard(sent.id)

    async def _attempt(self, sent: Delivery) -> None:
        channel = self._channels.get(sent.channel)
        if channel is None:
            there = ", ".join(sorted(self._channels)) or "none"
            await self._fail(sent, f"no channel {sent.channel!r} is set up; there are: {there}")
            return
        message = Message(
            dedup_key=sent.dedup_key,
            address=sent.address,
            subject=sent.subject,
            payload=sent.payload,
            at=sent.sent_at or sent.reserved_at,
        )
        try:
            receipt = await channel.send(message)
        except Rejected as error:
            await self._rejected(sent, error)
        except Uncertain as error:
            await self._doubt(sent, error.reason)
        except Exception as error:  # the loop of a worker: a bug in a channel must not take the other messages with it
            log.exception("channel %s failed on delivery %s", sent.channel, sent.id)
            await self._doubt(sent, f"{type(error).__name__} in our own code, see the log")
        else:
            async with self._store.transaction() as connection:
                await deliveries.confirm(
                    connection, sent.id, executor=self._executor, receipt=receipt, now=self._clock()
                )

    async def _rejected(self, sent: Delivery, error: Rejected) -> None:
        if error.kind is not Refusal.TRANSIENT:
            await self._fail(sent, error.reason)
            return
        if sent.attempts >= MAX_ATTEMPTS:
            await self._fail(sent, f"given up after {sent.attempts} attempts: {error.reason}")
            return
        pause = min(FIRST_PAUSE * 2 ** (sent.attempts - 1), LONGEST_PAUSE)
        until = self._clock() + (pause if error.retry_after is None else error.retry_after)
        async with self._store.transaction() as connection:
            await deliveries.put_back(connection, sent, executor=self._executor, reason=error.reason, not_before=until)
            if error.retry_after is not None:
                await deliveries.hold(connection, channel=sent.channel, address=sent.address, until=until)

    async def _fail(self, sent: Delivery, reason: str) -> None:
        log.warning("delivery %s to %s %s failed: %s", sent.id, sent.channel, sent.address, reason)
        async with self._store.transaction() as connection:
            await deliveries.fail(connection, sent.id, executor=self._executor, reason=reason)

    async def _doubt(self, sent: Delivery, reason: str) -> None:
        log.warning("delivery %s to %s %s is unknown: %s", sent.id, sent.channel, sent.address, reason)
        async with self._store.transaction() as connection:
            await deliveries.doubt(connection, sent.id, executor=self._executor, reason=reason)
