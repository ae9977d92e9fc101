"""The WalkMe connector: a token by client credentials, good for a day, and events of a range of time by offset.

A range that is over does not move: events that arrive late push others to a later offset, where they come again, and an event
counts once. What must not happen is that one page is given for another: a page without a single new event ends the pull.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, field_validator

from connectors.kit import usage_records
from connectors.kit.base import BadRowError, Page, Stream, Window
from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.oauth import ClientCredentials, Tokens
from connectors.kit.paging import NumberPages
from connectors.kit.settings import SourceSettings
from connectors.kit.usage import Fields, Seen, Usage
from connectors.kit.usage_pull import first_day, windows
from connectors.kit.values import moment
from connectors.walkme.refusals import READ, judge
from hub.model.records import FeatureUsageDay, UserActivityDay

TOKEN_PATH = "/accounts/connect/token"  # noqa: S105 - an address
DAY = 86_400.0


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = "https://api.walkme.com"
    client_id: SecretStr
    client_secret: SecretStr
    export_path: str = "/public/v1/insights/events"
    company_field: str = "properties.company_id"
    user_field: str = "endUserId"
    event_field: str = "name"
    ignored_events: tuple[str, ...] = ()
    history_days: int = Field(default=540, ge=1, le=3650)
    lookback_days: int = Field(default=2, ge=0, le=60)
    window_days: int = Field(default=7, ge=1, le=366)
    page_size: int = Field(default=1_000, ge=1, le=1_000)

    @field_validator("export_path")
    @classmethod
    def _is_a_path(cls, value: str) -> str:
        if not value.startswith("/") or value.startswith("//"):
            raise ValueError("must be a path such as /public/v1/insights/events")
        return value


class Connector:
    def __init__(self, settings: Settings) -> None:
        self.manifest = Manifest.of(Path(__file__).parent)
        self.settings = settings
        s = settings
        self._fields = Fields(event=s.event_field, time="timestamp", user=s.user_field, company=s.company_field)
        self._tokens = Tokens(
            f"{s.base_url}{TOKEN_PATH}",
            grant=ClientCredentials(s.client_id.get_secret_value(), s.client_secret),
            basic_auth=True,
            lifetime=DAY,
            proxy=s.proxy,
        )

    def client(self) -> Client:
        s = self.settings
        return Client(
            s.base_url,
            budget=self.manifest.budget(s.base_url, s.client_id.get_secret_value()),
            authorize=partial(_named, self._tokens.current),
            renew=partial(_named, self._tokens.renew),
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
        async for page in windows(
            usage,
            partial(self._read, client, usage),
            first=first,
            until=until,
            step=timedelta(days=s.window_days),
            lookback=timedelta(days=s.lookback_days),
            by_arrival=False,
        ):
            yield page

    async def _read(self, client: Client, usage: Usage, start: datetime, end: datetime) -> None:
        size = self.settings.page_size
        first, last = (round(each.timestamp() * 1000) for each in (start, end))
        pages, known = NumberPages("WalkMe events", size, offset=True), set[str]()
        offset: int | None = 0
        while offset is not None:
            params = {"from": first, "to": last - 1, "limit": size, "offset": offset}
            answer = await client.get_json(self.settings.export_path, params=params)
            rows = _events(answer)
            ids = {str(row.get("eventId")) for row in rows}
            if rows and ids <= known:
                raise ContractError("events: a page without a new event; it is another page's, or pages never end")
            known |= ids
            usage.add(self._seen(rows, first, last))
            offset = pages.next(len(rows))

    def _seen(self, rows: Sequence[Mapping[str, Any]], first: int, last: int) -> Iterator[Seen]:
        s = self.settings
        for row in rows:
            name, at = _at(row, s.event_field), _time(row.get("timestamp"))
            if at is not None and not first <= at < last:
                raise ContractError(f"events: one of {row.get('timestamp')} came, which was not asked for")
            if name in s.ignored_events:
                continue
            second = None if at is None else at // 1000
            yield (name, _at(row, s.company_field), _at(row, s.user_field), second, row.get("eventId"), None, row)


async def _named(ask: Any) -> str:
    """A token; where it is refused, with what the key needs."""
    try:
        token: str = await ask()
    except DeniedError as error:
        raise DeniedError(f"{error}; the key needs {READ}", permission=READ) from None
    return token


def _events(answer: Any) -> list[Mapping[str, Any]]:
    rows = answer.get("events") if isinstance(answer, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ContractError("events: an answer without a list of events")
    return rows


def _at(row: Any, path: str) -> Any:
    for part in path.split("."):
        row = row.get(part) if isinstance(row, Mapping) else None
    return row


def _time(value: Any) -> int | None:
    try:
        return round(moment(value, field="timestamp").timestamp() * 1000)
    except BadRowError:
        return None
