"""The Mixpanel connector: group profiles page by page, and the raw export window by window, summed to days on the way.

Everything here is shaped by 60 exports an hour: one export asks for `window_days`, so that a first sync of 18 months
takes 18 of them and a later one takes one. The bookmark `{"through": day}` means that every UTC day up to and including
it was over when it was summed. It never names today, whose rows are partial; today and the `lookback_days` before it are
pulled again each time, because phones report late.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import Field, SecretStr, field_validator

from connectors.kit.base import Bookmark, Page, Stream, Window
from connectors.kit.errors import ContractError, TransientError
from connectors.kit.http import Client, basic
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.mixpanel import mapping
from connectors.mixpanel.aggregate import Usage, project_clock
from connectors.mixpanel.export import IncompleteError, Reader, whole
from connectors.mixpanel.refusals import judge
from hub.model.records import Company, FeatureUsageDay, Quarantined, UserActivityDay

QUERY_HOSTS = {"data.mixpanel.com": "mixpanel.com"} | {
    f"data-{region}.mixpanel.com": f"{region}.mixpanel.com" for region in ("eu", "in")
}
ROWS_A_PAGE = 1_000
LINES_AT_ONCE = 2_000
ONE_DAY = timedelta(days=1)


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = "https://data.mixpanel.com"
    query_base_url: str | None = None
    project_id: int
    user: str = Field(min_length=1)
    secret: SecretStr
    group_key: str = "company_id"
    data_group_id: str | None = None
    name_property: str = "$name"
    domain_property: str = "domain"
    crm_id_property: str = "crm_id"
    project_timezone: str = "UTC"
    history_days: int = Field(default=540, ge=1, le=3650)
    lookback_days: int = Field(default=5, ge=0, le=60)
    window_days: int = Field(default=30, ge=1, le=366)

    @field_validator("query_base_url")
    @classmethod
    def _is_a_url_too(cls, value: str | None) -> str | None:
        return None if value is None else cls._is_a_url(value)

    @field_validator("project_timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("must be the name of a time zone, such as UTC or America/New_York") from None
        return value


class Connector:
    def __init__(self, settings: Settings) -> None:
        self.manifest = Manifest.of(Path(__file__).parent)
        self.settings = settings

    def client(self) -> Client:
        return self._client(self.settings.base_url)

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        company = partial(mapping.company, name=s.name_property, domain=s.domain_property, crm_id=s.crm_id_property)
        groups = Stream(
            name="groups",
            makes=(Company,),
            pull=self.pull_groups,
            records=lambda raw: (company(raw),),
            key=lambda raw: str(raw.get("$distinct_id", "")),
            fetch=self.fetch_groups,
            whole=True,
        )
        usage = Stream(
            name="usage",
            makes=(UserActivityDay, FeatureUsageDay),
            pull=self.pull_usage,
            records=mapping.usage,
            key=mapping.usage_key,
        )
        return (groups, usage) if s.data_group_id else (usage,)

    def query_base_url(self) -> str:
        """Where the Query API is: as set, or the vendor's host that belongs to the export's, or the same."""
        if self.settings.query_base_url:
            return self.settings.query_base_url
        host = QUERY_HOSTS.get(urlsplit(self.settings.base_url).netloc)
        return f"https://{host}" if host else self.settings.base_url

    async def pull_groups(self, client: Client, window: Window) -> AsyncIterator[Page]:
        """All group profiles, each time: the API can't be asked for what has changed."""
        async with self._querying(client) as query:
            async for page in self._groups(query, limit=window.limit):
                yield page

    async def fetch_groups(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        """Group profiles by id; those that are not in the answer are gone."""
        async with self._querying(client) as query:
            for start in range(0, len(keys), ROWS_A_PAGE):
                wanted = dict.fromkeys(keys[start : start + ROWS_A_PAGE])
                here = set[str]()
                async for page in self._groups(query, distinct_ids=list(wanted)):
                    here |= {str(row.get("$distinct_id")) for row in page.rows}
                    yield page
                if strange := here - wanted.keys():
                    raise ContractError(f"engage: asked for other profiles and got {min(strange)}")
                yield Page(rows=(), gone=[key for key in wanted if key not in here])

    @asynccontextmanager
    async def _querying(self, client: Client) -> AsyncIterator[Client]:
        """A client of the Query API: it may be at another address than the export."""
        if self.query_base_url() == client.base_url:
            yield client
            return
        async with self._client(self.query_base_url()) as other:
            yield other

    async def pull_usage(self, client: Client, window: Window) -> AsyncIterator[Page]:
        today, last_whole_day = window.started_at.date(), window.started_at.date() - ONE_DAY
        start = self._start(window.bookmark, today)
        pulled = 0
        while start <= today:
            end = min(start + timedelta(days=self.settings.window_days - 1), today)
            usage, faults = await self._sum(client, start, end, window)
            bookmark = {"through": min(end, last_whole_day).isoformat()}
            rows = usage.rows()
            chunk = list(islice(rows, ROWS_A_PAGE))
            while True:
                following = list(islice(rows, ROWS_A_PAGE))
                if window.limit is not None and pulled + len(chunk) >= window.limit:
                    yield Page(rows=chunk[: window.limit - pulled])
                    return
                pulled += len(chunk)
                if not following:
                    yield Page(rows=chunk, bookmark=bookmark, faults=faults)
                    break
                yield Page(rows=chunk)
                chunk = following
            start = end + ONE_DAY

    def _start(self, bookmark: Bookmark | None, today: date) -> date:
        if bookmark is None:
            return today - timedelta(days=self.settings.history_days)
        through = date.fromisoformat(bookmark["through"])
        return min(through + ONE_DAY, today) - timedelta(days=self.settings.lookback_days)

    async def _sum(self, client: Client, start: date, end: date, window: Window) -> tuple[Usage, list[Quarantined]]:
        """The days `start` to `end` of one export, summed, and what could not be."""
        s = self.settings
        zone = ZoneInfo(s.project_timezone)
        # a project's day is not a UTC day: a day more at both ends, so that each UTC day asked for is there as a whole
        margin = timedelta(0) if s.project_timezone == "UTC" else ONE_DAY
        params: dict[str, str | int] = {
            "project_id": s.project_id,
            "from_date": (start - margin).isoformat(),
            "to_date": min(end + margin, window.started_at.astimezone(zone).date()).isoformat(),
        }
        usage = Usage(company=s.group_key, days=(start, end), to_utc=project_clock(s.project_timezone))
        reader = Reader()
        async with client.download("/api/2.0/export", params=params, bucket="export", whole=whole) as download:
            try:
                while lines := list(islice(download.file, LINES_AT_ONCE)):
                    usage.add(reader.events(lines))
                    await asyncio.sleep(0)  # summing is work for the processor: let others have a turn
                reader.close()
            except IncompleteError as error:
                raise TransientError(f"{download.reply.place}: {error}; nothing of {start} to {end} is kept") from None
        faults = [*reader.faults, *usage.faults()]
        if usage.outside and not margin:
            faults.append(_outside(usage.outside, start, end))
        return usage, faults

    async def _groups(
        self, client: Client, *, limit: int | None = None, distinct_ids: Sequence[str] = ()
    ) -> AsyncIterator[Page]:
        s = self.settings
        wanted = [s.name_property, s.domain_property, s.crm_id_property]
        form = {"data_group_id": s.data_group_id or "", "output_properties": orjson.dumps(wanted).decode()}
        if distinct_ids:
            form["distinct_ids"] = orjson.dumps(list(distinct_ids)).decode()
        pulled, number = 0, 0
        while True:
            answer = await client.post_json(
                "/api/query/engage", form=form, params={"project_id": s.project_id}, bucket="query"
            )
            rows = _results(answer, number)
            last = len(rows) < answer.get("page_size", ROWS_A_PAGE)
            if limit is not None and pulled + len(rows) >= limit:
                yield Page(rows=rows[: limit - pulled])
                return
            yield Page(rows=rows, total=answer.get("total"))
            if last:
                return
            pulled, number = pulled + len(rows), number + 1
            form |= {"page": str(number), "session_id": str(answer["session_id"])}

    def _client(self, base_url: str) -> Client:
        s = self.settings
        return Client(
            base_url,
            budget=self.manifest.budget(base_url, str(s.project_id), s.user, s.secret.get_secret_value()),
            authorization=basic(s.user, s.secret),
            judge=judge,
            proxy=s.proxy,
        )


def _results(answer: Any, number: int) -> list[dict[str, Any]]:
    """The profiles of page `number`; ContractError for an answer that is no such page."""
    if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):
        raise ContractError("engage: an answer without a list of results")
    if answer.get("page", number) != number:
        raise ContractError(f"engage: asked for page {number} and got page {answer['page']}")
    results: list[dict[str, Any]] = answer["results"]
    return results


def _outside(count: int, start: date, end: date) -> Quarantined:
    return Quarantined(
        key=f"outside|{start}|{end}",
        reason=f"{count} events lie outside the days {start} to {end} that were asked for: is project_timezone right?",
        field="time",
    )
