"""Playbook runs and what they did at each step: rows that move by their fence."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.model.actions import Run, RunState, Step
from hub.store.among import among
from hub.store.asking import Asking, several
from hub.store.bulk import insert_new, write_rows
from hub.store.events import note_runs
from hub.store.rests import claim
from hub.store.run_rows import RUN_COLUMNS, run_of
from hub.store.store import Connection
from hub.store.tables import playbook_definition, playbook_run, playbook_step

BATCH = 500
OPEN = (RunState.RUNNING.value, RunState.WAITING.value, RunState.PAUSED.value)
_BEGUN = case((playbook_run.c.state == RunState.HELD_OUT.value, "ended"), else_="started")
_MOVED_TO = case(
    (and_(playbook_run.c.state == RunState.WAITING.value, playbook_run.c.awaits == "approval"), "awaits_approval"),
    (playbook_run.c.state == RunState.WAITING.value, "waits"),
    (playbook_run.c.state == RunState.PAUSED.value, "paused"),
    else_="ended",
)
"""What became of a run, as the log of events says it."""
MOVED = ("step", "state", "wake_at", "awaits", "since", "error", "updated_at", "finished_at")


def insert_missing(connection: Connection, table: Table) -> Any:
    """INSERT that leaves rows alone whose key is there already."""
    insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    return insert.on_conflict_do_nothing()


async def insert(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    *,
    definitions: Sequence[Mapping[str, Any]] = (),
    rested_since: datetime | None = None,
    force: bool = False,
) -> list[str]:
    """Add runs of one playbook; return the ids of those that are new. A playbook, customer and episode make one run, ever.

    definitions   rows of `playbook_definition` that the runs name by their hash; each is kept once
    rested_since  no run begins for a customer whose newest one began later, whichever process began it; None: it never
                  rests
    force         but that they begin all the same
    """
    if not rows:
        return []
    if definitions:
        await connection.execute(insert_missing(connection, playbook_definition), list(definitions))
    new = set(await insert_new(connection, playbook_run, rows))
    if rested_since is not None and new:
        got = await claim(connection, [row for row in rows if row["id"] in new], rested_since=rested_since, force=force)
        late = sorted(new - got)
        for start in range(0, len(late), BATCH):
            await connection.execute(delete(playbook_run).where(playbook_run.c.id.in_(late[start : start + BATCH])))
        new &= got
    if new:
        await note_runs(connection, among(connection, playbook_run.c.id, new), change=_BEGUN, at=rows[0]["started_at"])
    return sorted(new)


async def find_runs(
    connection: Connection,
    *,
    ids: Iterable[str] | None = None,
    customer_ids: Iterable[str] | None = None,
    playbook: str | None = None,
    states: Iterable[RunState] | None = None,
    episode: str | None = None,
    limit: int | None = None,
) -> list[Run]:
    """Runs that meet everything asked, newest first."""
    asked = _RUNS.of(
        ids=ids,
        customer_ids=customer_ids,
        playbook=playbook,
        episode=episode,
        states=None if states is None else [state.value for state in states],
        limit=limit,
    )
    return [run_of(row) for row in await connection.execute(*asked)]


_RUNS = Asking(
    select(*RUN_COLUMNS)
    .outerjoin(playbook_definition, playbook_definition.c.hash == playbook_run.c.definition_hash)
    .order_by(playbook_run.c.started_at.desc(), playbook_run.c.id),
    ids=playbook_run.c.id.in_(several("ids")),
    customer_ids=playbook_run.c.customer_id.in_(several("customer_ids")),
    playbook=playbook_run.c.playbook == bindparam("playbook"),
    episode=playbook_run.c.episode == bindparam("episode"),
    states=playbook_run.c.state.in_(several("states")),
)


async def lock(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[int, RunState]]:
    """{id: (fence, state)}, held until the transaction ends."""
    return {row.id: (row.fence, RunState(row.state)) for row in await connection.execute(_LOCK, {"ids": list(ids)})}


_LOCK = (
    select(playbook_run.c.id, playbook_run.c.fence, playbook_run.c.state)
    .where(playbook_run.c.id.in_(several("ids")))
    .order_by(playbook_run.c.id)
    .with_for_update()
)


_MOVE = (
    update(playbook_run)
    .where(playbook_run.c.id == bindparam("run"))
    .values({name: bindparam(f"new_{name}", type_=playbook_run.c[name].type) for name in MOVED})
    .values(fence=playbook_run.c.fence + 1)
)


async def move(connection: Connection, moves: Sequence[Mapping[str, Any]]) -> None:
    """Write what MOVED names of runs held by `lock`; what a move leaves out is NULL. Fences go up by one."""
    if not moves:
        return
    rows = [{"run": each["id"], **{f"new_{name}": each.get(name) for name in MOVED}} for each in moves]
    await connection.execute(_MOVE, rows)
    told = [each["id"] for each in moves if each["state"] != RunState.RUNNING]  # not of every step in between
    if told:
        at = max(each["updated_at"] for each in moves)
        await note_runs(connection, among(connection, playbook_run.c.id, told), change=_MOVED_TO, at=at)


async def insert_steps(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    await write_rows(connection, playbook_step, rows, replace=False)


async def find_steps(connection: Connection, run_ids: Iterable[str]) -> list[Step]:
    """Steps of runs, in order."""
    statement = (
        select(playbook_step)
        .where(playbook_step.c.run_id.in_(list(run_ids)))
        .order_by(playbook_step.c.run_id, playbook_step.c.index)
    )
    names = Step.__dataclass_fields__
    return [
        Step(**{name: row._mapping[name] for name in names})  # one name a column
        for row in await connection.execute(statement)
    ]


async def hasten(
    connection: Connection,
    *,
    awaits: str,
    now: datetime,
    ids: Iterable[str] | None = None,
    customer_id: str | None = None,
) -> list[tuple[str, int]]:
    """Wake runs that await something that may have come, now instead of later; return (id, fence) of them."""
    due = (
        playbook_run.c.state == RunState.WAITING.value,
        playbook_run.c.awaits == awaits,
        playbook_run.c.wake_at > now,
        *(() if ids is None else (playbook_run.c.id.in_(list(ids)),)),
        *(() if customer_id is None else (playbook_run.c.customer_id == customer_id,)),
    )
    statement = update(playbook_run).where(_locked(*due)).values(wake_at=now)
    found = await connection.execute(statement.returning(playbook_run.c.id, playbook_run.c.fence))
    return sorted((row.id, row.fence) for row in found)


async def cancel_all(connection: Connection, *, playbook: str | None, error: str, now: datetime) -> list[str]:
    """End the open runs of a playbook (None: of all); return which."""
    tests = () if playbook is None else (playbook_run.c.playbook == playbook,)
    return await _cancel(connection, *tests, error=error, now=now)


async def cancel(
    connection: Connection,
    *,
    ids: Iterable[str] | None = None,
    customer_id: str | None = None,
    error: str,
    now: datetime,
) -> list[str]:
    """End those of these runs, or of a customer's, that are open; return which."""
    tests = [] if customer_id is None else [playbook_run.c.customer_id == customer_id]
    if ids is not None:
        tests.append(among(connection, playbook_run.c.id, ids))
    assert tests, "nobody's runs are nobody's to cancel"
    return await _cancel(connection, *tests, error=error, now=now)


