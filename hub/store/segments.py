"""Saved segments as they are kept, and how many customers each of some conditions chooses.

A segment's name is one among those that are shared (its scope is "") or among those of its owner (the scope is the owner).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, delete, func, select, update

from hub.model.conditions import Condition
from hub.store.conditions import clause
from hub.store.store import Connection
from hub.store.tables import customer, saved_segment, scorecard

SHARED = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSegment:
    """A condition with a name. `filter` is the mapping it is written as; `owner`: who made it."""

    id: str
    name: str
    filter: Mapping[str, Any] = field(repr=False)
    owner: str
    shared: bool
    description: str | None = None
    created_at: datetime
    updated_at: datetime
    updated_by: str

    @property
    def scope(self) -> str:
        return SHARED if self.shared else self.owner


_COLUMNS = tuple(
    saved_segment.c[name]
    for name in (
        "id",
        "name",
        "filter",
        "owner",
        "shared",
        "description",
        "created_at",
        "updated_at",
        "updated_by",
    )
)


async def find_segments(
    connection: Connection, *, owner: str | None, names: Sequence[str] | None = None
) -> list[SavedSegment]:
    """Those `owner` may use, its own and the shared ones, by name, its own first; None: the shared ones alone."""
    row = saved_segment.c
    scopes = [SHARED] if owner is None else [SHARED, owner]
    statement = select(*_COLUMNS).where(row.scope.in_(scopes)).order_by(row.name, row.shared, row.id)
    if names is not None:
        statement = statement.where(row.name.in_(list(names)))
    return [SavedSegment(**each._mapping) for each in await connection.execute(statement)]


async def find_all_segments(connection: Connection) -> list[SavedSegment]:
    """All there are, private ones too: what to look through before one of them goes."""
    statement = select(*_COLUMNS).order_by(saved_segment.c.name, saved_segment.c.id)
    return [SavedSegment(**each._mapping) for each in await connection.execute(statement)]


async def count_segments(connection: Connection, *, owner: str) -> int:
    """How many somebody made."""
    statement = select(func.count()).select_from(saved_segment).where(saved_segment.c.owner == owner)
    return int((await connection.execute(statement)).scalar_one())


async def insert_segment(connection: Connection, segment: SavedSegment) -> None:
    await connection.execute(saved_segment.insert(), [_row(segment)])


async def update_segment(connection: Connection, segment: SavedSegment) -> None:
    row = {name: value for name, value in _row(segment).items() if name not in ("id", "owner", "created_at")}
    await connection.execute(update(saved_segment).where(saved_segment.c.id == segment.id).values(row))


async def delete_segment(connection: Connection, id_: str) -> None:
    await connection.execute(delete(saved_segment).where(saved_segment.c.id == id_))


def _row(segment: SavedSegment) -> dict[str, Any]:
    return {**{column.name: getattr(segment, column.name) for column in _COLUMNS}, "scope": segment.scope}


async def count_members(
    connection: Connection, conditions: Sequence[Condition], *, book: str | None, today: date
) -> list[int]:
    """How many customers each condition chooses: one statement, however many conditions. They have been expanded."""
    if not conditions:
        return []
    newest = and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest)
    counted = [
        func.count().filter(clause(condition, today=today)).label(f"members_{place}")
        for place, condition in enumerate(conditions)
    ]
    statement = select(*counted).select_from(customer.outerjoin(scorecard, newest))
    statement = statement.where(customer.c.merged_into_id.is_(None))
    if book is not None:
        statement = statement.where(customer.c.csm_email == book)
    return [int(each) for each in (await connection.execute(statement)).one()]
