"""Cron schedules: which tick is due, and when the next one is.

Nothing is replayed: of all ticks up to now only the newest counts, which is how any number of missed ticks become one.
Ticks are told apart by their UTC time. In the hour that a time zone repeats in autumn, a tick inside it comes twice.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter
from croniter.croniter import CroniterError

from hub.durable.port import Argument, plain
from hub.errors import ConfigError, Fault

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")
_PREFIX = "every"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression in a time zone, and the job it starts. `name` is what its ticks are remembered by."""

    name: str
    cron: str
    job: str
    argument: Argument
    zone: ZoneInfo

    def newest_tick(self, now: datetime) -> datetime:
        """The last tick no later than `now`, in UTC."""
        # get_prev looks strictly before
        ticks = croniter(self.cron, (now + timedelta(microseconds=1)).astimezone(self.zone), second_at_beginning=True)
        tick: datetime = ticks.get_prev(datetime)
        return tick.astimezone(UTC)

    def next_tick(self, now: datetime) -> datetime:
        """The first tick after `now`, in UTC."""
        tick: datetime = croniter(self.cron, now.astimezone(self.zone), second_at_beginning=True).get_next(datetime)
        return tick.astimezone(UTC)

    @property
    def prefix(self) -> str:
        """What the ids of all this schedule's ticks begin with."""
        return f"{_PREFIX}:{self.name}:"

    @property
    def key(self) -> str:
        """What keeps a tick from starting while the last one's job is still going on."""
        return f"{_PREFIX}:{self.name}"

    def tick_id(self, tick: datetime) -> str:
        """The same in every process, so that one tick is one job."""
        return f"{self.prefix}{tick.astimezone(UTC).isoformat()}"

    def tick_of(self, tick_id: str) -> datetime | None:
        """The tick that `tick_id` names; None where it isn't one of this schedule's."""
        if not tick_id.startswith(self.prefix):
            return None
        return datetime.fromisoformat(tick_id.removeprefix(self.prefix))


def schedule(name: str, cron: str, job: str, argument: Argument, *, timezone: str) -> Schedule:
    """Check and make a schedule; raise ConfigError with everything that is wrong with it."""
    faults = []
    if not _NAME.fullmatch(name):
        faults.append(Fault(f"{name!r} is no name for a schedule: lower-case letters, digits, dot, dash", key="name"))
    zone = ZoneInfo("UTC")
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):  # unknown, malformed, a folder of the database
        faults.append(Fault(f"{timezone!r} is no time zone: use a name such as Europe/Berlin or UTC", key="timezone"))
    try:
        croniter(cron, datetime(2000, 1, 1, tzinfo=UTC), second_at_beginning=True).get_next(datetime)
    except CroniterError as error:
        faults.append(
            Fault(f"{cron!r} is no cron schedule ({error}): use five fields such as '0 6 * * 1-5'", key="cron")
        )
    if faults:
        raise ConfigError(faults)
    return Schedule(name, cron, job, plain(argument), zone)
