"""Sources, bookmarks, sync runs and quarantine: what a sync remembers between and about its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.model.actions import SyncState
from hub.store.events import note_sync
from hub.store.store import Connection
from hub.store.tables import bookmark, quarantine, source, sync_run


@dataclass(frozen=True, slots=True)
class Place:
    """How far a stream has come. `complete`: a whole pull has ended at least once."""

    value: Mapping[str, Any] | None
    complete: bool


def _insert(connection: Connection, table: Table) -> Any:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


async def declare_sources(connection: Connection, connectors: Mapping[str, str]) -> None:
    """Know every configured source: {name: connector}. Sources no longer configured keep their history."""
    insert = _insert(connection, source)
    rows = [{"name": name, "connector": connector} for name, connector in connectors.items()]
    if rows:
        statement = insert.on_conflict_do_update(
            index_elements=[source.c.name], set_={"connector": insert.excluded.connector}
        )
        await connection.execute(statement, rows)


async def lock_source(
    connection: Connection, name: str, *, holder: str, now: datetime, until: datetime, dead: str | None = None
) -> str | None:
    """Take the lock of a source; None when it is ours now, else who holds it. `dead` is a holder known to be gone."""
    free = or_(
        source.c.locked_until.is_(None), source.c.locked_until < now, source.c.locked_by.in_([holder, dead or holder])
    )
    result = await connection.execute(
        update(source).where(source.c.name == name, free).values(locked_by=holder, locked_until=until)
    )
    if result.rowcount:
        return None
    return (await connection.execute(select(source.c.locked_by).where(source.c.name == name))).scalar() or "nobody"


async def keep_lock(connection: Connection, name: str, *, holder: str, until: datetime) -> bool:
    """Hold the lock for longer; False when somebody else has it by now."""
    result = await connection.execute(
        update(source).where(source.c.name == name, source.c.locked_by == holder).values(locked_until=until)
    )
    return bool(result.rowcount)


async def release_source(connection: Connection, name: str, *, holder: str) -> None:
    await connection.execute(
        update(source)
        .where(source.c.name == name, source.c.locked_by == holder)
        .values(locked_by=None, locked_until=None)
    )


async def pause_source(connection: Connection, name: str, *, until: datetime | None) -> None:
    """Note that a quota is used up until then; None: it is not."""
    await connection.execute(update(source).where(source.c.name == name).values(paused_until=until))


async def find_pause(connection: Connection, name: str) -> datetime | None:
    found: datetime | None = (
        await connection.execute(select(source.c.paused_until).where(source.c.name == name))
    ).scalar()
    return found


async def note_quotas(connection: Connection, name: str, quotas: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a sync knows of the vendor's limits: rows of name, limit, remaining, resets_at and as_of."""
    kept = [
        {key: each.isoformat() if isinstance(each, datetime) else each for key, each in row.items()} for row in quotas
    ]
    await connection.execute(update(source).where(source.c.name == name).values(quotas=kept))


async def find_bookmark(connection: Connection, name: str, stream: str) -> Place:
    row = (await connection.execute(select(bookmark).where(bookmark.c.id == f"{name}:{stream}"))).one_or_none()
    return Place(None, False) if row is None else Place(row.value, row.complete)


async def put_bookmark(
    connection: Connection, name: str, stream: str, place: Place, *, now: datetime, brought: bool = False
) -> None:
    """Note how far a stream has come; `brought`: with records that were new or had changed."""
    insert = _insert(connection, bookmark)
    row = {
        "id": f"{name}:{stream}",
        "source": name,
        "stream": stream,
        "value": place.value,
        "complete": place.complete,
        "moved_at": now,
        "brought_at": now if brought else None,
    }
    changes = {key: insert.excluded[key] for key in ("value", "complete", "moved_at")}
    changes["brought_at"] = func.coalesce(insert.excluded.brought_at, bookmark.c.brought_at)
    await connection.execute(insert.on_conflict_do_update(index_elements=[bookmark.c.id], set_=changes), [row])


async def forget_bookmarks(connection: Connection, name: str) -> int:
    """Make the next sync of a source a full one. Rows it pulls again are recognised and counted as unchanged."""
    return (await connection.execute(delete(bookmark).where(bookmark.c.source == name))).rowcount


async def start_run(connection: Connection, run_id: str, name: str, *, now: datetime) -> None:
    """Note that a sync begins; one of the same source that is still `running` was killed and becomes `interrupted`."""
    killed = update(sync_run).where(sync_run.c.source == name, sync_run.c.state == SyncState.RUNNING)
    killed = killed.values(state=SyncState.INTERRUPTED.value, finished_at=now)
    for id_ in (await connection.execute(killed.returning(sync_run.c.id))).scalars().all():
        await note_sync(connection, id_, change="ended", at=now)
    row = dict.fromkeys(("pulled", "new", "changed", "unchanged", "quarantined"), 0)
    await connection.execute(
        sync_run.insert(),
        [{"id": run_id, "source": name, "state": SyncState.RUNNING.value, "started_at": now, "streams": {}, **row}],
    )
    await connection.execute(update(source).where(source.c.name == name).values(last_run_id=run_id))
    await note_sync(connection, run_id, change="started", at=now)


async def save_run(
    connection: Connection,
    run_id: str,
    *,
    streams: Mapping[str, Mapping[str, Any]],
    state: SyncState = SyncState.RUNNING,
    error: str | None = None,
    finished_at: datetime | None = None,
    whole: bool = True,
) -> None:
    """Write a run's counts per stream, their sums, and how it stands. whole: of all streams, which alone is a success."""
    sums = {
        name: sum(counts[name] for counts in streams.values())
        for name in ("pulled", "new", "changed", "unchanged", "quarantined")
    }
    await connection.execute(
        update(sync_run)
        .where(sync_run.c.id == run_id)
        .values(streams=dict(streams), state=state.value, error=error, finished_at=finished_at, **sums)
    )
    if finished_at is not None:
        await note_sync(connection, run_id, change="ended", at=finished_at)
    if state is SyncState.SUCCEEDED and whole:
        of_run = select(sync_run.c.source).where(sync_run.c.id == run_id).scalar_subquery()
        await connection.execute(update(source).where(source.c.name == of_run).values(last_succeeded_at=finished_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How a source stands: its lock, its pause, its last run (None where it never ran) and what waits in quarantine."""

    name: str
    connector: str
    locked_by: str | None
    locked_until: datetime | None
    paused_until: datetime | None
    last_succeeded_at: datetime | None
    in_quarantine: int
    run_state: str | None
    run_started_at: datetime | None
    run_finished_at: datetime | None
    run_streams: Mapping[str, Mapping[str, Any]] | None
    run_error: str | None
    quotas: Sequence[Mapping[str, Any]] | None


async def find_sources(connection: Connection) -> list[SourceState]:
    """Every source the store knows, by name."""
    waiting = select(quarantine.c.source, func.count().label("waiting")).group_by(quarantine.c.source).subquery()
    of_source = ("name", "connector", "locked_by", "locked_until", "paused_until", "last_succeeded_at", "quotas")
    of_run = ("state", "started_at", "finished_at", "streams", "error")
    statement = (
        select(
            *(source.c[name] for name in of_source),
            func.coalesce(waiting.c.waiting, 0).label("in_quarantine"),
            *(sync_run.c[name].label(f"run_{name}") for name in of_run),
        )
        .outerjoin(sync_run, sync_run.c.id == source.c.last_run_id)
        .outerjoin(waiting, waiting.c.source == source.c.name)
        .order_by(source.c.name)
    )
    return [SourceState(**row) for row in (await connection.execute(statement)).mappings()]
