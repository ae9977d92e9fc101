"""The audit log: who asked for what, when, and what came of it. Entries are added and given an outcome, never removed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from hub.store.store import Connection
from hub.store.tables import audit_entry

UNFINISHED = "begun"


async def insert(
    connection: Connection,
    *,
    entry_id: str,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    request: Mapping[str, Any],
) -> None:
    """Note that something was asked for. An entry whose outcome stays "begun" is of a process that died over it."""
    await connection.execute(
        audit_entry.insert(),
        [
            {
                "id": entry_id,
                "at": at,
                "actor": actor,
                "action": action,
                "subject": subject,
                "detail": {"request": dict(request), "outcome": UNFINISHED},
            }
        ],
    )


async def finish(connection: Connection, entry_id: str, *, request: Mapping[str, Any], outcome: str) -> None:
    """Note what came of it."""
    await connection.execute(
        audit_entry.update()
        .where(audit_entry.c.id == entry_id)
        .values(detail={"request": dict(request), "outcome": outcome})
    )


async def find_latest(connection: Connection, *, limit: int = 100, subject: str | None = None) -> Sequence[Any]:
    """The newest entries first."""
    statement = select(audit_entry).order_by(audit_entry.c.at.desc(), audit_entry.c.id.desc()).limit(limit)
    if subject is not None:
        statement = statement.where(audit_entry.c.subject == subject)
    return (await connection.execute(statement)).all()
