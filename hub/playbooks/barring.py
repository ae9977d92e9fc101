"""What keeps messages that are claimed from going out after all; asked of all of them at once, right before they are sent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.model.actions import Delivery
from hub.playbooks.mailing import Mailing
from hub.playbooks.turns import Place
from hub.store import Connection, stops
from hub.store.suppression import Suppressed


@dataclass(frozen=True, slots=True)
class Bars:
    """closed  {channel and address: why nothing may be sent there}
    held    ids of those that a stop holds back
    mail    {id: the line that forbids it, or when it may go}
    """

    closed: Mapping[Place, str]
    held: Collection[str]
    mail: Mapping[str, Suppressed | datetime]


async def find_bars(
    connection: Connection,
    claimed: Collection[Delivery],
    *,
    closed: Mapping[Place, str],
    mailing: Mailing,
    now: datetime,
) -> Bars:
    held = await stops.find_held(connection, [sent.id for sent in claimed])
    mails = [sent for sent in claimed if sent.channel == "email"]
    return Bars(closed, held, await mailing.look(connection, mails, now=now))
