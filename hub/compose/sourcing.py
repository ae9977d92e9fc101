"""Sources beside their syncs, wired to a hub: webhooks heard and heeded, comparisons with vendors, replays, pauses.

heed {source}        what its webhooks told of; a moment after they came, and looked for every minute
reconcile {source}   on the source's cron, and when somebody asks
"""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypedDict, Unpack

from connectors.kit import registry
from hub.compose.jobs import ask_for_score
from hub.compose.resthooks import vault_of
from hub.compose.vaults import give_vault
from hub.durable import Argument
from hub.errors import BusyError, RefusedError, TransientError
from hub.identity import IdentityRules
from hub.settings.sources import WriteBack
from hub.store import Store, raw_rows
from hub.store.source_events import find_due_sources
from hub.store.syncs import find_pause
from hub.store.tracking import find_unsummed_sources
from hub.sync.hearing import Ear, Webhook
from hub.sync.heeding import Heeded, heed
from hub.sync.inbox import Inbox
from hub.sync.reconcile import ReconcileReport, Told, reconcile
from hub.sync.replay import ReplayReport, replay, retry_quarantine
from hub.sync.report import Progress, Source
from hub.sync.writing import Told as WriteTold
from hub.sync.writing import Written, plan_writing, write_back

if TYPE_CHECKING:
    from hub.compose.hub import Hub

log = logging.getLogger(__name__)
HEED, HEED_DUE, RECONCILE, WRITE = "heed", "heed_due", "reconcile", "write_back"
EVERY_MINUTE = "* * * * *"
PRUNED_AT_ONCE = 5_000


class Comparing(TypedDict, total=False):
    """How a source is compared, see `hub.sync.reconcile.reconcile`."""

    streams: Collection[str] | None
    dry_run: bool
    accept: bool
    told: Told


class Mapped(TypedDict, total=False):
    """How what is here is mapped once more, see `hub.sync.replay`."""

    streams: Collection[str] | None
    dry_run: bool
    progress: Progress


