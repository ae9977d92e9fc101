"""The Pendo connector: everything is an aggregation, see `pipeline`; use comes by the hour and is summed to UTC days."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr

from connectors.kit import usage_records
from connectors.kit.base import Id, Page, Stream, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.kit.usage import Fields
from connectors.kit.usage_pull import ONE_DAY, first_day, midnight
from connectors.pendo import mapping
from connectors.pendo.answers import Answers
from connectors.pendo.hours import Days
from connectors.pendo.mapping import Places
from connectors.pendo.pipeline import Ask, Row, series, text
from connectors.pendo.refusals import judge
from hub.model.records import Company, Contact, FeatureUsageDay, SurveyResponse, UserActivityDay

KEYS_AT_ONCE = 100
FEATURES = {"featureEvents": ("featureId", "/api/v1/feature"), "trackEvents": ("trackTypeId", "/api/v1/tracktype")}
"""Sources of feature days: the field that names what was used, and where the names are."""


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = "https://app.pendo.io"
    integration_key: SecretStr
    name_field: str = "agent.name"
    domain_field: str = "agent.domain"
    crm_id_field: str = "agent.crm_id"
    email_field: str = "agent.email"
    visitor_name_field: str = "agent.full_name"
    role_field: str = "agent.role"
    history_days: int = Field(default=540, ge=1, le=3650)
    lookback_days: int = Field(default=2, ge=0, le=60)
    window_days: int = Field(default=7, ge=1, le=90)
    page_size: int = Field(default=10_000, ge=1, le=50_000)


class Connector:
    def __init__(self, settings: Settings) -> None:
        self.manifest = Manifest.of(Path(__file__).parent)
        self.settings = settings

    def client(self) -> Client:
        s = self.settings
        key = s.integration_key.get_secret_value()
        return Client(
            s.base_url,
            budget=self.manifest.budget(s.base_url, key),
            headers={"x-pendo-integration-key": key},
            judge=judge,
            proxy=s.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        places = Places(
            name=s.name_field,
            domain=s.domain_field,
            crm_id=s.crm_id_field,
            email=s.email_field,
            visitor_name=s.visitor_name_field,
            role=s.role_field,
        )
        answers = Answers(
            page_size=s.page_size,
            email=s.email_field,
            lookback=timedelta(days=s.lookback_days),
        )
        return (
            Stream(
                name="accounts",
                makes=(Company,),
                pull=partial(self._listing, "accounts"),
                records=lambda raw: (mapping.company(raw, places=places),),
                key=lambda raw: str(raw.get("accountId", "")),
                fetch=partial(self._chosen, "accounts"),
                ids=partial(self._ids, "accounts"),
                whole=True,
            ),
            Stream(
                name="visitors",
                makes=(Contact,),
                pull=partial(self._listing, "visitors"),
                records=lambda raw: (mapping.contact(raw, places=places),),
                key=lambda raw: str(raw.get("visitorId", "")),
                fetch=partial(self._chosen, "visitors"),
                ids=partial(self._ids, "visitors"),
                whole=True,
            ),
            Stream(
                name="usage",
                makes=(UserActivityDay, FeatureUsageDay),
                pull=self.pull_usage,
                records=partial(usage_records.usage, fields=Fields(event="featureId", user="visitorId")),
                key=usage_records.usage_key,
            ),
            Stream(
                name="nps",
                makes=(SurveyResponse,),
                pull=answers.pull,
                records=lambda raw: (mapping.survey_response(raw),),
                key=mapping.answer_key,
                whole=True,
            ),
        )

    async def pull_usage(self, client: Client, window: Window) -> AsyncIterator[Page]:
        s, until = self.settings, window.started_at
        start = midnight(first_day(window.bookmark, now=until, history_days=s.history_days))
        names = {source: await self._names(client, path) for source, (_, path) in FEATURES.items()}
        surely = (until - ONE_DAY * (1 + s.lookback_days)).date()
        while start < until:
            end = min(start + ONE_DAY * s.window_days, until)
            days = await self._sum(client, start, end, names)
            through = min((end - ONE_DAY).date(), surely)
            bookmark = {"through": through.isoformat()} if through >= start.date() else None
            for page in usage_records.pages(days.rows(), bookmark=bookmark, faults=days.faults()):
                yield page
            start = end

    async def _sum(self, client: Client, start: datetime, end: datetime, names: dict[str, dict[str, str]]) -> Days:
        days, size = Days(), self.settings.page_size
        ask = Ask(
            what="hours of use",
            source=series("events", start, end),
            key=("visitorId", "accountId", "hour"),
            sums=("numEvents", "numMinutes"),
        )
        async for rows in ask.pages(client, size):
            days.use(_within(rows, start, end))
        for source, (field, _) in FEATURES.items():
            ask = Ask(
                what=f"hours of {source}",
                source=series(source, start, end),
                key=(field, "visitorId", "accountId", "hour"),
                sums=("numEvents",),
            )
            async for rows in ask.pages(client, size):
                for row in _within(rows, start, end):
                    days.feature(names[source].get(str(row[field]), str(row[field])), row)
        return days

    async def _names(self, client: Client, path: str) -> dict[str, str]:
        """{id: name} of features or track types; one without a name goes by its id."""
        listed = await client.get_json(path)
        if not isinstance(listed, list):
            raise ContractError(f"GET {path} answered no list")
        return {str(each["id"]): str(each.get("name") or each["id"]) for each in listed}

    async def _listing(self, what: str, client: Client, window: Window) -> AsyncIterator[Page]:
        """Those changed since the bookmark, less the time Pendo needs; all of them without one."""
        since = (window.bookmark or {}).get("since")
        where = [] if since is None else [f"metadata.auto.lastupdatedat >= {int(since)}"]
        reached = window.started_at - timedelta(seconds=2 * self.manifest.lag_seconds)
        bookmark = {"since": max(round(reached.timestamp() * 1000), int(since or 0))}
        async for rows in self._ask(what, where).pages(client, self.settings.page_size):
            yield Page(rows=rows)
        yield Page(rows=(), bookmark=bookmark)

    async def _ids(self, what: str, client: Client, window: Window) -> AsyncIterator[Sequence[Id]]:
        ask = self._ask(what, [])
        field = ask.key[0]
        select = {field: field, "changed": "metadata.auto.lastupdatedat"}
        lean = Ask(what=f"ids of {what}", source=ask.source, key=ask.key, select=select)
        async for rows in lean.pages(client, self.settings.page_size):
            yield [Id(str(row[field]), int(row.get("changed") or 0)) for row in rows]

    async def _chosen(self, what: str, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        for begin in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[begin : begin + KEYS_AT_ONCE]
            field = self._ask(what, []).key[0]
            wanted = " || ".join(f"{field} == {text(key)}" for key in some)
            rows = [row async for page in self._ask(what, [wanted]).pages(client, len(some) + 1) for row in page]
            there = {str(row[field]) for row in rows}
            yield Page(rows=rows, gone=[key for key in some if key not in there])

    def _ask(self, what: str, where: Sequence[str]) -> Ask:
        field = {"accounts": "accountId", "visitors": "visitorId"}[what]
        return Ask(what=what, source={what: None}, key=(field,), where=where)


def _within(rows: Sequence[Row], start: datetime, end: datetime) -> list[Row]:
    """`rows`, all of which must be of hours in [start, end)."""
    first, last = (round(each.astimezone(UTC).timestamp() * 1000) for each in (start, end))
    for row in rows:
        hour: Any = row.get("hour")
        if not isinstance(hour, int) or not first <= hour < last:
            raise ContractError(f"hours of use: an hour that was not asked for: {hour!r}")
    return list(rows)
