"""Follows what runs started elsewhere (`wait_for` of airflow and prefect) until it has ended.

The sweep asks for it every minute while any run waits so: each run elsewhere is looked at once, its receipt in the ledger says
how it stands (`run`: {state, ended, succeeded}, or the error of the last look), and the runs of those that ended go on. A look
changes nothing there, so two processes that look at once do no harm; nor does one that dies halfway.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from hub.delivery import Channel, Follows, Rejected, Uncertain
from hub.model.actions import Delivery
from hub.store import Store, deliveries

AT_ONCE = 16


class Following:
    def __init__(self, store: Store, channels: Mapping[str, Channel]) -> None:
        self._store = store
        self._channels: Mapping[str, Follows] = {
            name: each for name, each in channels.items() if isinstance(each, Follows)
        }

    async def due(self) -> bool:
        async with self._store.reading() as connection:
            return bool(await deliveries.find_followed(connection, limit=1))

    async def look(self) -> list[str]:
        """Look at all of them; return the runs whose waiting is over."""
        async with self._store.reading() as connection:
            found = await deliveries.find_followed(connection)
        gate = asyncio.Semaphore(AT_ONCE)
        said = await asyncio.gather(*(self._stands(sent, gate) for sent in found))
        told = {
            sent.id: {**(sent.receipt or {}), "run": stands}
            for sent, stands in zip(found, said, strict=True)
            if stands != (sent.receipt or {}).get("run")
        }
        async with self._store.transaction() as connection:
            await deliveries.note_receipts(connection, told)
        return sorted({str(sent.run_id) for sent, stands in zip(found, said, strict=True) if stands.get("ended")})

    async def _stands(self, sent: Delivery, gate: asyncio.Semaphore) -> Mapping[str, Any]:
        channel = self._channels.get(sent.channel)
        if channel is None:
            return {"error": f"{sent.channel} is not set up"}
        async with gate:
            try:
                stands = await channel.look(sent.address, sent.receipt or {})
            except (Rejected, Uncertain) as error:
                return {"error": error.reason}
        return {"state": stands.state, "ended": stands.ended, "succeeded": stands.succeeded}
