"""The delivery ledger: every message is a row before it is a message, and says afterwards what became of it.

    reserved -> sent -> confirmed        committed just before the call, and just after the answer
                  ├──-> reserved         worth another try: later and later, until it expires
                  ├──-> failed           surely not sent, and it won't be: the reason says what a person can do
                  └──-> unknown          no answer, or the process died before it wrote one down: never sent again by itself

Exactly-once does not exist towards Slack or SMTP. What is promised: never twice by us, and the few messages nobody can
vouch for are listed (`unknown`) for a person to look up, and to resend if he wants. Where the other side knows a message
again by its key (PagerDuty, webhooks) one without an answer is simply sent again, and is unknown only when it expires.

How fast, in what order and how long is each channel's own (`Manners`). One slow address holds up no other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.delivery import USUAL, Channel, Manners, Message, Receipt, Refusal, Rejected, Settles, Stays, Uncertain
from hub.model.actions import Delivery, DeliveryState
from hub.playbooks.abandoned import doubt_abandoned
from hub.playbooks.barring import Bars
from hub.playbooks.endpoints import Endpoints
from hub.playbooks.mailing import Mailing
from hub.playbooks.preparing import Preparing
from hub.playbooks.turns import Place, Turns, rested
from hub.store import Store, claims, deliveries
from hub.store.suppression import Suppressed

log = logging.getLogger(__name__)

PARALLEL = 12
TOGETHER_SECONDS, PLAYED_SECONDS = 0.01, 1.0
"""So long is waited for the answers to others, before one is noted."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Ended:
    """An attempt that is over. receipt: where it was taken, and that is not noted yet."""

    sent: Delivery
    receipt: Receipt | None


