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


async def room(connection: Connection, playbook: Playbook, *, now: datetime) -> int | None:
    """For how many customers it may begin now; None: for all."""
    if playbook.severity is not Severity.LOW or playbook.by != "scorecard":
        return None
    today = datetime.combine(now.astimezone(UTC).date(), time.min, UTC)
    first, begun = await runs.find_first(connection, playbook=playbook.name, since=today)
    if first is not None and first <= now - NEW_FOR:
        return None
    return max(0, A_DAY - begun)
