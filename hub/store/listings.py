"""What a vendor lists, beside what is here: ids in a temporary table, compared by the database, whatever their number.

    async with store.alone() as connection:                              whose end is the end of its temporary tables
        listing = await Listing.lay(connection, type_, source="desk")
        await listing.add(connection, [("1", 1000), ("2", None)])        batch after batch
        found = await listing.compare(connection, since=…)
        keys = await listing.find_missing(connection, after="", most=1_000)

What was marked deleted here and is listed counts as missing. A company that records only imply is not here yet. Each
question is answered as things are at that moment: after a repair the same listing can be compared again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    Table,
    Text,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from hub.model.records import Record
from hub.store.records import KIND_OF
from hub.store.store import Connection
from hub.store.tables import RECORD_TABLES

IMPLIED = 0
"""Version of a row that no vendor's row has brought."""
_listed = Table(
    "listed_row",
    MetaData(),
    Column("id", Text, primary_key=True),  # as it would be in the records' table
    Column("key", Text, nullable=False),
    Column("version", BigInteger),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """theirs, ours: live rows; missing, extra, stale: as in `hub.store.streams.Check`."""

    theirs: int
    ours: int
    missing: int
    extra: int
    stale: int


class Listing:
    """Of one stream's main record. See the module."""

    def __init__(self, type_: type[Record], source: str, began: datetime) -> None:
        self._table = RECORD_TABLES[KIND_OF[type_]]
        self._source, self._began = source, began

    @classmethod
    async def lay(cls, connection: Connection, type_: type[Record], *, source: str, began: datetime) -> Self:
        """began: when the vendor was first asked; what has come since is not missing in what it listed."""
        await connection.execute(CreateTable(_listed))
        return cls(type_, source, began)

    async def add(self, connection: Connection, rows: Sequence[tuple[str, int | None]]) -> None:
        """A row listed twice counts once, with its higher version: pages overlap, and rows move between them."""
        newest: dict[str, int | None] = {}
        for key, version in rows:
            known = newest.get(key)
            newest[key] = version if known is None or (version or 0) > known else known
        made = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(_listed)
        statement = made.on_conflict_do_update(
            index_elements=[_listed.c.id],
            set_={"version": made.excluded.version},
            where=made.excluded.version > _listed.c.version,
        )
        if newest:
            given = [{"id": f"{self._source}:{key}", "key": key, "version": version} for key, version in newest.items()]
            await connection.execute(statement, given)

    async def compare(self, connection: Connection, *, since: datetime | None) -> Compared:
        """Count. since: rows that changed after it may not have been pulled yet, and are not missing or stale for that."""
        theirs = select(func.count()).select_from(_listed)
        ours = select(func.count()).where(self._living())
        missing = select(func.count()).where(self._missing(), _before(since))
        stale = select(func.count()).select_from(self._both()).where(self._older(), _before(since))
        extra = select(func.count()).where(self._extra())
        counted = [(await connection.execute(each)).scalar_one() for each in (theirs, ours, missing, stale, extra)]
        return Compared(theirs=counted[0], ours=counted[1], missing=counted[2], stale=counted[3], extra=counted[4])

    async def find_wanting(self, connection: Connection, *, since: datetime | None, after: str, most: int) -> list[str]:
        """Keys of rows that are missing or stale here, in order, beyond `after`."""
        stale = select(_listed.c.key).select_from(self._both()).where(self._older(), _before(since))
        missing = select(_listed.c.key).where(self._missing(), _before(since))
        keys = missing.union(stale).subquery()
        statement = select(keys.c.key).where(keys.c.key > after).order_by(keys.c.key).limit(most)
        return list((await connection.execute(statement)).scalars())

    async def find_extra(self, connection: Connection, *, after: str, most: int) -> list[str]:
        """Keys of rows that live here alone, in order, beyond `after`."""
        key = self._table.c.key
        statement = select(key).where(self._extra(), key > after).order_by(key).limit(most)
        return list((await connection.execute(statement)).scalars())

    def _ours(self) -> ColumnElement[bool]:
        c = self._table.c
        return and_(c.source == self._source, c.version > IMPLIED)

    def _living(self) -> ColumnElement[bool]:
        return and_(self._ours(), self._table.c.deleted.is_(False))

    def _missing(self) -> ColumnElement[bool]:
        return ~exists(select(literal(1)).where(self._table.c.id == _listed.c.id, self._living()).correlate(_listed))

    def _extra(self) -> ColumnElement[bool]:
        same = select(literal(1)).where(_listed.c.id == self._table.c.id).correlate(self._table)
        return and_(self._living(), self._table.c.synced_at <= self._began, ~exists(same))

    def _both(self) -> Any:
        return _listed.join(self._table, and_(self._table.c.id == _listed.c.id, self._living()))

    def _older(self) -> ColumnElement[bool]:
        return self._table.c.version < _listed.c.version


def _before(since: datetime | None) -> ColumnElement[bool]:
    """Whether a listed row is one that a pull should have brought by then."""
    if since is None:
        return literal(True)
    return or_(_listed.c.version.is_(None), _listed.c.version <= int(since.timestamp() * 1000))
