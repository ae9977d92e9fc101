"""All companies, by scroll or by list: Intercom cannot be asked which of them have changed.

By scroll. Every request of a scroll moves its place on, so an answer that got lost cannot be asked for again: the request
that brings it is tried once only, and after any trouble the scroll is begun anew. An app can have one scroll open; one
that was left open is closed after a minute, which the client waits for.

By list. Numbered pages, the company of the newest request first; 10,000 rows are all it gives, and rows move while it is
read. Where fewer came than the vendor counts, the stream fails rather than end.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from connectors.intercom.refusals import ScrollLostError
from connectors.kit.base import Page, Raw, Window
from connectors.kit.errors import BrokenBodyError, ContractError, PausedError, TransientError
from connectors.kit.http import Client
from connectors.kit.paging import NumberPages

SCROLL, LIST = "/companies/scroll", "/companies/list"
SCROLLS = 6
LISTED_A_PAGE, LIST_CAP = 60, 10_000


async def by_scroll(client: Client, window: Window) -> AsyncIterator[Page]:
    read = 0
    for left in reversed(range(SCROLLS)):
        try:
            async for rows in _scroll(client):
                read += len(rows)
                yield Page(rows=rows)
                if window.limit is not None and read >= window.limit:
                    return
            return
        except ScrollLostError:
            if not left:
                raise


async def _scroll(client: Client) -> AsyncIterator[Sequence[Raw]]:
    place: str | None = None
    seen = set[str]()
    while True:
        answer = await client.get_json(SCROLL) if place is None else await _onward(client, place)
        rows = _rows(answer, SCROLL)
        if not rows:
            return
        keys = {str(row.get("id")) for row in rows}
        if keys <= seen:
            raise ContractError(f"Intercom {SCROLL}: a page came again; the pages would never end")
        seen |= keys
        yield rows
        place = answer.get("scroll_param") or place
        if not place:
            raise ContractError(f"Intercom {SCROLL}: an answer has no scroll_param to go on with")


async def _onward(client: Client, place: str) -> Any:
    """The next answer of a scroll; whatever goes wrong on its way, its place has moved on."""
    try:
        _, answer = await client.get(SCROLL, params={"scroll_param": place}, again=False)
    except PausedError:
        raise
    except (TransientError, BrokenBodyError) as error:
        raise ScrollLostError(str(error)) from error
    return answer


async def by_list(client: Client, window: Window) -> AsyncIterator[Page]:
    size = min(LISTED_A_PAGE, window.limit or LISTED_A_PAGE)
    pages, number = NumberPages("Intercom companies", size=size, cap=LIST_CAP), 1
    seen, read = set[str](), 0
    while True:
        answer = await client.post_json(LIST, params={"page": number, "per_page": size, "order": "desc"})
        rows, total = _rows(answer, LIST), int(answer.get("total_count") or 0)
        told = answer.get("pages") or {}
        if int(told.get("page") or number) != number:
            raise ContractError(f"Intercom {LIST}: page {number} was asked for, and page {told['page']} came")
        seen |= {str(row.get("id")) for row in rows}
        read += len(rows)
        yield Page(rows=rows, total=total)
        if window.limit is not None and read >= window.limit:
            return
        following = pages.next(len(rows), more=number < int(told.get("total_pages") or 0))
        if following is None:
            break
        number = following
    if len(seen) < total:
        raise TransientError(
            f"Intercom {LIST}: {total} companies are counted, and {len(seen)} came; they moved meanwhile"
        )


async def fetch(client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
    """Companies by their id, one request each."""
    for key in keys:
        try:
            yield Page(rows=[await client.get_json(f"/companies/{key}")])
        except ContractError as error:
            if error.status != 404:
                raise
            yield Page(rows=(), gone=[key])


def _rows(answer: Any, path: str) -> Sequence[Raw]:
    rows = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ContractError(f"Intercom {path}: an answer has no list of companies")
    return rows
