"""Counts the statements of a store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from hub.store import Store


@dataclass
class Counted:
    statements: int = 0


@asynccontextmanager
async def counted(_store: Store) -> AsyncIterator[Counted]:
    found = Counted()

    def count(*_: Any) -> None:
        found.statements += 1

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", count)
