"""The rows of one entity, by OData: those since the bookmark, in the order of their ids, 100 a page.

    GET /public/v1/Account?$filter=ObjectLastModifiedDate ge …&$orderby=Id&$count=true&$skip=99

The server pages, and says by `@odata.nextLink` that more is to come. The link is heeded, not followed: the next page is asked
for by $skip, one row early (`kit.offsets`), and in the end the rows must be as many as were counted.

    since   changes up to then have been handed on (milliseconds); each pull begins ten minutes before it
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.kit.base import Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, Params
from connectors.kit.offsets import Answer, steady
from connectors.kit.values import version

API = "/public/v1"
AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPull:
    """`Stream.pull` and `.fetch` of one entity.

    changed   the field that tells when a row changed
    expand    what comes with each row
    """

    entity: str
    changed: str
    lag_seconds: int
    expand: str | None = None

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        since, pulled = (window.bookmark or {}).get("since"), 0
        condition = None if since is None else f"{self.changed} ge {moment_of(since) - AGAIN:%Y-%m-%dT%H:%M:%SZ}"
        async for rows in self.listing(client, condition):
            yield Page(rows=rows)
            pulled += len(rows)
            if window.limit is not None and pulled >= window.limit:
                return
        until = version(window.started_at) - self.lag_seconds * 1000
        yield Page(rows=(), bookmark={"since": max(since or 0, until)})

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        """One request each: lists cannot be asked for ids."""
        for key in dict.fromkeys(keys):
            row = await self._single(client, key) if key.isdecimal() else None
            yield Page(rows=() if row is None else (row,), gone=(key,) if row is None else ())

    async def _single(self, client: Client, key: str) -> Raw | None:
        try:
            row = await client.get_json(f"{API}/{self.entity}({key})", params={"$expand": self.expand})
        except ContractError as error:
            if error.status != 404:
                raise
            return None
        if not isinstance(row, Mapping) or str(row.get("Id")) != key:
            raise ContractError(f"ChurnZero {self.entity}: asked for a row, and got another")
        return row

    async def listing(self, client: Client, condition: str | None) -> AsyncIterator[Sequence[Raw]]:
        """All rows a filter lets through."""

        async def ask(offset: int) -> Answer:
            return await self.page(client, {"$filter": condition, "$orderby": "Id", "$skip": offset or None})

        async for rows in steady(f"ChurnZero {self.entity}", ask, key=lambda row: str(row.get("Id", ""))):
            yield rows

    async def page(self, client: Client, asked: Params) -> Answer:
        """One page of a list, and how many rows there are in all."""
        params = {**asked, "$count": "true", "$expand": self.expand}
        answer = await client.get_json(f"{API}/{self.entity}", params=params)
        rows = answer.get("value") if isinstance(answer, Mapping) else None
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise ContractError(f"ChurnZero {self.entity}: an answer without a list of values")
        total = answer.get("@odata.count")
        if total is not None and not isinstance(total, int):
            raise ContractError(f"ChurnZero {self.entity}: a count that is no number")
        return Answer(rows=rows, more=bool(answer.get("@odata.nextLink")), total=total)


def moment_of(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
