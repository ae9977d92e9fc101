"""Whether the database answers, and what to tell a person when it does not."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import TransientError
from hub.store.store import Store


async def answers(store: Store) -> bool:
    """Whether a statement can be run."""
    try:
        await reach(store)
    except TransientError:
        return False
    return True


async def reach(store: Store) -> None:
    """Run a statement; TransientError, with the database's own words, where that cannot be done."""
    try:
        async with store.reading() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        reason = getattr(error, "orig", None) or error
        raise TransientError(f"{store.description} cannot be used: {reason}") from None
