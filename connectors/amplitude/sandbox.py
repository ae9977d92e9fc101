"""Amplitude's stand-in: the export of the simulated company by the hour of arrival, with its sizes, limits and late phones.

    GET /api/2/export?start=YYYYMMDDTHH&end=YYYYMMDDTHH     zip of one gzipped file of JSON lines an hour; 404 without data

One event in 40 comes from a phone that was offline for 20 hours, one in 200 is exported twice. Hours less than two hours
old hold nothing yet. Companies are groups "acct-<number>" of the type company, users "u-<person number>". Basic auth takes
any API key with `token` as the secret key. More than `most_events` events are what 4 GB are to the real one.
"""

import asyncio
import base64
import binascii
import gzip
import hmac
import io
import zipfile
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5
from zlib import crc32

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Rendered, assemble
from connectors.kit.simulated import Account, ProductEvent, World, crm_id
from connectors.kit.truth import usage_days

ONE_HOUR = timedelta(hours=1)
EXPORTED_TWICE = 200  # one event in so many
OFFLINE = 40  # one event in so many, for this long:
OFFLINE_FOR = timedelta(hours=20)
READY_AFTER = 2  # hours
LAG = timedelta(hours=3)
LONGEST = 365 * 24  # hours


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    most_events: int = 1_000_000,
    concurrent: int = 5,
) -> Starlette:
    hours, under_way = Rendered(world, _hours), asyncio.Semaphore(concurrent)

    async def export(request: Request) -> Response:
        if not _authorized(request, token):
            return _error(403, "forbidden", "Invalid API key or secret key")
        if under_way.locked():
            return limited(faults)
        try:
            start, end = (
                datetime.strptime(request.query_params[name], "%Y%m%dT%H").replace(tzinfo=UTC)
                for name in ("start", "end")
            )
        except (KeyError, ValueError):
            return _error(400, "invalid_request", "start and end must look like 20261122T05")
        if end < start or (end - start) // ONE_HOUR >= LONGEST:
            return _error(400, "invalid_request", "The time range must be between one hour and 365 days")
        async with under_way:
            return _zip(world(), hours(), start, end, faults, most_events)

    return assemble([Route("/api/2/export", export)], faults=faults, limited=limited, expired=_expired)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {"base_url": base_url, "api_key": "0a1b2c3d4e5f", "secret_key": token, "window_hours": 24 * 14}


def truth(world: World) -> Mapping[str, Collection[str]]:
    """What arrived until three hours before the last full hour: groups, and days of the history."""
    ready = world.until.replace(minute=0, second=0, microsecond=0) - LAG
    first = ready.date() - timedelta(days=540)
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    arrived = [event for event in world.events if begin <= uploaded(event) < ready]
    groups = {f"acct-{event.account}" for event in arrived}
    return {"usage": groups | usage_days(event for event in arrived if event.at >= begin)}


def uploaded(of: ProductEvent) -> datetime:
    """When an event arrived: some seconds after it happened, or much later."""
    number = crc32(of.insert_id.encode())
    return of.at + (OFFLINE_FOR if number % OFFLINE == 0 else timedelta(seconds=1 + number % 5))


def line(of: ProductEvent, account: Account | None) -> dict[str, object]:
    """A line of the export."""
    company, at, upload = f"acct-{of.account}", of.at, uploaded(of)
    properties: dict[str, object] = {}
    if account is not None:
        properties = {"name": account.name, "domain": account.domain, "crm_id": crm_id(account.number)}
    return {
        "$insert_id": of.insert_id,
        "$schema": 13,
        "amplitude_id": 700_000_000 + of.person,
        "app": 187520,
        "client_event_time": _time(at),
        "client_upload_time": _time(upload),
        "country": "Germany",
        "data": {},
        "device_id": f"device-{of.person}",
        "event_id": crc32(of.insert_id.encode()) % 10_000,
        "event_properties": {},
        "event_time": _time(at),
        "event_type": of.name,
        "group_properties": {"company": {company: properties}},
        "groups": {"company": [company]},
        "platform": "Web",
        "server_received_time": _time(upload),
        "server_upload_time": _time(upload),
        "session_id": int(at.timestamp() * 1000),
        "user_id": f"u-{of.person}",
        "user_properties": {"company_id": company},
        "uuid": str(uuid5(NAMESPACE_OID, of.insert_id)),
    }


def limited(faults: Faults) -> Response:
    """429 in Amplitude's words, which name the limit; with Retry-After only where there is one to tell."""
    headers = {"Retry-After": str(faults.retry_after)} if faults.retry_after else {}
    body = {"http_code": 429, "type": "too_many_requests", "message": "Exceeded concurrent limit with cost: 1"}
    return JSONResponse({"error": body}, 429, headers)


def _hours(world: World) -> dict[datetime, list[ProductEvent]]:
    found: dict[datetime, list[ProductEvent]] = defaultdict(list)
    for event in world.events:
        found[uploaded(event).replace(minute=0, second=0, microsecond=0)].append(event)
    return found


def _zip(
    world: World,
    hours: Mapping[datetime, list[ProductEvent]],
    start: datetime,
    end: datetime,
    faults: Faults,
    most_events: int,
) -> Response:
    ready = world.until - READY_AFTER * ONE_HOUR
    wanted = sorted(hour for hour in hours if start <= hour <= end and hour + ONE_HOUR <= ready)
    if not wanted:
        return _error(404, "not_found", "Raw data files were not found")
    if sum(len(hours[hour]) for hour in wanted) > most_events:
        return _error(400, "invalid_request", "The file size for this request exceeds 4GB; reduce the time range")
    accounts = {account.number: account for account in world.accounts}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for hour in wanted:
            lines = [orjson.dumps(line(event, accounts.get(event.account))) for event in hours[hour]]
            again = [
                text
                for event, text in zip(hours[hour], lines, strict=True)
                if crc32(event.insert_id.encode()) % EXPORTED_TWICE == 0
            ]
            if faults.take("duplicate_rows"):
                again += lines[-1:]
            name = f"187520/187520_{hour:%Y-%m-%d}_{hour.hour}#0.json.gz"
            archive.writestr(name, gzip.compress(b"\n".join([*lines, *again]) + b"\n", mtime=0))
    return Response(made.getvalue(), media_type="application/zip")


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S.%f")


def _authorized(request: Request, token: str) -> bool:
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, secret = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return kind == "Basic" and bool(user) and hmac.compare_digest(secret.encode(), token.encode())


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"http_code": status, "type": kind, "message": message}}, status)


def _expired(faults: Faults) -> Response:
    return _error(401, "unauthorized", "The API key or secret key is no longer valid")