class Ledger:
    """Sends what is reserved, through `channels` ({kind: channel}), as the process `executor`.

    A channel that has no `manners` gets the usual ones. `tried` is told the runs of messages that were tried.
    """

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        *,
        executor: str,
        clock: Callable[[], datetime],
        tried: Callable[[Collection[str]], Awaitable[None]] | None = None,
        mailing: Mailing | None = None,
    ) -> None:
        self._tried = tried
        self._store = store
        self._channels = channels
        self._executor = executor
        self._clock = clock
        self._together = TOGETHER_SECONDS
        self._under_way: set[str] = set()
        self._manners: Mapping[str, Manners] = {
            name: getattr(channel, "manners", USUAL) for name, channel in channels.items()
        }
        self._paces = {
            name: claims.Pace(interval=each.interval, ordered=each.ordered, expiry=each.expiry)
            for name, each in self._manners.items()
        }
        self._endpoints = Endpoints(store)
        self._preparing = Preparing(
            store, channels, self._manners, endpoints=self._endpoints, mailing=mailing or Mailing(), clock=clock
        )
        self._settling = {name: channel for name, channel in channels.items() if isinstance(channel, Settles)}

    @contextmanager
    def without_pace(self) -> Iterator[None]:
        """While within, an address gets its next message as soon as it had the one before: for time that is played, where
        nothing hangs and nobody waits either, so that answers are noted together."""
        kept = self._paces, self._together
        self._paces = {name: replace(each, interval=timedelta(0)) for name, each in self._paces.items()}
        self._together = PLAYED_SECONDS
        try:
            yield
        finally:
            self._paces, self._together = kept

    async def drain(self) -> datetime | None:
        """Send what is due; return when the next message is, None where none is left."""
        with ExitStack() as open_channels:
            for each in self._channels.values():
                if isinstance(each, Stays):
                    open_channels.enter_context(each.staying())
            return await self._drain()

    async def _drain(self) -> datetime | None:
        sending: set[asyncio.Task[_Ended]] = set()
        turns = Turns(self._claim)
        try:
            while True:
                while len(sending) < PARALLEL and (claimed := await turns.take(PARALLEL - len(sending))):
                    sending |= await self._begin(claimed)
                if not sending:
                    async with self._store.reading() as connection:
                        return await claims.next_due(connection, now=self._clock(), paces=self._paces)
                wait = None if len(sending) == PARALLEL else turns.wait
                done, sending = await asyncio.wait(sending, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                if done and sending:  # what is taken at nearly the same time is noted in one transaction
                    more, sending = await asyncio.wait(sending, timeout=self._together)
                    done |= more
                await self._note(done)
                turns.free(rested((each.result().sent for each in done), now=self._clock(), paces=self._paces))
        except asyncio.CancelledError:
            for each in sending:
                each.cancel()
            raise
        finally:
            # one that goes wrong beyond its channel must not stop the others halfway
            await asyncio.wait(sending) if sending else None
            await self._note(sending, quietly=True)

    async def _note(self, done: Collection[asyncio.Task[_Ended]], *, quietly: bool = False) -> None:
        """Write down what was taken, all of it in one transaction; raise what went wrong in our own code."""
        over = await asyncio.gather(*done, return_exceptions=True)
        ended = [each for each in over if isinstance(each, _Ended)]
        taken = [(each.sent, each.receipt) for each in ended if each.receipt is not None]
        try:
            for name in {sent.channel for sent, _ in taken} & self._settling.keys():
                await self._settling[name].settle()
            if taken:
                async with self._store.transaction() as connection:
                    await deliveries.confirm(connection, taken, executor=self._executor, now=self._clock())
                    known = [sent for sent, _ in taken if self._manners[sent.channel].disabled_after is not None]
                    await self._endpoints.note_taken(connection, known)
        finally:
            self._under_way -= {each.get_name() for each in done}  # those that were cancelled, too, or went wrong
        if self._tried is not None and (ids := {each.sent.run_id for each in ended if each.sent.run_id is not None}):
            await self._tried(ids)
        for each in over:
            if isinstance(each, BaseException) and not quietly:
                raise each

    async def _begin(self, claimed: Collection[Delivery]) -> set[asyncio.Task[_Ended]]:
        """Send what is claimed: who claims has room to send all of it now. From here on no sweep takes it for abandoned."""
        ids = {sent.id for sent in claimed}
        self._under_way |= ids
        try:
            bars, found = await self._preparing.look(claimed)
        except BaseException:  # a cancelled one, too: they are nobody's any more
            self._under_way -= ids
            raise
        return {asyncio.create_task(self._send(sent, bars, found.get(sent.id)), name=sent.id) for sent in claimed}

    async def _claim(self, limit: int, places: Collection[Place] | None) -> list[Delivery]:
        async with self._store.transaction() as connection:
            return await claims.claim(
                connection, executor=self._executor, now=self._clock(), limit=limit, paces=self._paces, places=places
            )

    async def sweep(self, *, now: datetime) -> list[str]:
        """See hub.playbooks.abandoned; the ids of those that are unknown now."""
        recognised = [name for name, each in self._manners.items() if each.recognises]
        return await doubt_abandoned(
            self._store, executor=self._executor, under_way=self._under_way, recognised=recognised, now=now
        )

    async def resend(self, ids: Iterable[str], *, by: str) -> list[str]:
        """A person wants them sent after all, knowing that an unknown one may arrive twice."""
        async with self._store.transaction() as connection:
            return await deliveries.release(connection, ids, note=f"sent again for {by}")

    async def due(self) -> bool:
        async with self._store.reading() as connection:
            return bool(await deliveries.find_deliveries(connection, states=[DeliveryState.RESERVED], limit=1))

    async def _send(self, sent: Delivery, bars: Bars, found: object) -> _Ended:
        """Try one message. What was taken is still to be noted; anything else is noted here."""
        return _Ended(sent, await self._attempt(sent, bars, found))

    async def _attempt(self, sent: Delivery, bars: Bars, found: object) -> Receipt | None:
        channel = self._channels.get(sent.channel)
        if channel is None:
            there = ", ".join(sorted(self._channels)) or "none"
            await self._give_up(sent, f"no channel {sent.channel!r} is set up; there are: {there}")
            return None
        now = self._clock()
        if sent.expires_at is not None and sent.expires_at <= now:
            await self._give_up(sent, f"it expired at {sent.expires_at:%Y-%m-%d %H:%M} UTC before it could be sent")
            return None
        manners = self._manners[sent.channel]
        closed = bars.closed.get((sent.channel, sent.address))
        if closed is not None and manners.disabled_after is not None:
            await self._give_up(sent, closed)
            return None
        if sent.id in bars.held:  # stopped since it was claimed
            async with self._store.transaction() as connection:
                await deliveries.unclaim(connection, sent, executor=self._executor)
            return None
        if (ruled := bars.mail.get(sent.id)) is not None:
            await self._keep_back(sent, ruled, now=now)
            return None
        message = Message(
            id=sent.id,
            dedup_key=sent.dedup_key,
            address=sent.address,
            subject=sent.subject,
            payload=sent.payload,
            at=sent.sent_at or sent.reserved_at,
            found=found,
        )
        failure: Rejected | Uncertain
        try:
            return await channel.send(message)
        except Rejected as error:
            failure = error
            await self._rejected(sent, error, manners)
        except Uncertain as error:
            failure = error
            await self._uncertain(sent, error, manners)
        except Exception as error:  # the loop of a worker: a bug in a channel must not take the other messages with it
            log.exception("channel %s failed on delivery %s", sent.channel, sent.id)
            await self._doubt(sent, f"{type(error).__name__} in our own code, see the log")
            return None
        if manners.disabled_after is not None:
            await self._endpoints.note(sent, failure, disabled_after=manners.disabled_after, now=self._clock())
        return None

    async def _keep_back(self, sent: Delivery, ruled: Suppressed | datetime, *, now: datetime) -> None:
        """The rules of mail do not let it go now: it waits, or is left out."""
        async with self._store.transaction() as connection:
            if isinstance(ruled, datetime):
                await deliveries.postpone(connection, sent, executor=self._executor, until=ruled, now=now)
            else:
                await deliveries.suppress(connection, sent.id, executor=self._executor, reason=ruled.show())

    async def _rejected(self, sent: Delivery, error: Rejected, manners: Manners) -> None:
        if error.kind is not Refusal.TRANSIENT:
            await self._give_up(sent, error.reason)
            return
        await self._again(sent, error.reason, manners, retry_after=error.retry_after)

    async def _uncertain(self, sent: Delivery, error: Uncertain, manners: Manners) -> None:
        if not manners.recognises:
            await self._doubt(sent, error.reason)
            return
        await self._again(sent, error.reason, manners, doubted_at=self._clock())

    async def _again(
        self,
        sent: Delivery,
        reason: str,
        manners: Manners,
        *,
        retry_after: timedelta | None = None,
        doubted_at: datetime | None = None,
    ) -> None:
        """Later, unless it has expired by then."""
        now = self._clock()
        pause = min(FIRST_PAUSE * 2 ** min(sent.attempts - 1, 16), LONGEST_PAUSE)
        if sent.pause_seconds is not None:  # as the playbook says
            pause = timedelta(seconds=sent.pause_seconds)
        until = now + (pause if retry_after is None else retry_after)
        over = sent.most_attempts is not None and sent.attempts >= sent.most_attempts
        if over or until >= (sent.expires_at or now + manners.expiry):
            reason = f"given up after {sent.attempts} attempts: {reason}"
            await (self._give_up if doubted_at is None else self._doubt)(sent, reason)
            return
        async with self._store.transaction() as connection:
            await deliveries.put_back(
                connection, sent, executor=self._executor, reason=reason, not_before=until, doubted_at=doubted_at
            )
            if retry_after is not None:
                await deliveries.hold(connection, channel=sent.channel, address=sent.address, until=until)

    async def _give_up(self, sent: Delivery, reason: str) -> None:
        """Surely not sent, unless an earlier attempt had no answer."""
        if sent.doubted_at is not None:
            await self._doubt(sent, reason)
            return
        log.warning("delivery %s to %s %s failed: %s", sent.id, sent.channel, sent.address, reason)
        async with self._store.transaction() as connection:
            await deliveries.fail(connection, sent.id, executor=self._executor, reason=reason)

    async def _doubt(self, sent: Delivery, reason: str) -> None:
        log.warning("delivery %s to %s %s is unknown: %s", sent.id, sent.channel, sent.address, reason)
        async with self._store.transaction() as connection:
            await deliveries.doubt(connection, sent, executor=self._executor, reason=reason, now=self._clock())
