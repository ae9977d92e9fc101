"""What a merge of two customers moves, and what undoing it moves back: set-wise, and exactly.

What happens to what was the merged customer's:

    evidence, and every record of a source   moves; undone, what that evidence says moves back
    notes, and calls that are open           move, as people are to see them; undone, those very ones move back
    customers below it, or merged into it    are below, or part of, the other; undone, they are what they were
    open runs of playbooks                   are cancelled, with what they had reserved: they speak to a customer that is no
                                             more. Undoing does not start them again
    scorecards, predictions, lifecycle, renewals, opportunities, onboardings, finished runs, messages, closed calls,
    statements, snoozes, assignments         stay what they are, of a customer that is not shown while it is part of
                                             another: on their days it was one. Statements and rests count for the other
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, select, update

from hub.model.actions import AlertState, ApprovalState
from hub.store import approvals, withdrawals
from hub.store.among import among
from hub.store.events import note_alerts
from hub.store.runs import cancel
from hub.store.store import Connection
from hub.store.tables import RECORD_TABLES, alert, customer, customer_merge, external_id, note

LINKED = [table for table in RECORD_TABLES.values() if table is not external_id]
MERGED = "merged"
"""How evidence that created a customer was decided once that customer is part of another, whose profile it is not."""
_MOVING: Mapping[str, tuple[Table, tuple[ColumnElement[bool], ...]]] = {
    "notes": (note, ()),
    "alerts": (alert, (alert.c.state != AlertState.CLOSED.value,)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A merge on record. moved: {notes, alerts, children: ids, below: whether the kept one was below the merged one}."""

    id: str
    kept_id: str
    merged_id: str
    reason: str
    by: str
    at: datetime
    evidence: Sequence[str]
    moved: Mapping[str, Any]
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer, and the one it is part of."""

    id: str
    name: str
    merged_into_id: str | None


async def find_standing(connection: Connection, ids: Sequence[str]) -> dict[str, Standing]:
    """Those of the customers that there are, locked in one order until the transaction ends."""
    row = customer.c
    statement = select(row.id, row.name, row.merged_into_id).where(row.id.in_(ids)).order_by(row.id).with_for_update()
    return {each.id: Standing(*each) for each in await connection.execute(statement)}


async def find_merge(connection: Connection, id_: str) -> Merge | None:
    columns = [customer_merge.c[name] for name in Merge.__dataclass_fields__]
    row = (await connection.execute(select(*columns).where(customer_merge.c.id == id_))).mappings().one_or_none()
    return None if row is None else Merge(**row)


async def find_parts(connection: Connection) -> dict[str, str]:
    """{merged: kept} of all merges that stand."""
    row = customer_merge.c
    found = await connection.execute(select(row.merged_id, row.kept_id).where(row.undone_at.is_(None)))
    return {each.merged_id: each.kept_id for each in found}


async def find_moving(connection: Connection, merged_id: str, kept_id: str) -> tuple[list[str], dict[str, Any]]:
    """The evidence of a customer, and what else of it moves, as `Merge` keeps them."""
    statement = select(external_id.c.id).where(external_id.c.customer_id == merged_id).order_by(external_id.c.id)
    evidence = list((await connection.execute(statement)).scalars())
    moved: dict[str, Any] = {}
    for name, (table, tests) in _MOVING.items():
        chosen = select(table.c.id).where(table.c.customer_id == merged_id, *tests).order_by(table.c.id)
        moved[name] = list((await connection.execute(chosen)).scalars())
    below = select(customer.c.id).where(customer.c.parent_id == merged_id).order_by(customer.c.id)
    children = list((await connection.execute(below)).scalars())
    return evidence, {
        **moved,
        "children": [each for each in children if each != kept_id],
        "below": kept_id in children,
    }


async def add_merge(connection: Connection, made: Merge) -> None:
    row = {name: getattr(made, name) for name in Merge.__dataclass_fields__}
    await connection.execute(customer_merge.insert(), [{**row, "evidence": list(made.evidence)}])


async def end_merge(connection: Connection, id_: str, *, by: str, now: datetime) -> None:
    await connection.execute(
        update(customer_merge).where(customer_merge.c.id == id_).values(undone_at=now, undone_by=by)
    )


async def point_evidence(
    connection: Connection, ids: Sequence[str], *, source_of: str, target: str | None
) -> dict[str, int]:
    """Make evidence of one customer another's, and every record with it; return {kind: how many}."""
    chosen = and_(among(connection, external_id.c.id, ids), external_id.c.customer_id == source_of)
    await connection.execute(update(external_id).where(chosen).values(customer_id=target))
    return await link_evidence(connection, ids)


