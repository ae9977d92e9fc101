"""The delivery ledger as people work with it: looked at, messages sent once more, endpoints enabled; and its watch.

The watch is a job of every minute: it tells people, once, of an endpoint that was disabled. What people ask for by GraphQL is
audited by the API; what the command line does is audited here.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.compose.auditing import audited
from hub.delivery import USUAL, Channel
from hub.durable import Argument, Durable
from hub.errors import NotFoundError
from hub.model.actions import Delivery, DeliveryState
from hub.playbooks import Playbooks
from hub.playbooks.endpoints import Told, enable, tell_of_disabled
from hub.playbooks.resending import Resend, plan_resend
from hub.store import Store
from hub.store.deliveries import find_deliveries
from hub.store.endpoints import Endpoint, find_endpoints

WATCH = "delivery.watch"


class Delivering:
    """See the module. `told`: who hears of disabled endpoints; None: it is only shown."""

    def __init__(
        self,
        store: Store,
        playbooks: Playbooks,
        channels: Mapping[str, Channel],
        *,
        told: Told | None,
        hub_url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._playbooks = playbooks
        self._recognised = {name for name, channel in channels.items() if getattr(channel, "manners", USUAL).recognises}
        self._told = told
        self._hub_url = hub_url
        self._clock = clock

    def register(self, durable: Durable, *, cron: str) -> None:
        """Tell the durable engine when to watch. Before it starts."""

        async def on_watch(_: Argument) -> None:
            await self.watch()

        durable.register(WATCH, on_watch)
        durable.every(WATCH, cron, WATCH, {})

    async def watch(self) -> Sequence[str]:
        """Reserve what people are to be told; the deliveries' ids, which the sweep sees to."""
        if self._told is None:
            return []
        return await tell_of_disabled(self._store, self._told, hub_url=self._hub_url, now=self._clock())

    async def find(
        self, *, states: Sequence[DeliveryState] | None, channels: Sequence[str] | None, limit: int
    ) -> Sequence[Delivery]:
        """The newest messages of the ledger."""
        async with self._store.reading() as connection:
            return await find_deliveries(connection, states=states, channels=channels, newest_first=True, limit=limit)

    async def get(self, id_: str) -> Delivery:
        async with self._store.reading() as connection:
            found = await find_deliveries(connection, ids=[id_])
        if not found:
            raise NotFoundError(f"the ledger has no message {id_!r}")
        return found[0]

    async def plan_resend(self, ids: Sequence[str]) -> Sequence[Resend]:
        """What sending them once more may double; refused as a whole where one of them does not go."""
        return await plan_resend(self._store, ids, recognised=self._recognised)

    async def resend(self, ids: Sequence[str], *, by: str) -> Sequence[Resend]:
        """Send failed and unknown messages once more. Needs the engine started."""
        planned = await self.plan_resend(ids)
        released = set(await self._playbooks.resend([each.delivery.id for each in planned], by=by))
        return [each for each in planned if each.delivery.id in released]

    async def endpoints(self) -> Sequence[Endpoint]:
        """Those that have ever failed."""
        async with self._store.reading() as connection:
            return await find_endpoints(connection)

    async def enable(self, address: str, *, by: str) -> Endpoint:
        return await enable(self._store, address, by=by, now=self._clock())

    async def audited(self, action: str, *, by: str, subject: str, request: Mapping[str, Any], run: Any) -> Any:
        """Carry out what the command line asks for, and note it before and after."""
        return await audited(self._store, action, by=by, subject=subject, request=request, now=self._clock(), run=run)
