"""A playbook that is new finds at once everybody it has ever concerned; what is of low severity is let in a few a day.

On the first day of a hub two hundred customers may be worth asking for a reference. Nobody asks two hundred, and the one whose
health is critical is lost among them. So a playbook of low severity that looks at scorecards begins for at most A_DAY customers
a day until it is NEW_FOR old. Nothing is lost: whom it concerns today it concerns tomorrow. What tells of a moment (a change,
a record, a date, a tick) would be lost, and what is not of low severity should not wait: neither is held up.
"""

from datetime import UTC, datetime, time, timedelta

from hub.model.records import Severity
from hub.playbooks.spec import Playbook
from hub.store import Connection, runs

A_DAY = 10
NEW_FOR = timedelta(days=14)


def _is_let_in(playbook: Playbook) -> bool:
    return playbook.severity is Severity.LOW and playbook.by == "scorecard"


async def foretell(connection: Connection, playbook: Playbook, *, waiting: int, now: datetime) -> str | None:
    """How it will be let in, in words, where `waiting` customers meet its condition now; None where nothing is held up."""
    if not _is_let_in(playbook) or waiting <= A_DAY:
        return None
    first, begun = await runs.find_first(connection, playbook=playbook.name, since=now - NEW_FOR)
    if first is not None and first <= now - NEW_FOR:
        return None
    days = -(-waiting // A_DAY)
    until = f"the last of them begin on day {days}"
    if days > NEW_FOR.days:
        late = waiting - A_DAY * NEW_FOR.days
        until = f"the last {late:,} of them begin together after that"
    since = "" if first is None else f" (it has been since {first:%Y-%m-%d}, with {begun:,} runs)"
    return (
        f"of low severity and new{since}: it begins for at most {A_DAY} customers a day in its first {NEW_FOR.days} days. "
        f"{waiting:,} meet its condition now: {until}; the firings above are counted without that"
    )


async def room(connection: Connection, playbook: Playbook, *, now: datetime) -> int | None:
    """For how many customers it may begin now; None: for all."""
    if not _is_let_in(playbook):
        return None
    today = datetime.combine(now.astimezone(UTC).date(), time.min, UTC)
    first, begun = await runs.find_first(connection, playbook=playbook.name, since=today)
    if first is not None and first <= now - NEW_FOR:
        return None
    return max(0, A_DAY - begun)
