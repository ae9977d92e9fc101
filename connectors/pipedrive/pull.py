"""The rows of one kind: in the order of their last change, from a time on, by cursor.

`updated_since` includes its second, and rows come in the order of `update_time`: so after each page the bookmark is the time
of its last row, and a pull that was interrupted goes on there, without the cursor. It never passes the sync's start less a
minute, and each pull begins ten minutes before it. What that listing does not show, deleted rows and deals that were won, is
listed before it: a pull that is interrupted in between must not have moved the bookmark beyond what it has not seen.

    since   changes up to then have been handed on (milliseconds)
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kit.base import Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, Params
from connectors.kit.paging import TokenPages
from connectors.kit.values import moment, version

OVERLAP_MS = 600_000
FETCHED_AT_ONCE = 100

Row = dict[str, Any]
Dress = Callable[[Client, Sequence[Row]], Awaitable[Sequence[Raw]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPull:
    """`Stream.pull` and `.fetch` of one kind.

    fields        what Pipedrive leaves out unless it is asked for
    deleted       whether deleted rows can be listed
    also_won      whether a deal that was won changes the row, which its own `update_time` does not tell
    dress         completes rows with what they refer to by id
    """

    name: str
    lag_seconds: int
    page_size: int
    dress: Dress | None = None
    fields: Sequence[str] = ()
    deleted: bool = False
    also_won: bool = False

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        since = (window.bookmark or {}).get("since")
        until = version(window.started_at) - self.lag_seconds * 1000
        begin = None if since is None else since - OVERLAP_MS
        reached, pulled = since, 0
        if begin is not None and self.deleted:
            async for rows in self._list(client, self.name, since=begin, params={"status": "deleted"}):
                _all(rows, "deleted")
                yield Page(rows=await self._dressed(client, rows))
        if begin is not None and self.also_won:
            won: dict[str, None] = {}
            async for rows in self._list(client, "deals", since=begin, params={"status": "won"}):
                _all(rows, "won")
                won.update((str(row["org_id"]), None) for row in rows if row.get("org_id") is not None)
            async for page in self.fetch(client, list(won)):
                yield Page(rows=page.rows)
        async for rows in self._list(client, self.name, since=begin, limit=window.limit, params=self._asking):
            if rows:
                last = version(moment(rows[-1].get("update_time"), field="update_time"))
                reached = max(reached or 0, min(last, until))
            yield Page(
                rows=await self._dressed(client, rows), bookmark={"since": reached} if reached is not None else None
            )
            pulled += len(rows)
            if window.limit is not None and pulled >= window.limit:
                return
        yield Page(rows=(), bookmark={"since": max(reached or 0, until)})

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        wanted = [key for key in dict.fromkeys(keys) if key.isdecimal()]
        unknown = [key for key in keys if not key.isdecimal()]
        for begin in range(0, len(wanted), FETCHED_AT_ONCE):
            some = wanted[begin : begin + FETCHED_AT_ONCE]
            rows: list[Row] = []
            async for page in self._list(client, self.name, params={**self._asking, "ids": ",".join(some)}):
                rows.extend(page)
            found = {str(row.get("id")) for row in rows}
            yield Page(rows=await self._dressed(client, rows), gone=[key for key in some if key not in found])
        if unknown:
            yield Page(rows=(), gone=unknown)

    async def _dressed(self, client: Client, rows: Sequence[Row]) -> Sequence[Raw]:
        return await self.dress(client, rows) if self.dress is not None and rows else rows

    @property
    def _asking(self) -> dict[str, Any]:
        return {"include_fields": ",".join(self.fields)} if self.fields else {}

    async def _list(
        self,
        client: Client,
        name: str,
        *,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any],
    ) -> AsyncIterator[list[Row]]:
        asking: Params = {
            **params,
            "limit": min(self.page_size, limit or self.page_size),
            "sort_by": "update_time",
            "sort_direction": "asc",
            "updated_since": _rfc3339(since) if since is not None else None,
        }
        async for rows in listing(client, f"/api/v2/{name}", asking):
            if since is not None:
                _since(rows, since // 1000, name)
            yield rows


async def listing(client: Client, path: str, params: Params) -> AsyncIterator[list[Row]]:
    """Pages of a list, by cursor."""
    guard, cursor = TokenPages(f"Pipedrive {path}"), None
    while True:
        answer = await client.get_json(path, params={**params, "cursor": cursor})
        if not isinstance(answer, Mapping) or answer.get("success") is not True:
            raise ContractError(f"Pipedrive {path}: an answer that does not say it succeeded")
        rows = answer.get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ContractError(f"Pipedrive {path}: an answer without a list of data")
        yield rows
        cursor = guard.next((answer.get("additional_data") or {}).get("next_cursor"))
        if cursor is None:
            return


def _since(rows: Sequence[Row], second: int, name: str) -> None:
    """A page of what changed before is another query's, and would end this one early."""
    if any(version(moment(row.get("update_time"), field="update_time")) // 1000 < second for row in rows):
        raise ContractError(f"Pipedrive {name}: asked for what changed since a time, and got what changed before it")


def _all(rows: Sequence[Row], status: str) -> None:
    if any(row.get("status") != status for row in rows):
        raise ContractError(f"Pipedrive deals: asked for those with status {status}, and got others")


def _rfc3339(milliseconds: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
