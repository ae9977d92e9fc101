"""The definitions of health that scorecards were made by, one a hash, so that an old scorecard can be explained exactly."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.store import Connection
from hub.store.tables import health_definition


async def keep_definition(
    connection: Connection, definition_hash: str, content: Mapping[str, Any], *, now: datetime
) -> None:
    """Keep `content` as the definition of the hash; one that is kept already stays as it is."""
    insert = (
        sqlite.insert(health_definition)
        if connection.dialect.name == "sqlite"
        else postgresql.insert(health_definition)
    )
    statement = insert.on_conflict_do_nothing(index_elements=[health_definition.c.hash])
    await connection.execute(statement, [{"hash": definition_hash, "content": dict(content), "kept_at": now}])


async def find_definitions(connection: Connection, hashes: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """{hash: content} of those that are kept."""
    wanted = sorted(set(hashes))
    rows = await connection.execute(
        select(health_definition.c.hash, health_definition.c.content).where(health_definition.c.hash.in_(wanted))
    )
    return {row.hash: row.content for row in rows}
