"""The Appcues connector: one export a window of days, its events summed on the way."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field, SecretStr

from connectors.appcues.exports import Exports
from connectors.appcues.refusals import judge
from connectors.kit import usage_records
from connectors.kit.base import BadRowError, Page, Stream, Window
from connectors.kit.errors import BrokenBodyError
from connectors.kit.http import Client, basic
from connectors.kit.jobs import Polling
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.kit.usage import Fields, Seen, Usage
from connectors.kit.usage_pull import first_day, windows
from connectors.kit.values import moment
from hub.model.records import FeatureUsageDay, Quarantined, UserActivityDay

LINES_AT_ONCE = 2_000


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = "https://api.appcues.com"
    account_id: str = Field(min_length=1)
    api_key: SecretStr
    api_secret: SecretStr
    company_field: str = "group_id"
    ignored_events: tuple[str, ...] = ()
    download_hosts: tuple[str, ...] = (".amazonaws.com", ".appcues.com")
    history_days: int = Field(default=540, ge=1, le=3650)
    lookback_days: int = Field(default=2, ge=0, le=60)
    window_days: int = Field(default=30, ge=1, le=366)
    poll_seconds: float = Field(default=5.0, ge=0, le=600)


class Connector:
    def __init__(self, settings: Settings) -> None:
        self.manifest = Manifest.of(Path(__file__).parent)
        self.settings = settings
        self._fields = Fields(event="name", time="timestamp", user="user_id", company=settings.company_field)

    def client(self) -> Client:
        s = self.settings
        key = s.api_key.get_secret_value()
        return Client(
            s.base_url,
            budget=self.manifest.budget(s.base_url, s.account_id, key),
            authorization=basic(key, s.api_secret),
            judge=judge,
            proxy=s.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        return (
            Stream(
                name="usage",
                makes=(UserActivityDay, FeatureUsageDay),
                pull=self.pull_usage,
                records=partial(usage_records.usage, fields=self._fields),
                key=usage_records.usage_key,
            ),
        )

    async def pull_usage(self, client: Client, window: Window) -> AsyncIterator[Page]:
        s, until = self.settings, window.started_at
        first = first_day(window.bookmark, now=until, history_days=s.history_days)
        usage = Usage(fields=self._fields, days=(first, until.date()))
        faults: list[Quarantined] = []
        exports = Exports(s.account_id, s.download_hosts, Polling(first=s.poll_seconds, longest=60.0))
        async for page in windows(
            usage,
            partial(self._read, client, exports, usage, faults),
            first=first,
            until=until,
            step=timedelta(days=s.window_days),
            lookback=timedelta(days=s.lookback_days),
            by_arrival=False,
        ):
            yield page
        if faults:
            yield Page(rows=(), faults=faults)

    async def _read(
        self, client: Client, exports: Exports, usage: Usage, faults: list[Quarantined], start: datetime, end: datetime
    ) -> None:
        async with exports.events(client, start, end) as download:
            while lines := list(islice(download.file, LINES_AT_ONCE)):
                usage.add(self._seen(lines, faults, start, end))
                await asyncio.sleep(0)  # summing is work for the processor: let others have a turn

    def _seen(
        self, lines: Iterable[bytes], faults: list[Quarantined], start: datetime, end: datetime
    ) -> Iterator[Seen]:
        path, ignored = self.settings.company_field.split("."), self.settings.ignored_events
        for line in lines:
            try:
                event = orjson.loads(line)
            except orjson.JSONDecodeError:
                event = None
                if line.strip() and not line.endswith(b"\n"):
                    raise BrokenBodyError("the export's file stops within a line") from None
            if not isinstance(event, dict):
                if line.strip():
                    faults.append(_no_event(line))
                continue
            if event.get("name") in ignored:
                continue
            company: Any = event
            for part in path:
                company = company.get(part) if isinstance(company, dict) else None
            at = _time(event.get("timestamp"))
            if at is not None and not start <= at < end:
                raise BrokenBodyError(f"the export holds an event of {at:%Y-%m-%d %H:%M}, which was not asked for")
            seconds = None if at is None else int(at.timestamp())
            yield (event.get("name"), company, event.get("user_id"), seconds, event.get("id"), None, event)


def _time(value: Any) -> datetime | None:
    try:
        return moment(value, field="timestamp")
    except BadRowError:
        return None


def _no_event(line: bytes) -> Quarantined:
    key = blake2b(line, digest_size=8).hexdigest()
    shown = {"line": line[:500].decode("utf-8", "replace")}
    return Quarantined(key=f"line-{key}", reason="a line of the export is no event", raw=shown)
