"""Digests as messages of the ledger: who gets which, under a key of digest, slot and recipient, so that each is sent once.

Whoever makes the messages of a slot, and however often, the ledger keeps each once; who was killed in the middle made some,
and whoever goes on makes the others.
"""

import base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from hub.analytics.digest.charts import LARGEST, Chart, charts
from hub.analytics.digest.parts import Digest
from hub.analytics.digest.settings import CSMS, DigestSettings, is_channel
from hub.analytics.digest.words import words
from hub.delivery import Renderer
from hub.delivery.templating import Rendered
from hub.drawing.png import pngs
from hub.model.actions import DeliveryState
from hub.model.records import Severity
from hub.model.team import Team

CSM_AUDIENCE, TEAM_AUDIENCE = "csm", "team"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a digest goes. owner: the CSM whose customers it tells of; None: all."""

    channel: str
    address: str
    owner: str | None


def recipients(
    settings: DigestSettings, owners: Iterable[str], team: Team, *, channels: Collection[str]
) -> list[Recipient]:
    """Everybody who gets the digest, each once. A channel that is not set up is left out."""
    found: list[Recipient] = []
    for place in settings.to:
        if place == CSMS:
            for owner in owners:
                found.append(Recipient("email", owner, owner))
                if slack := team.member(owner).slack:
                    found.append(Recipient("slack", slack, owner))
        else:
            found.append(Recipient("slack" if is_channel(place) else "email", place, None))
    return [each for each in dict.fromkeys(found) if each.channel in channels]


def key_of(name: str, slot: datetime, recipient: Recipient) -> str:
    """The dedup key: of digest, slot and recipient."""
    parts = "\x1f".join((name, slot.isoformat(), recipient.channel, recipient.address.lower(), recipient.owner or "*"))
    return f"report.{name}.{slot:%Y%m%d%H%M}.{blake2b(parts.encode(), digest_size=16).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Page:
    """A digest with its pictures, drawn once for all its recipients."""

    digest: Digest
    charts: Mapping[str, Chart]
    pngs: Mapping[str, bytes]

    @classmethod
    def of(cls, digest: Digest) -> "Page":
        return cls.all([digest])[0]

    @classmethod
    def all(cls, digests: Iterable[Digest]) -> list["Page"]:
        """Several, whose pictures are drawn together."""
        drawn = [(digest, charts(digest) if digest.moved else {}) for digest in digests]
        made = iter(pngs([chart.svg for _, found in drawn for chart in found.values()], largest=LARGEST))
        return [cls(digest, found, {name: next(made) for name in found}) for digest, found in drawn]


class Letters:
    """Renders digests."""

    def __init__(self, renderer: Renderer, team: Team, *, hub_url: str, company: str) -> None:
        self._renderer, self._team, self._hub_url, self._company = renderer, team, hub_url, company

    def render(self, page: Page, channel: str) -> Rendered:
        """The digest as the channel sends it; raise RenderError."""
        digest = page.digest
        name = "all"
        if digest.owner is not None:
            name = self._team.member(digest.owner).name or digest.owner
        names = ("bands", "arr", "movers", "nps")
        encoded = {each: base64.b64encode(made).decode() for each, made in page.pngs.items()}
        context = {
            **words(digest, hub_url=self._hub_url, name=name, company=self._company),
            "charts": {each: encoded.get(each) for each in names},
            "alts": {each: page.charts[each].alt if each in page.charts else None for each in names},
        }
        made = self._renderer.render(channel, f"digest_{digest.kind}", context)
        if channel != "slack" or not page.charts:
            return made
        files = [
            {"name": f"{each}.png", "bytes": encoded[each], "alt": chart.alt, "title": chart.title}
            for each, chart in page.charts.items()
        ]
        return Rendered(subject=made.subject, payload={**made.payload, "files": files})

    def row(self, page: Page, recipient: Recipient, *, key: str, now: datetime) -> dict[str, Any]:
        """A row of the ledger; raise RenderError."""
        made = self.render(page, recipient.channel)
        return {
            "id": f"del_{key.rpartition('.')[2]}",
            "dedup_key": key,
            "channel": recipient.channel,
            "address": recipient.address,
            "subject": made.subject,
            "payload": made.payload,
            "state": DeliveryState.RESERVED.value,
            "attempts": 0,
            "reserved_at": now,
            "audience": TEAM_AUDIENCE if recipient.owner is None else CSM_AUDIENCE,
            "owner_email": recipient.owner,
            "severity": Severity.NORMAL.value,
        }

    def rows(self, page: Page, wanted: Sequence[tuple[str, Recipient]], *, now: datetime) -> list[dict[str, Any]]:
        """Of (key, recipient), all of the digest's own."""
        return [self.row(page, recipient, key=key, now=now) for key, recipient in wanted]
