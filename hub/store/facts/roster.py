"""Who is a customer on a day, with the profile.

A customer on a day has a subscription running on it: `started_on` <= day < `ended_on`. Of those about whom the hub knows no
subscription at all by that day, one counts from `became_customer_on`, or where nobody states it, from the moment the hub
made the customer: a hub without a billing source still has customers, and where billing is connected, who has left is out.
A customer merged into another is that other.

The profile is what the source that made the customer said by the day, as far back as the hub has watched it; before that,
what it said first. A CSM by our own word goes before that for as long as the word was in force.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import and_, case, func, or_, select

from hub.store.facts.billing import running
from hub.store.facts.history import column_as_of
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import csm_assignment, customer, external_id, subscription

NAMES = ("segment", "csm_email")


class Member(NamedTuple):
    customer_id: str
    segment: str | None
    csm_email: str | None


async def find(connection: Connection, window: Window) -> Sequence[Member]:
    """Everybody who is a customer on the day, in order of id."""
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
    members = {row.customer_id: Member(*row) for row in rows if row.customer_id in wanted}
    segments, csms = [await _find_other(connection, window, field) for field in NAMES]
    csms = await _find_by_our_word(connection, window, csms)
    for id_ in members.keys() & (segments.keys() | csms.keys()):
        today = members[id_]
        members[id_] = Member(id_, segments.get(id_, today.segment), csms.get(id_, today.csm_email))
    return list(members.values())


async def _find_by_our_word(
    connection: Connection, window: Window, said: dict[str, str | None]
) -> dict[str, str | None]:
    """`said`, {customer: CSM on the day} by the sources, with our own word where it has been in force on the day or since."""
    word = csm_assignment.c
    statement = (
        select(word.customer_id, word.csm_email, word.at, func.lower(external_id.c.csm_email).label("source"))
        .outerjoin(external_id, and_(external_id.c.customer_id == word.customer_id, external_id.c.method == "created"))
        .where(or_(word.ended_at.is_(None), word.ended_at >= window.end))
        .order_by(word.at.desc())
    )
    found: dict[str, str | None] = {}
    for row in await connection.execute(statement):
        if row.at < window.end:
            found[row.customer_id] = row.csm_email
        elif row.customer_id not in said:  # today's is our word, which had not been said
            found[row.customer_id] = row.source
    return {**said, **found}


async def _find_other(connection: Connection, window: Window, field: str) -> dict[str, str | None]:
    """{customer: the field of the profile on the day} of those where it has changed since."""
    changed = await column_as_of(connection, window, external_id, field)
    if changed.later is None:
        return {}
    statement = (
        select(external_id.c.customer_id, changed.later.c.before)
        .select_from(external_id.join(changed.later, changed.later.c.record_id == external_id.c.id))
        .where(external_id.c.method == "created", external_id.c.customer_id.is_not(None))
    )
    return {row.customer_id: row.before for row in await connection.execute(statement)}
