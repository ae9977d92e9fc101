"""How addresses fare that may be disabled, such as webhooks: failing since when, disabled or not. No row: never failed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, literal, select, update

from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import delivery_endpoint as endpoint
from hub.store.tables.base import UtcDateTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`failures` in a row, the first at `failing_since` and the newest for `error`."""

    id: str
    channel: str
    address: str
    failures: int
    failing_since: datetime | None = None
    error: str | None = None
    disabled_at: datetime | None = None
    enabled_at: datetime | None = None
    enabled_by: str | None = None


def endpoint_id(channel: str, address: str) -> str:
    return f"{channel}:{address}"


async def note_failure(connection: Connection, channel: str, address: str, *, error: str, now: datetime) -> Endpoint:
    """One more failure; return how it stands now."""
    id_ = endpoint_id(channel, address)
    row = {"id": id_, "channel": channel, "address": address, "failures": 0}
    await connection.execute(insert_missing(connection, endpoint), [row])
    await connection.execute(
        update(endpoint)
        .where(endpoint.c.id == id_)
        .values(
            failures=endpoint.c.failures + 1,
            failing_since=func.coalesce(endpoint.c.failing_since, literal(now, UtcDateTime())),
            error=error,
        )
    )
    (found,) = await find_endpoints(connection, ids=[id_])
    return found


async def note_success(connection: Connection, ids: Collection[str]) -> None:
    """They work, so whatever was is over; nothing is written where nothing was."""
    if ids:
        await connection.execute(
            update(endpoint)
            .where(endpoint.c.id.in_(list(ids)), endpoint.c.failures > 0, endpoint.c.disabled_at.is_(None))
            .values(failures=0, failing_since=None, error=None)
        )


async def disable(connection: Connection, id_: str, *, now: datetime) -> bool:
    """Whether it was this call that disabled it."""
    statement = update(endpoint).where(endpoint.c.id == id_, endpoint.c.disabled_at.is_(None)).values(disabled_at=now)
    return (await connection.execute(statement)).rowcount == 1


async def enable(connection: Connection, id_: str, *, by: str, now: datetime) -> bool:
    """Whether it was disabled before; its failures are forgotten."""
    statement = (
        update(endpoint)
        .where(endpoint.c.id == id_, endpoint.c.disabled_at.is_not(None))
        .values(failures=0, failing_since=None, error=None, disabled_at=None, enabled_at=now, enabled_by=by)
    )
    return (await connection.execute(statement)).rowcount == 1


async def find_endpoints(
    connection: Connection, *, ids: Iterable[str] | None = None, disabled: bool | None = None
) -> list[Endpoint]:
    """Endpoints that have ever failed, by name."""
    statement = select(endpoint).order_by(endpoint.c.id)
    if ids is not None:
        statement = statement.where(endpoint.c.id.in_(list(ids)))
    if disabled is not None:
        at = endpoint.c.disabled_at
        statement = statement.where(at.is_not(None) if disabled else at.is_(None))
    return [_endpoint(row) for row in await connection.execute(statement)]


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(**{name: row._mapping[name] for name in Endpoint.__dataclass_fields__})
