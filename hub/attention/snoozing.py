"""Not now: for one customer and reason, whichever playbook it comes from, until a day; urgent things come through."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

from hub.errors import NotFoundError, RefusedError
from hub.store import Connection, Store
from hub.store import snoozes as rows
from hub.store.alerts import get_alert
from hub.store.snoozes import ANY, Snooze

LONGEST = timedelta(days=366)
MOST_NOTE = 1_000
REASON = re.compile(r"[a-z][a-z0-9_]{1,59}")


async def snooze(
    store: Store,
    customer_id: str,
    *,
    reason: str,
    until: datetime,
    by: str,
    note: str | None = None,
    now: datetime,
) -> Snooze:
    """Let nothing new come up about a customer for `reason` ("*": any) until then.

    Of several in force the one that lasts longest counts. NotFoundError, or RefusedError with what does not go.
    """
    faults = []
    if reason != ANY and not REASON.fullmatch(reason):
        faults.append(f"reason {reason!r} must be one of a playbook, such as churn, or {ANY} for any")
    if not now < until <= now + LONGEST:
        faults.append(f"until must lie ahead, by at most {LONGEST.days} days")
    if note is not None and len(note) > MOST_NOTE:
        faults.append(f"note may have at most {MOST_NOTE} characters")
    if faults:
        raise RefusedError("; ".join(faults))
    parts = "\x1f".join((customer_id, reason, until.isoformat(), by, now.isoformat()))
    made = Snooze(
        id=f"snooze_{blake2b(parts.encode(), digest_size=16).hexdigest()}",
        customer_id=customer_id,
        reason_key=reason,
        until=until,
        made_by=by,
        made_at=now,
        note=note or None,
    )
    async with store.transaction() as connection:
        await _known(connection, customer_id)
        names = ("id", "customer_id", "reason_key", "until", "made_by", "made_at", "note")
        await rows.insert(connection, {name: getattr(made, name) for name in names})
        (kept,) = await rows.find_snoozes(connection, book=None, ids=[made.id])
    return kept


async def snooze_like(
    store: Store, alert_id: str, *, until: datetime, by: str, note: str | None = None, now: datetime
) -> Snooze:
    """Snooze what an open alert is about; RefusedError for one that is about nothing else."""
    async with store.reading() as connection:
        alert = await get_alert(connection, alert_id)
    if alert.reason_key is None:
        raise RefusedError(f"{alert_id} stands by itself, no playbook speaks of it: snooze the alert")
    return await snooze(store, alert.customer_id, reason=alert.reason_key, until=until, by=by, note=note, now=now)


async def unsnooze(store: Store, id_: str, *, by: str, now: datetime) -> Snooze:
    """End a snooze; RefusedError where it is over."""
    async with store.transaction() as connection:
        found = await rows.find_snoozes(connection, book=None, ids=[id_])
        if not found:
            raise NotFoundError(f"there is no snooze {id_!r}")
        if not await rows.lift(connection, id_, by=by, now=now):
            raise RefusedError(f"{id_} is over already")
        (lifted,) = await rows.find_snoozes(connection, book=None, ids=[id_])
    return lifted


async def find_in_force(
    store: Store, *, book: str | None, customer_ids: Sequence[str] | None = None, now: datetime
) -> list[Snooze]:
    async with store.reading() as connection:
        return await rows.find_snoozes(connection, book=book, customer_ids=customer_ids, now=now)


async def _known(connection: Connection, customer_id: str) -> None:
    if not await rows.knows_customer(connection, customer_id):
        raise NotFoundError(f"there is no customer {customer_id!r}")
