"""INSERT of many rows on PostgreSQL as one statement: a column is one parameter, an array.

The drivers' way of inserting many is to run the statement once for each row, which costs the server as much as the inserting
does. SQLAlchemy's own, with RETURNING, sends every value as a parameter of its own, a thousand rows at a time; rendering and
planning that takes longer still.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Dialect, String, Table, Text, bindparam, cast, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from hub.store.store import Connection
from hub.store.tables.base import Json

Insert = Any  # PostgreSQL's own insert statement, with what to do on a conflict

_statements: dict[tuple[Any, ...], Any] = {}


async def insert_arrays(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    conflict: Callable[[Insert], Insert],
    returning: Column[str] | None,
    *,
    key: str,
    given: Mapping[str, Any] | None = None,
) -> list[str]:
    """Insert `rows`, which have the same keys, in their order; return `returning` of those that were written, if it is given.

    No two rows may have the same id where `conflict` updates: a statement changes a row once.

    conflict  adds to the statement what to do where a key is taken; `key` names that: the statement is made once for each
    given     values of parameters that `conflict` names
    """
    names = tuple(rows[0])
    whole = table.name, names, key, returning is None
    if whole not in _statements:
        made = _statement(table, names, conflict)
        _statements[whole] = made if returning is None else made.returning(returning)
    columns = {
        f"column_{place}": _texts(table.c[name], [row[name] for row in rows], connection.dialect)
        for place, name in enumerate(names)
    }
    result = await connection.execute(_statements[whole], columns | dict(given or {}))
    return [] if returning is None else list(result.scalars())


def _statement(table: Table, names: Sequence[str], conflict: Callable[[Insert], Insert]) -> Insert:
    arrays = [bindparam(f"column_{place}", type_=ARRAY(_type(table.c[name]))) for place, name in enumerate(names)]
    rows = func.unnest(*arrays).table_valued(*names).render_derived(name="given")
    chosen = [cast(rows.c[name], table.c[name].type) if _is_json(table.c[name]) else rows.c[name] for name in names]
    return conflict(postgresql.insert(table).from_select(names, select(*chosen), include_defaults=False))


def _type(column: Column[Any]) -> TypeEngine[Any]:
    """Of the array's elements: texts have no length there, so that one that is too long is refused and not cut."""
    return Text() if _is_json(column) or isinstance(column.type, String) else column.type


def _texts(column: Column[Any], values: list[Any], dialect: Dialect) -> list[Any]:
    """The values; of JSON its text."""
    if not _is_json(column):
        return values
    convert = column.type.dialect_impl(dialect).bind_processor(dialect)
    assert convert is not None, "JSON is written as text"
    return [convert(value) for value in values]


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, Json)
