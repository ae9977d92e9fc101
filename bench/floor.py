"""The floor a sync is held against: a bare loop that pages the same sandbox with httpx and bulk-inserts with SQLAlchemy Core.

It does what anybody would write in an hour: no retries, no budget, no versions, no quarantine, no identity, no bookmark. A
page's rows become rows of the hub's own tables, in one statement and one transaction a page. Events of an export are summed
to days in memory as they are read.
"""

import gzip
import io
import time
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import orjson
from sqlalchemy import Table, insert, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from connectors.kit import registry
from hub.store.tables import feature_usage_day, ticket, user_activity_day

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
Floor = tuple[int, float]
"""Rows read, and seconds."""


@asynccontextmanager
async def _engine(store: str) -> AsyncIterator[AsyncEngine]:
    made = make_url(store)
    engine = create_async_engine(made.set(drivername=DRIVERS[made.get_backend_name()]))
    try:
        yield engine
    finally:
        await engine.dispose()


async def _put(engine: AsyncEngine, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        async with engine.begin() as connection:
            await connection.execute(insert(table), rows)


async def bare_zendesk(url: str, store: str) -> Floor:
    """All tickets into an empty, migrated store."""
    given = registry.sandbox_settings("zendesk", url, token="bench-token")
    path = "/api/v2/incremental/tickets/cursor"
    params = {"per_page": "1000", "include": "metric_sets,users", "start_time": "0"}
    rows, started = 0, time.perf_counter()
    auth = (f"{given['email']}/token", given["token"])
    async with _engine(store) as engine, httpx.AsyncClient(base_url=url, auth=auth) as client:
        while True:
            answer = orjson.loads((await client.get(path, params=params)).content)
            emails = {each["id"]: each["email"] for each in answer["users"]}
            page = [_zendesk_ticket(each, emails) for each in answer["tickets"]]
            await _put(engine, ticket, page)
            rows += len(page)
            if answer["end_of_stream"]:
                break
            params = {"per_page": "1000", "include": "metric_sets,users", "cursor": answer["after_cursor"]}
    return rows, time.perf_counter() - started


async def bare_salesforce(url: str, store: str) -> Floor:
    """All cases."""
    given = registry.sandbox_settings("salesforce", url, token="bench-token")
    query = (
        "SELECT Id, SystemModstamp, AccountId, CaseNumber, Subject, Status, Priority, IsClosed, ClosedDate, CreatedDate,"
        " Contact.Email FROM Case"
    )
    rows, started = 0, time.perf_counter()
    async with _engine(store) as engine, httpx.AsyncClient(base_url=url) as client:
        form = {"grant_type": "client_credentials"} | {name: given[name] for name in ("client_id", "client_secret")}
        token = (await client.post("/services/oauth2/token", data=form)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        path, params = "/services/data/v66.0/query", {"q": query}
        while True:
            answer = orjson.loads((await client.get(path, params=params or None)).content)
            await _put(engine, ticket, [_salesforce_case(each, url) for each in answer["records"]])
            rows += len(answer["records"])
            if answer["done"]:
                break
            path, params = answer["nextRecordsUrl"], {}
    return rows, time.perf_counter() - started


async def bare_amplitude(url: str, store: str, *, days: int = 22, lag_hours: int = 3) -> Floor:
    """All events, a day's export after the other."""
    given = registry.sandbox_settings("amplitude", url, token="bench-token")
    rows, started, now = 0, time.perf_counter(), datetime.now(UTC)
    until = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=lag_hours)
    start = datetime.combine(until.date() - timedelta(days=days), datetime.min.time(), UTC)
    users: dict[tuple[str, str, str], list[int]] = {}
    features: dict[tuple[str, str, str], list[str]] = {}
    async with (
        _engine(store) as engine,
        httpx.AsyncClient(base_url=url, auth=(given["api_key"], given["secret_key"])) as client,
    ):
        while start < until:
            end = min(start + timedelta(days=1), until)
            hours = {"start": f"{start:%Y%m%dT%H}", "end": f"{end - timedelta(hours=1):%Y%m%dT%H}"}
            start = end
            answer = await client.get("/api/2/export", params=hours)
            if answer.status_code == 404:
                continue
            with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                for name in archive.namelist():
                    for line in gzip.decompress(archive.read(name)).splitlines():
                        event = orjson.loads(line)
                        (company,), when = event["groups"]["company"], event["event_time"]
                        day, at = when[:10], round(datetime.fromisoformat(when).timestamp())
                        users.setdefault((day, company, event["user_id"]), []).append(at)
                        features.setdefault((day, company, event["event_type"]), []).append(event["user_id"])
                        rows += 1
        await _put_days(engine, users, features)
    return rows, time.perf_counter() - started


async def _put_days(
    engine: AsyncEngine,
    users: dict[tuple[str, str, str], list[int]],
    features: dict[tuple[str, str, str], list[str]],
) -> None:
    made = [
        _row(f"{day}|{company}|{user}", company, max(times) * 1000)
        | {"user_key": user, "day": date.fromisoformat(day), "events": len(times), "sessions": 1}
        | {"minutes": max(1.0, (max(times) - min(times)) / 60)}
        for (day, company, user), times in users.items()
    ]
    used = [
        _row(f"{day}|{company}|{name}", company, 1)
        | {"feature": name, "day": date.fromisoformat(day), "events": len(who), "users": len(set(who))}
        for (day, company, name), who in features.items()
    ]
    for table, rows in ((user_activity_day, made), (feature_usage_day, used)):
        for begin in range(0, len(rows), 1_000):
            await _put(engine, table, rows[begin : begin + 1_000])


def _row(key: str, company: str, version: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": f"bare:{key}",
        "source": "bare",
        "key": key,
        "company_key": company,
        "version": version,
        "digest": 0,
        "learned_at": now,
        "synced_at": now,
    }


def _zendesk_ticket(raw: dict[str, Any], emails: dict[int, str]) -> dict[str, Any]:
    metrics = raw["metric_set"]
    return _row(str(raw["id"]), str(raw["organization_id"]), raw["generated_timestamp"] * 1000) | {
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


def _salesforce_case(raw: dict[str, Any], url: str) -> dict[str, Any]:
    created = datetime.fromisoformat(raw["CreatedDate"])
    closed = datetime.fromisoformat(raw["ClosedDate"]) if raw["ClosedDate"] else None
    changed = round(datetime.fromisoformat(raw["SystemModstamp"]).timestamp() * 1000)
    return _row(raw["Id"], raw["AccountId"], changed) | {
        "subject": raw["Subject"],
        "status": "closed" if raw["IsClosed"] else "open",
        "severity": raw["Priority"].lower(),
        "requester_email": raw["Contact"]["Email"] if raw["Contact"] else None,
        "created_at": created,
        "solved_at": closed,
        "first_response_minutes": None,
        "resolution_minutes": (closed - created).total_seconds() / 60 if closed else None,
        "reopens": 0,
        "replies": 0,
        "url": f"{url}/{raw['Id']}",
    }
