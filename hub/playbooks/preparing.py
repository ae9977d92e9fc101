"""What is asked of messages that are about to be sent, of all of them at once: what bars them, what their channels look up."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from hub.delivery import Channel, Manners, Prepares
from hub.model.actions import Delivery
from hub.playbooks.barring import Bars, find_bars
from hub.playbooks.endpoints import Endpoints
from hub.playbooks.mailing import Mailing
from hub.store import Store

log = logging.getLogger(__name__)


class Preparing:
    """For a ledger with `channels` ({kind: channel}) of these `manners`."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        manners: Mapping[str, Manners],
        *,
        endpoints: Endpoints,
        mailing: Mailing,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._endpoints, self._mailing, self._clock = store, endpoints, mailing, clock
        self._closing = {name for name, each in manners.items() if each.disabled_after is not None}
        self._channels = {name: channel for name, channel in channels.items() if isinstance(channel, Prepares)}

    async def look(self, claimed: Collection[Delivery]) -> tuple[Bars, Mapping[str, object]]:
        """What bars them, and {id: what its channel found for it}."""
        names = {sent.channel for sent in claimed}
        closed = await self._endpoints.closed() if names & self._closing else {}
        async with self._store.reading() as connection:
            bars = await find_bars(connection, claimed, closed=closed, mailing=self._mailing, now=self._clock())
        found: dict[str, object] = {}
        for name in names & self._channels.keys():
            asked = [sent for sent in claimed if sent.channel == name]
            try:
                found.update(await self._channels[name].prepare(asked))
            except Exception:  # a bug that one message meets: each looks for itself then, and the others go out
                log.exception("channel %s could not prepare %d messages", name, len(asked))
        return bars, found
