"""Zendesk's incremental exports: by cursor for tickets and users, by time for organizations, where there is no cursor.

By cursor. The first request alone names a `start_time`; each answer's `after_cursor` is where the next one goes on, in this
sync or in the one after, and it is kept even where the stream has ended: going on from the time of the last sync loses
what became visible late. `start_time` means `generated_timestamp`, which system changes move without `updated_at`, so
nothing is left out here by its `updated_at`.

By time. The next request's `start_time` is the `end_time` of the last answer, closed at that end, so that the rows of the
boundary second come again and are dropped by (id, updated_at). All rows of one second stand on one page; where there are
more of them than a page can hold, the time does not advance and no request would ever show the rest. Then all
organizations are listed once by the ordinary listing, and the export goes on a second later.

Addresses the vendor names (`after_url`, `next_page`) are not followed: they lead to the account's host, and the request
can be made from the token alone.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.kit.base import Page, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, Params
from connectors.kit.paging import TokenPages

EXPORTS = "exports"
AT_LEAST_AGO = timedelta(minutes=2)  # a start less than a minute ago is refused, by the vendor's clock
LISTED_A_PAGE = 100

Row = dict[str, Any]
Dress = Callable[[dict[str, Any]], list[Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorExport:
    """`GET /api/v2/incremental/{name}/cursor`, as the `pull` of a stream.

    include     sideloads
    history     how far back the first sync goes; None: from the beginning
    dress       the rows of an answer, with what its sideloads say of them
    """

    name: str
    page_size: int
    include: str | None = None
    history: timedelta | None = None
    dress: Dress

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        path = f"/api/v2/incremental/{self.name}/cursor"
        cursor = window.bookmark["cursor"] if window.bookmark else None
        guard, pulled = TokenPages(path), 0
        guard.next(cursor)
        while True:
            where = {"cursor": cursor} if cursor else {"start_time": start_time(window.started_at, self.history)}
            params: Params = {**where, "per_page": self.page_size, "include": self.include}
            answer = await client.get_json(path, params=params, bucket=EXPORTS)
            rows, ended = self.dress(answer), _ended(answer, path)
            if window.limit is not None and pulled + len(rows) >= window.limit:
                yield Page(rows=rows[: window.limit - pulled])
                return
            pulled += len(rows)
            cursor = answer.get("after_cursor") or cursor
            yield Page(rows=rows, bookmark={"cursor": cursor} if cursor else None)
            if ended:
                return
            if guard.next(answer.get("after_cursor")) is None:
                raise ContractError(f"{path}: neither an end of the stream nor a cursor to go on from")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeExport:
    """`GET /api/v2/incremental/{name}`, as the `pull` of a stream."""

    name: str
    page_size: int

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        path = f"/api/v2/incremental/{self.name}"
        start = int(window.bookmark["start_time"]) if window.bookmark else 0
        before: set[tuple[Any, Any]] = set()
        pulled = 0
        while True:
            params: Params = {"start_time": start, "per_page": self.page_size}
            answer = await client.get_json(path, params=params, bucket=EXPORTS)
            all_rows, ended, end = rows_of(answer, self.name), _ended(answer, path), answer.get("end_time")
            rows = [row for row in all_rows if (row.get("id"), row.get("updated_at")) not in before]
            before = {(row.get("id"), row.get("updated_at")) for row in all_rows}
            if window.limit is not None and pulled + len(rows) >= window.limit:
                yield Page(rows=rows[: window.limit - pulled])
                return
            pulled += len(rows)
            stuck = not ended and (end is None or end <= start)
            start = max(start, end or 0)
            yield Page(rows=rows, bookmark=None if stuck else {"start_time": start})
            if ended:
                return
            if stuck:
                async for listed in listing(client, f"/api/v2/{self.name}", self.name):
                    yield Page(rows=listed)
                start += 1


async def listing(client: Client, path: str, name: str, *, params: Params | None = None) -> AsyncIterator[list[Row]]:
    """The rows of an ordinary listing, page by page, by cursor."""
    guard, after = TokenPages(path), None
    while True:
        page: Params = {**(params or {}), "page[size]": LISTED_A_PAGE, "page[after]": after}
        answer = await client.get_json(path, params=page)
        yield rows_of(answer, name)
        meta = answer.get("meta") or {}
        if not meta.get("has_more"):
            return
        after = guard.next(meta.get("after_cursor"))
        if after is None:
            raise ContractError(f"{path}: more rows are promised, without a cursor to go on from")


def rows_of(answer: Any, name: str) -> list[Row]:
    """The list `name` of `answer`; ContractError where there is none."""
    if not isinstance(answer, dict) or not isinstance(answer.get(name), list):
        raise ContractError(f"{name}: an answer without a list of {name}")
    rows: list[Row] = answer[name]
    return rows


def start_time(started_at: datetime, history: timedelta | None) -> int:
    """Seconds since 1970 for a first request: `history` ago, or the beginning."""
    return 0 if history is None else int((started_at - max(history, AT_LEAST_AGO)).timestamp())


def _ended(answer: dict[str, Any], path: str) -> bool:
    ended = answer.get("end_of_stream")
    if not isinstance(ended, bool):
        raise ContractError(f"{path}: an answer that does not say whether the stream has ended")
    return ended
