"""What the durable engine does, and when.

    sync {source}   on the source's cron, and when somebody asks; asks for a score when it brought something. Where a quota of
                    the vendor's is used up it goes on when that is new, and until then nothing is asked
    score {}        after syncs, and at least daily: scorecards of today, then the playbooks they concern; the first of a day
                    also checks whether the churn models have drifted
    retain {}       daily: what ran out of its time goes, erasures that were killed half-way are ended
    train {}        new churn models, by default monthly; a challenger that is better beyond noise becomes champion

Scores asked for within the same half minute are one: four sources that finish together rescore once.
"""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hub.access.privacy.retaining import retain
from hub.durable import Argument
from hub.errors import BusyError
from hub.playbooks.jobs import SWEEP

if TYPE_CHECKING:
    from hub.compose.hub import Hub, Scored

log = logging.getLogger(__name__)

SYNC, SCORE, TRAIN, RETAIN = "sync", "score", "train", "retain"
TOGETHER = timedelta(seconds=30)
EVERY_MINUTE = "* * * * *"


def register(hub: "Hub") -> None:
    """Tell the engine who does the jobs and when they are due. Before it starts."""

    async def sync(argument: Argument) -> None:
        name = str(argument["source"])
        if (until := await hub.sourcing.paused_until(name)) is not None:
            log.info("source %r is paused until %s; it goes on by itself then", name, until)
            await sync_at(hub, name, until)
            return
        try:
            report = await hub.sync_source(name)
        except BusyError as error:
            log.info("%s; left to it", error)
            return
        if report.paused_until is not None:
            await sync_at(hub, name, report.paused_until)
        if report.moved:
            await ask_for_score(hub, now=hub.clock())

    async def score(_: Argument) -> None:
        await score_and_check(hub)

    async def train(_: Argument) -> None:
        await hub.train()
        await hub.models.settle()
        await hub.score()

    async def keep_times(_: Argument) -> None:
        await retain(hub.store, hub.settings.hub.retention.ages(), now=hub.clock())
        await hub.sourcing.prune()

    for job, handler in {SYNC: sync, SCORE: score, TRAIN: train, RETAIN: keep_times}.items():
        hub.durable.register(job, handler)
    hub.playbooks.register(timezone=hub.settings.hub.timezone)

    zone = hub.settings.hub.timezone
    schedules = hub.settings.hub.schedules
    for name, scheduled in hub.settings.sources.items():
        hub.durable.every(f"sync.{name}", scheduled.schedule, SYNC, {"source": name}, timezone=zone)
    hub.durable.every("score", schedules.score, SCORE, {}, timezone=zone)
    hub.durable.every("train", schedules.train, TRAIN, {}, timezone=zone)
    hub.durable.every("retain", hub.settings.hub.retention.schedule, RETAIN, {}, timezone=zone)
    hub.durable.every("sweep", EVERY_MINUTE, SWEEP, {})


async def sync_at(hub: "Hub", source: str, at: datetime) -> None:
    """Sync then; asked twice for the same moment, once. For a pause: what it waits for is there a second later."""
    await hub.durable.wake(SYNC, {"source": source}, at=at + timedelta(seconds=1), key=f"{source}:{at.isoformat()}")


async def score_and_check(hub: "Hub") -> "Scored":
    """Score today, fire the playbooks that concerns, and check the models for drift if that has not been done today."""
    scored = await hub.score()
    await hub.models.check_drift()
    return scored


async def ask_for_score(hub: "Hub", *, now: datetime) -> None:
    """Score at the next half minute; asked twice before it, once."""
    steps = int(now.timestamp() // TOGETHER.total_seconds()) + 1
    at = datetime.fromtimestamp(steps * TOGETHER.total_seconds(), tz=now.tzinfo)
    await hub.durable.wake(SCORE, {}, at=at, key=at.isoformat())
