"""What digests tell of all customers at once: each statement is one for everybody, however many CSMs read it.

What belongs to a customer comes with its id; whose customer it is says `find_book`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from hub.model.actions import AlertState, ApprovalState
from hub.store.daily import batches
from hub.store.scorecards import Scorecard
from hub.store.scored_days import LOOK_BACK
from hub.store.store import Connection
from hub.store.tables import alert, approval, customer, delivery, onboarding, playbook_run, scorecard


def _newest(until: date) -> Any:
    """The id of a customer's newest scorecard up to a day: one step into the index."""
    own = scorecard.alias("own")
    return (
        select(own.c.id)
        .where(own.c.customer_id == customer.c.id, own.c.as_of <= until, own.c.as_of > until - LOOK_BACK)
        .order_by(own.c.as_of.desc())
        .limit(1)
        .correlate(customer)
        .scalar_subquery()
    )


async def find_book(connection: Connection, *, begin: date) -> list[Any]:
    """Every customer with its newest scorecard, and that of the day before `begin`; None where there is none.

    Rows: id, name, csm_email, card_id, as_of, health, band, coverage, churn_risk, then_id, then_health, then_band; by id.
    """
    now, then = scorecard.alias("now"), scorecard.alias("then")
    statement = (
        select(
            customer.c.id,
            customer.c.name,
            customer.c.csm_email,
            now.c.id.label("card_id"),
            now.c.as_of,
            now.c.health,
            now.c.band,
            now.c.coverage,
            now.c.churn_risk,
            then.c.id.label("then_id"),
            then.c.health.label("then_health"),
            then.c.band.label("then_band"),
        )
        .select_from(customer)
        .outerjoin(now, and_(now.c.customer_id == customer.c.id, now.c.latest))
        .outerjoin(then, then.c.id == _newest(begin - timedelta(days=1)))
        .where(customer.c.merged_into_id.is_(None))
        .order_by(customer.c.id)
    )
    return list((await connection.execute(statement)).all())


async def find_cards(connection: Connection, ids: Iterable[str]) -> dict[str, Scorecard]:
    """{id: scorecard}."""
    names = tuple(Scorecard.__dataclass_fields__)
    found: dict[str, Scorecard] = {}
    for some in batches(sorted(set(ids))):
        statement = select(scorecard.c.id, *(scorecard.c[name] for name in names)).where(scorecard.c.id.in_(some))
        for row in await connection.execute(statement):
            found[row.id] = Scorecard(**{name: row._mapping[name] for name in names})
    return found


async def find_begun_onboardings(connection: Connection, *, since: datetime) -> list[Any]:
    """Onboardings that are active, or began or ended since: customer_id, state, pace, step, started_at, ended_at."""
    row = onboarding.c
    statement = (
        select(row.customer_id, row.state, row.pace, row.step, row.started_at, row.ended_at)
        .where(or_(row.state == "active", row.ended_at >= since, row.started_at >= since))
        .order_by(row.started_at, row.id)
    )
    return list((await connection.execute(statement)).all())


@dataclass(frozen=True, slots=True)
class Did:
    """How many runs of a playbook, for the customers of a CSM, are in a state; or calls of it have an outcome."""

    playbook: str
    csm_email: str | None
    what: str
    count: int


async def count_runs(connection: Connection, *, since: datetime) -> list[Did]:
    """Runs that began since, by state."""
    run = playbook_run.c
    statement = (
        select(run.playbook, customer.c.csm_email, run.state, func.count())
        .join(customer, customer.c.id == run.customer_id)
        .where(run.started_at >= since)
        .group_by(run.playbook, customer.c.csm_email, run.state)
        .order_by(run.playbook)
    )
    return [Did(*row) for row in await connection.execute(statement)]


async def count_closed(connection: Connection, *, since: datetime) -> list[Did]:
    """Alerts and tasks of playbooks that were closed since, by outcome."""
    run = playbook_run.c
    outcome = func.coalesce(alert.c.outcome, "closed")
    statement = (
        select(run.playbook, customer.c.csm_email, outcome, func.count())
        .join_from(alert, playbook_run, run.id == alert.c.run_id)
        .join(customer, customer.c.id == alert.c.customer_id)
        .where(alert.c.state == AlertState.CLOSED.value, alert.c.closed_at >= since)
        .group_by(run.playbook, customer.c.csm_email, outcome)
        .order_by(run.playbook)
    )
    return [Did(*row) for row in await connection.execute(statement)]


async def count_open(connection: Connection, *, today: date) -> dict[str | None, tuple[int, int]]:
    """{csm_email: (open alerts and tasks about their customers, those whose day has passed)}."""
    overdue = func.sum(case((alert.c.due_on < today, 1), else_=0))
    statement = (
        select(customer.c.csm_email, func.count(), overdue)
        .join_from(alert, customer, customer.c.id == alert.c.customer_id)
        .where(alert.c.state != AlertState.CLOSED.value)
        .group_by(customer.c.csm_email)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in await connection.execute(statement)}


async def find_open_approvals(connection: Connection) -> list[Any]:
    """Approvals that wait for a person, oldest first: customer_id, playbook, question, asked_at, expires_at."""
    row = approval.c
    statement = (
        select(row.customer_id, playbook_run.c.playbook, row.question, row.asked_at, row.expires_at)
        .join_from(approval, playbook_run, playbook_run.c.id == row.run_id)
        .where(row.state == ApprovalState.OPEN.value)
        .order_by(row.asked_at, row.id)
    )
    return list((await connection.execute(statement)).all())


async def find_reserved(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Which of these dedup keys are in the ledger."""
    found: set[str] = set()
    for some in batches(keys):
        statement = select(delivery.c.dedup_key).where(delivery.c.dedup_key.in_(some))
        found |= set((await connection.execute(statement)).scalars())
    return found
