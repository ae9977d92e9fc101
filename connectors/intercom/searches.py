"""Searching what has changed: contacts, conversations, ratings and tickets, in the order of their last change.

The bookmark, in seconds since 1970:

    since   up to where changes have been read: the newest `updated_at` seen, never beyond the sync's start minus the lag
    swept   up to where deleted conversations have been read

Pages ascend by `updated_at`, and a page's token is a place in that order, so a row that changes meanwhile comes again at
the end and pushes nobody off a page. Each search begins a quarter of an hour before the bookmark: the index lags, and its
clock is not ours. A contact's dates are compared as whole days ("greater" begins with the day after), hence two days more
there, one for the rounding and one for the workspace's time zone; what is older to the second is left out here.

An answer is believed only if it is the page that was asked for and holds what was asked for.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.kit.base import BadRowError, Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.paging import TokenPages
from connectors.kit.values import moment

OVERLAP = 900
DAYS_BACK = 2 * 86_400
DELETED_A_PAGE = 60
Dress = Callable[[Client, Sequence[Raw]], Awaitable[Sequence[Raw]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """`POST {path}/search`, as the `pull` of a stream.

    rows        under which name an answer holds its rows
    daily       whether dates are compared as whole days
    history     how far back the first pull goes; None: from the beginning
    also        filters beside that of time
    holds       whether a row is what those filters ask for
    dress       completes the rows of a page
    deleted     whether conversations that were deleted are told, too
    """

    path: str
    rows: str
    page_size: int
    lag: timedelta
    daily: bool = False
    history: timedelta | None = None
    also: Sequence[Mapping[str, Any]] = ()
    holds: Callable[[Raw], bool] = lambda row: True
    dress: Dress | None = None
    deleted: bool = False

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        newest = int((window.started_at - self.lag).timestamp())
        first = int((window.started_at - self.history).timestamp()) if self.history else 0
        mark = {"since": first, "swept": newest, **(window.bookmark or {})}
        read = 0
        async for rows in self._changed(client, mark["since"], window.limit):
            mark["since"] = max(mark["since"], min(newest, max((_changed(row) for row in rows), default=0)))
            dressed = await self.dress(client, rows) if self.dress else rows
            read += len(rows)
            yield Page(rows=dressed, bookmark=dict(mark))
            if window.limit is not None and read >= window.limit:
                return
        if self.deleted:
            gone = [key async for key in _deleted(client, mark["swept"] - OVERLAP)]
            mark["swept"] = max(mark["swept"], newest)
            yield Page(rows=(), gone=gone, bookmark=dict(mark))

    async def _changed(self, client: Client, since: int, limit: int | None) -> AsyncIterator[Sequence[Raw]]:
        begin = max(0, since - OVERLAP)
        after, number, size = None, 1, min(self.page_size, limit or self.page_size)
        guard, before = TokenPages(f"Intercom {self.path}"), set[tuple[str, Any]]()
        latest = 0
        while True:
            filters = [_filter("updated_at", ">", max(0, begin - (DAYS_BACK if self.daily else 1))), *self.also]
            pages, rows = await self._page(client, filters, size, after, number=number)
            for row in rows:
                at = _changed(row) or latest
                if at < latest or not self.holds(row):
                    raise ContractError(f"Intercom {self.path}: row {row.get('id')} is not what was searched for")
                latest = at
            fresh = [row for row in rows if not 0 < _changed(row) < begin and _place(row) not in before]
            before = {_place(row) for row in rows}
            yield fresh
            after, number = guard.next((pages.get("next") or {}).get("starting_after")), number + 1
            if after is None:
                return

    async def find(self, client: Client, keys: Sequence[str], *, size: int) -> AsyncIterator[Page]:
        """Rows by id, `size` at a time; one the search does not find is asked for alone before it is said to be gone."""
        for begin in range(0, len(keys), size):
            wanted = keys[begin : begin + size]
            found = await self.by_id(client, wanted)
            gone = [key for key in wanted if key not in found]
            rows = [row for row in found.values() if self.holds(row)]
            yield Page(rows=await self.dress(client, rows) if self.dress else rows, gone=gone)

    async def by_id(self, client: Client, wanted: Sequence[str]) -> dict[str, Raw]:
        """{id: row} of those that exist; the index may not know a row yet, so a missing one is asked for by itself."""
        _, rows = await self._page(client, [_filter("id", "IN", list(wanted))], len(wanted), None)
        found = {str(row["id"]): row for row in rows if str(row.get("id")) in wanted}
        for key in wanted:
            if key not in found:
                try:
                    found[key] = await client.get_json(f"{self.path}/{key}")
                except ContractError as error:
                    if error.status != 404:
                        raise
        return found

    async def _page(
        self, client: Client, filters: Sequence[Mapping[str, Any]], size: int, after: str | None, *, number: int = 1
    ) -> tuple[Mapping[str, Any], Sequence[Raw]]:
        body = {
            "query": {"operator": "AND", "value": filters},
            "sort": {"field": "updated_at", "order": "ascending"},
            "pagination": {"per_page": size, "starting_after": after},
        }
        answer = await client.post_json(f"{self.path}/search", json=body)
        rows = answer.get(self.rows) if isinstance(answer, Mapping) else None
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise ContractError(f"Intercom {self.path}: an answer has no list of {self.rows}")
        return _numbered(answer, number, self.path), rows


async def _deleted(client: Client, since: int) -> AsyncIterator[str]:
    """Ids of conversations deleted since then, the newest first; pages may shift, which only repeats some."""
    path, number = "/conversations/deleted", 1
    while True:
        answer = await client.get_json(path, params={"page": number, "per_page": DELETED_A_PAGE, "order": "desc"})
        pages, rows = _numbered(answer, number, path), answer.get("conversations")
        if not isinstance(rows, list):
            raise ContractError(f"Intercom {path}: an answer has no list of conversations")
        for row in rows:
            if row["deleted_at"] >= since:
                yield str(row["id"])
        if not rows or rows[-1]["deleted_at"] < since or number >= int(pages.get("total_pages") or 0):
            return
        number += 1


def _numbered(answer: Any, number: int, path: str) -> Mapping[str, Any]:
    """What an answer says of its pages; ContractError where it is another page than the one asked for."""
    pages = (answer.get("pages") if isinstance(answer, Mapping) else None) or {}
    if int(pages.get("page") or number) != number:
        raise ContractError(f"Intercom {path}: page {number} was asked for, and page {pages['page']} came")
    return pages if isinstance(pages, Mapping) else {}


def _filter(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def _changed(row: Raw) -> int:
    """When a row changed last; 0 where it does not say, which is the mapping's to refuse."""
    try:
        return int(moment(row.get("updated_at"), field="updated_at").timestamp())
    except BadRowError:
        return 0


def _place(row: Raw) -> tuple[str, Any]:
    return str(row.get("id")), row.get("updated_at")
