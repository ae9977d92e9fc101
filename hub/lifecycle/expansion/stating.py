"""What people say became of an opportunity: offered, won at an amount, lost, or withdrawn, and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.errors import RefusedError
from hub.lifecycle.expansion.keeping import show
from hub.store import Store, expansion

STATES = ("offered", "won", "lost", "withdrawn")
LONGEST = 1_000


async def state_opportunity(
    store: Store,
    opportunity_id: str,
    *,
    state: str,
    by: str,
    now: datetime,
    reason: str | None = None,
    amount: float | None = None,
) -> Mapping[str, Any]:
    """Say what became of one; `amount`: a year's, of one that is won (None: what was forecast). Return it as it stands then.

    NotFoundError for one there is not, RefusedError for what can't be said, and of one that is over already.
    """
    if state not in STATES:
        raise RefusedError(f"an opportunity is said to be {', '.join(STATES)}, not {state[:40]!r}")
    if amount is not None and (state != "won" or not 0 < amount < 1e12):
        raise RefusedError("an amount is a positive number, a year's, and only of what is won")
    reason = (reason or "").strip() or None
    if state in ("lost", "withdrawn") and reason is None:
        raise RefusedError(f"why is it {state}? A reason is needed")
    if reason is not None and len(reason) > LONGEST:
        raise RefusedError(f"a reason has at most {LONGEST:,} characters")
    async with store.transaction() as connection:
        row = await expansion.get_opportunity(connection, opportunity_id)
        if row["state"] not in expansion.LIVE:
            raise RefusedError(f"it is {row['state']} since {row['closed_on']}, and over")
        row.update(state=state, reason=reason, decided_by=by)
        if state != "offered":
            row.update(closed_on=now.date(), won_amount=(amount or row["value"]) if state == "won" else None)
        await expansion.write_opportunities(connection, [row], now=now)
        live = await expansion.find_live(connection, customer_id=row["customer_id"])
        await show(connection, live, now=now, customer_id=row["customer_id"])
        return row
