"""What people say a renewal came to: renewed at an amount, or churned, and why; a record of its own that can be taken back.

It outweighs what the records say and never overwrites them: the CRM's deal and the billing's terms stay as they are, and the
renewal shows both statuses. Said again, the later counts.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.errors import RefusedError
from hub.lifecycle.renewal.keeping import LOOK_BACK, keep_one
from hub.lifecycle.renewal.rules import DECIDED
from hub.lifecycle.renewal.settings import RenewalSettings
from hub.store import Store
from hub.store.renewals import Said, get_renewal, say, take_back

LONGEST = 1_000


async def state_renewal(
    store: Store,
    settings: RenewalSettings,
    renewal_id: str,
    *,
    status: str,
    reason: str,
    by: str,
    now: datetime,
    amount: float | None = None,
) -> Mapping[str, Any]:
    """Say a renewal is renewed (at `amount` a year; None: what was due) or churned; return it as it stands then.

    NotFoundError for a renewal there is not, RefusedError for what can't be said.
    """
    if status not in DECIDED:
        raise RefusedError(f"a renewal is said to be {' or '.join(sorted(DECIDED))}, not {status[:40]!r}")
    if not 1 <= len(reason.strip()) <= LONGEST:
        raise RefusedError(f"a reason is needed, of at most {LONGEST:,} characters")
    if amount is not None and (status == "churned" or not 0 < amount < 1e12):
        raise RefusedError("an amount is a positive number, a year's, and only of what is renewed")
    _check_on(settings)
    async with store.transaction() as connection:
        row = await get_renewal(connection, renewal_id)
        if row["due_on"] < now.date() - LOOK_BACK:
            raise RefusedError(f"what fell due on {row['due_on']} is too long ago to be changed")
        said = Said(
            id=f"rst_{secrets.token_hex(12)}",
            renewal_id=renewal_id,
            status=status,
            amount=amount,
            reason=reason.strip(),
            by=by,
            at=now,
        )
        await say(connection, said)
        await keep_one(connection, settings, row["customer_id"], now=now)
        return await get_renewal(connection, renewal_id)


async def take_back_renewal(
    store: Store, settings: RenewalSettings, renewal_id: str, *, by: str, now: datetime
) -> Mapping[str, Any]:
    """What the records say counts again; RefusedError where nobody said anything else."""
    _check_on(settings)
    async with store.transaction() as connection:
        row = await get_renewal(connection, renewal_id)
        if not await take_back(connection, renewal_id, by=by, now=now):
            raise RefusedError(f"nobody said anything of {renewal_id}; it is {row['status']} by the records")
        await keep_one(connection, settings, row["customer_id"], now=now)
        return await get_renewal(connection, renewal_id)


def _check_on(settings: RenewalSettings) -> None:
    if not settings.enabled:
        raise RefusedError("renewals are switched off in config/lifecycle.yaml")
