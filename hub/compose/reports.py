"""Reports in the hub put together: targets, and digests that are previewed, sent by hand, or sent on their schedules.

A digest's job comes at each tick of its schedule, by the durable engine: once, however many processes there are, and made up
for where none was alive. It reserves messages under keys of digest, slot and recipient, a CSM at a time, so that a process that
is killed leaves some, and the next attempt makes the others and doubles none.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.analytics.digest import DigestSettings, Letters, Page, Prepared, Recipient, key_of, prepare, recipients
from hub.analytics.targets import Standing, find_targets
from hub.compose.auditing import audited
from hub.delivery import RenderError
from hub.delivery.templating import Rendered
from hub.durable import Argument
from hub.durable.schedule import schedule
from hub.errors import NotFoundError
from hub.playbooks.jobs import SEND
from hub.playbooks.report import report
from hub.store import deliveries
from hub.store.digest_data import find_reserved
from schema.analytics.asking import DigestPreview

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.compose.hub import Hub

log = logging.getLogger(__name__)

REPORT = "report.digest"


@dataclass(frozen=True, slots=True)
class Preview:
    """A digest as it would be: page with its pictures, and what is sent."""

    page: Page
    mail: Rendered
    slack: Rendered


class Reports:
    """See the module. `channels`: the kinds that are set up."""

    def __init__(self, hub: "Hub", *, channels: Sequence[str]) -> None:
        settings = hub.settings
        self._hub, self._channels = hub, channels
        self._digests = settings.lifecycle.reports.digests
        self._letters = Letters(
            settings.playbooks.renderer, settings.team, hub_url=settings.hub.url, company=settings.hub.company
        )
        self._clock: Callable[[], datetime] = hub.clock

    def register(self) -> None:
        """Tell the durable engine when digests are due. Before it starts."""

        async def on_tick(argument: Argument) -> None:
            if await self.send_due(str(argument["digest"])):
                await self._hub.durable.enqueue(SEND, {})

        self._hub.durable.register(REPORT, on_tick)
        for name, digest in self._digests.items():
            self._hub.durable.every(
                f"report.{name}", digest.schedule, REPORT, {"digest": name}, timezone=self._zone(digest)
            )

    async def targets(self) -> Sequence[Standing]:
        """How the configured targets stand."""
        settings = self._hub.settings
        grace_days = settings.churn.grace_days
        targets = settings.lifecycle.targets
        return await find_targets(self._hub.store, targets, now=self._clock(), grace_days=grace_days)

    async def preview(self, name: str, *, of: str | None = None) -> Preview:
        """A digest as it would be now, of a CSM or of all; nothing is sent."""
        prepared = await self._prepare(name, now=self._clock())
        (digest,) = await prepared.of([of])
        page = Page.of(digest)
        return Preview(page, self._letters.render(page, "email"), self._letters.render(page, "slack"))

    async def send_due(self, name: str) -> Sequence[str]:
        """Reserve the messages of the newest tick of its schedule, for everybody; the ids of those that are new."""
        settings, now = self._get(name), self._clock()
        tick = schedule(name, settings.schedule, REPORT, {}, timezone=self._zone(settings)).newest_tick(now)
        return await self._send(name, slot=tick, now=now)

    async def send_now(self, name: str, *, of: str | None = None, by: str) -> Sequence[str]:
        """Reserve them for a slot of this minute: to the CSM `of` alone, or to everybody."""
        now = self._clock()
        slot = now.replace(second=0, microsecond=0)
        log.info("the digest %s of %s is sent now: %s asked for it", name, of or "everybody", by)
        return await self._send(name, slot=slot, now=now, of=of)

    async def _send(self, name: str, *, slot: datetime, now: datetime, of: str | None = None) -> Sequence[str]:
        prepared = await self._prepare(name, now=now)
        settings = self._get(name)
        told = recipients(settings, prepared.owners, self._hub.settings.team, channels=self._channels)
        if of is not None:
            if of.lower() not in prepared.owners:
                await prepared.of([of])  # which says whose there are
            told = [each for each in told if each.owner == of.lower()]
        wanted = {key_of(name, slot, each): each for each in told}
        async with self._hub.store.reading() as connection:
            there = await find_reserved(connection, wanted)
        by_owner: dict[str | None, list[tuple[str, Recipient]]] = {}
        for key, recipient in wanted.items():
            if key not in there:
                by_owner.setdefault(recipient.owner, []).append((key, recipient))
        made: list[str] = []
        for page in await asyncio.to_thread(Page.all, await prepared.of(list(by_owner))):
            owner = page.digest.owner
            try:
                rows = await _rows(self._letters, page, by_owner[owner], now=now)
            except RenderError:
                log.exception("the digest %s of %s cannot be rendered", name, owner or "all customers")
                continue
            async with self._hub.store.transaction() as connection:
                made += await deliveries.reserve(connection, rows)
        return made

    async def audited_send(self, name: str, *, of: str | None, by: str) -> Sequence[str]:
        """`send_now` as the command line asks for it, noted in the audit log before and after."""
        return await audited(
            self._hub.store,
            "digestSend",
            by=by,
            subject=name,
            request={"digest": name, "of": of},
            now=self._clock(),
            run=lambda: self.send_now(name, of=of, by=by),
        )

    def _get(self, name: str) -> DigestSettings:
        if name not in self._digests:
            raise NotFoundError(f"no digest {name!r} is on; there are: {', '.join(self._digests) or 'none'}")
        return self._digests[name]

    def _zone(self, digest: DigestSettings) -> str:
        return digest.timezone or self._hub.settings.hub.timezone

    async def _prepare(self, name: str, *, now: datetime) -> Prepared:
        settings = self._hub.settings
        return await prepare(
            self._hub.store,
            name,
            self._get(name),
            settings.lifecycle.targets,
            now=now,
            grace_days=settings.churn.grace_days,
            fewest_votes=settings.attention.fewest_votes,
            effects=await self._effects(now=now),
            own_sources=tuple(settings.sources),
        )

    async def _effects(self, *, now: datetime) -> dict[str, str]:
        """{playbook: what its hold-out says} of those that hold anybody out."""
        settings = self._hub.settings
        held = [name for name, each in settings.playbooks.playbooks.items() if each.holdout]
        if not held:
            return {}
        effects = await report(
            self._hub.store,
            settings.playbooks.playbooks,
            names=held,
            horizon=settings.churn.primary_days,
            grace=settings.churn.grace_days,
            count_involuntary=settings.churn.count_involuntary,
            now=now,
        )
        return {each.playbook: each.says for each in effects if each.experiment is not None}


class ReportActions:
    """The part of `schema.context.Actions` that is about reports; the caller has checked who may."""

    _hub: "Hub"

    async def targets(self, *, now: datetime) -> Sequence[Standing]:
        return await self._hub.reports.targets()

    async def preview_digest(self, name: str, *, of: str | None, now: datetime) -> DigestPreview:
        made = await self._hub.reports.preview(name, of=of)
        payload = made.mail.payload
        return DigestPreview(
            subject=made.mail.subject or "",
            text=str(payload["text"]),
            html=str(payload["html"]),
            charts=tuple(chart.alt for chart in made.page.charts.values()),
        )

    async def send_digest(self, name: str, *, of: str | None, by: str, now: datetime) -> Sequence[str]:
        sent = await self._hub.reports.send_now(name, of=of, by=by)
        if sent:
            await self._hub.durable.enqueue(SEND, {})
        return sent


async def _rows(
    letters: Letters, page: Page, wanted: Sequence[tuple[str, Recipient]], *, now: datetime
) -> list[dict[str, Any]]:
    """Rendered beside the loop, which goes on."""
    return await asyncio.to_thread(lambda: letters.rows(page, wanted, now=now))