class Sourcing:
    """Of one hub."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._inbox = Inbox(hub.store)
        self._woken: dict[str, int] = {}
        vault = vault_of(hub.settings)
        for scheduled in hub.settings.sources.values():
            give_vault(scheduled.source, store=hub.store, vault=vault, clock=hub.clock)

    @cached_property
    def ears(self) -> Mapping[str, Ear]:
        """{source: who hears its vendor}, of those whose connector has webhooks."""
        made = {}
        for name, each in self._hub.settings.sources.items():
            module = registry.webhook(each.source.connector_name)
            if module is not None and each.settings is not None:
                webhook = Webhook.of(module)
                made[name] = Ear(
                    each.source, webhook, each.settings, inbox=self._inbox, wake=self.wake, clock=self._hub.clock
                )
        return made

    async def wake(self, name: str) -> None:
        """Heed soon; asked for a thousand times in a second, once."""
        second = int(self._hub.clock().timestamp())
        if self._woken.get(name) == second:
            return
        self._woken[name] = second
        at = datetime.fromtimestamp(second + 1, tz=self._hub.clock().tzinfo)
        await self._hub.durable.wake(HEED, {"source": name}, at=at, key=f"{name}:{second}")

    async def heed(self, name: str) -> Heeded:
        """Do what is due of what its webhooks told, all of it; BusyError where a sync runs."""
        did = Heeded(left=True)
        while did.left:
            did = did.plus(await heed(*self._for(name), clock=self._hub.clock))
        return did

    async def reconcile(self, name: str, **how: Unpack[Comparing]) -> ReconcileReport:
        return await reconcile(*self._for(name), clock=self._hub.clock, **how)

    async def replay(self, name: str, *, since: datetime | None = None, **how: Unpack[Mapped]) -> ReplayReport:
        return await replay(*self._for(name), clock=self._hub.clock, since=since, **how)

    async def retry_quarantine(self, name: str, **how: Unpack[Mapped]) -> ReplayReport:
        return await retry_quarantine(*self._for(name), clock=self._hub.clock, **how)

    async def plan_writing(self, name: str) -> Written:
        """What would be written to a source; RefusedError where sources.yaml names nothing."""
        return await plan_writing(self._hub.store, name, self._to_write(name).fields)

    async def write_back(self, name: str, *, told: WriteTold = lambda done, of: None) -> Written:
        """Write what differs from what was written last."""
        given, scheduled = self._to_write(name), self._hub.settings.sources[name]
        module = registry.writing(scheduled.source.connector_name)
        assert module is not None, "the settings were checked for it"
        return await write_back(
            self._hub.store,
            scheduled.source,
            given.fields,
            module.write,
            settings=scheduled.settings,
            clock=self._hub.clock,
            told=told,
        )

    def _to_write(self, name: str) -> WriteBack:
        self._hub.get_source(name)  # NotFoundError, naming those there are
        given = self._hub.settings.sources[name].write
        if given is None:
            raise RefusedError(
                f"nothing is written to {name}: name the fields under sources.{name}.write in sources.yaml"
            )
        return given

    async def paused_until(self, name: str) -> datetime | None:
        """Where a quota is used up and it is not that time yet."""
        async with self._hub.store.reading() as connection:
            until = await find_pause(connection, name)
        return until if until is not None and until > self._hub.clock() else None

    async def prune(self) -> int:
        """Delete rows as they came whose source keeps them no longer; how many."""
        now, gone = self._hub.clock(), 0
        for name, each in self._hub.settings.sources.items():
            before = now - timedelta(days=each.source.raw_days or 0)
            while True:
                async with self._hub.store.transaction() as connection:
                    done = await raw_rows.prune(connection, name, before=before, most=PRUNED_AT_ONCE)
                gone += done
                if done < PRUNED_AT_ONCE:
                    break
        return gone

    def _for(self, name: str) -> tuple[Store, Source, IdentityRules]:
        """What work on a source is done with; NotFoundError names those there are."""
        return self._hub.store, self._hub.get_source(name), self._hub.settings.identity


def register(hub: "Hub") -> None:
    """Tell the durable engine who does these jobs, and when. Before it starts."""

    async def on_heed(argument: Argument) -> None:
        name = str(argument["source"])
        try:
            did = await hub.sourcing.heed(name)
        except BusyError as error:
            log.info("%s; what its webhooks told of waits for a minute", error)
            return
        if did.moved:
            await ask_for_score(hub, now=hub.clock())

    async def on_due(_: Argument) -> None:
        async with hub.store.reading() as connection:
            due = {
                *await find_due_sources(connection, now=hub.clock()),
                *await find_unsummed_sources(connection),
            }
        for name in sorted(due):
            if name in hub.settings.sources:
                await hub.durable.enqueue(HEED, {"source": name}, key=f"heed {name}")

    async def on_reconcile(argument: Argument) -> None:
        name = str(argument["source"])
        streams = argument.get("streams")
        try:
            report = await hub.sourcing.reconcile(
                name,
                streams=[str(each) for each in streams] if isinstance(streams, list) else None,
                accept=bool(argument.get("accept")),
            )
        except BusyError as error:
            log.warning("%s; it was not compared with its vendor", error)
            return
        if report.moved:
            await ask_for_score(hub, now=hub.clock())

    async def on_write(argument: Argument) -> None:
        done = await hub.sourcing.write_back(str(argument["source"]))
        if done.error is not None and done.paused_until is None:
            raise TransientError(done.error)

    hub.durable.register(WRITE, on_write)
    hub.durable.register(HEED, on_heed)
    hub.durable.register(HEED_DUE, on_due)
    hub.durable.register(RECONCILE, on_reconcile)
    _schedule(hub)


def _schedule(hub: "Hub") -> None:
    for name, each in hub.settings.sources.items():
        if each.write is not None and each.write.schedule is not None:
            zone = hub.settings.hub.timezone
            hub.durable.every(f"write_back.{name}", each.write.schedule, WRITE, {"source": name}, timezone=zone)
    if hub.sourcing.ears:
        hub.durable.every(HEED_DUE, EVERY_MINUTE, HEED_DUE, {})
    for name, each in hub.settings.sources.items():
        if each.reconcile is not None and any(one.ids or one.whole for one in each.source.connector.streams()):
            zone = hub.settings.hub.timezone
            hub.durable.every(f"reconcile.{name}", each.reconcile, RECONCILE, {"source": name}, timezone=zone)
