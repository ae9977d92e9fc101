"""How urgent an alert or task is, as one number to order by: its severity first, then what is at stake.

What is at stake is the churn risk times a year's revenue by the newest scorecard of its customer, as in
`hub.store.inbox`; 0 where either is unknown. A step of severity is more than any stake.
"""

from typing import Any

from sqlalchemy import ColumnElement, Float, case, cast, func, select

from hub.model.conditions import Field
from hub.model.records import Severity
from hub.store import tables
from hub.store.conditions import column_of

STEP = 1e12
_RANKS = {severity.value: rank * STEP for rank, severity in enumerate(Severity)}
_newest = tables.scorecard.alias("stake")


def priority(name: str) -> ColumnElement[Any] | None:
    """The column `priority` of an alert; None for any other name."""
    if name != "priority":
        return None
    alert = tables.alert
    stake = (
        select(_newest.c.churn_risk * column_of(Field("mrr", "number"), scorecard=_newest) * 12)
        .where(_newest.c.customer_id == alert.c.customer_id, _newest.c.latest)
        .limit(1)
        .correlate(alert)
        .scalar_subquery()
    )
    severity = case(*((alert.c.severity == each, rank) for each, rank in _RANKS.items()), else_=0.0)
    return cast(severity, Float(53)) + func.coalesce(stake, 0.0)
