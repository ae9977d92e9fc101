"""Pulling a query: in the order of its bookmark column and its key, from a little before where the last pull came to.

The bookmark: {"value": the newest value of the bookmark column, "kind": "time" | "day" | "text" | "number"}. Rows whose
transaction was long become visible late, under an older time: so a pull begins `overlap` before the bookmark, and the store
knows the rows it has. A time in the future (a clock that is wrong) does not move the bookmark beyond the sync's own beginning.
Rows without a value in that column are read each time. Without a bookmark column all is read each time.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Select,
    String,
    cast,
    column,
    literal,
    literal_column,
    or_,
    select,
    text,
)

from connectors.kit.base import BadRowError, Id, Page, Window
from connectors.kit.cells import READ_AT, Plan, key_of
from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.http import Client
from connectors.kit.values import moment, version
from connectors.sqlsource.database import Database, Reader, Row
from hub.clock import utc_now

KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    name: str
    text: str
    plan: Plan
    bookmark: str | None
    database: Database
    overlap: timedelta
    page_size: int

    async def pull(self, client: Client, window: Window) -> AsyncIterator[Page]:
        before = dict(window.bookmark or {})
        statement = self._select("*")
        if self.bookmark is not None:
            moved: ColumnElement[Any] = column(self.bookmark)
            if before:
                statement = statement.where(or_(moved >= self._since(before), moved.is_(None)))
            statement = statement.order_by(moved)
        statement = statement.order_by(*[column(name) for name in self.plan.key])
        read_at = str(version(window.started_at))
        reached: Any = None
        left = window.limit
        size = self.page_size if left is None else min(self.page_size, left)
        async with self.database.reading() as database:
            self._check(await database.columns(self._select("*")))
            async with aclosing(database.pages(statement, size)) as pages:
                async for rows in pages:
                    reached = self._newest(rows, reached)
                    yield Page(
                        rows=[{**_told(row), READ_AT: read_at} for row in rows],
                        bookmark=self._mark(reached, window.started_at) or (window.bookmark or None),
                    )
                    left = None if left is None else left - len(rows)
                    if left is not None and left <= 0:
                        return

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        """The rows of these keys; those there are no more are gone."""
        (name,) = self.plan.key
        read_at = str(version(utc_now()))
        async with self.database.reading() as database:
            for first in range(0, len(keys), KEYS_AT_ONCE):
                asked = keys[first : first + KEYS_AT_ONCE]
                statement = self._select("*").where(cast(column(name), String).in_(asked))
                found: list[Row] = [row async for rows in database.pages(statement, self.page_size) for row in rows]
                there = {self._key(row) for row in found}
                odd = await self._written_otherwise(database, set(asked) - there)
                if odd:
                    statement = self._select("*").where(column(name).in_(odd.values()))
                    found += [row async for rows in database.pages(statement, self.page_size) for row in rows]
                yield Page(
                    rows=[{**_told(row), READ_AT: read_at} for row in found],
                    gone=[key for key in asked if key not in there and key not in odd],
                )

    async def _written_otherwise(self, database: Reader, keys: set[str]) -> dict[str, Any]:
        """{key: the column's value} of `keys` that their database writes in another way, such as 5.00 or a padded text."""
        (name,) = self.plan.key
        if not keys:
            return {}
        return {
            key: row[name]
            async for rows in database.pages(self._select(name), self.page_size)
            for row in rows
            if (key := self._key(row)) in keys
        }

    async def ids(self, client: Client, window: Window) -> AsyncIterator[Sequence[Id]]:
        names = dict.fromkeys([*self.plan.key, *([self.plan.updated_at] if self.plan.updated_at else [])])
        statement = self._select(*names)
        async with self.database.reading() as database, aclosing(database.pages(statement, self.page_size)) as pages:
            async for rows in pages:
                yield list(self._ids(rows))

    def _key(self, row: Row) -> str:
        """As the record of the row has it."""
        return key_of(_told(row), self.plan.key)

    def _ids(self, rows: Sequence[Row]) -> Iterator[Id]:
        for row in rows:
            changed = row.get(self.plan.updated_at or "")
            made = None
            if changed is not None:
                with suppress(BadRowError):  # its row is in quarantine for that, and has no version to compare
                    made = version(moment(changed, field=str(self.plan.updated_at)))
            yield Id(self._key(row), made)

    def _select(self, *names: str) -> Select[Any]:
        """The query as a table of its own, so that tests and orders can be put around it, whatever it is."""
        own = text(self.text.replace(":", "\\:"))  # a colon in it is its own, and names no parameter
        rows = own.columns().subquery("source_rows")
        asked: list[ColumnElement[Any]] = [
            literal_column("source_rows.*") if name == "*" else column(name) for name in names
        ]
        return select(*asked).select_from(rows)

    def _check(self, columns: Sequence[str]) -> None:
        missing = self.plan.missing(columns)
        if self.bookmark is not None and self.bookmark not in columns:
            missing.append(f"{self.bookmark!r} for bookmark")
        if missing:
            raise DeniedError(
                f"the query of {self.name} has no column {'; none '.join(missing)}. It has: {', '.join(columns)}",
                scope="stream",
            )

    def _newest(self, rows: Sequence[Row], before: Any) -> Any:
        if self.bookmark is None:
            return None
        values = [value for row in rows if (value := row[self.bookmark]) is not None]
        try:
            return max([*values, *([] if before is None else [before])], default=None)
        except TypeError:
            raise ContractError(f"{self.name}: column {self.bookmark} holds values that cannot be ordered") from None

    def _mark(self, reached: Any, started_at: datetime) -> dict[str, Any] | None:
        if reached is None:
            return None
        if isinstance(reached, datetime):
            at = reached if reached.tzinfo is not None else reached.replace(tzinfo=UTC)
            told = started_at.replace(tzinfo=None) if reached.tzinfo is None else started_at
            return {"value": (told if at > started_at else reached).isoformat(), "kind": "time"}
        if isinstance(reached, date):
            return {"value": min(reached, started_at.date()).isoformat(), "kind": "day"}
        if isinstance(reached, bool) or not isinstance(reached, int | float):
            value = str(reached)
            now = _rendered(started_at, like=value)
            return {"value": now if now is not None and value > now else value, "kind": "text"}
        return {"value": reached, "kind": "number"}

    def _since(self, mark: Mapping[str, Any]) -> Any:
        value = mark["value"]
        if mark["kind"] == "time":
            since = datetime.fromisoformat(value) - self.overlap
            return literal(since, DateTime(timezone=since.tzinfo is not None))
        if mark["kind"] == "day":
            return literal(date.fromisoformat(value) - self.overlap - timedelta(days=1), Date())
        if mark["kind"] == "text" and (at := _time(value)) is not None:
            return _rendered(at - self.overlap, like=value)
        return value


def _told(row: Row) -> Row:
    """As JSON has it: a row may go to quarantine."""
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}


def _time(value: str) -> datetime | None:
    """A text that is a time, as databases without a type for it keep one."""
    try:
        return datetime.fromisoformat(value) if len(value) >= 10 and value[4:5] == "-" else None
    except ValueError:
        return None


def _rendered(at: datetime, *, like: str) -> str | None:
    """`at` as the text `like` writes a time, so that the two compare as texts; None where that is none."""
    told = _time(like)
    if told is None:
        return None
    at = at.replace(tzinfo=None) if told.tzinfo is None else at.astimezone(told.tzinfo)
    made = at.isoformat(sep=like[10] if len(like) > 10 else "T", timespec="microseconds" if "." in like else "seconds")
    return made[:10] if len(like) == 10 else (made.replace("+00:00", "Z") if like.endswith("Z") else made)
