"""The floor a sync is held against: a bare loop that pages the same sandbox with httpx and bulk-inserts with SQLAlchemy Core.

It does what anybody would write in an hour: no retries, no budget, no versions, no quarantine, no identity, no bookmark. A
page's rows become rows of the hub's own ticket table, in one statement and one transaction a page.
"""

import time
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
from sqlalchemy import insert, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from hub.store.tables import ticket

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


async def bare_tickets(url: str, *, user: str, password: str, store: str) -> tuple[int, float]:
    """(rows, seconds) of all tickets of a Zendesk sandbox at `url` into the empty, migrated store."""
    made = make_url(store)
    engine = create_async_engine(made.set(drivername=DRIVERS[made.get_backend_name()]))
    path, params = (
        "/api/v2/incremental/tickets/cursor",
        {"per_page": "1000", "include": "metric_sets,users", "start_time": "0"},
    )
    rows, started = 0, time.perf_counter()
    async with httpx.AsyncClient(base_url=url, auth=(user, password)) as client:
        while True:
            answer = orjson.loads((await client.get(path, params=params)).content)
            emails = {each["id"]: each["email"] for each in answer["users"]}
            page = [_row(each, emails) for each in answer["tickets"]]
            if page:
                async with engine.begin() as connection:
                    await connection.execute(insert(ticket), page)
            rows += len(page)
            if answer["end_of_stream"]:
                break
            params = {"per_page": "1000", "include": "metric_sets,users", "cursor": answer["after_cursor"]}
    seconds = time.perf_counter() - started
    await engine.dispose()
    return rows, seconds


def _row(raw: dict[str, Any], emails: dict[int, str]) -> dict[str, Any]:
    metrics, now = raw["metric_set"], datetime.now(UTC)
    return {
        "id": f"bare:{raw['id']}",
        "source": "bare",
        "key": str(raw["id"]),
        "company_key": str(raw["organization_id"]),
        "version": raw["generated_timestamp"] * 1000,
        "digest": 0,
        "learned_at": now,
        "synced_at": now,
        "subject": raw["subject"],
        "status": raw["status"],
        "severity": raw["priority"] or "normal",
        "requester_email": emails.get(raw["requester_id"]),
        "created_at": datetime.fromisoformat(raw["created_at"]),
        "solved_at": datetime.fromisoformat(metrics["solved_at"]) if metrics["solved_at"] else None,
        "first_response_minutes": metrics["reply_time_in_minutes"]["calendar"],
        "resolution_minutes": metrics["full_resolution_time_in_minutes"]["calendar"],
        "reopens": metrics["reopens"],
        "replies": metrics["replies"],
        "url": raw["url"],
    }
