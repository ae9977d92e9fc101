"""Reading one text at a time from PostgreSQL (see hub.store.raw): connections that can only read.

What comes together is sent together: several statements of one request as one, and one statement that several requests ask in
the same turn of the event loop, each with a key of its own, once for all of their keys.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import URL

from hub.store.gathering import Gathering
from hub.store.raw import RawError, Statement
from hub.store.several import as_one

POOL = 8
TOGETHER = 32
"""Statements that are sent as one, at most."""
LARGEST_KEPT = 65_536
"""Characters of a statement that a connection remembers the plan of; asyncpg's own 15 KB are less than ten pages'."""
_SETTINGS = {
    "default_transaction_read_only": "on",
    # how times and numbers are written as texts
    "timezone": "UTC",
    "datestyle": "ISO",
    "extra_float_digits": "1",
    "jit": "off",
    # a page's statement takes longer to plan than to run, and its plan, along an index, is the same for all values
    "plan_cache_mode": "force_generic_plan",
}
_REMEMBERED = 512


def dsn_of(url: URL) -> str:
    """The URL as asyncpg takes it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


class RawPostgresql:
    """Some connections, opened when first needed. asyncpg's own pool takes several turns of the event loop to have one back,
    and nothing has to be undone between two uses, because nothing can be done on them."""

    def __init__(self, url: URL) -> None:
        self._dsn = dsn_of(url)
        self._turn = asyncio.Semaphore(POOL)
        self._at_hand: list[Any] = []
        self._together: dict[tuple[str, ...], str] = {}
        self._gathering = Gathering(self._rows, error=RawError)

    async def text(self, sql: str, parameters: Sequence[Any]) -> bytes | None:
        row = await self.row(sql, parameters)
        return None if row is None or row[0] is None else cast("str", row[0]).encode()

    async def text_of(self, sql: str, parameters: Sequence[Any], at: int) -> bytes | None:
        found = await self._gathering.value(sql, parameters, at)
        return None if found is None else cast("str", found).encode()

    async def texts(self, statements: Sequence[Statement]) -> list[bytes | None]:
        found: list[bytes | None] = []
        for at in range(0, len(statements), TOGETHER):
            part = statements[at : at + TOGETHER]
            if len(part) == 1:
                found.append(await self.text(*part[0]))
                continue
            sqls = tuple(sql for sql, _ in part)
            together = self._together.get(sqls)
            if together is None:
                if len(self._together) >= _REMEMBERED:
                    self._together.clear()
                together = self._together[sqls] = as_one(sqls)
            row = await self.row(together, [each for _, parameters in part for each in parameters])
            assert row is not None, "what selects from nothing has a row"
            found += [None if each is None else cast("str", each).encode() for each in row]
        return found

    async def row(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any] | None:
        found = await self._rows(sql, parameters)
        return found[0] if found else None

    async def _rows(self, sql: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        try:
            async with self._turn:
                connection = await self._connection()
                try:
                    found: Sequence[Sequence[Any]] = await connection.fetch(sql, *parameters)
                except BaseException:  # a cancelled one is closed when its statement is over
                    await asyncio.shield(connection.close())
                    raise
                self._at_hand.append(connection)
                return found
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise RawError(f"{type(error).__name__}: {error}") from error

    async def _connection(self) -> Any:
        while self._at_hand:
            connection = self._at_hand.pop()
            if not connection.is_closed():  # by the server
                return connection
        return await asyncpg.connect(
            self._dsn,
            statement_cache_size=512,
            max_cacheable_statement_size=LARGEST_KEPT,
            server_settings=_SETTINGS,
        )

    async def close(self) -> None:
        while self._at_hand:
            await self._at_hand.pop().close()
