"""Idempotency keys: which request a key stands for, and what its result was.

A key is claimed before its request is carried out, so that of two at once only one is. A claim that never got a result is
of a process that died; after a while it may be taken over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.store import Connection
from hub.store.tables import idempotency_key

_PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is known of a key: its request, since when, and the result (None while it is being carried out)."""

    request_digest: str
    at: datetime
    result: Mapping[str, Any] | None


async def claim(connection: Connection, key_id: str, *, request_digest: str, now: datetime) -> bool:
    """Take the key if it is free; False where somebody has it."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(idempotency_key).on_conflict_do_nothing().returning(idempotency_key.c.id)
    row = {"id": key_id, "request_digest": request_digest, "result": {"state": _PENDING}, "at": now}
    return (await connection.execute(statement, row)).first() is not None


async def find(connection: Connection, key_id: str) -> Claimed | None:
    row = (await connection.execute(select(idempotency_key).where(idempotency_key.c.id == key_id))).one_or_none()
    if row is None:
        return None
    return Claimed(row.request_digest, row.at, None if row.result["state"] == _PENDING else row.result["value"])


async def take_over(connection: Connection, key_id: str, *, since: datetime, now: datetime) -> bool:
    """Take a claim that has stood without a result since `since`; False where another was quicker."""
    changed = await connection.execute(
        idempotency_key.update().where(idempotency_key.c.id == key_id, idempotency_key.c.at == since).values(at=now)
    )
    return bool(changed.rowcount)


async def finish(connection: Connection, key_id: str, *, result: Mapping[str, Any]) -> None:
    """Keep the result for whoever asks with the same key again."""
    await connection.execute(
        idempotency_key.update()
        .where(idempotency_key.c.id == key_id)
        .values(result={"state": "done", "value": dict(result)})
    )


async def release(connection: Connection, key_id: str) -> None:
    """Give the key back: its request was not carried out."""
    await connection.execute(delete(idempotency_key).where(idempotency_key.c.id == key_id))
