"""The Amplitude connector: exports of what arrived, hour after hour, summed to days of events on the way.

An export is a zip of gzipped JSON lines, in the order of arrival (`server_upload_time`), so days are kept open for
`lookback_days` and given when they are complete; see `connectors.kit.usage_pull`. The last hours are not read, because files
of an hour appear up to two hours after it.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.amplitude import mapping
from connectors.amplitude.events import Reader
from connectors.amplitude.refusals import NoDataError, TooLargeError, judge
from connectors.kit import archives
from connectors.kit.base import Page, Stream, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, basic
from connectors.kit.manifest import Manifest
from connectors.kit.profiles import Names
from connectors.kit.settings import SourceSettings
from connectors.kit.usage import Usage
from connectors.kit.usage_pull import first_day, windows
from hub.model.records import Company, FeatureUsageDay, UserActivityDay

ONE_HOUR = timedelta(hours=1)
LINES_AT_ONCE = 2_000


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = "https://amplitude.com"
    api_key: SecretStr
    secret_key: SecretStr
    group_type: str = "company"
    company_property: str | None = None
    name_property: str = "name"
    domain_property: str = "domain"
    crm_id_property: str = "crm_id"
    ignored_events: tuple[str, ...] = ("$identify", "$groupidentify")
    history_days: int = Field(default=540, ge=1, le=3650)
    lookback_days: int = Field(default=3, ge=0, le=30)
    window_hours: int = Field(default=24, ge=1, le=8760)
    lag_hours: int = Field(default=3, ge=2, le=48)


class Connector:
    def __init__(self, settings: Settings) -> None:
        self.manifest = Manifest.of(Path(__file__).parent)
        self.settings = settings

    def client(self) -> Client:
        s = self.settings
        return Client(
            s.base_url,
            budget=self.manifest.budget(s.base_url, s.api_key.get_secret_value(), s.secret_key.get_secret_value()),
            authorization=basic(s.api_key.get_secret_value(), s.secret_key),
            judge=judge,
            proxy=s.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        usage = partial(
            mapping.usage,
            fields=self._reader().fields,
            names=Names(name=s.name_property, domain=s.domain_property, crm_id=s.crm_id_property),
        )
        return (
            Stream(
                name="usage",
                makes=(Company, UserActivityDay, FeatureUsageDay),
                pull=self.pull_usage,
                records=usage,
                key=mapping.key,
            ),
        )

    async def pull_usage(self, client: Client, window: Window) -> AsyncIterator[Page]:
        s, reader = self.settings, self._reader()
        until = window.started_at.replace(minute=0, second=0, microsecond=0) - timedelta(hours=s.lag_hours)
        first = first_day(window.bookmark, now=until, history_days=s.history_days)
        usage = Usage(
            fields=reader.fields,
            days=(first, window.started_at.date()),
            lookback_days=s.lookback_days,
            since=first_day(None, now=until, history_days=s.history_days),
        )
        async for page in windows(
            usage,
            partial(self._read, client, usage, reader),
            first=first,
            until=until,
            step=timedelta(hours=s.window_hours),
            lookback=timedelta(days=s.lookback_days),
            by_arrival=True,
            companies=reader.met,
        ):
            yield page
        if reader.faults:
            yield Page(rows=(), faults=reader.faults)

    async def _read(self, client: Client, usage: Usage, reader: Reader, start: datetime, end: datetime) -> None:
        """Add what arrived in [start, end) to `usage`; hours are named inclusively."""
        hours = {"start": f"{start:%Y%m%dT%H}", "end": f"{end - ONE_HOUR:%Y%m%dT%H}"}
        reader.expect(start, end)
        try:
            async with client.download(
                "/api/2/export", params=hours, bucket="export", whole=archives.complete
            ) as download:
                lines = archives.lines(download.file, place=download.reply.place)
                while some := list(islice(lines, LINES_AT_ONCE)):
                    usage.add(reader.events(some))
                    await asyncio.sleep(0)  # summing is work for the processor: let others have a turn
        except NoDataError:
            return
        except TooLargeError as error:
            middle = start + ONE_HOUR * ((end - start) // ONE_HOUR // 2)
            if middle == start:
                raise ContractError(
                    f"{error}; even one hour from {hours['start']} is too much for an export: use Amplitude's export to"
                    " S3 or a warehouse"
                ) from None
            await self._read(client, usage, reader, start, middle)
            await self._read(client, usage, reader, middle, end)

    def _reader(self) -> Reader:
        s = self.settings
        return Reader(group_type=s.group_type, company_property=s.company_property, ignored=s.ignored_events)
