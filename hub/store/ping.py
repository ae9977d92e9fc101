"""Whether the database answers."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub.store.store import Store


async def answers(store: Store) -> bool:
    """Whether a statement can be run."""
    try:
        async with store.reading() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        return False
    return True
