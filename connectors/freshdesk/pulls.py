"""What each stream pulls. Bookmarks are seconds since 1970:

    contacts, ratings   {"since"}            when the last complete pull began, minus the lag
    tickets             {"since", "swept"}   the newest change seen; when deleted and spam tickets were looked through last

Each pull reads the last quarter of an hour again. Companies can only be listed whole.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.freshdesk.listings import API, changed, changed_at, iso, numbered
from connectors.freshdesk.mapping import is_removed, rating_key
from connectors.kit.base import Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client

OVERLAP = 900
ASKED_ALONE = 10
INCLUDE = "stats,requester"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulls:
    """page_size, and how far before the sync's start a bookmark stays; how far back first pulls go, and ratings always.

    site    the account's address
    """

    page_size: int
    lag: timedelta
    history: timedelta
    lookback: timedelta
    site: str

    async def companies(self, client: Client, window: Window) -> AsyncIterator[Page]:
        read = 0
        async for rows in numbered(client, "/companies", {}, size=self._size(window)):
            yield Page(rows=rows)
            read += len(rows)
            if window.limit is not None and read >= window.limit:
                return

    async def contacts(self, client: Client, window: Window) -> AsyncIterator[Page]:
        """Those that changed, and those that were deleted; nothing says in which order, so the bookmark comes at the end."""
        since, read = (window.bookmark or {}).get("since"), 0
        filters = {"_updated_since": None if since is None else iso(since - OVERLAP)}
        for state in (None, "deleted")[: 1 if since is None else 2]:
            async for rows in numbered(client, "/contacts", {**filters, "state": state}, size=self._size(window)):
                if any(bool(row.get("deleted")) is not (state == "deleted") for row in rows):
                    raise ContractError(
                        f"Freshdesk /contacts: rows are not those of the state {state or 'not deleted'}"
                    )
                yield Page(rows=rows)
                read += len(rows)
                if window.limit is not None and read >= window.limit:
                    return
        yield Page(rows=(), bookmark={"since": self._now(window)})

    async def tickets(self, client: Client, window: Window) -> AsyncIterator[Page]:
        now, first = self._now(window), int((window.started_at - self.history).timestamp())
        mark = {"since": first, "swept": now, **(window.bookmark or {})}
        begin, read = mark["since"] - OVERLAP, 0
        async for rows in changed(client, "/tickets", {"include": INCLUDE}, since=begin, size=self._size(window)):
            if any(is_removed(row) for row in rows):
                raise ContractError("Freshdesk /tickets: a listing of living tickets holds deleted ones")
            mark["since"] = max(mark["since"], min(now, max(map(changed_at, rows), default=0)))
            yield Page(rows=self._paged(rows), bookmark=dict(mark))
            read += len(rows)
            if window.limit is not None and read >= window.limit:
                return
        if window.bookmark is not None:
            for kind in ("deleted", "spam"):
                async for page in self._removed(client, kind, since=mark["swept"] - OVERLAP):
                    yield page
        mark["swept"] = now
        yield Page(rows=(), bookmark=dict(mark))

    async def _removed(self, client: Client, kind: str, *, since: int) -> AsyncIterator[Page]:
        """The newest first, as far as `since`: what is deleted meanwhile only repeats a row."""
        params = {"filter": kind, "order_by": "updated_at", "order_type": "desc", "include": INCLUDE}
        async for rows in numbered(client, "/tickets", params, size=self.page_size):
            if not all(is_removed(row) for row in rows):
                raise ContractError(f"Freshdesk /tickets: the listing of {kind} tickets holds others")
            fresh = [row for row in rows if not 0 < changed_at(row) < since]
            yield Page(rows=self._paged(fresh))
            if len(fresh) < len(rows):
                return

    async def ratings(self, client: Client, window: Window) -> AsyncIterator[Page]:
        people: dict[str, Mapping[str, Any] | None] = {}
        begin = int((window.started_at - self.history).timestamp())
        if window.bookmark is not None:
            begin = int(window.bookmark["since"]) - round(self.lookback.total_seconds()) - OVERLAP
        read = 0
        params = {"created_since": iso(begin)}
        async for rows in numbered(client, "/surveys/satisfaction_ratings", params, size=self._size(window)):
            await self._look_up(client, {str(row["user_id"]) for row in rows if row.get("user_id")}, people)
            yield Page(rows=[{**row, "person": people.get(str(row.get("user_id")))} for row in rows])
            read += len(rows)
            if window.limit is not None and read >= window.limit:
                return
        if window.bookmark is not None:
            for kind in ("deleted", "spam"):
                async for page in self._removed(client, kind, since=int(window.bookmark["since"]) - OVERLAP):
                    yield Page(rows=(), gone=[rating_key(row["id"]) for row in page.rows])
        yield Page(rows=(), bookmark={"since": self._now(window)})

    async def _look_up(self, client: Client, wanted: set[str], people: dict[str, Mapping[str, Any] | None]) -> None:
        """Who was asked: a few are asked for alone, for more of them all contacts are listed once."""
        unknown = sorted(wanted - people.keys())
        if len(unknown) > ASKED_ALONE and not people:
            async for rows in numbered(client, "/contacts", {}, size=self.page_size):
                people.update((str(row.get("id")), _part(row)) for row in rows)
            unknown = sorted(wanted - people.keys())
        for key in unknown:
            row = await single(client, "contacts", key)
            people[key] = row and _part(row)

    async def fetch(self, client: Client, keys: Sequence[str], *, name: str) -> AsyncIterator[Page]:
        """Rows by id, one request each: the API knows no other way."""
        for key in keys:
            row = await single(client, name, key)
            yield Page(rows=self._paged([row]) if row else (), gone=() if row else [key])

    def _paged(self, rows: Sequence[Raw]) -> Sequence[Raw]:
        """With the address under which an agent sees a ticket."""
        return [{**row, "page": f"{self.site}/a/tickets/{row.get('id')}"} for row in rows]

    def _size(self, window: Window) -> int:
        return min(self.page_size, window.limit or self.page_size)

    def _now(self, window: Window) -> int:
        return int((window.started_at - self.lag).timestamp())


async def single(client: Client, name: str, key: str) -> Raw | None:
    """One row, or None where there is none any more."""
    try:
        params = {"include": INCLUDE} if name == "tickets" else None
        row: Raw = await client.get_json(f"{API}/{name}/{key}", params=params)
    except ContractError as error:
        if error.status != 404:
            raise
        return None
    return row


def _part(row: Raw) -> Mapping[str, Any]:
    """What is used of a contact: raw rows end up in the quarantine, and there is much in them."""
    return {name: row.get(name) for name in ("id", "email", "company_id")}
