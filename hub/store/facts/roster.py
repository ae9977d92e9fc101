"""Who is a customer on a day, with the profile.

A customer on a day has a subscription running on it: `started_on` <= day < `ended_on`. Of those about whom the hub knows no
subscription at all by that day, one counts from `became_customer_on`, or where nobody states it, from the moment the hub
made the customer: a hub without a billing source still has customers, and where billing is connected, who has left is out.
A customer merged into another is that other.

The profile is today's: no source tells when a segment or a CSM changed.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from hub.store.facts.billing import running
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import customer, subscription

NAMES = ("segment", "csm_email")


async def find(connection: Connection, window: Window) -> Sequence[Any]:
    """Rows of customer_id, segment, csm_email, in order of id."""
    terms = (
        select(
            subscription.c.customer_id,
            func.max(case((running(window.day), 1), else_=0)).label("running"),
        )
        .where(window.known_of_asked(subscription), subscription.c.started_on <= window.day)
        .group_by(subscription.c.customer_id)
        .subquery()
    )
    stated = customer.c.became_customer_on
    statement = (
        select(customer.c.id.label("customer_id"), customer.c.segment, customer.c.csm_email)
        .outerjoin(terms, terms.c.customer_id == customer.c.id)
        .where(
            customer.c.merged_into_id.is_(None),
            window.asked(customer.c.id),
            or_(
                terms.c.running == 1,
                and_(
                    terms.c.running.is_(None),
                    or_(stated <= window.day, and_(stated.is_(None), customer.c.created_at < window.end)),
                ),
            ),
        )
        .order_by(customer.c.id)
    )
    rows = (await connection.execute(statement)).all()
    wanted = set(window.picked(row.customer_id for row in rows))
    return [row for row in rows if row.customer_id in wanted]
