"""Freshdesk's listings: numbered pages, of which a Link header says whether another one follows.

Tickets in the order of changes are never read beyond a listing's first page, unless one second holds more than a page does:
rows that change meanwhile would push others off (see `TimePages`), and after 300 pages a listing ends with 400.

The address a Link leads to is not followed, only heeded: the request is made from the number.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.kit.base import BadRowError, Raw
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, Params
from connectors.kit.paging import TimePages, link_next
from connectors.kit.values import moment

API = "/api/v2"


async def numbered(client: Client, path: str, params: Params, *, size: int) -> AsyncIterator[Sequence[Raw]]:
    """Every page of a listing in the vendor's order; a page that brings nothing new is a ContractError."""
    seen, number = set[Any](), 1
    while True:
        rows, more = await _page(client, path, {**params, "page": number, "per_page": size})
        if rows and (keys := {row.get("id") for row in rows}) <= seen:
            raise ContractError(f"Freshdesk {path}: page {number} holds what earlier pages held ({len(keys)} rows)")
        seen |= {row.get("id") for row in rows}
        yield rows
        if not more:
            return
        number += 1


async def changed(client: Client, path: str, params: Params, *, since: int, size: int) -> AsyncIterator[Sequence[Raw]]:
    """Rows that changed since then (seconds since 1970), in the order of their change."""
    pages = TimePages(f"Freshdesk {path}", since)
    order = {**params, "order_by": "updated_at", "order_type": "asc", "per_page": size}
    while not pages.ended:
        asked = {**order, "updated_since": iso(pages.since - 1), "page": pages.number}
        rows, more = await _page(client, path, asked)
        fresh = pages.take([(str(row.get("id")), changed_at(row)) for row in rows], more=more)
        yield [row for row, is_fresh in zip(rows, fresh, strict=True) if is_fresh]


async def _page(client: Client, path: str, params: Params) -> tuple[Sequence[Raw], bool]:
    reply, rows = await client.get(f"{API}{path}", params=params)
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ContractError(f"Freshdesk {path}: the answer is no list of rows")
    return rows, link_next(reply.headers) is not None


def changed_at(row: Raw) -> int:
    """When a row changed last; 0 where it does not say, which is the mapping's to refuse."""
    try:
        return int(moment(row.get("updated_at"), field="updated_at").timestamp())
    except BadRowError:
        return 0


def iso(second: int) -> str:
    return datetime.fromtimestamp(max(0, second), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
