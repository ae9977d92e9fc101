"""Renewal in the hub put together: kept after every scoring, and stated by people."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.lifecycle.renewal import keep_renewals, state_renewal, take_back_renewal
from hub.store import Store

if TYPE_CHECKING:
    from hub.compose.hub import Hub
    from hub.lifecycle.renewal import RenewalSettings


async def keep(hub: "Hub", now: datetime) -> None:
    await keep_renewals(hub.store, hub.settings.lifecycle.renewal, now=now)


async def update_renewal(
    store: Store,
    settings: "RenewalSettings",
    renewal_id: str,
    *,
    status: str | None,
    amount: float | None,
    reason: str,
    by: str,
    now: datetime,
) -> Mapping[str, Any]:
    """A person's word on a renewal; without a status what was said before is taken back."""
    if status is None:
        return await take_back_renewal(store, settings, renewal_id, by=by, now=now)
    return await state_renewal(store, settings, renewal_id, status=status, amount=amount, reason=reason, by=by, now=now)


class RenewalActions:
    """The part of `schema.context.Actions` that is about renewals; the caller has checked who may."""

    _hub: "Hub"

    async def update_renewal(
        self, renewal_id: str, *, status: str | None, amount: float | None, reason: str, by: str, now: datetime
    ) -> Mapping[str, Any]:
        settings = self._hub.settings.lifecycle.renewal
        row = await update_renewal(
            self._hub.store, settings, renewal_id, status=status, amount=amount, reason=reason, by=by, now=now
        )
        await self._hub.playbooks.fire_changes(now=now)
        return row
