"""Who a playbook leaves alone: the look before a firing, and the claim that decides when two processes fire at once.

A look says whom it is no use to ask for. What it does not see, because another process commits between the look and the
firing, the claim does: one row a playbook and customer, which only changes where the rest since the run before is over. The
second of two waits for the first and then finds the rest begun, on both databases and whatever set either off.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Subquery, Text, bindparam, cast, func, or_, select
from sqlalchemy.dialects import sqlite

from hub.model.actions import RunState
from hub.store.among import among
from hub.store.arrays import insert_arrays
from hub.store.store import Connection
from hub.store.tables import customer, playbook_rest, playbook_run
from hub.store.tables.base import UtcDateTime

OPEN_STATES = (RunState.RUNNING, RunState.WAITING, RunState.PAUSED)
BATCH = 500


def _resting() -> Subquery:
    # the cast is for SQLite, which indexes what it joins to only where it knows that both are texts
    who = cast(func.coalesce(customer.c.merged_into_id, customer.c.id), Text)
    return (
        select(who.label("id"), func.max(playbook_run.c.started_at).label("started_at"))
        .join_from(playbook_run, customer, customer.c.id == playbook_run.c.customer_id)
        .where(*_of(bindparam("playbook"), bindparam("rested_since", type_=UtcDateTime())))
        .group_by(who)
        .subquery("resting")
    )


async def find_resting(
    connection: Connection, *, playbook: str, customer_ids: Iterable[str], rested_since: datetime
) -> dict[str, datetime]:
    """{customer id: start of its newest run} for customers that `playbook` has to leave alone."""
    found: dict[str, datetime] = {}
    wanted = sorted(set(customer_ids))
    who = func.coalesce(customer.c.merged_into_id, customer.c.id)
    for start in range(0, len(wanted), BATCH):
        ids = wanted[start : start + BATCH]
        them = select(customer.c.id).where(or_(customer.c.id.in_(ids), customer.c.merged_into_id.in_(ids)))
        statement = (
            select(who.label("id"), func.max(playbook_run.c.started_at).label("started_at"))
            .join_from(playbook_run, customer, customer.c.id == playbook_run.c.customer_id)
            .where(playbook_run.c.customer_id.in_(them), *_of(playbook, rested_since))
            .group_by(who)
        )
        found |= {row.id: row.started_at for row in await connection.execute(statement)}
    return found


def _of(
    playbook: str | BindParameter[str], rested_since: datetime | BindParameter[datetime]
) -> tuple[ColumnElement[bool], ...]:
    is_open = playbook_run.c.state.in_([state.value for state in OPEN_STATES])
    return (playbook_run.c.playbook == playbook, or_(playbook_run.c.started_at > rested_since, is_open))


RESTING = _resting()
"""{id, started_at} of customers with a run of the playbook `:playbook` that began after `:rested_since` or is open still.

A run of a customer that was merged into another since counts for that other one.
"""


async def claim(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, rested_since: datetime, force: bool = False
) -> set[str]:
    """Begin the rest of each customer for its run; return the runs that got it: the others came too late.

    rows   runs that are to begin, of one playbook. Several of one customer: the first of them
    force  also for those that rest; with several of one customer all get it
    """
    wanted: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        wanted.setdefault(row["customer_id"], row)
    # in one order everywhere, so that nobody waits in a circle
    claims = [
        {name: wanted[id_][name] for name in ("playbook", "customer_id", "started_at")} | {"run_id": wanted[id_]["id"]}
        for id_ in sorted(wanted)
    ]

    def begin(insert: Any, since: Any) -> Any:
        return insert.on_conflict_do_update(
            index_elements=[playbook_rest.c.playbook, playbook_rest.c.customer_id],
            set_={"started_at": insert.excluded.started_at, "run_id": insert.excluded.run_id},
            where=None if force else playbook_rest.c.started_at <= since,
        )

    if connection.dialect.name == "postgresql":
        since = bindparam("since", type_=UtcDateTime)
        got = set(
            await insert_arrays(
                connection,
                playbook_rest,
                claims,
                lambda insert: begin(insert, since),
                playbook_rest.c.run_id,
                key="force" if force else "begin",
                given={} if force else {"since": rested_since},
            )
        )
    else:
        await connection.execute(begin(sqlite.insert(playbook_rest), rested_since), claims)
        resting = select(playbook_rest.c.run_id).where(
            playbook_rest.c.playbook == rows[0]["playbook"], among(connection, playbook_rest.c.customer_id, wanted)
        )
        got = set((await connection.execute(resting)).scalars()) & {each["run_id"] for each in claims}
    return {row["id"] for row in rows} if force else got
