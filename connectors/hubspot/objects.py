"""Pulling one kind of CRM object: a complete listing first, then what changed, now and then what was archived.

    listing   GET /crm/v3/objects/<kind>          first, again every `relist_days`; sees every row, 100 a page
    changes   POST /crm/v3/objects/<kind>/search  since the last one, an hour of overlap, up to a minute ago, 200 a page
    archive   GET …?archived=true                 every `deletions_hours`; search never shows archived rows

The bookmark, in milliseconds since 1970:

    since, listed, swept           up to where changes are known; when the last listing and the last archive look began
    listing  {began, after}        … under way, and the page to go on from
    changes  {until, last}         … under way: its window's end, and the last id seen
    archive  {began, after}        … under way
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from connectors.hubspot.associations import Kind, results_of, with_companies
from connectors.hubspot.lookups import Lookups
from connectors.kit.base import BadRowError, Page, Raw, Window
from connectors.kit.http import Client
from connectors.kit.paging import KeysetPages, TokenPages
from connectors.kit.values import moment, version

OBJECTS = "/crm/v3/objects"
OVERLAP_MS = 3_600_000  # rows may enter the search index much later than its usual lag: read the last hour again
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


class ObjectPull:
    """`Stream.pull` of one Kind."""

    def __init__(
        self, kind: Kind, *, lag_seconds: int, deletions_hours: float, relist_days: float, page_size: int
    ) -> None:
        self._kind = kind
        self._lag_ms = lag_seconds * 1000
        self._path, self._page_size = f"{OBJECTS}/{kind.name}", page_size
        self._deletions_ms, self._relist_ms = deletions_hours * HOUR_MS, relist_days * DAY_MS

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        rows = 0
        async with aclosing(self._phases(client, window)) as pages:
            async for page in pages:
                yield page
                rows += len(page.rows)
                if window.limit is not None and rows >= window.limit:
                    return

    async def _phases(self, client: Client, window: Window) -> AsyncGenerator[Page, None]:
        mark: dict[str, Any] = dict(window.bookmark or {})
        now = version(window.started_at) - self._lag_ms
        found = 2 * self._page_size
        size = min(self._page_size, window.limit or self._page_size)
        lookups = await Lookups.load(client, owners=self._kind.owners, stages=self._kind.stages)
        if "listing" not in mark and ("since" not in mark or self._due(mark, "listed", now, self._relist_ms)):
            mark["listing"] = {"began": now, "after": None}
        if "listing" in mark:
            async for page in self._listing(client, lookups, mark, size):
                yield page
        if mark["since"] < now or "changes" in mark:
            async for page in self._changes(client, lookups, mark, now, min(found, window.limit or found)):
                yield page
        if "archive" in mark or (now > mark["swept"] and now - mark["swept"] >= self._deletions_ms):
            async for page in self._archive(client, lookups, mark, now, size):
                yield page

    async def _listing(self, client: Client, lookups: Lookups, mark: dict[str, Any], size: int) -> AsyncIterator[Page]:
        began = mark["listing"]["began"]
        async for rows, after in self._list(client, after=mark["listing"]["after"], archived=False, size=size):
            if after is None:
                for name in ("listing", "changes"):
                    mark.pop(name, None)
                swept = began - round(self._kind.archive_days * DAY_MS)
                mark.update(since=began, listed=began, swept=mark.get("swept", swept))
            else:
                mark["listing"] = {"began": began, "after": after}
            yield Page(rows=await lookups.completed(client, rows), bookmark=_copy(mark))

    async def _archive(
        self, client: Client, lookups: Lookups, mark: dict[str, Any], now: int, size: int
    ) -> AsyncIterator[Page]:
        state = mark.setdefault("archive", {"began": now, "after": None})
        known = mark["swept"] - OVERLAP_MS
        async for rows, after in self._list(client, after=state["after"], archived=True, size=size):
            if after is None:
                del mark["archive"]
                mark["swept"] = state["began"]
            else:
                mark["archive"] = {"began": state["began"], "after": after}
            fresh = [row for row in rows if _archived_since(row, known)]
            yield Page(rows=await lookups.completed(client, fresh), bookmark=_copy(mark))

    async def _list(
        self, client: Client, *, after: str | None, archived: bool, size: int
    ) -> AsyncIterator[tuple[Sequence[Raw], str | None]]:
        """Pages of the list endpoint, each with the token of the next one."""
        pages = TokenPages(f"HubSpot {self._kind.name}")
        token = pages.next(after)
        while True:
            answer = await client.get_json(
                self._path,
                params={
                    "limit": size,
                    "properties": ",".join(self._kind.properties),
                    "associations": "companies" if self._kind.primary_company is not None else None,
                    "archived": "true" if archived else "false",
                    "after": token,
                },
            )
            rows, token = results_of(answer, self._path), pages.next(_after(answer))
            yield rows, token
            if token is None:
                return

    async def _changes(
        self, client: Client, lookups: Lookups, mark: dict[str, Any], now: int, size: int
    ) -> AsyncIterator[Page]:
        while "changes" in mark or mark["since"] < now:  # an interrupted window first, then the one up to now
            state = mark.setdefault("changes", {"until": now, "last": None})
            async for page in self._search(client, lookups, mark, until=state["until"], last=state["last"], size=size):
                yield page

    async def _search(
        self, client: Client, lookups: Lookups, mark: dict[str, Any], *, until: int, last: str | None, size: int
    ) -> AsyncIterator[Page]:
        """One window by keyset: ids ascending, each page asks beyond the last id, so the 10,000-row cap is never near."""
        keys = KeysetPages(f"HubSpot {self._kind.name}", last=last)
        while True:
            answer = await client.post_json(
                f"{self._path}/search",
                json=self._query(since=mark["since"] - OVERLAP_MS, until=until, last=last, size=size),
                bucket="search",
            )
            found = results_of(answer, self._path)
            last = keys.next(found[-1].get("id") if found else None, full=_after(answer) is not None)
            rows = await lookups.completed(client, await with_companies(client, self._kind, found))
            if last is None:
                del mark["changes"]
                mark["since"] = until
            else:
                mark["changes"] = {"until": until, "last": last}
            yield Page(rows=rows, bookmark=_copy(mark), total=answer.get("total"))
            if last is None:
                return

    def _query(self, *, since: int, until: int, last: str | None, size: int) -> dict[str, Any]:
        filters = [
            {"propertyName": self._kind.modified, "operator": "GTE", "value": str(since)},
            {"propertyName": self._kind.modified, "operator": "LTE", "value": str(until)},
        ]
        if last is not None:
            filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": last})
        return {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": list(self._kind.properties),
            "limit": size,
        }

    @staticmethod
    def _due(mark: Mapping[str, Any], name: str, now: int, every: float) -> bool:
        return every > 0 and now - mark[name] >= every


def _archived_since(row: Raw, known: int) -> bool:
    """Whether a row was archived at or after `known`; one that does not say when is for the mapping to judge."""
    try:
        return version(moment(row.get("archivedAt"), field="archivedAt")) >= known
    except BadRowError:
        return True


def _after(answer: Mapping[str, Any]) -> str | None:
    after = ((answer.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)


def _copy(mark: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, dict) else value for name, value in mark.items()}
