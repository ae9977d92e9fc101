"""What the records say about active onboardings: values for conditions, events since the start, runs of playbooks.

One statement for each thing a programme asks, however many onboardings there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, and_, cast, func, select

from hub.model.actions import RunState
from hub.model.conditions import Field
from hub.store.conditions import column_of
from hub.store.daily import batches
from hub.store.onboarding import ACTIVE
from hub.store.store import Connection
from hub.store.tables import customer, feature_usage_day, onboarding, playbook_run, scorecard


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a customer: {field: value}, and the day of its newest scorecard, None where it has none."""

    values: dict[str, Any]
    as_of: date | None


async def find_known(
    connection: Connection, fields: Sequence[Field], *, customer_ids: Iterable[str] | None = None
) -> dict[str, Known]:
    """{customer id: what is known of these fields}; of all with an active onboarding where no customers are given."""
    latest = and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest)
    columns = [column_of(field).label(f"field_{index}") for index, field in enumerate(fields)]
    statement = select(customer.c.id, scorecard.c.as_of, *columns).outerjoin(scorecard, latest)
    if customer_ids is None:
        active = select(onboarding.c.customer_id).where(onboarding.c.state == ACTIVE)
        wanted = [statement.where(customer.c.id.in_(active))]
    else:
        wanted = [statement.where(customer.c.id.in_(ids)) for ids in batches(customer_ids)]
    found = {}
    for each in wanted:
        for row in await connection.execute(each):
            values = dict(zip((field.name for field in fields), row[2:], strict=True))
            found[row.id] = Known(values, row.as_of)
    return found


async def find_events(
    connection: Connection, features: Sequence[str], *, times: int, only: Sequence[str] | None = None
) -> dict[str, date]:
    """{onboarding id: the day by which there were so many events of these features since it began}, of active ones.

    only  the onboardings asked for, few of them; None: all
    """
    use = feature_usage_day.c
    started = (
        func.date(onboarding.c.started_at, type_=Date())  # kept as UTC text there
        if connection.dialect.name == "sqlite"
        else cast(func.timezone("UTC", onboarding.c.started_at), Date)
    )
    days = (
        select(
            onboarding.c.id,
            use.day,
            func.sum(func.sum(use.events)).over(partition_by=onboarding.c.id, order_by=use.day).label("so_far"),
        )
        .join(onboarding, and_(onboarding.c.customer_id == use.customer_id, onboarding.c.state == ACTIVE))
        .where(
            use.feature.in_(list(features)),
            use.deleted.is_(False),
            use.events > 0,
            use.day >= started,
            *(() if only is None else (onboarding.c.id.in_(list(only)),)),
        )
        .group_by(onboarding.c.id, use.day)
        .subquery()
    )
    statement = select(days.c.id, func.min(days.c.day)).where(days.c.so_far >= times).group_by(days.c.id)
    return {row[0]: row[1] for row in await connection.execute(statement)}


async def find_playbook_runs(
    connection: Connection, playbooks: Sequence[str], *, only: Sequence[str] | None = None
) -> dict[str, datetime]:
    """{onboarding id: when a run of any of these playbooks ended well that began since it did}, of active ones."""
    run = playbook_run.c
    statement = (
        select(onboarding.c.id, func.min(run.finished_at))
        .join(onboarding, and_(onboarding.c.customer_id == run.customer_id, onboarding.c.state == ACTIVE))
        .where(
            run.playbook.in_(list(playbooks)),
            run.state == RunState.DONE.value,
            run.started_at >= onboarding.c.started_at,
            run.finished_at.is_not(None),
            *(() if only is None else (onboarding.c.id.in_(list(only)),)),
        )
        .group_by(onboarding.c.id)
    )
    return {row[0]: row[1] for row in await connection.execute(statement)}
