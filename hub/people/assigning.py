"""Giving customers to a CSM, or to nobody, by our own word: it counts at once, and no sync takes it back.

Given back, a customer is again whose its source says. What is open and belonged to the former CSM goes along.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.errors import NotFoundError, RefusedError
from hub.store import Connection, Store
from hub.store import assignments as rows
from hub.store.assignments import Owned

LONGEST_REASON = 2_000
MOST = 1_000
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A customer, whose it was and whose it is (None: nobody's). changed: False where it was so already."""

    customer_id: str
    name: str
    before: str | None
    after: str | None
    changed: bool


async def assign(
    store: Store,
    customer_ids: Sequence[str],
    csm_email: str | None,
    *,
    csm_name: str | None = None,
    reason: str | None,
    by: str,
    now: datetime,
    dry_run: bool = False,
) -> list[Assigned]:
    """Make customers those of a CSM, or with None nobody's; all of them or, with an error, none.

    csm_name  None: as the sources call that address
    Raises NotFoundError for a customer that is not there, RefusedError for an address that is none. With `dry_run` nothing
    is written.
    """
    email = _address(csm_email)
    why = _reason(reason)
    async with store.transaction() as connection:
        found = await _found(connection, customer_ids)
        name = csm_name if email is None or csm_name else await rows.find_name(connection, email)
        told = [
            Assigned(
                customer_id=each.customer_id,
                name=each.name,
                before=each.csm_email,
                after=email,
                changed=each.csm_email != email or not each.assigned,
            )
            for each in found
        ]
        changed = [each.customer_id for each in told if each.changed]
        if dry_run or not changed:
            return told
        await rows.end_assignments(connection, changed, by=by, now=now)
        made = {"csm_email": email, "csm_name": name, "reason": why, "by": by, "at": now}
        ids = [{"id": f"asg_{secrets.token_hex(10)}", "customer_id": each} for each in changed]
        await rows.add_assignments(connection, [{**each, **made} for each in ids])
        handed = [
            {"customer": each.customer_id, "before": each.before, "email": email, "name": name}
            for each in told
            if each.changed
        ]
        await rows.hand_over(connection, handed, now=now)
    return told


async def unassign(
    store: Store, customer_ids: Sequence[str], *, by: str, now: datetime, dry_run: bool = False
) -> list[Assigned]:
    """End our own word on whose customers are: each is again whose the source that made it says. Errors as `assign`."""
    async with store.transaction() as connection:
        found = await _found(connection, customer_ids)
        told = [
            Assigned(
                customer_id=each.customer_id,
                name=each.name,
                before=each.csm_email,
                after=each.said_email if each.assigned else each.csm_email,
                changed=each.assigned,
            )
            for each in found
        ]
        changed = [each for each in found if each.assigned]
        if dry_run or not changed:
            return told
        await rows.end_assignments(connection, [each.customer_id for each in changed], by=by, now=now)
        handed = [
            {
                "customer": each.customer_id,
                "before": each.csm_email,
                "email": each.said_email,
                "name": each.said_name,
            }
            for each in changed
        ]
        await rows.hand_over(connection, handed, now=now)
    return told


async def _found(connection: Connection, customer_ids: Sequence[str]) -> list[Owned]:
    wanted = list(dict.fromkeys(customer_ids))
    if not 1 <= len(wanted) <= MOST:
        raise RefusedError(f"1 to {MOST:,} customers at once, not {len(wanted):,}", about="customer_ids")
    found = await rows.find_owned(connection, wanted)
    if missing := set(wanted) - {each.customer_id for each in found}:
        raise NotFoundError(f"there is no customer {min(missing)!r}")
    return found


def _address(given: str | None) -> str | None:
    if given is None:
        return None
    email = given.strip().lower()
    if not _ADDRESS.fullmatch(email) or len(email) > 254:
        raise RefusedError(f"{given[:80]!r} is no e-mail address; null makes the customers nobody's", about="csm_email")
    return email


def _reason(given: str | None) -> str | None:
    said = " ".join((given or "").split())
    if len(said) > LONGEST_REASON:
        raise RefusedError(f"the reason has {len(said):,} characters; at most {LONGEST_REASON:,}", about="reason")
    return said or None
