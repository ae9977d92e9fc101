"""The customers that bench.graphql reads: each with 12 scores, 20 tickets and 5 contacts, all in the book of one CSM."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.store import Store, tables

NOW = datetime.now(UTC).replace(microsecond=0)
CSM = "ann@cs.example"


def name_of(number: int) -> str:
    return f"Customer {number:06}"


def key_of(number: int) -> str:
    return f"c{number:06}"


async def fill(store: Store, customers: int) -> None:
    """Customers, each with 12 scores, 20 tickets and 5 contacts."""
    chance = random.Random(7)
    batch = 1_000
    for begin in range(0, customers, batch):
        numbers = range(begin, min(begin + batch, customers))
        rows = {table: [row for number in numbers for row in make(number, chance)] for table, make in _MAKERS.items()}
        async with store.transaction() as connection:
            for table, made in rows.items():
                await connection.execute(table.insert(), [{**_plain(table, made[0]), **row} for row in made])
    async with store.transaction() as connection:
        await connection.exec_driver_sql("ANALYZE")


def _plain(table: Any, row: dict[str, Any]) -> dict[str, Any]:
    return {
        column.name: {bool: False, int: 0, float: 0.0}.get(column.type.python_type, "")
        for column in table.c
        if not column.nullable and column.server_default is None and not column.primary_key and column.name not in row
    }


def _customer(number: int, chance: random.Random) -> list[dict[str, Any]]:
    made = {"id": key_of(number), "name": name_of(number), "domain": f"c{number}.example", "csm_email": CSM}
    segment = ("smb", "midmarket", "enterprise")[number % 3]
    return [{**made, "segment": segment, "employees": chance.randrange(5000), "created_at": NOW, "updated_at": NOW}]


def _scores(number: int, chance: random.Random) -> list[dict[str, Any]]:
    days = [NOW.date() - timedelta(days=7 * week) for week in range(12)]
    return [
        {
            "id": f"{key_of(number)}:{day}",
            "customer_id": key_of(number),
            "as_of": day,
            "health": chance.random(),
            "band": "stable",
            "coverage": 1.0,
            "facts": {"mrr": 100.0},
            "readings": [],
            "computed_at": NOW,
            "latest": place == 0,
        }
        for place, day in enumerate(days)
    ]


def _record(number: int, place: int, at: datetime, **values: Any) -> dict[str, Any]:
    key = f"{number}-{place}"
    made = {"id": f"s:{key}", "source": "s", "key": key, "customer_id": key_of(number), "company_key": str(number)}
    return {**made, "version": 1, "digest": 1, "deleted": False, "learned_at": at, "synced_at": at, **values}


def _tickets(number: int, chance: random.Random) -> list[dict[str, Any]]:
    moments = [NOW - timedelta(minutes=chance.randrange(500_000)) for _ in range(20)]
    return [
        _record(number, place, at, subject=f"Ticket {place}", status="open", severity="high", created_at=at)
        for place, at in enumerate(moments)
    ]


def _contacts(number: int, chance: random.Random) -> list[dict[str, Any]]:
    moments = [NOW - timedelta(minutes=chance.randrange(500_000)) for _ in range(5)]
    return [
        _record(number, place, at, email=f"p{place}@c{number}.example", name=f"Person {place}", created_at=at)
        for place, at in enumerate(moments)
    ]


_MAKERS: dict[Any, Any] = {
    tables.customer: _customer,
    tables.scorecard: _scores,
    tables.ticket: _tickets,
    tables.contact: _contacts,
}
