"""Keys that sign links: made once, by whichever process asks first, and the same for all of them from then on."""

from datetime import datetime

from sqlalchemy import select

from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import signing_key


async def keep_key(connection: Connection, name: str, *, proposed: str, now: datetime) -> str:
    """The key of this name: `proposed` where there was none."""
    row = {"name": name, "key": proposed, "made_at": now}
    await connection.execute(insert_missing(connection, signing_key), row)
    kept = await connection.execute(select(signing_key.c.key).where(signing_key.c.name == name))
    return str(kept.scalar_one())
