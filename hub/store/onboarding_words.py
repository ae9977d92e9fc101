"""What messages may say about the newest onboarding of customers: the titles of its steps, by what became of them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, func, select

from hub.store.asking import several
from hub.store.daily import batches
from hub.store.store import Connection
from hub.store.tables import onboarding, onboarding_step

BLANK: dict[str, Any] = {
    "attempt": None,
    "started_on": None,
    "step": None,
    "due_on": None,
    "next": None,
    "last": None,
    "done": [],
    "left": [],
    "optional": [],
    "ended_why": None,
}


def _newest() -> Select[Any]:
    other = onboarding.alias("other")
    last = select(func.max(other.c.attempt)).where(other.c.customer_id == onboarding.c.customer_id)
    step = onboarding_step.c
    return (
        select(
            onboarding.c.customer_id,
            onboarding.c.attempt,
            onboarding.c.started_at,
            onboarding.c.ended_why,
            onboarding.c.step,
            step.name,
            step.title,
            step.state,
            step.optional,
            step.ours,
            step.turn_at,
            step.due_on,
            step.done_at,
        )
        .join(onboarding_step, step.onboarding_id == onboarding.c.id)
        .where(onboarding.c.customer_id.in_(several("ids")), onboarding.c.attempt == last.scalar_subquery())
        .order_by(onboarding.c.customer_id, step.position)
    )


_NEWEST = _newest()


async def find_onboarding_words(connection: Connection, customer_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """{customer id: words} of those that ever had an onboarding; all plain JSON.

    attempt, started_on, ended_why
    step, due_on   title of the current step, and the day it is due (2026-11-25)
    next           the same where the current step is the customer's; of one of ours the title of theirs that comes then
    last           title of the customer's step that was done last
    done, left     titles of the customer's steps that are done, and of those that must still be done
    optional       titles of the open steps whose turn has come that may be skipped
    """
    found: dict[str, dict[str, Any]] = {}
    for ids in batches(customer_ids):
        newest: dict[str, Any] = {}
        for row in await connection.execute(_NEWEST, {"ids": ids}):
            words = found.setdefault(row.customer_id, {name: list(v) if v == [] else v for name, v in BLANK.items()})
            words |= {
                "attempt": row.attempt,
                "started_on": row.started_at.date().isoformat(),
                "ended_why": row.ended_why,
            }
            if row.name == row.step:
                words |= {"step": row.title, "due_on": row.due_on.isoformat() if row.due_on else None}
                words["next"] = words["next"] if row.ours else row.title
            if row.state == "done" and not row.ours:
                words["done"].append(row.title)
                if row.customer_id not in newest or row.done_at >= newest[row.customer_id]:
                    newest[row.customer_id], words["last"] = row.done_at, row.title
            elif row.state == "open" and not row.ours:
                if not row.optional:
                    words["left"].append(row.title)
                    words["next"] = words["next"] or row.title
                elif row.turn_at is not None:
                    words["optional"].append(row.title)
    return found
