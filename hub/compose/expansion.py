"""Expansion in the hub put together: kept after every scoring, and stated by people."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.lifecycle.expansion import keep_expansion, state_opportunity

if TYPE_CHECKING:
    from hub.compose.hub import Hub


async def keep(hub: "Hub", now: datetime) -> None:
    await keep_expansion(hub.store, hub.settings.lifecycle.expansion, now=now)


class ExpansionActions:
    """The part of `schema.context.Actions` that is about opportunities to expand; the caller has checked who may."""

    _hub: "Hub"

    async def update_opportunity(
        self, opportunity_id: str, *, state: str, amount: float | None, reason: str | None, by: str, now: datetime
    ) -> Mapping[str, Any]:
        row = await state_opportunity(
            self._hub.store, opportunity_id, state=state, amount=amount, reason=reason, by=by, now=now
        )
        await self._hub.playbooks.fire_changes(now=now)
        return row
