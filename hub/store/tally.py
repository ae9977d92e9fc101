"""How much there is of everything, for summaries."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from hub.store.store import Connection
from hub.store.tables import (
    RECORD_TABLES,
    alert,
    customer,
    delivery,
    external_id,
    playbook_run,
    quarantine,
    scorecard,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of rows: records by kind, evidence by state, runs by playbook and by state, deliveries by state.

    Bands are those of the newest scored day: customers who left keep older scorecards.
    """

    customers: int
    records: Mapping[str, int]
    evidence: Mapping[str, int]
    quarantined: int
    scorecards: int
    bands: Mapping[str, int]
    churn_bands: Mapping[str, int]
    playbooks: Mapping[str, int]
    runs: Mapping[str, int]
    deliveries: Mapping[str, int]
    alerts: int


async def tally(connection: Connection) -> Tally:
    async def count(column: ColumnElement[object]) -> int:
        return (await connection.execute(select(func.count(column)))).scalar_one()

    async def by(column: ColumnElement[str], *where: ColumnElement[bool]) -> dict[str, int]:
        statement = select(column, func.count()).where(column.is_not(None), *where).group_by(column)
        return {row[0]: row[1] for row in await connection.execute(statement)}

    newest = select(func.max(scorecard.c.as_of)).scalar_subquery()
    return Tally(
        customers=await count(customer.c.id),
        records={kind: await count(table.c.id) for kind, table in RECORD_TABLES.items()},
        evidence=await by(external_id.c.state),
        quarantined=await count(quarantine.c.id),
        scorecards=await count(scorecard.c.id),
        bands=await by(scorecard.c.band, scorecard.c.as_of == newest),
        churn_bands=await by(scorecard.c.churn_band, scorecard.c.as_of == newest),
        playbooks=await by(playbook_run.c.playbook),
        runs=await by(playbook_run.c.state),
        deliveries=await by(delivery.c.state),
        alerts=await count(alert.c.id),
    )
