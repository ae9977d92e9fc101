"""Events of single product features, by customer: columns that some churn models count besides the facts."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import and_, func, select

from hub.store.facts import sources
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import feature_usage_day

PREFIX = "events_28d:"


async def find_product_use(
    connection: Connection, *, as_of: date, customers: Sequence[str], features: Sequence[str]
) -> dict[str, list[float | None]]:
    """{"events_28d:<feature>": events in 28 days}, in the order of `customers`; None where nothing can be known."""
    if not features:
        return {}
    window = Window(as_of, customers)
    use = feature_usage_day.c
    statement = (
        select(use.customer_id, use.feature, func.sum(use.events).label("events"))
        .where(
            window.known_of_asked(feature_usage_day),
            and_(use.day >= window.first(28), use.day <= window.day),
            use.feature.in_(list(features)),
        )
        .group_by(use.customer_id, use.feature)
    )
    known = (await sources.find(connection, window, only="features"))["features"]
    events = {(row.customer_id, row.feature): float(row.events) for row in await connection.execute(statement)}
    return {
        PREFIX + feature: [events.get((id_, feature), 0.0) if id_ in known else None for id_ in customers]
        for feature in features
    }


async def find_product_features(connection: Connection, *, as_of: date, most: int = 20) -> list[str]:
    """The features that the most customers used in 28 days, by name; at most so many."""
    window = Window(as_of)
    use = feature_usage_day.c
    statement = (
        select(use.feature)
        .where(window.known(feature_usage_day), use.day >= window.first(28), use.day <= window.day, use.events > 0)
        .group_by(use.feature)
        .order_by(func.count(use.customer_id.distinct()).desc(), use.feature)
        .limit(most)
    )
    return sorted((await connection.execute(statement)).scalars())
