"""The rows of one object: those that changed since the bookmark, in the order in which they were made.

    POST /v1/data/objects/query/<object>   {"select", "where", "orderBy", "limit", "offset"}

The API has neither cursors nor a count. The order of creation puts new rows at the end, and pages overlap (`kit.offsets`).

    since   changes up to then have been handed on (milliseconds); each pull begins ten minutes before it
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.gainsight.mapping import CREATED, KEY, MODIFIED
from connectors.kit.base import Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.offsets import Answer, steady
from connectors.kit.values import version

OVERLAP_MS = 600_000
FETCHED_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPull:
    """`Stream.pull` and `.fetch` of one object, by the name Gainsight gives it."""

    name: str
    select: Sequence[str]
    page_size: int
    lag_seconds: int

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        since = (window.bookmark or {}).get("since")
        conditions = [] if since is None else [_condition(MODIFIED, "GTE", [_iso(since - OVERLAP_MS)])]
        pulled = 0
        async for rows in self._list(client, conditions):
            yield Page(rows=rows)
            pulled += len(rows)
            if window.limit is not None and pulled >= window.limit:
                return
        until = version(window.started_at) - self.lag_seconds * 1000
        yield Page(rows=(), bookmark={"since": max(since or 0, until)})

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        wanted = list(dict.fromkeys(keys))
        for begin in range(0, len(wanted), FETCHED_AT_ONCE):
            some = wanted[begin : begin + FETCHED_AT_ONCE]
            found: dict[str, Raw] = {}
            async for rows in self._list(client, [_condition(KEY, "IN", some)]):
                found.update((str(row.get(KEY)), row) for row in rows)
            if others := found.keys() - set(some):
                raise ContractError(f"Gainsight {self.name}: {len(others)} rows that were not asked for")
            yield Page(rows=list(found.values()), gone=[key for key in some if key not in found])

    async def _list(self, client: Client, conditions: Sequence[Mapping[str, Any]]) -> AsyncIterator[Sequence[Raw]]:
        asked: dict[str, Any] = {"select": list(self.select), "orderBy": {CREATED: "asc", KEY: "asc"}}
        if conditions:
            asked["where"] = {"conditions": list(conditions), "expression": "A"}

        async def ask(offset: int) -> Answer:
            body = {**asked, "limit": self.page_size, "offset": offset}
            rows = self._rows(await client.post_json(f"/v1/data/objects/query/{self.name}", json=body))
            return Answer(rows=rows, more=len(rows) >= self.page_size)

        async for rows in steady(f"Gainsight {self.name}", ask, key=lambda row: str(row.get(KEY) or "")):
            yield rows

    def _rows(self, answer: Any) -> Sequence[Raw]:
        """Rows stand in `data`, or in `data.records`."""
        if not isinstance(answer, Mapping) or answer.get("result") is not True:
            said = answer.get("errorDesc") if isinstance(answer, Mapping) else None
            raise ContractError(f"Gainsight {self.name}: {said or 'an answer that does not say it succeeded'}")
        data = answer.get("data")
        rows = data.get("records") if isinstance(data, Mapping) else data
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise ContractError(f"Gainsight {self.name}: an answer without a list of rows")
        return rows


def _condition(name: str, operator: str, value: Sequence[str]) -> Mapping[str, Any]:
    return {"name": name, "alias": "A", "value": list(value), "operator": operator}


def _iso(milliseconds: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
