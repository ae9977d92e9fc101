"""Approvals: a person's word that a run waits for, asked for once a step and given once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from hub.model.actions import Approval, ApprovalState
from hub.store.asking import Asking, several
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import approval


async def ask(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Ask; who was asked already is not asked again."""
    if rows:
        await connection.execute(insert_missing(connection, approval), list(rows))


async def find_approvals(
    connection: Connection,
    *,
    run_ids: Iterable[str] | None = None,
    states: Iterable[ApprovalState] | None = None,
    limit: int | None = None,
) -> list[Approval]:
    """Approvals that meet everything asked, newest first."""
    asked = _APPROVALS.of(
        run_ids=run_ids, states=None if states is None else [state.value for state in states], limit=limit
    )
    return [_approval(row) for row in await connection.execute(*asked)]


_APPROVALS = Asking(
    select(approval).order_by(approval.c.asked_at.desc(), approval.c.id),
    run_ids=approval.c.run_id.in_(several("run_ids")),
    states=approval.c.state.in_(several("states")),
)


async def settle(
    connection: Connection,
    state: ApprovalState,
    *,
    now: datetime,
    ids: Iterable[str] | None = None,
    run_ids: Iterable[str] | None = None,
    by: str | None = None,
    note: str | None = None,
) -> list[str]:
    """Give open approvals their answer; return which were still open."""
    statement = update(approval).where(approval.c.state == ApprovalState.OPEN.value)
    if ids is not None:
        statement = statement.where(approval.c.id.in_(list(ids)))
    if run_ids is not None:
        statement = statement.where(approval.c.run_id.in_(list(run_ids)))
    statement = statement.values(state=state.value, decided_at=now, decided_by=by, note=note)
    return sorted((await connection.execute(statement.returning(approval.c.id))).scalars())


def _approval(row: Row[Any]) -> Approval:
    known = row._mapping
    values = {name: known[name] for name in Approval.__dataclass_fields__}
    return Approval(**{**values, "state": ApprovalState(values["state"])})
