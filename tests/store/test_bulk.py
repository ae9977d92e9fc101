"""Many rows at once: what is newer stays, whichever way the rows go to the database."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from hub.store import Store
from hub.store.bulk import upsert_rows
from hub.store.tables import ticket

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def row(number: int, version: int, subject: str | None) -> dict[str, Any]:
    return {
        "id": f"desk:{number}", "source": "desk", "key": str(number), "company_key": None, "customer_id": None,
        "version": version, "digest": -version, "deleted": False, "learned_at": NOON.replace(hour=version), "synced_at": NOON,
        "subject": subject, "status": "open", "severity": "normal", "requester_email": None, "created_at": NOON,
        "solved_at": None, "first_response_minutes": 1.5, "resolution_minutes": None, "reopens": 0, "replies": 2, "url": None,
    }  # fmt: skip


@pytest.mark.parametrize("twice", [False, True])
async def test_a_higher_version_replaces_and_a_lower_one_does_not(store: Store, twice: bool) -> None:
    """`twice`: the same row stands twice in a batch, which no single statement takes."""
    async with store.transaction() as connection:
        await upsert_rows(connection, ticket, [row(1, 3, "three"), row(2, 3, "three")], keep=("learned_at",))
        later = [row(1, 4, "four"), row(2, 2, "two"), row(3, 1, None), *([row(1, 5, "five")] if twice else [])]
        await upsert_rows(connection, ticket, later, keep=("learned_at",))
        shown = select(ticket.c.key, ticket.c.version, ticket.c.subject, ticket.c.learned_at).order_by(ticket.c.key)
        found = [tuple(each) for each in await connection.execute(shown)]
    first = ("1", 5, "five") if twice else ("1", 4, "four")
    assert found == [
        (*first, NOON.replace(hour=3)),
        ("2", 3, "three", NOON.replace(hour=3)),
        ("3", 1, None, NOON.replace(hour=1)),
    ]
