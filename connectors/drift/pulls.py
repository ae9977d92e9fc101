"""What is pulled: all accounts every time, and conversations from the one that changed last back to the bookmark.

Conversations are listed by an opaque `next`. That the last one to change comes first is how Drift answers, and nowhere
promised: as long as pages keep to it, reading stops where all is older than the bookmark, {"since": milliseconds}, less a
quarter of an hour; otherwise the listing is read to its end. The bookmark is the newest change seen, and moves at the end.

Contacts can only be asked for one by one; each is asked for once a pull.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.kit.base import BadRowError, Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, Params
from connectors.kit.paging import TokenPages, own_path
from connectors.kit.values import moment, version

OVERLAP_MS = 900_000
LIST = "/conversations/list"
STATUS_IDS = ("1", "2", "3")  # open, closed, pending: without them only open ones may be listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulls:
    page_size: int
    lag: timedelta

    async def accounts(self, client: Client, window: Window) -> AsyncIterator[Page]:
        pages, path = TokenPages("Drift accounts"), f"/accounts?index=0&size={min(self.page_size, window.limit or 999)}"
        read, seen = 0, set[str]()
        while True:
            data = _data(await client.get_json(path), "/accounts")
            rows = _rows(data.get("accounts"), "/accounts")
            keys = {str(row.get("accountId")) for row in rows}
            if keys and keys <= seen:
                raise ContractError("Drift /accounts: a page came again; the pages would never end")
            seen |= keys
            yield Page(rows=rows)
            read += len(rows)
            following = pages.next(data.get("next"))
            if following is None or (window.limit is not None and read >= window.limit):
                return
            path = own_path(following, base_url=client.base_url)

    async def conversations(self, client: Client, window: Window) -> AsyncIterator[Page]:
        newest = version(window.started_at - self.lag)
        since = (window.bookmark or {}).get("since")
        people: dict[str, Raw | None] = {}
        top = read = 0
        async for rows in self._newest_first(client, since, window.limit):
            top = max(top, *map(_changed, rows), 0)
            yield Page(rows=[await self._dressed(client, row, people) for row in rows])
            read += len(rows)
            if window.limit is not None and read >= window.limit:
                return
        if top:
            yield Page(rows=(), bookmark={"since": max(since or 0, min(newest, top))})

    async def _newest_first(self, client: Client, since: int | None, limit: int | None) -> AsyncIterator[Sequence[Raw]]:
        tokens, after = TokenPages("Drift conversations"), None
        ordered, last = True, None
        begin = 0 if since is None else since - OVERLAP_MS
        while True:
            size = min(self.page_size, limit or self.page_size)
            params: Params = {"limit": size, "statusId": STATUS_IDS, "next": after}
            answer = await client.get_json(LIST, params=params)
            rows = _rows(answer.get("data") if isinstance(answer, Mapping) else None, LIST)
            times = [at for row in rows if (at := _changed(row))]
            ordered = (
                ordered and times == sorted(times, reverse=True) and (last is None or not times or times[0] <= last)
            )
            last = times[-1] if times else last
            yield [row for row in rows if not ordered or not 0 < _changed(row) < begin]
            after = tokens.next(((answer.get("pagination") or {}).get("next")) or None)
            if after is None or (ordered and times and times[-1] < begin):
                return

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        """Conversations by id, one request each, each with its contact."""
        people: dict[str, Raw | None] = {}
        for key in keys:
            row = await _single(client, f"/conversations/{key}")
            yield Page(rows=[await self._dressed(client, row, people)] if row else (), gone=() if row else [key])

    async def _dressed(self, client: Client, row: Raw, people: dict[str, Raw | None]) -> Raw:
        key = str(row.get("contactId") or "")
        if key and key not in people:
            people[key] = _part(await _single(client, f"/contacts/{key}"))
        return {**row, "contact": people.get(key)}


async def _single(client: Client, path: str) -> Raw | None:
    """One row, or None where there is none any more."""
    try:
        answer = await client.get_json(path)
    except ContractError as error:
        if error.status != 404:
            raise
        return None
    return _data(answer, path)


def _part(contact: Raw | None) -> Raw | None:
    """What is used of a contact: raw rows end up in the quarantine, and there is much in them."""
    if contact is None:
        return None
    told = contact.get("attributes") or {}
    kept = {name: told.get(name) for name in ("email", "name", "title", "last_active")}
    return {"id": contact.get("id"), "createdAt": contact.get("createdAt"), "attributes": kept}


def _data(answer: Any, path: str) -> Mapping[str, Any]:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(data, Mapping):
        raise ContractError(f"Drift {path}: the answer has no data")
    return data


def _rows(found: Any, path: str) -> Sequence[Raw]:
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise ContractError(f"Drift {path}: an answer has no list of rows")
    return found


def _changed(row: Raw) -> int:
    """When a row changed last; 0 where it does not say, which is the mapping's to refuse."""
    try:
        return version(moment(row.get("updatedAt"), field="updatedAt"))
    except BadRowError:
        return 0
