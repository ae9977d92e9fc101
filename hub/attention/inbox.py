"""What a CSM has before them: open alerts and tasks, urgent ones first, then by what is at stake."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.attention.ranking import stake
from hub.attention.rules import is_urgent
from hub.store import Store
from hub.store.inbox import Inboxed, find_inbox


@dataclass(frozen=True, slots=True)
class Entry:
    """stake: churn risk times a year's revenue, as they are now."""

    call: Inboxed
    stake: float


async def inbox(store: Store, *, owner: str | None, book: str | None, limit: int, now: datetime) -> Sequence[Entry]:
    """Of one CSM, or of everybody."""
    async with store.reading() as connection:
        found = await find_inbox(connection, owner=owner, book=book, now=now)
    entries = [Entry(each, stake(each.churn_risk, each.arr)) for each in found]
    return sorted(entries, key=_order)[:limit]


def _order(entry: Entry) -> tuple[bool, float, date, datetime, str]:
    call = entry.call
    return (not is_urgent(call.severity), -entry.stake, call.due_on or date.max, call.opened_at, call.id)
