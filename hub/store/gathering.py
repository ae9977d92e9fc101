"""Rows that several requests ask for by their keys in the same turn of the event loop, read by one statement of PostgreSQL.

    gathering = Gathering(read)                     read(sql, parameters) -> its rows
    found = await gathering.value(sql, parameters, at)      the one value of the row whose key is the parameter at that place

Requests are read together that ask the same statement with the same values, all but the key: the book among them, so that none
is read with rows of another's book. Each gets what the statement has for its own key. Where the statement fails for one of
them, each is read by itself, and only the one that is at fault hears of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any

from hub.store.several import with_parameters

MOST = 16
"""Keys of one statement: nobody waits for more than as many rows."""
_REMEMBERED = 512

Read = Callable[[str, Sequence[Any]], Awaitable[Sequence[Sequence[Any]]]]


class _ApartError(Exception):
    """The statement failed for all of them together."""


class _Group:
    """Who waits for one statement, with what keys. at: where the key stands among the parameters."""

    def __init__(self, sql: str, parameters: Sequence[Any], at: int) -> None:
        self.sql = sql
        self.parameters = parameters
        self.at = at
        self.keys: list[Any] = []
        self.waiting: list[asyncio.Future[Any]] = []
        self.reading: asyncio.Task[Mapping[int, Any]] | None = None

    def is_left(self) -> bool:
        """Whether nobody waits any more."""
        return all(each.done() for each in self.waiting)


class Gathering:
    """See the module. error: what `read` fails with."""

    def __init__(self, read: Read, *, error: type[Exception]) -> None:
        self._read = read
        self._error = error
        self._open: dict[Hashable, _Group] = {}
        self._rewritten: dict[tuple[str, int], str] = {}

    async def value(self, sql: str, parameters: Sequence[Any], at: int) -> Any:
        """None where there is no such row."""
        same = (sql, at, *parameters[:at], *parameters[at + 1 :])
        try:
            group = self._open.get(same)
        except TypeError:  # a list among the values
            return await self._alone(sql, parameters)
        loop = asyncio.get_running_loop()
        if group is None or len(group.keys) >= MOST:
            if not self._open:
                loop.call_soon(self._begin)
            if group is not None:
                self._begin_one(group)
            group = self._open[same] = _Group(sql, parameters, at)
        waiting: asyncio.Future[Any] = loop.create_future()
        group.keys.append(parameters[at])
        group.waiting.append(waiting)
        try:
            return await waiting
        except _ApartError:
            return await self._alone(sql, parameters)
        except asyncio.CancelledError:
            if group.reading is not None and group.is_left():
                group.reading.cancel()
            raise

    async def _alone(self, sql: str, parameters: Sequence[Any]) -> Any:
        rows = await self._read(sql, parameters)
        return rows[0][0] if rows else None

    def _begin(self) -> None:
        """All who were ready in this turn have asked."""
        groups, self._open = self._open, {}
        for group in groups.values():
            self._begin_one(group)

    def _begin_one(self, group: _Group) -> None:
        if not group.is_left():
            group.reading = asyncio.get_running_loop().create_task(self._found(group))
            group.reading.add_done_callback(lambda reading: self._tell(group, reading))

    async def _found(self, group: _Group) -> Mapping[int, Any]:
        """By the places of the keys, from 1."""
        if len(group.keys) == 1:
            return {1: await self._alone(group.sql, group.parameters)}
        parameters = [*group.parameters]
        parameters[group.at] = group.keys
        return dict(await self._read(self._by_keys(group.sql, group.at), parameters))  # type: ignore[arg-type]  # rows of two

    def _tell(self, group: _Group, reading: "asyncio.Task[Mapping[int, Any]]") -> None:
        for place, each in enumerate(group.waiting, start=1):
            if each.done():  # whoever waited has gone
                continue
            if reading.cancelled():
                each.cancel()
            elif error := reading.exception():
                together = len(group.keys) > 1 and isinstance(error, self._error)
                each.set_exception(_ApartError() if together else error)
            else:
                each.set_result(reading.result().get(place))

    def _by_keys(self, sql: str, at: int) -> str:
        made = self._rewritten.get((sql, at))
        if made is None:
            if len(self._rewritten) >= _REMEMBERED:
                self._rewritten.clear()
            made = self._rewritten[sql, at] = by_keys(sql, at)
        return made


def by_keys(sql: str, at: int) -> str:
    """The statement for a list of keys in the place of one: (place of the key, from 1, and what the statement has for it)."""
    number = at + 1
    keyed = with_parameters(sql, lambda each: '"its key"."key"' if each == number else f"${each}")
    keys = f'unnest(${number}::TEXT[]) WITH ORDINALITY AS "its key"("key", "place")'
    return f'SELECT "its key"."place", ({keyed}) FROM {keys}'  # noqa: S608 - of a statement of our own
