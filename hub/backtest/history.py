"""The past, a day at a time: the facts as they were, who was at stake, and what a stored scorecard said of churn.

Where a day has scorecards of everybody who was a customer, the facts are those they were computed from; otherwise, and for
facts younger than the scorecards, they are counted from the records as they were known on the day.
"""

from collections.abc import AsyncIterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.store import Connection
from hub.store.facts import UseInMemory, find_customers, find_facts
from hub.store.labels import find_at_stake
from hub.store.replay import StoredDay, find_profiles, find_stored_days, read_day
from scoring.facts import FACTS, FactTable

MEMORY_DAYS = 92
"""The use of so many days is held at a time, and of the 84 before them."""
KEPT = frozenset({"became_customer_on", "created_at"})
"""Days that stay what they are."""
PROFILE = frozenset({"name", "domain", "industry", "country", "employees", "csm_name"}) | KEPT
CHURN = frozenset({"churn_risk", "churn_annualised", "churn_band"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The customers of a day. at_stake: bool[n]; stored: whether the facts are those of scorecards.

    columns  what conditions may ask besides facts: {field: values[n]}
    """

    table: FactTable
    at_stake: npt.NDArray[np.bool_]
    stored: bool
    columns: Mapping[str, Sequence[Any]]


async def read_past(
    connection: Connection,
    days: Sequence[date],
    *,
    facts: Set[str],
    fields: Set[str] = frozenset(),
    minimum_tenure_days: int,
) -> AsyncIterator[Day]:
    """The days in order. `facts`: those that are needed; `fields`: of `PROFILE` and `CHURN`, likewise."""
    scored = set(await find_stored_days(connection, first=days[0], last=days[-1])) if days else set()
    profiles = await find_profiles(connection, sorted(fields & PROFILE)) if fields & PROFILE else {}
    memory: UseInMemory | None = None
    read_until = date.min
    for day in days:
        stored = await read_day(connection, day) if day in scored else None
        columns = dict(stored.facts) | {"customer_id": stored.customers} if stored else {}
        complete = stored is not None and set(await find_customers(connection, as_of=day)) <= set(stored.customers)
        if not complete or facts - columns.keys():
            if day > read_until:
                read_until = max(later for later in days if (later - day).days < MEMORY_DAYS)
                memory = await UseInMemory.read(connection, first=day, last=read_until)
            counted = await find_facts(connection, as_of=day, memory=memory)
            columns = _filled_up(columns, counted) if complete else counted
        table = FactTable.of(day, {name: columns[name] for name in ("customer_id", *FACTS) if name in columns})
        staked = await find_at_stake(connection, as_of=day, minimum_tenure_days=minimum_tenure_days)
        more = {name: [profiles.get(id_, {}).get(name) for id_ in table.customers] for name in fields & PROFILE}
        yield Day(
            table=table,
            at_stake=np.isin(np.array(table.customers, dtype=np.str_), staked),
            stored=complete,
            columns=more | _churn(stored, table, fields),
        )


def _filled_up(columns: Mapping[str, list[Any]], counted: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """The stored columns, and of those that scorecards did not have yet what the records say."""
    place = {id_: i for i, id_ in enumerate(counted["customer_id"])}
    places = [place.get(id_) for id_ in columns["customer_id"]]
    missing = [name for name in counted if name not in columns]
    return {**columns, **{name: [None if i is None else counted[name][i] for i in places] for name in missing}}


def _churn(stored: StoredDay | None, table: FactTable, fields: Set[str]) -> dict[str, Sequence[Any]]:
    if stored is None or not fields & CHURN:
        return {}
    place = {id_: i for i, id_ in enumerate(stored.customers)}
    places = [place.get(id_) for id_ in table.customers]
    return {name: [None if i is None else stored.churn[name][i] for i in places] for name in fields & CHURN}
