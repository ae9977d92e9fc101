"""Runs of retention: what each took out, and up to which day, so that the next one starts there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from hub.store.store import Connection
from hub.store.tables import audit_record, retention_run


@dataclass(frozen=True, slots=True)
class Run:
    """counts: {kind: {"rows": how many, "before": the day its time was over by}}; finished_at: None where it was killed."""

    id: str
    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, Mapping[str, Any]]


async def start(connection: Connection, run_id: str, *, now: datetime) -> None:
    await connection.execute(retention_run.insert(), [{"id": run_id, "started_at": now, "counts": {}}])


async def save(
    connection: Connection, run_id: str, counts: Mapping[str, Any], *, finished_at: datetime | None = None
) -> None:
    statement = update(retention_run).where(retention_run.c.id == run_id)
    await connection.execute(statement.values(counts=dict(counts), finished_at=finished_at))


async def find_newest(connection: Connection, *, finished: bool = False) -> Run | None:
    statement = select(retention_run).order_by(retention_run.c.started_at.desc()).limit(1)
    if finished:
        statement = statement.where(retention_run.c.finished_at.is_not(None))
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Run(row.id, row.started_at, row.finished_at, row.counts)


async def find_audit_details(connection: Connection, *, before: datetime, most: int) -> list[int]:
    """Numbers of records of the audit log from before then that still have a detail."""
    c = audit_record.c
    statement = select(c.number).where(c.at < before, c.salt.is_not(None)).order_by(c.number).limit(most)
    return list((await connection.execute(statement)).scalars())
