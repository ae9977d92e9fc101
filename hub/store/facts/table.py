"""All facts of a day in one table, put together from the modules that make them."""

import asyncio
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
    beside: Connection | None = None,
) -> dict[str, list[Any]]:
    """Every fact of everybody who is a customer on `as_of`, in order of id; `customer_ids` narrows it to some of them.

    With `memory`, read before for a range of days that `as_of` is in, use is counted from there: for many days in a row.
    beside  a second connection of the same moment (Store.reading_twice): use, which takes the longest, is read on it
            meanwhile
    Returns {"customer_id": [n], fact: [n] of float | str | None}, one entry for every name of the catalogue.
    """
    window = Window(as_of, customer_ids)
    assert memory is None or memory.covers(window), "the memory was read for other days"
    reading = None if beside is None else asyncio.create_task(_read_use(beside, window, memory))
    try:
        columns = Columns(await roster.find(connection, window))
        if columns.customers:
            known = await sources.find(connection, window)
            await billing.add(connection, window, columns)
            await support.add(connection, window, columns, known["tickets"], known["csat"])
            await feedback.add(connection, window, columns, known["nps"], known["surveys"])
            await payments.add(connection, window, columns, known["invoices"])
            await people.add(connection, window, columns, known["roles"])
            await judgement.add(connection, window, columns)
            used, features_used = await (reading or _read_use(connection, window, memory))
            await usage.add(connection, window, columns, known["activity"], used)
            features.add(columns, known["features"], features_used)
            for name, kinds in AGES.items():
                ages = known.age(*kinds)
                columns.put(name, [ages.get(id_) for id_ in columns.customers])
            columns.put("seat_utilisation", list(map(share, columns["mau"], columns["seats_purchased"])))
    finally:
        if reading is not None and not reading.done():
            reading.cancel()
            await asyncio.wait([reading])
    return columns.table(NAMES)


async def _read_use(
    connection: Connection, window: Window, memory: UseInMemory | None
) -> tuple[usage.Read, features.Read]:
    return await usage.read(connection, window, memory), await features.read(connection, window, memory)


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
