"""Secrets at rest, as they are stored: encrypted texts under their names. What is in them, only `hub.access.vault` can say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, create_engine, delete, select, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from hub.store.engine_database import driven
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import stored_secret
from hub.store.urls import parse_url


@dataclass(frozen=True, slots=True)
class Stored:
    """A secret without what is in it. key_id: which key it is encrypted with."""

    name: str
    key_id: str
    set_at: datetime
    set_by: str


async def put(connection: Connection, name: str, *, token: str, key_id: str, by: str, now: datetime) -> bool:
    """Keep a secret in the place of the one of this name; whether there was none."""
    row = {"name": name, "token": token, "key_id": key_id, "set_at": now, "set_by": by}
    made = await connection.execute(insert_missing(connection, stored_secret).returning(stored_secret.c.name), row)
    if made.first() is not None:
        return True
    await connection.execute(update(stored_secret).where(stored_secret.c.name == name).values(row))
    return False


async def remove(connection: Connection, name: str) -> bool:
    return bool((await connection.execute(delete(stored_secret).where(stored_secret.c.name == name))).rowcount)


async def find_stored(connection: Connection) -> list[Stored]:
    """All of them by name, without their tokens."""
    c = stored_secret.c
    statement = select(c.name, c.key_id, c.set_at, c.set_by).order_by(c.name)
    return [Stored(*row) for row in await connection.execute(statement)]


async def find_tokens(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """{name: token} of those of these there are."""
    c = stored_secret.c
    rows = await connection.execute(select(c.name, c.token).where(c.name.in_(list(names))))
    return {row.name: row.token for row in rows}


async def lock_tokens(connection: Connection) -> dict[str, str]:
    """{name: token} of all, held until the transaction ends."""
    c = stored_secret.c
    rows = await connection.execute(select(c.name, c.token).order_by(c.name).with_for_update())
    return {row.name: row.token for row in rows}


async def replace_tokens(connection: Connection, tokens: Mapping[str, str], *, key_id: str) -> None:
    """Every token anew; who set what when stays as it is."""
    if tokens:
        statement = (
            update(stored_secret)
            .where(stored_secret.c.name == bindparam("at"))
            .values(token=bindparam("new"), key_id=key_id)
        )
        await connection.execute(statement, [{"at": name, "new": token} for name, token in tokens.items()])


def read_tokens(url: str | URL) -> dict[str, str]:
    """{name: token} of all, read at once and without an event loop: a configuration is read before one runs.

    A store that cannot be read has none; what is missing is told by whoever needs it.
    """
    made = parse_url(url)
    if made.get_backend_name() == "sqlite" and not Path(made.database or "").is_file():
        return {}  # to connect would make one
    engine = create_engine(driven(made))
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(stored_secret.c.name, stored_secret.c.token))
            return {row.name: row.token for row in rows}
    except DBAPIError:
        return {}
    finally:
        engine.dispose()
