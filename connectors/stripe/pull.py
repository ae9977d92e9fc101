"""The objects of one kind: listed once, and from then on those that events name, each asked for again.

Stripe can't be asked what changed since. It keeps 30 days of events; an event shows an object as it was, in the shape of
the API version the webhook or account is set to, unordered. So events only say *which* objects to ask for. Where the
bookmark is older than 25 days, or events name too many objects, everything is listed again.

    listing  {began, after}   a listing under way and the last id seen; newest first
    since                     what changed up to then is handed on (milliseconds)
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.base import Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, Params
from connectors.kit.paging import TokenPages
from connectors.kit.values import version

DAY_MS = 86_400_000
EVENTS_GOOD_FOR = 25 * DAY_MS
ASKED_AT_ONCE = 20
EVENTS_A_PAGE = 100

Dress = Callable[[Client, Sequence[dict[str, Any]]], Awaitable[Sequence[dict[str, Any]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPull:
    """`Stream.pull` and `.fetch` of one kind.

    name         in paths
    events       types of the events that speak of it
    listed       what a listing is asked for besides, and how its rows are expanded
    single       likewise for one object
    relist_from  objects named by events from which on listing everything is less work
    """

    name: str
    events: Sequence[str]
    lag_seconds: int
    page_size: int
    relist_from: int
    listed: Params
    single: Params
    dress: Dress | None = None

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        mark: Mapping[str, Any] = window.bookmark or {}
        until, rows = version(window.started_at) - self.lag_seconds * 1000, 0
        if "since" in mark and until - mark["since"] <= EVENTS_GOOD_FOR:
            dirty = await self._dirty(client, since=mark["since"] - self.lag_seconds * 1000)
            if len(dirty) < self.relist_from:
                async for page in self.fetch(client, dirty):
                    yield page
                yield Page(rows=(), bookmark={"since": max(until, mark["since"])})
                return
        listing = mark.get("listing") or {"began": until, "after": None}
        if until - listing["began"] > EVENTS_GOOD_FOR:
            listing = {"began": until, "after": None}
        async for page in self._listing(client, listing, limit=window.limit):
            yield page
            rows += len(page.rows)
            if window.limit is not None and rows >= window.limit:
                return

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        """Stripe gives one object at a time; a few are asked for at once."""
        for some in _parts(list(dict.fromkeys(keys)), ASKED_AT_ONCE):
            answers = await asyncio.gather(*(self._one(client, key) for key in some), return_exceptions=True)
            # only now that all have ended: one left behind would open a connection of a client that is closed already
            found = [_or_raise(answer) for answer in answers]
            rows = [row for row in found if row is not None]
            gone = [key for key, row in zip(some, found, strict=True) if row is None]
            yield Page(rows=await self._dressed(client, rows), gone=gone)

    async def _one(self, client: Client, key: str) -> dict[str, Any] | None:
        try:
            row = await client.get_json(f"/v1/{self.name}/{key}", params=self.single, bucket=self.name)
        except ContractError as error:
            if error.status == 404:
                return None
            raise
        if not isinstance(row, dict) or row.get("id") != key:
            raise ContractError(f"Stripe {self.name}: asked for {key}, and the answer is another object")
        return row

    async def _listing(self, client: Client, state: Mapping[str, Any], *, limit: int | None) -> AsyncIterator[Page]:
        after, guard = state["after"], TokenPages(f"Stripe {self.name}")
        size = min(self.page_size, limit or self.page_size)
        while True:
            params: Params = {**self.listed, "limit": size, "starting_after": after}
            try:
                rows, more = _list(
                    await client.get_json(f"/v1/{self.name}", params=params, bucket=self.name), self.name
                )
            except ContractError as error:
                if after is None or error.status not in (400, 404):
                    raise
                after, guard = (
                    None,
                    TokenPages(f"Stripe {self.name}"),
                )  # the row it stopped at is gone: from the beginning
                continue
            after = guard.next(str(rows[-1]["id"])) if more and rows else None
            if more and after is None:
                raise ContractError(f"Stripe {self.name}: more rows are promised after a page without any")
            mark = {"listing": {"began": state["began"], "after": after}} if more else {"since": state["began"]}
            yield Page(rows=await self._dressed(client, rows), bookmark=mark)
            if not more:
                return

    async def _dirty(self, client: Client, *, since: int) -> list[str]:
        """Ids of the objects that events since then speak of."""
        dirty: dict[str, None] = {}
        guard, after = TokenPages("Stripe events"), None
        while True:
            params: Params = {
                "types[]": list(self.events),
                "created[gte]": since // 1000,
                "limit": EVENTS_A_PAGE,
                "starting_after": after,
            }
            events, more = _list(await client.get_json("/v1/events", params=params, bucket="events"), "events")
            for event in events:
                if event.get("type") not in self.events:
                    raise ContractError(f"Stripe events: asked for those of {self.name}, and got {event.get('type')!r}")
                dirty[str(event["data"]["object"]["id"])] = None
            after = guard.next(str(events[-1]["id"])) if more and events else None
            if not more:
                return list(dirty)
            if after is None:
                raise ContractError("Stripe events: more are promised after a page without any")
            if len(dirty) >= self.relist_from:
                return list(dirty)

    async def _dressed(self, client: Client, rows: Sequence[dict[str, Any]]) -> list[Raw]:
        read_at = version(client.now())
        dressed = await self.dress(client, rows) if self.dress is not None and rows else rows
        return [{**row, "read_at": read_at} for row in dressed]


async def listing(client: Client, path: str, params: Params) -> list[dict[str, Any]]:
    """All rows of a short list."""
    guard, after, found = TokenPages(f"Stripe {path}"), None, list[dict[str, Any]]()
    while True:
        page: Params = {**params, "limit": 100, "starting_after": after}
        rows, more = _list(await client.get_json(path, params=page), path)
        found.extend(rows)
        after = guard.next(str(rows[-1]["id"])) if more and rows else None
        if after is None:
            return found


def _or_raise(answer: dict[str, Any] | BaseException | None) -> dict[str, Any] | None:
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _list(answer: Any, name: str) -> tuple[list[dict[str, Any]], bool]:
    """Rows, and whether there are more."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("data"), list):
        raise ContractError(f"Stripe {name}: an answer without a list of data")
    rows: list[dict[str, Any]] = answer["data"]
    if not all(isinstance(row, dict) and "id" in row for row in rows) or not isinstance(answer.get("has_more"), bool):
        raise ContractError(f"Stripe {name}: rows without ids, or no word on whether there are more")
    return rows, answer["has_more"]


def _parts(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for begin in range(0, len(keys), size):
        yield keys[begin : begin + size]
