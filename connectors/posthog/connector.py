"""The PostHog connector: groups and persons as listings, events as keyset pages that are summed to days on the way.

All of it is HogQL over `POST /api/projects/{id}/query/`: the REST listing of events is deprecated for exports, and persons
over REST come with absolute next URLs. Events carry the time they happened and may arrive later, so the days that are not
older than `lookback_hours` are summed again by every sync; see `connectors.kit.usage_pull`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from connectors.kit import usage_records
from connectors.kit.base import Page, Stream, Window
from connectors.kit.budget import Budget, Rate, shared
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, bearer
from connectors.kit.manifest import Manifest
from connectors.kit.paging import KeysetPages
from connectors.kit.profiles import Names
from connectors.kit.settings import SourceSettings
from connectors.kit.usage import Fields, Seen, Usage
from connectors.kit.usage_pull import first_day, windows
from connectors.posthog import mapping, queries
from connectors.posthog.queries import Query
from connectors.posthog.refusals import judge
from hub.model.records import Company, Contact, FeatureUsageDay, UserActivityDay

GROUP_TYPES = 5
KEYS_AT_ONCE = 100


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = "https://us.posthog.com"
    project_id: int
    api_key: SecretStr
    group_type_index: int | None = Field(default=None, ge=0, lt=GROUP_TYPES)
    company_property: str | None = None
    person_company_property: str | None = None
    name_property: str = "name"
    domain_property: str = "domain"
    crm_id_property: str = "crm_id"
    user: Literal["person_id", "distinct_id"] = "person_id"
    ignored_events: tuple[str, ...] = ("$identify", "$groupidentify", "$feature_flag_called", "$set")
    history_days: int = Field(default=540, ge=1, le=3650)
    lookback_hours: int = Field(default=1, ge=0, le=720)
    window_days: int = Field(default=30, ge=1, le=366)
    page_size: int = Field(default=10_000, ge=1, le=50_000)
    queries_per_hour: int = Field(default=120, ge=1)

    @model_validator(mode="after")
    def _names_its_companies(self) -> Self:
        if (self.group_type_index is None) == (self.company_property is None):
            raise ValueError("name companies by group_type_index or by company_property, one of them")
        return self


class Connector:
    def __init__(self, settings: Settings) -> None:
        self.manifest = Manifest.of(Path(__file__).parent)
        self.settings = settings
        s = settings
        self._company = s.company_property or f"$group_{s.group_type_index}"
        self._fields = Fields(event="event", time="timestamp", user=s.user, company=self._company)

    def client(self) -> Client:
        s = self.settings
        rates = {"query": [Rate(s.queries_per_hour, 3600)]}
        budget = shared(
            self.manifest.name,
            s.base_url,
            str(s.project_id),  # limits are the team's, whichever key asks
            make=lambda: Budget(rates, concurrency=self.manifest.concurrency),
        )
        return Client(s.base_url, budget=budget, authorization=bearer(s.api_key), judge=judge, proxy=s.proxy)

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        names = Names(name=s.name_property, domain=s.domain_property, crm_id=s.crm_id_property)
        groups = Stream(
            name="groups",
            makes=(Company,),
            pull=partial(self._listing, "groups"),
            records=lambda raw: (mapping.company(raw, names=names),),
            key=lambda raw: str(raw.get("key", "")),
            fetch=partial(self._chosen, "groups"),
            whole=True,
        )
        persons = Stream(
            name="persons",
            makes=(Contact,),
            pull=partial(self._listing, "persons"),
            records=lambda raw: (mapping.contact(raw, company_property=s.person_company_property or ""),),
            fetch=partial(self._chosen, "persons"),
            whole=True,
        )
        usage = Stream(
            name="usage",
            makes=(UserActivityDay, FeatureUsageDay),
            pull=self.pull_usage,
            records=partial(usage_records.usage, fields=self._fields),
            key=usage_records.usage_key,
        )
        listed = (groups,) if s.group_type_index is not None else ()
        return (*listed, *((persons,) if s.person_company_property else ()), usage)

    async def pull_usage(self, client: Client, window: Window) -> AsyncIterator[Page]:
        s, until = self.settings, window.started_at
        first = first_day(window.bookmark, now=until, history_days=s.history_days)
        usage = Usage(fields=self._fields, days=(first, until.date()))
        async for page in windows(
            usage,
            partial(self._read, client, usage),
            first=first,
            until=until,
            step=timedelta(days=s.window_days),
            lookback=timedelta(hours=s.lookback_hours),
            by_arrival=False,
        ):
            yield page

    async def _read(self, client: Client, usage: Usage, start: datetime, end: datetime) -> None:
        """Add the events of [start, end) to `usage`, page by page in the order (time, uuid)."""
        s = self.settings
        query = queries.events(
            user=s.user,
            company=queries.property_of_event(s.company_property) if s.company_property else self._company,
            ignored=s.ignored_events,
        )
        first, last = (round(moment.timestamp() * 1000) for moment in (start, end))
        values = {f"ignored{n}": name for n, name in enumerate(s.ignored_events)}
        at, uuid = first - 1, ""
        while True:
            rows = await self._ask(
                client,
                query,
                start=first // 1000,
                end=-(-last // 1000),
                until=last,
                after=at,
                uuid=uuid,
                limit=s.page_size,
                **values,
            )
            if rows and not (at, uuid) < _place(rows[0]) <= _place(rows[-1]) < (last, ""):
                raise ContractError("events: a page holds events that were not asked for; it is another page's")
            usage.add(map(_seen, rows))
            if len(rows) < s.page_size:
                return
            at, uuid = _place(rows[-1])
            await asyncio.sleep(0)  # summing is work for the processor: let others have a turn

    async def _listing(self, what: str, client: Client, window: Window) -> AsyncIterator[Page]:
        """All groups or persons in the order of their key."""
        size, pages, after = self.settings.page_size, KeysetPages(f"PostHog {what}"), ""
        while True:
            query, values = (queries.groups(), self._index()) if what == "groups" else (queries.persons(), {})
            rows = await self._ask(client, query, after=after, limit=size, **values)
            last = str(rows[-1][query.columns[0]]) if rows else None
            following = pages.next(last, full=len(rows) >= size)
            yield Page(rows=rows)
            if following is None:
                return
            after = following

    async def _chosen(self, what: str, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        """The groups or persons with these keys; those that are not there are gone."""
        for begin in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[begin : begin + KEYS_AT_ONCE]
            values: dict[str, Any] = {f"key{n}": key for n, key in enumerate(some)}
            query = queries.groups(chosen=len(some)) if what == "groups" else queries.persons(chosen=len(some))
            rows = await self._ask(
                client, query, limit=len(some), **values, **(self._index() if what == "groups" else {})
            )
            there = {str(row[query.columns[0]]) for row in rows}
            yield Page(rows=rows, gone=[key for key in some if key not in there])

    def _index(self) -> dict[str, Any]:
        return {"index": self.settings.group_type_index}

    async def _ask(self, client: Client, query: Query, **values: Any) -> list[dict[str, Any]]:
        path = f"/api/projects/{self.settings.project_id}/query/"
        return query.rows(await client.post_json(path, json=query.body(**values), bucket="query"))


def _place(row: dict[str, Any]) -> tuple[int, str]:
    try:
        return int(row["at"]), str(row["id"])
    except (TypeError, ValueError):
        raise ContractError("events: a row without a time; pages cannot go on from it") from None


def _seen(row: dict[str, Any]) -> Seen:
    return (row["event"], row["company"], row["user"], int(row["at"]) // 1000, row["id"], None, row)
