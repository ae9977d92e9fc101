"""All facts of a day in one table, put together from the modules that make them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from hub.store.facts import (
    billing,
    features,
    feedback,
    judgement,
    payments,
    people,
    roster,
    sources,
    support,
    usage,
)
from hub.store.facts.columns import Columns, share
from hub.store.facts.memory import UseInMemory
from hub.store.facts.window import Window
from hub.store.store import Connection

AGES = {
    "usage_age_days": ("activity", "features"),
    "support_age_days": ("tickets",),
    "feedback_age_days": ("surveys",),
    "billing_age_days": ("subscriptions", "invoices"),
    "profile_age_days": ("profile", "roles"),
}
"""How old the data of a group of facts is: the age of the freshest source of any of these kinds."""

NAMES: tuple[str, ...] = (
    *roster.NAMES,
    *billing.NAMES,
    "seat_utilisation",
    *usage.NAMES,
    *features.NAMES,
    *support.NAMES,
    *feedback.NAMES,
    *payments.NAMES,
    *people.NAMES,
    *judgement.NAMES,
    *AGES,
)


async def find_facts(
    connection: Connection,
    *,
    as_of: date,
    customer_ids: Sequence[str] | None = None,
    memory: UseInMemory | None = None,
) -> dict[str, list[Any]]:
    """Every fact of everybody who is a customer on `as_of`, in order of id; `customer_ids` narrows it to some of them.

    With `memory`, read before for a range of days that `as_of` is in, use is counted from there: for many days in a row.
    Returns {"customer_id": [n], fact: [n] of float | str | None}, one entry for every name of the catalogue.
    """
    window = Window(as_of, customer_ids)
    assert memory is None or memory.covers(window), "the memory was read for other days"
    columns = Columns(await roster.find(connection, window))
    if not columns.customers:
        return columns.table(NAMES)
    known = await sources.find(connection, window)
    await billing.add(connection, window, columns)
    await usage.add(connection, window, columns, known["activity"], memory)
    await features.add(connection, window, columns, known["features"], memory)
    await support.add(connection, window, columns, known["tickets"], known["csat"])
    await feedback.add(connection, window, columns, known["nps"], known["surveys"])
    await payments.add(connection, window, columns, known["invoices"])
    await people.add(connection, window, columns, known["roles"])
    await judgement.add(connection, window, columns)
    for name, kinds in AGES.items():
        ages = known.age(*kinds)
        columns.put(name, [ages.get(id_) for id_ in columns.customers])
    columns.put("seat_utilisation", list(map(share, columns["mau"], columns["seats_purchased"])))
    return columns.table(NAMES)


async def find_terms(connection: Connection, *, as_of: date) -> dict[str, list[Any]]:
    """Of all facts those of the roster and of contracts alone, of everybody who is a customer on `as_of`; as `find_facts`."""
    window = Window(as_of, None)
    columns = Columns(await roster.find(connection, window))
    names = (*roster.NAMES, *billing.NAMES)
    if columns.customers:
        await billing.add(connection, window, columns)
    return columns.table(names)


async def find_customers(connection: Connection, *, as_of: date) -> list[str]:
    """Ids of everybody who is a customer on `as_of`, sorted."""
    return [row.customer_id for row in await roster.find(connection, Window(as_of, None))]