async def link_evidence(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Point every record of this evidence at the customer of it; return {kind: how many moved}."""
    moved: dict[str, int] = {}
    for table in LINKED:
        result = await connection.execute(
            update(table)
            .values(customer_id=external_id.c.customer_id)
            .where(
                external_id.c.source == table.c.source,
                external_id.c.key == table.c.company_key,
                among(connection, external_id.c.id, ids),
                table.c.customer_id.is_distinct_from(external_id.c.customer_id),
            )
        )
        if result.rowcount:
            moved[table.name] = result.rowcount
    return moved


async def rename_method(connection: Connection, ids: Sequence[str], *, before: str, after: str) -> None:
    """How evidence was decided, from one word to another."""
    which = and_(among(connection, external_id.c.id, ids), external_id.c.method == before)
    await connection.execute(update(external_id).where(which).values(method=after))


async def find_evidence_of(connection: Connection, kept_ids: Sequence[str]) -> set[str]:
    """What the merges into these customers that stand brought them."""
    row = customer_merge.c
    statement = select(row.evidence).where(among(connection, row.kept_id, kept_ids), row.undone_at.is_(None))
    return {each for ids in (await connection.execute(statement)).scalars() for each in ids}


async def find_learned(connection: Connection, customer_id: str, *, since: datetime) -> list[str]:
    """Evidence of a customer that rules, not people, have matched with it since."""
    row = external_id.c
    statement = select(row.id).where(
        row.customer_id == customer_id,
        row.decided_at >= since,
        row.decided_by.is_(None),
        row.method.in_(["map", "external", "domain"]),
    )
    return list((await connection.execute(statement)).scalars())


async def open_again(connection: Connection, ids: Sequence[str], *, reason: str) -> None:
    """Make evidence nobody's, and its records, until it is decided anew."""
    blank = {"method": None, "candidates": None, "decided_at": None, "decided_by": None}
    values = {"customer_id": None, "state": "unmatched", "reason": reason, **blank}
    await connection.execute(update(external_id).where(among(connection, external_id.c.id, ids)).values(**values))
    await link_evidence(connection, ids)


async def move_rows(
    connection: Connection, moved: Mapping[str, Any], *, source_of: str, target: str, now: datetime
) -> None:
    """Notes and calls of one customer become another's."""
    for name, (table, _) in _MOVING.items():
        which = and_(among(connection, table.c.id, moved.get(name, ())), table.c.customer_id == source_of)
        await connection.execute(update(table).where(which).values(customer_id=target))
    if calls := moved.get("alerts"):
        which = and_(among(connection, alert.c.id, calls), alert.c.customer_id == target)
        await note_alerts(connection, which, change="changed", at=now)


async def set_part_of(connection: Connection, ids: Sequence[str], *, target: str | None, now: datetime) -> None:
    """Of which customer these are part."""
    which = among(connection, customer.c.id, ids)
    await connection.execute(update(customer).where(which).values(merged_into_id=target, updated_at=now))


async def set_parent(connection: Connection, ids: Sequence[str], *, before: str | None, after: str | None) -> None:
    """Below whom these customers are, where they still are below `before`."""
    which = and_(among(connection, customer.c.id, ids), customer.c.parent_id.is_not_distinct_from(before))
    await connection.execute(update(customer).where(which).values(parent_id=after))


async def end_runs(connection: Connection, customer_id: str, *, why: str, by: str, now: datetime) -> int:
    """Cancel the open runs of a customer, and what they wait to send; return how many."""
    ended = await cancel(connection, customer_id=customer_id, error=why, now=now)
    await approvals.settle(connection, ApprovalState.CANCELLED, run_ids=ended, by=by, now=now)
    await withdrawals.withdraw_of_runs(connection, ended, reason=why)
    return len(ended)
