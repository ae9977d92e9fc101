"""What is done about mail that came back: the ledger says so, and an address that does not exist gets no more.

A hard bounce and a complaint suppress the address at once. A soft one is counted: so many within so long, and it is given up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.model.mail import COMPLAINT, HARD, SOFT, Bounced
from hub.store import Store
from hub.store.bounces import count_soft, keep_bounces
from hub.store.suppression import Reason, Suppressed, suppress


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """So many soft bounces `within` are as good as a hard one."""

    most: int = 5
    within: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """new: what had not been told before. matched: messages of the ledger. suppressed: addresses that get no more."""

    new: int = 0
    matched: int = 0
    suppressed: tuple[str, ...] = ()


async def take_bounces(store: Store, told: Sequence[Bounced], *, patience: Patience, now: datetime) -> Taken:
    """Keep what was told; twice is once."""
    if not told:
        return Taken()
    async with store.transaction() as connection:
        new = await keep_bounces(connection, told)
        soft = [each.address for each in new if each.kind == SOFT]
        counted = await count_soft(connection, soft, since=now - patience.within) if soft else {}
        lines = [line for each in new if (line := _line(each, counted, patience, now)) is not None]
        suppressed = await suppress(connection, lines)
    matched = len({each.delivery_id for each in new if each.delivery_id})
    return Taken(new=len(new), matched=matched, suppressed=tuple(suppressed))


def _line(told: Bounced, counted: dict[str, int], patience: Patience, now: datetime) -> Suppressed | None:
    why = " ".join(part for part in (told.status, told.reason) if part) or None
    if told.kind == SOFT and counted.get(told.address, 0) < patience.most:
        return None
    if told.kind == SOFT:
        why = f"{counted[told.address]} times in {patience.within.days} days, the last: {why or 'no reason given'}"
    assert told.kind in (HARD, SOFT, COMPLAINT), "there are no others"
    reason = Reason.COMPLAINED if told.kind == COMPLAINT else Reason.BOUNCED
    return Suppressed(address=told.address, reason=reason, since=now, by=told.told_by, note=why)
