"""When a CSM's digests are due: local times of day on their working days."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta

from hub.model.team import Member


def next_slot(member: Member, at: datetime, times: Sequence[time]) -> datetime:
    """The first slot after `at`, in the time zone of `at`."""
    return min(slot for slot in _slots(member, at, times, step=1) if slot > at).astimezone(at.tzinfo)


def newest_slot(member: Member, at: datetime, times: Sequence[time]) -> datetime:
    """The last slot that was due at `at`, in the time zone of `at`."""
    return max(slot for slot in _slots(member, at, times, step=-1) if slot <= at).astimezone(at.tzinfo)


def _slots(member: Member, at: datetime, times: Sequence[time], *, step: int) -> Iterator[datetime]:
    """The slots of the local day of `at`, and of the nearest working day after (or before) it."""
    day = member.local(at).date()
    if member.hours.is_business_day(day):
        yield from (datetime.combine(day, each, member.zone) for each in times)
    day += timedelta(days=step)
    while not member.hours.is_business_day(day):
        day += timedelta(days=step)
    yield from (datetime.combine(day, each, member.zone) for each in times)
