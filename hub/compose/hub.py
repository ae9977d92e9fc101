"""`Hub`: the parts, wired, and the use cases that need several of them.

async with Hub.open(settings, clock=utc_now) as hub:        the store is open and of this version
    await hub.sync_all(["crm"]); await hub.score()
async with hub.working(): …                                 the durable engine runs, jobs are done here
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from hub.access.links import Links
from hub.access.sealing import open_seal
from hub.allocator import keep_freed_memory
from hub.attention import Attention
from hub.backtest import TrackRecord, find_record
from hub.collector import relax_collector
from hub.compose import advocacy, jobs, resthooks, sourcing
from hub.compose.attention import Attending, rate_by
from hub.compose.channels import channels
from hub.compose.delivering import Delivering
from hub.compose.lifecycle import keep_lifecycle
from hub.compose.mail import Mails, mailing_of
from hub.compose.models import Models
from hub.compose.reports import Reports
from hub.compose.slack import SlackPlace, connected
from hub.compose.sourcing import Sourcing
from hub.durable import Engine
from hub.durable.engine import DbosDurable
from hub.errors import CshubError, NotFoundError
from hub.judgement import Judged, feel, judge_statements, override, take_back
from hub.model.actions import Band
from hub.playbooks import FireReport, Playbooks
from hub.playbooks.endpoints import Told
from hub.scorecards import BackfillReport, ScoreReport, backfill, score
from hub.settings import Settings
from hub.store import Store
from hub.store.judgement import Kind, Statement
from hub.store.migrate import require_newest, upgrade
from hub.store.streams import set_demands
from hub.store.syncs import declare_sources, forget_bookmarks
from hub.sync import Source, StreamReport, SyncReport, sync
from hub.training import Training, load_predictors, train
from hub.training.alarm import Operations

SourceProgress = Callable[[str, str, StreamReport], None]
DayProgress = Callable[[date, int, int], None]


@dataclass(frozen=True, slots=True)
class Scored:
    """What scoring a day did, and the playbooks it set off."""

    scores: ScoreReport
    fired: FireReport


class Hub:
    """See the module. `work`: whether this process does jobs, or only asks for them."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], datetime], work: bool = True, engine: Engine | None = None
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.work = work
        self.store = Store.open(settings.hub.store)
        self.durable: Engine = engine or DbosDurable(self.store, clock=clock, work=work)
        secret = settings.hub.secret
        self.links = Links(secret.get_secret_value() if secret else None)
        own = channels(settings, links=self.links, find_hook=resthooks.finder(settings, self.store))
        ways = connected(own, settings, self.store, clock=clock)
        attention = Attention(settings.attention, settings.team, rate=rate_by(self.links, settings.hub.url))
        self.playbooks = Playbooks(
            self.store,
            settings.playbooks,
            ways,
            self.durable,
            executor=self.durable.executor,
            clock=clock,
            hub_url=settings.hub.url,
            mailing=mailing_of(settings),
            company=settings.hub.company,
            product_url=settings.hub.product_url or "",
            attention=attention,
            team=settings.team,
        )
        self.attending = Attending(
            self.store,
            attention,
            settings.playbooks.renderer,
            channels=ways.keys(),
            playbooks=settings.playbooks.playbooks.keys(),
            reasons={each.reason for each in settings.playbooks.playbooks.values()},
            hub_url=settings.hub.url,
            clock=clock,
        )
        operations = settings.hub.operations
        self.delivering = Delivering(
            self.store,
            self.playbooks,
            ways,
            told=Told(operations.channel, operations.to) if operations else None,
            hub_url=settings.hub.url,
            clock=clock,
        )
        self.models = Models(
            self.store,
            settings.churn,
            operations=Operations(operations.channel, operations.to) if operations else None,
            hub_url=settings.hub.url,
            clock=clock,
        )
        self.slack = SlackPlace.of(self, own)
        self.mails = Mails(self.store, settings, self.links, clock=clock)
        self.reports = Reports(self, channels=tuple(ways))
        self.sourcing = Sourcing(self)
        jobs.register(self)
        sourcing.register(self)
        self.reports.register()
        self.mails.register(self.durable)
        advocacy.register(self)
        resthooks.register(self)
        if self.slack is not None:
            self.slack.register(cron=jobs.EVERY_MINUTE)
        self.delivering.register(self.durable, cron=jobs.EVERY_MINUTE)
        self.attending.register(self.durable, cron=jobs.EVERY_MINUTE)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
        work: bool = True,
        migrate: bool = False,
        engine: Engine | None = None,
    ) -> AsyncIterator[Self]:
        """A hub over a store of this version; ConfigError where it is another and `migrate` is off.

        engine  instead of the durable engine in the store: for time that is played (hub.demo.month)
        """
        hub = cls(settings, clock=clock, work=work, engine=engine)
        relax_collector()
        keep_freed_memory()
        try:
            if migrate:
                await upgrade(hub.store)
            else:
                await require_newest(hub.store)
            async with hub.store.transaction() as connection:
                names = {name: each.source.connector_name for name, each in settings.sources.items()}
                await declare_sources(connection, names)
                await set_demands(connection, {name: each.demands() for name, each in settings.sources.items()})
            await hub.links.open(hub.store, now=clock())
            await open_seal(hub.store, now=clock())
            yield hub
        finally:
            await hub.store.close()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Self]:
        """The durable engine, started: jobs can be asked for, and are done where `work` is on."""
        await self.durable.start()
        try:
            if self.work:  # what a process before this one left in the middle goes on now
                await self.playbooks.sweep(now=self.clock(), stuck=timedelta(0))
            yield self
        finally:
            await self.durable.stop()

    def get_source(self, name: str) -> Source:
        if name not in self.settings.sources:
            there = ", ".join(sorted(self.settings.sources)) or "none"
            raise NotFoundError(f"no source {name!r} is enabled; there are: {there}")
        return self.settings.sources[name].source

    async def sync_source(self, name: str, *, progress: SourceProgress | None = None) -> SyncReport:
        """Pull one source now; NotFoundError for an unknown one, BusyError where another sync of it runs."""
        source = self.get_source(name)

        def note(stream: str, report: StreamReport) -> None:
            if progress is not None:
                progress(name, stream, report)

        return await sync(
            self.store,
            source,
            self.settings.identity,
            clock=self.clock,
            progress=note,
        )

    async def sync_all(self, names: Sequence[str], *, progress: SourceProgress | None = None) -> list[SyncReport]:
        """Pull sources: first those that create customers, one after another, then the others together.

        A source that cannot be pulled (another sync of it runs, say) gets a failed report; the others go on.
        """
        first = [name for name in names if self.settings.identity.sources[name].creates_customers]
        rest = [name for name in names if name not in first]

        async def pull(name: str) -> SyncReport:
            try:
                return await self.sync_source(name, progress=progress)
            except CshubError as error:
                return SyncReport.refused(name, str(error), at=self.clock())

        reports = [await pull(name) for name in first]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(pull(name)) for name in rest]
        return reports + [task.result() for task in tasks]

    async def forget_bookmarks(self, names: Sequence[str]) -> None:
        async with self.store.transaction() as connection:
            for name in names:
                await forget_bookmarks(connection, name)

    async def train(self, *, progress: DayProgress | None = None) -> Training:
        """Train a churn model on the stored history, and keep it where it is good enough to be shown."""
        return await train(self.store, self.settings.churn, now=self.clock(), progress=progress)

    async def backfill(self, days: Sequence[date], *, progress: DayProgress | None = None) -> BackfillReport:
        """Write the scorecards of past days that have none."""
        predictors = await load_predictors(self.store, self.settings.churn)
        return await backfill(
            self.store, self.settings.health, predictors, days=days, now=self.clock(), progress=progress
        )

    async def score(self, *, customer_ids: Sequence[str] | None = None, fire: bool = True) -> Scored:
        """Score today, and fire the playbooks that concerns. `fire` needs the engine started.

        customer_ids  only these; where customers stand in their lifecycle is looked at with the next scoring of all
        """
        now = self.clock()
        predictors = await load_predictors(self.store, self.settings.churn)
        scores = await score(
            self.store, self.settings.health, predictors, as_of=now.date(), now=now, customer_ids=customer_ids
        )
        if customer_ids is None:
            await keep_lifecycle(self, now=now)
        fired = await self.playbooks.fire_due(as_of=now.date(), now=now) if fire else FireReport()
        return Scored(scores, fired)

    async def override(
        self, customer: str, stated: float | Band, *, by: str, reason: str, until: date | None = None
    ) -> Statement:
        """Put a score, or a band, in the place of the computed health for a while; the customer has it at once."""
        bands = [(band.value, low) for band, low in self.settings.health.main.bands]
        made = await override(
            self.store, customer, stated, by=by, reason=reason, bands=bands, now=self.clock(), until=until
        )
        await self.score(customer_ids=[made.customer_id], fire=False)
        return made

    async def feel(self, customer: str, value: float, *, by: str, reason: str, until: date | None = None) -> Statement:
        """State a sentiment, a series of its own; rescored is who may have a definition that weighs it."""
        made = await feel(self.store, customer, value, by=by, reason=reason, now=self.clock(), until=until)
        await self.score(customer_ids=[made.customer_id], fire=False)
        return made

    async def withdraw(self, kind: Kind, customer: str, *, by: str) -> str:
        """End an override or a sentiment, and return the customer's id; it is rescored at once."""
        customer_id = await take_back(self.store, kind, customer, by=by, now=self.clock())
        await self.score(customer_ids=[customer_id], fire=False)
        return customer_id

    async def judge(self, *, since: date | None = None) -> list[Judged]:
        """What overrides and sentiment were worth, against who left within the primary horizon."""
        churn = self.settings.churn
        return await judge_statements(
            self.store,
            horizon_days=churn.primary_days,
            grace_days=churn.grace_days,
            now=self.clock(),
            since=since,
        )

    async def track_record(self) -> TrackRecord:
        """How often the live definitions of health have been right; worked out once a day."""
        settings = self.settings
        return await find_record(
            self.store, settings.health, settings.churn, now=self.clock(), horizon=settings.churn.primary_days
        )
