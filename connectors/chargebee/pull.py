"""The rows of one kind: in the order of `updated_at`, from a time on, deleted ones among them.

`updated_at[after]` leaves its second out and knows no smaller unit, so a second less is asked for. Rows come in order: after
each page the bookmark is the time of its last row, and a pull that was interrupted goes on from there. It never passes the
sync's start less a minute, and each pull begins ten minutes before it. The store knows a row it has by its version
(`resource_version`, in milliseconds).

    since   changes up to then have been handed on (seconds since 1970)
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from connectors.chargebee.catalog import Catalog
from connectors.chargebee.listing import Row, listing
from connectors.kit.base import Page, Raw, Window
from connectors.kit.http import Client, Params

OVERLAP = 600
FETCHED_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPull:
    """`Stream.pull` and `.fetch` of one kind. name: in paths; wrapped: the object's name in a row of a list."""

    name: str
    wrapped: str
    lag_seconds: int
    page_size: int
    catalog: Catalog | None = None

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        since = (window.bookmark or {}).get("since")
        until, reached, pulled = int(window.started_at.timestamp()) - self.lag_seconds, since, 0
        params: Params = {
            "limit": min(self.page_size, window.limit or self.page_size),
            "updated_at[after]": since - OVERLAP - 1 if since is not None else None,
            "sort_by[asc]": "updated_at",
            "include_deleted": "true",
        }
        async for rows in listing(client, self.name, self.wrapped, params):
            last = rows[-1].get("updated_at") if rows else None
            if isinstance(last, int):
                reached = max(reached or 0, min(last, until))
            yield Page(rows=await self._named(client, rows), bookmark=None if reached is None else {"since": reached})
            pulled += len(rows)
            if window.limit is not None and pulled >= window.limit:
                return
        yield Page(rows=(), bookmark={"since": max(reached or 0, until)})

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        wanted = list(dict.fromkeys(keys))
        for begin in range(0, len(wanted), FETCHED_AT_ONCE):
            some = wanted[begin : begin + FETCHED_AT_ONCE]
            params: Params = {"id[in]": orjson.dumps(some).decode(), "limit": 100, "include_deleted": "true"}
            rows = [row async for page in listing(client, self.name, self.wrapped, params) for row in page]
            found = {row.get("id") for row in rows}
            yield Page(rows=await self._named(client, rows), gone=[key for key in some if key not in found])

    async def _named(self, client: Client, rows: Sequence[Row]) -> Sequence[Raw]:
        if self.catalog is None or not rows:
            return rows
        names = await self.catalog.names(client)
        return [{**row, "plan_names": _of(row, names)} for row in rows]


def _of(row: Row, names: Mapping[str, str]) -> dict[str, str]:
    """The names this row speaks of."""
    ids = [row.get("plan_id"), *(item.get("item_price_id") for item in row.get("subscription_items") or ())]
    return {str(each): names[str(each)] for each in ids if str(each) in names}
