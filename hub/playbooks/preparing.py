"""What channels want to know of the messages they are about to send, asked of all of them at once."""

import logging
from collections.abc import Collection, Mapping

from hub.delivery import Channel, Prepares
from hub.model.actions import Delivery

log = logging.getLogger(__name__)


class Preparing:
    """Of the channels {kind: channel} those that look something up."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = {name: channel for name, channel in channels.items() if isinstance(channel, Prepares)}

    async def find(self, claimed: Collection[Delivery]) -> dict[str, object]:
        """{id of a message: what its channel found for it}; each channel is asked once."""
        found: dict[str, object] = {}
        for name in {sent.channel for sent in claimed} & self._channels.keys():
            asked = [sent for sent in claimed if sent.channel == name]
            try:
                found.update(await self._channels[name].prepare(asked))
            except Exception:  # a bug that one message meets: each looks for itself then, and the others go out
                log.exception("channel %s could not prepare %d messages", name, len(asked))
        return found
