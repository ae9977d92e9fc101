"""Writing many rows at once: one statement, compiled once, and plain tuples for the driver.

SQLAlchemy's own executemany builds a dictionary of parameters for every row, which costs more than the database does.
Here the statement is SQLAlchemy's and so are the conversions of the values; only that step is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.among import among
from hub.store.arrays import insert_arrays
from hub.store.store import Connection

Insert = Any  # each database's own insert statement, with what to do on a conflict


@dataclass(frozen=True, slots=True)
class _Compiled:
    """sql; its columns in the order of its placeholders, each with how its values are converted (None: as they are)."""

    sql: str
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]


_compiled: dict[tuple[Any, ...], _Compiled] = {}


async def upsert_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, keep: Sequence[str] = ()
) -> None:
    """Insert `rows`, or update those whose id is known unless that row has a higher version.

    All rows have the same keys. `keep`: columns that an update leaves alone.
    """
    if not rows:
        return
    names = [name for name in rows[0] if name not in keep and name != "id"]

    def statement(insert: Insert) -> Insert:
        return insert.on_conflict_do_update(
            index_elements=[table.c.id],
            set_={name: insert.excluded[name] for name in names},
            where=table.c.version <= insert.excluded.version,
        )

    if connection.dialect.name == "postgresql" and len({row["id"] for row in rows}) == len(rows):
        await insert_arrays(connection, table, rows, statement, None, key=" ".join(("upsert", *keep)))
    else:
        await _insert(connection, table, rows, statement, key=("upsert", *keep))


async def write_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, replace: bool, by: str = "id"
) -> None:
    """Insert `rows`, which have the same keys. replace: what is there, `by` its key, gives way; otherwise it stays."""
    if not rows:
        return
    names = [name for name in rows[0] if name != by]

    def statement(insert: Insert) -> Insert:
        if not replace:
            return insert.on_conflict_do_nothing()
        changed = {name: insert.excluded[name] for name in names}
        return insert.on_conflict_do_update(index_elements=[table.c[by]], set_=changed)

    await _insert(connection, table, rows, statement, key=("replace" if replace else "keep",))


async def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Insert those of `rows` whose keys are not taken; return their ids. All have the same keys, `id` among them."""
    if not rows:
        return []
    if connection.dialect.name == "postgresql":
        return await insert_arrays(connection, table, rows, _leave, table.c.id, key="keep")
    # nobody else writes to SQLite until the transaction ends, so what is there afterwards and was not before is ours
    ours = select(table.c.id).where(among(connection, table.c.id, [row["id"] for row in rows]))
    before = set((await connection.execute(ours)).scalars())
    await _insert(connection, table, rows, _leave, key=("keep",))
    return [id_ for id_ in (await connection.execute(ours)).scalars() if id_ not in before]


def _leave(insert: Insert) -> Insert:
    return insert.on_conflict_do_nothing()


async def _insert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    statement: Callable[[Insert], Insert],
    *,
    key: tuple[str, ...],
) -> None:
    dialect, names = connection.dialect, tuple(rows[0])
    whole = dialect.name, table.name, names, key
    if whole not in _compiled:
        insert: Insert = sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)
        _compiled[whole] = _compile(dialect, table, statement(insert.inline()), names)
    compiled = _compiled[whole]
    values = [
        [row[name] for row in rows] if convert is None else _converted([row[name] for row in rows], convert)
        for name, convert in compiled.columns
    ]
    await connection.exec_driver_sql(compiled.sql, list(zip(*values, strict=True)))


def _converted(column: list[Any], convert: Callable[[Any], Any]) -> list[Any]:
    """The column converted, each distinct object once: in bulk most times and days repeat."""
    seen: dict[int, Any] = {}
    made = []
    for value in column:
        known = id(value)
        if known not in seen:
            seen[known] = convert(value)
        made.append(seen[known])
    return made


def _compile(dialect: Dialect, table: Table, statement: Insert, names: Sequence[str]) -> _Compiled:
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup
    assert order is not None, "both drivers take their parameters by position"
    converters = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names}
    return _Compiled(str(compiled), tuple((name, converters[name]) for name in order))
