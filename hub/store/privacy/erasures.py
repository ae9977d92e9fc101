"""Erasures: begun with their tombstones, worked through place by place, and kept as counts when they are done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, select, update

from hub.store.privacy.subject import Subject
from hub.store.store import Connection
from hub.store.tables import erasure, tombstone

RUNNING, DONE = "running", "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One erasure. counts: {table: rows}; left: what could not be erased, and why; subject: None once it is done."""

    id: str
    number: int
    kind: str
    state: str
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None
    step: int
    after: Sequence[Any] | None
    counts: Mapping[str, int]
    left: Sequence[str]
    subject: Subject | None

    @property
    def rows(self) -> int:
        return sum(self.counts.values())


async def next_number(connection: Connection) -> int:
    """For a new erasure; whoever takes it holds the lock of tombstones."""
    newest = await connection.execute(select(func.max(erasure.c.number)))
    return (newest.scalar() or 0) + 1


async def insert(
    connection: Connection,
    erasure_id: str,
    subject: Subject,
    *,
    number: int,
    subject_hash: str,
    left: Sequence[str],
    by: str,
    now: datetime,
) -> None:
    row = {
        "id": erasure_id,
        "number": number,
        "subject": subject.kind,
        "subject_hash": subject_hash,
        "state": RUNNING,
        "asked_by": by,
        "asked_at": now,
        "step": 0,
        "work": subject.written(),
        "counts": {},
        "left": list(left),
    }
    await connection.execute(erasure.insert(), [row])


async def lock(connection: Connection, erasure_id: str) -> Erasure | None:
    """How it stands, held until the transaction ends: of two processes that go on with one, each batch is one's."""
    statement = select(erasure).where(erasure.c.id == erasure_id).with_for_update()
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _erasure(row)


async def move(
    connection: Connection, erasure_id: str, *, step: int, after: Sequence[Any] | None, counts: Mapping[str, int]
) -> None:
    where = erasure.c.id == erasure_id
    kept = None if after is None else [value if isinstance(value, int) else str(value) for value in after]
    await connection.execute(update(erasure).where(where).values(step=step, after=kept, counts=dict(counts)))


async def finish(connection: Connection, erasure_id: str, *, now: datetime) -> None:
    """It is done, and says no more whom it was about."""
    where = erasure.c.id == erasure_id
    await connection.execute(update(erasure).where(where).values(state=DONE, finished_at=now, work=None, after=None))


async def find_running(connection: Connection, *, subject_hash: str | None = None) -> list[str]:
    """Ids of those that go on, the oldest first; of one subject where it is given."""
    statement = select(erasure.c.id).where(erasure.c.state == RUNNING).order_by(erasure.c.number)
    if subject_hash is not None:
        statement = statement.where(erasure.c.subject_hash == subject_hash)
    return list((await connection.execute(statement)).scalars())


async def find_erasures(connection: Connection, *, limit: int = 100) -> list[Erasure]:
    """The newest first."""
    statement = select(erasure).order_by(erasure.c.number.desc()).limit(limit)
    return [_erasure(row) for row in (await connection.execute(statement)).mappings()]


async def count_tombstones(connection: Connection) -> int:
    return (await connection.execute(select(func.count()).select_from(tombstone))).scalar_one()


def _erasure(row: RowMapping) -> Erasure:
    return Erasure(
        id=row["id"],
        number=row["number"],
        kind=row["subject"],
        state=row["state"],
        asked_by=row["asked_by"],
        asked_at=row["asked_at"],
        finished_at=row["finished_at"],
        step=row["step"],
        after=row["after"],
        counts=row["counts"],
        left=row["left"],
        subject=None if row["work"] is None else Subject.read(row["work"]),
    )
