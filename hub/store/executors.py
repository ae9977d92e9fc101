"""The processes that do durable work: who beats, and which one of them leads.

A process writes its row every few seconds; a row that hasn't been written for a while belongs to a dead process. The
leader is the one process whose `leader_until` is ahead of now. Times are the writers' own clocks: hosts that share a store
are expected to agree on the time within a second or two.

Who takes several rows takes them in the order of their ids, and each of these functions wants a transaction of its own:
else two processes could wait for each other.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, delete, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.store import Connection
from hub.store.tables.operations import executor


async def beat(connection: Connection, *, id: str, started_at: datetime, now: datetime) -> None:  # noqa: A002  the column's name
    """Say that `id` is alive, also where its row was taken away."""
    insert = sqlite.insert(executor) if connection.dialect.name == "sqlite" else postgresql.insert(executor)
    statement = insert.on_conflict_do_update(index_elements=[executor.c.id], set_={"beat_at": insert.excluded.beat_at})
    await connection.execute(statement, [{"id": id, "started_at": started_at, "beat_at": now}])


async def lead(connection: Connection, *, id: str, now: datetime, until: datetime) -> bool:  # noqa: A002  the column's name
    """Lead until `until`, unless another process leads; return whether `id` leads. It must have beaten before."""
    # whoever asks locks every row he can see, in one order; each sees the row of whoever asked before him
    rows = await connection.execute(
        select(executor.c.id, executor.c.leader_until).order_by(executor.c.id).with_for_update()
    )
    if any(row.id != id and row.leader_until is not None and row.leader_until > now for row in rows):
        return False
    await connection.execute(update(executor).where(executor.c.id == id).values(leader_until=until))
    return True


async def find_beats(connection: Connection) -> dict[str, datetime]:
    """When each known process last said that it is alive."""
    rows = await connection.execute(select(executor.c.id, executor.c.beat_at))
    return {row.id: row.beat_at for row in rows}


async def remove(connection: Connection, ids: Iterable[str], *, beaten_by: datetime | None = None) -> None:
    """Forget `ids`; with `beaten_by`, only those that haven't beaten since."""
    chosen = and_(executor.c.id.in_(sorted(ids)), true() if beaten_by is None else executor.c.beat_at <= beaten_by)
    await connection.execute(select(executor.c.id).where(chosen).order_by(executor.c.id).with_for_update())
    await connection.execute(delete(executor).where(chosen))