async def _cancel(connection: Connection, *tests: ColumnElement[bool], error: str, now: datetime) -> list[str]:
    statement = update(playbook_run).where(_locked(playbook_run.c.state.in_(OPEN), *tests))
    ended = {"state": RunState.CANCELLED.value, "error": error, "wake_at": None, "updated_at": now, "finished_at": now}
    statement = statement.values(**ended, fence=playbook_run.c.fence + 1)
    cancelled = sorted((await connection.execute(statement.returning(playbook_run.c.id))).scalars())
    if cancelled:
        await note_runs(connection, among(connection, playbook_run.c.id, cancelled), change=_MOVED_TO, at=now)
    return cancelled


def _locked(*clauses: ColumnElement[bool]) -> ColumnElement[bool]:
    """These runs, locked in the order in which `lock` does: two that take many in orders of their own wait for each other."""
    chosen = select(playbook_run.c.id).where(*clauses).order_by(playbook_run.c.id).with_for_update()
    return playbook_run.c.id.in_(chosen)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a playbook that open runs still follow, and the steps they stand at."""

    hash: str
    version: int
    definition: Mapping[str, Any]
    places: tuple[int, ...]


async def find_versions(connection: Connection, *, playbook: str, but: str) -> list[Version]:
    """Versions of a playbook with open runs, but for the one of that hash."""
    kept = playbook_definition.c
    statement = (
        select(kept.hash, playbook_run.c.step)
        .join(playbook_definition, kept.hash == playbook_run.c.definition_hash)
        .where(playbook_run.c.playbook == playbook, playbook_run.c.state.in_(OPEN), kept.hash != but)
        .distinct()
        .order_by(kept.hash, playbook_run.c.step)
    )
    places: dict[str, list[int]] = {}
    for row in await connection.execute(statement):
        places.setdefault(row.hash, []).append(row.step)
    found = await connection.execute(select(playbook_definition).where(kept.hash.in_(list(places))))
    return [Version(row.hash, row.version, row.definition, tuple(places[row.hash])) for row in found]


async def change_version(
    connection: Connection, *, playbook: str, old: str, places: Iterable[int], new: Mapping[str, Any]
) -> int:
    """Open runs of the version `old` that stand at `places` follow `new`, a row of playbook_definition; return how many.

    Their fences go up, so that a move decided by the old version comes too late; the sweep wakes them.
    """
    await connection.execute(insert_missing(connection, playbook_definition), [dict(new)])
    statement = (
        update(playbook_run)
        .where(
            playbook_run.c.playbook == playbook,
            playbook_run.c.definition_hash == old,
            playbook_run.c.step.in_(list(places)),
            playbook_run.c.state.in_(OPEN),
        )
        .values(definition_hash=new["hash"], playbook_version=new["version"], fence=playbook_run.c.fence + 1)
    )
    return len((await connection.execute(statement.returning(playbook_run.c.id))).scalars().all())


async def find_awaiting(connection: Connection, run_ids: Collection[str], *, awaits: str) -> list[str]:
    """Which of these runs await this."""
    return sorted((await connection.execute(_AWAITING, {"ids": list(run_ids), "what": awaits})).scalars())


_AWAITING = select(playbook_run.c.id).where(
    playbook_run.c.id.in_(several("ids")), playbook_run.c.awaits == bindparam("what")
)


async def find_overdue(
    connection: Connection, *, woken_by: datetime, moved_by: datetime, but: Collection[str] = ()
) -> list[tuple[str, int]]:
    """(id, fence) of runs that should have moved: waiting beyond `woken_by`, or running and not moved since `moved_by`.

    but  playbooks whose runs are left alone
    """
    statement = select(playbook_run.c.id, playbook_run.c.fence).where(
        or_(
            and_(playbook_run.c.state == RunState.WAITING.value, playbook_run.c.wake_at <= woken_by),
            and_(playbook_run.c.state == RunState.RUNNING.value, playbook_run.c.updated_at <= moved_by),
        )
    )
    statement = statement.where(playbook_run.c.playbook.not_in(list(but))).order_by(playbook_run.c.id)
    return [(row.id, row.fence) for row in await connection.execute(statement)]


async def find_first(connection: Connection, *, playbook: str, since: datetime) -> tuple[datetime | None, int]:
    """When the first run of a playbook began, None where it never ran; and how many began `since` a moment."""
    begun = playbook_run.c.started_at
    late = func.count(case((begun >= since, 1)))
    row = (await connection.execute(select(func.min(begun), late).where(playbook_run.c.playbook == playbook))).one()
    return row[0], int(row[1])
