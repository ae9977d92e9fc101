"""The rows of one object: all of them at first, by a bulk job where they are many, and then what changed.

    job    a bulk query under way       {"id", "locator", "began"}
    walk   a walk in order of (SystemModstamp, Id) under way: the row it has reached, and what it will have shown in the end
           {"at", "id", "until", "first"}
    since  everything up to that moment has been handed on (milliseconds)

A transaction that takes minutes shows its rows when it ends, with the SystemModstamp of its middle. So the bookmark stays
five minutes behind the sync's start, and each walk begins ten minutes before it: a quarter of an hour is read again. Walks
have no upper end: a row that changes while they run moves to where they have not been yet.

Deleted rows are seen by `queryAll`, as rows with IsDeleted, for as long as they are in the recycle bin.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kit.base import Id, Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.paging import TokenPages, own_path
from connectors.kit.values import moment, version
from connectors.salesforce.bulk import BulkQuery
from connectors.salesforce.refusals import LostLocatorError
from connectors.salesforce.soql import Table, id18, literal

LOOKBACK_MS = 600_000
FETCHED_AT_ONCE = 200
"""Ids of one query: its address has to stay well below 16 KB."""

Dress = Callable[[Client, Sequence[Raw]], Awaitable[Sequence[Raw]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPull:
    """`Stream.pull`, `.fetch` and `.ids` of one object.

    bulk_from  rows from which on the first load is a bulk job; None: never
    dress      completes rows with what other objects say of them
    """

    table: Table
    bulk: BulkQuery
    data: str
    lag_seconds: int
    page_size: int
    bulk_from: int | None
    dress: Dress | None = None

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        mark: dict[str, Any] = dict(window.bookmark or {})
        until, rows = version(window.started_at) - self.lag_seconds * 1000, 0
        if not mark and window.limit is None and await self._are_many(client):
            mark = {"job": {"id": None, "locator": None, "began": until}}
        if "job" in mark:
            began = mark["job"]["began"]
            async for found, state in self.bulk.rows(client, self.table.everything(), state=mark["job"]):
                mark = {"job": {**state, "began": began}} if state else {"since": began}
                yield Page(rows=await self._dressed(client, found), bookmark=dict(mark))
        size = min(self.page_size, window.limit or self.page_size)
        async for page in self._walk(client, mark, until=until, size=size):
            yield page
            rows += len(page.rows)
            if window.limit is not None and rows >= window.limit:
                return

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        wanted = list(dict.fromkeys(map(id18, keys)))
        for begin in range(0, len(wanted), FETCHED_AT_ONCE):
            some = wanted[begin : begin + FETCHED_AT_ONCE]
            rows = [row async for page in self._query(client, "query", self.table.some(some)) for row in page]
            found = {row.get("Id") for row in rows}
            yield Page(rows=await self._dressed(client, rows), gone=[key for key in some if key not in found])

    async def ids(self, client: Client, window: Window) -> AsyncIterator[Sequence[Id]]:
        after: str | None = None
        guard = TokenPages(f"Salesforce {self.table.name}")
        while True:
            query = self.table.ids(after=after, limit=self.page_size)
            rows = [row async for page in self._query(client, "query", query) for row in page]
            stamps = [version(moment(row["SystemModstamp"], field="SystemModstamp")) for row in rows]
            yield [Id(str(row["Id"]), stamp) for row, stamp in zip(rows, stamps, strict=True)]
            if len(rows) < self.page_size:
                return
            after = guard.next(str(rows[-1]["Id"]))

    async def _are_many(self, client: Client) -> bool:
        if self.bulk_from is None:
            return False
        return await self._count(client) >= self.bulk_from

    async def _count(self, client: Client) -> int:
        answer = _answer(await client.get_json(f"{self.data}/query", params={"q": self.table.count()}))
        return int(answer["totalSize"])

    async def _walk(self, client: Client, mark: dict[str, Any], *, until: int, size: int) -> AsyncIterator[Page]:
        fresh: dict[str, Any] = {"at": None, "id": None, "until": until, "first": "since" not in mark, "seen": 0}
        state = mark.get("walk") or fresh
        since = None if state["first"] else literal(_time(mark["since"] - LOOKBACK_MS))
        guard = TokenPages(f"Salesforce {self.table.name}")
        ended = False
        while not ended:
            after = (state["at"], state["id"]) if state["id"] is not None else None
            query = self.table.changes(since=since, after=after, limit=size)
            seen = 0
            try:
                async for found in self._query(client, "query" if state["first"] else "queryAll", query):
                    seen += len(found)
                    if found:
                        stamp = moment(found[-1].get("SystemModstamp"), field="SystemModstamp")
                        reached = {"at": literal(stamp), "id": str(found[-1]["Id"])}
                        state = {**state, **reached, "seen": state["seen"] + len(found)}
                    mark["walk"] = state
                    yield Page(rows=await self._dressed(client, found), bookmark=dict(mark))
            except LostLocatorError:
                if not seen:
                    raise
                seen = size  # the rest of it is asked for again
            ended = seen < size
            if not ended and guard.next(f"{state['at']} {state['id']}") is None:
                raise ContractError(f"Salesforce {self.table.name}: a page without a row to go on from")
        if state["first"] and (counted := await self._count(client)) > state["seen"]:
            yield Page(rows=(), bookmark={"walk": fresh})
            raise ContractError(
                f"Salesforce {self.table.name}: {counted} rows are counted and {state['seen']} were shown;"
                " the next sync reads them all again"
            )
        yield Page(rows=(), bookmark={"since": max(state["until"], mark.get("since", state["until"]))})

    async def _query(self, client: Client, operation: str, query: str) -> AsyncIterator[list[Raw]]:
        """The pages of one query's result, by its locators."""
        guard, seen = TokenPages(f"Salesforce {self.table.name}"), 0
        answer = _answer(await client.get_json(f"{self.data}/{operation}", params={"q": query}))
        while True:
            found = answer["records"]
            if any((row.get("attributes") or {}).get("type") != self.table.name for row in found):
                raise ContractError(f"Salesforce {self.table.name}: an answer with rows of another object")
            seen += len(found)
            yield found
            if answer["done"]:
                break
            following = guard.next(answer.get("nextRecordsUrl"))
            if following is None:
                raise ContractError(
                    f"Salesforce {self.table.name}: more rows are promised, without a place to find them"
                )
            answer = _answer(await client.get_json(own_path(following, base_url=client.base_url)))
        if seen < answer["totalSize"]:
            raise ContractError(f"Salesforce {self.table.name}: {seen} rows of {answer['totalSize']} promised")

    async def _dressed(self, client: Client, rows: Sequence[Raw]) -> Sequence[Raw]:
        return await self.dress(client, rows) if self.dress is not None and rows else rows


def _answer(answer: Any) -> Mapping[str, Any]:
    if (
        not isinstance(answer, Mapping)
        or not isinstance(answer.get("records"), list)
        or not isinstance(answer.get("done"), bool)
        or not isinstance(answer.get("totalSize"), int)
    ):
        raise ContractError("Salesforce query: an answer without records, done and totalSize")
    if not all(isinstance(row, Mapping) for row in answer["records"]):
        raise ContractError("Salesforce query: a record is no object")
    return answer


def _time(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
