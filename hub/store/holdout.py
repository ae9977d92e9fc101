"""Who was kept untreated by which playbook: what was drawn, and what has become of both groups since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import playbook_assignment, playbook_run

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What the lot said of a customer, from its first eligibility of a period on; `run_id` is of that."""

    customer_id: str
    arm: str
    since: datetime
    run_id: str


async def find_assignments(
    connection: Connection, *, playbook: str, since: datetime, customer_ids: Iterable[str] | None = None
) -> dict[str, Assignment]:
    """{customer id: its newest assignment}, of those drawn after `since`. None: of all customers."""
    row = playbook_assignment.c
    statement = (
        select(row.customer_id, row.arm, row.since, row.run_id)
        .where(row.playbook == playbook, row.since > since)
        .order_by(row.since, row.id)
    )
    if customer_ids is None:
        return {each.customer_id: _assignment(each) for each in await connection.execute(statement)}
    found: dict[str, Assignment] = {}
    wanted = sorted(set(customer_ids))
    for start in range(0, len(wanted), BATCH):
        ids = wanted[start : start + BATCH]
        rows = await connection.execute(statement.where(row.customer_id.in_(ids)))
        found |= {each.customer_id: _assignment(each) for each in rows}
    return found


def _assignment(row: Any) -> Assignment:
    return Assignment(customer_id=row.customer_id, arm=row.arm, since=row.since, run_id=row.run_id)


async def insert_assignments(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was drawn; after the runs that they name. One that is there already stays."""
    if rows:
        await connection.execute(insert_missing(connection, playbook_assignment), list(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A customer in an experiment: what the lot said, and the facts at its first eligibility."""

    customer_id: str
    arm: str
    on: date
    facts: Mapping[str, Any]


async def find_units(connection: Connection, *, playbook: str) -> list[Unit]:
    """Every assignment of a playbook, oldest first; each period of a customer is one."""
    row, run = playbook_assignment.c, playbook_run.c
    statement = (
        select(row.customer_id, row.arm, row.since, run.facts)
        .join(playbook_run, run.id == row.run_id)
        .where(row.playbook == playbook)
        .order_by(row.since, row.customer_id)
    )
    return [
        Unit(customer_id=each.customer_id, arm=each.arm, on=each.since.date(), facts=each.facts or {})
        for each in await connection.execute(statement)
    ]


async def count_crossed(connection: Connection, *, playbook: str) -> int:
    """Held-out customers that the playbook treated all the same, by hand, within their period."""
    row, run = playbook_assignment.c, playbook_run.c
    statement = (
        select(func.count(row.customer_id.distinct()))
        .join(playbook_run, (run.customer_id == row.customer_id) & (run.playbook == row.playbook))
        .where(row.playbook == playbook, row.arm == "held_out", run.cause == "hand", run.started_at >= row.since)
    )
    return int((await connection.execute(statement)).scalar() or 0)
