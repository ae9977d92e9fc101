"""Who was kept untreated by which playbook: what was drawn, and what has become of both groups since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import JSON, ColumnElement, Table, case, func, select, type_coerce

from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import alert, approval, delivery, playbook_assignment, playbook_run, scorecard, vote

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What the lot said of a customer, from its first eligibility of a period on; `run_id` is of that."""

    customer_id: str
    arm: str
    since: datetime
    run_id: str


async def find_assignments(
    connection: Connection, *, playbook: str, since: datetime, customer_ids: Iterable[str] | None = None
) -> dict[str, Assignment]:
    """{customer id: its newest assignment}, of those drawn after `since`. None: of all customers."""
    row = playbook_assignment.c
    statement = (
        select(row.customer_id, row.arm, row.since, row.run_id)
        .where(row.playbook == playbook, row.since > since)
        .order_by(row.since, row.id)
    )
    if customer_ids is None:
        return {each.customer_id: _assignment(each) for each in await connection.execute(statement)}
    found: dict[str, Assignment] = {}
    wanted = sorted(set(customer_ids))
    for start in range(0, len(wanted), BATCH):
        ids = wanted[start : start + BATCH]
        rows = await connection.execute(statement.where(row.customer_id.in_(ids)))
        found |= {each.customer_id: _assignment(each) for each in rows}
    return found


def _assignment(row: Any) -> Assignment:
    return Assignment(customer_id=row.customer_id, arm=row.arm, since=row.since, run_id=row.run_id)


async def insert_assignments(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was drawn; after the runs that they name. One that is there already stays."""
    if rows:
        await connection.execute(insert_missing(connection, playbook_assignment), list(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A customer in an experiment: what the lot said, and the facts at its first eligibility."""

    customer_id: str
    arm: str
    on: date
    facts: Mapping[str, Any]


async def find_units(connection: Connection, *, playbook: str) -> list[Unit]:
    """Every assignment of a playbook, oldest first; each period of a customer is one."""
    row, run = playbook_assignment.c, playbook_run.c
    statement = (
        select(row.customer_id, row.arm, row.since, run.facts)
        .join(playbook_run, run.id == row.run_id)
        .where(row.playbook == playbook)
        .order_by(row.since, row.customer_id)
    )
    return [
        Unit(customer_id=each.customer_id, arm=each.arm, on=each.since.date(), facts=each.facts or {})
        for each in await connection.execute(statement)
    ]


async def count_crossed(connection: Connection, *, playbook: str) -> int:
    """Held-out customers that the playbook treated all the same, by hand, within their period."""
    row, run = playbook_assignment.c, playbook_run.c
    statement = (
        select(func.count(row.customer_id.distinct()))
        .join(playbook_run, (run.customer_id == row.customer_id) & (run.playbook == row.playbook))
        .where(row.playbook == playbook, row.arm == "held_out", run.cause == "hand", run.started_at >= row.since)
    )
    return int((await connection.execute(statement)).scalar() or 0)


@dataclass(frozen=True, slots=True)
class After:
    """The first scorecard of a customer in some days: health in force, and the monthly revenue as a fact."""

    on: date
    health: float | None
    mrr: float | None


async def find_after(
    connection: Connection, *, playbook: str, eligible_on: date, first: date, last: date
) -> dict[str, After]:
    """{customer id: its first scorecard from `first` to `last`}, of those whose lot was drawn on a day."""
    row, card = playbook_assignment.c, scorecard.c
    begin = datetime.combine(eligible_on, time.min, UTC)
    statement = (
        select(card.customer_id, card.as_of, card.health, type_coerce(card.facts, JSON)["mrr"].as_float().label("mrr"))
        .join_from(playbook_assignment, scorecard, card.customer_id == row.customer_id)
        .where(
            row.playbook == playbook,
            row.since >= begin,
            row.since < begin + timedelta(days=1),
            card.as_of >= first,
            card.as_of <= last,
        )
        .order_by(card.as_of)
    )
    found: dict[str, After] = {}
    for each in await connection.execute(statement):
        found.setdefault(each.customer_id, After(each.as_of, each.health, each.mrr))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the runs of a playbook came to, each {state or outcome: how many}.

    runs       by state; first, last: when the first and the newest began
    messages   by channel and state, such as "slack confirmed"
    calls      alerts and tasks that were closed, by outcome; open ones as "open"
    approvals  by state
    useful, not_useful   what people voted
    """

    runs: Mapping[str, int]
    first: datetime | None
    last: datetime | None
    messages: Mapping[str, int]
    calls: Mapping[str, int]
    approvals: Mapping[str, int]
    useful: int
    not_useful: int


async def find_fired(connection: Connection) -> list[str]:
    """The names of all playbooks that ever had a run."""
    statement = select(playbook_run.c.playbook).group_by(playbook_run.c.playbook).order_by(playbook_run.c.playbook)
    return list((await connection.execute(statement)).scalars())


async def tally(connection: Connection, *, playbook: str) -> Tally:
    """Five statements, however many runs there are."""
    run = playbook_run.c
    mine = run.playbook == playbook

    async def counts(table: Table, *by: ColumnElement[Any]) -> dict[str, int]:
        joined = table if table is playbook_run else table.join(playbook_run, table.c.run_id == run.id)
        statement = select(*by, func.count()).select_from(joined).where(mine).group_by(*by).order_by(*by)
        return {" ".join(map(str, row[:-1])): row[-1] for row in await connection.execute(statement)}

    began = (await connection.execute(select(func.min(run.started_at), func.max(run.started_at)).where(mine))).one()
    votes = await counts(vote, vote.c.useful)
    return Tally(
        runs=await counts(playbook_run, run.state),
        first=began[0],
        last=began[1],
        messages=await counts(delivery, delivery.c.channel, delivery.c.state),
        calls=await counts(
            alert,
            case((alert.c.state != "closed", "open"), else_=func.coalesce(alert.c.outcome, "closed")),
        ),
        approvals=await counts(approval, approval.c.state),
        useful=votes.get("True", 0) + votes.get("1", 0),
        not_useful=votes.get("False", 0) + votes.get("0", 0),
    )
