"""What is done about mail that came back: the ledger says so, and an address that does not exist gets no more.

A hard bounce and a complaint suppress the address at once. A soft one is counted: so many within so long, and it is given up.

Anybody may write to the bounce mailbox. So what comes from there suppresses an address only where it names a message that we
sent to that very address, which only who got it knows; webhooks are authenticated, and believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.delivery.bounces import MAILBOX
from hub.model.mail import COMPLAINT, HARD, SOFT, Bounced
from hub.store import Store
from hub.store.bounces import count_soft, keep_bounces
from hub.store.deliveries import find_deliveries
from hub.store.suppression import Reason, Suppressed, suppress


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """So many soft bounces `within` are as good as a hard one."""

    most: int = 5
    within: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """new: what had not been told before. matched: messages of the ledger. suppressed: addresses that get no more.

    doubted  addresses that the mailbox was told of without a message of ours to them
    """

    new: int = 0
    matched: int = 0
    suppressed: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()


async def take_bounces(store: Store, told: Sequence[Bounced], *, patience: Patience, now: datetime) -> Taken:
    """Keep what was told; twice is once."""
    if not told:
        return Taken()
    async with store.transaction() as connection:
        new = await keep_bounces(connection, told)
        named = {each.delivery_id for each in new if each.delivery_id is not None}
        sent = {each.id: each.address.lower() for each in await find_deliveries(connection, ids=named)} if named else {}
        believed = [
            each for each in new if each.told_by != MAILBOX or sent.get(each.delivery_id or "") == each.address.lower()
        ]
        soft = [each.address for each in believed if each.kind == SOFT]
        counted = await count_soft(connection, soft, since=now - patience.within) if soft else {}
        lines = [line for each in believed if (line := _line(each, counted, patience, now)) is not None]
        suppressed = await suppress(connection, lines)
    matched = len({each.delivery_id for each in new if each.delivery_id})
    doubted = sorted({each.address for each in new} - {each.address for each in believed})
    return Taken(new=len(new), matched=matched, suppressed=tuple(suppressed), doubted=tuple(doubted))


def _line(told: Bounced, counted: dict[str, int], patience: Patience, now: datetime) -> Suppressed | None:
    why = " ".join(part for part in (told.status, told.reason) if part) or None
    if told.kind == SOFT and counted.get(told.address, 0) < patience.most:
        return None
    if told.kind == SOFT:
        why = f"{counted[told.address]} times in {patience.within.days} days, the last: {why or 'no reason given'}"
    assert told.kind in (HARD, SOFT, COMPLAINT), "there are no others"
    reason = Reason.COMPLAINED if told.kind == COMPLAINT else Reason.BOUNCED
    return Suppressed(address=told.address, reason=reason, since=now, by=told.told_by, note=why)
