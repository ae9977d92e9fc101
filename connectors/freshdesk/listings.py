"""Freshdesk's listings: numbered pages, of which a Link header says whether another one follows.

Numbered pages lose rows: one that changes while an ordering by change is read moves to the end, and the first of the next
page slips onto the page that was read. So a page of tickets is never the second one of a listing: each begins anew at the
last change seen (a second before, should the filter leave the boundary out), and rows known from the page before are
dropped. Only where one second holds more rows than a page the pages of that second are numbered. That also keeps clear of
the 300 pages after which a listing ends with 400.

The address a Link leads to is not followed, only heeded: the request is made from the number.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.kit.base import BadRowError, Raw
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, Params
from connectors.kit.paging import link_next
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
    number, last = 1, since
    before, tied = set[tuple[Any, Any]](), set[tuple[Any, Any]]()
    while True:
        asked = {"updated_since": iso(last - 1), "order_by": "updated_at", "order_type": "asc"}
        rows, more = await _page(client, path, {**params, **asked, "page": number, "per_page": size})
        places = {(row.get("id"), row.get("updated_at")) for row in rows}
        times = [at for row in rows if (at := changed_at(row))]
        if times != sorted(times) or (times and times[0] < last - 1):
            raise ContractError(f"Freshdesk {path}: rows are not in the order of changes since {iso(last - 1)}")
        if number > 1 and rows and places <= tied:
            raise ContractError(f"Freshdesk {path}: page {number} came again; the pages would never end")
        yield [row for row in rows if (row.get("id"), row.get("updated_at")) not in before]
        before = places | (before if number > 1 else set())
        if not more:
            return
        if times and times[-1] > last:
            number, last, tied = 1, times[-1], set()
        else:
            number, tied = number + 1, tied | places


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
