"""Aggregations: the pipeline that is posted, and the keyset over it, because the endpoint has no pages.

    source -> filter -> group -> sort by the key -> limit

A later page asks for what comes after the last row's key. Keys are made unique by grouping; text goes into a filter as a JSON
string, so that no value can be read as a part of it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from connectors.kit.errors import ContractError
from connectors.kit.http import Client

PATH = "/api/v1/aggregation"
HOUR = 3_600_000  # milliseconds
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked for.

    source   {"accounts": None}, or a time series, see `series`
    key      fields that tell rows apart and give their order
    where    filters, all of which must hold
    sums     fields to add up within a key; without any, rows come as they are
    select   fields to keep of rows that are not grouped

    All queries go to one address, and nothing in an answer says which it answers but what its rows hold: a row without its
    key, or with a field that was not asked for, is another query's, and so is a page of whole rows none of which has metadata.
    """

    what: str
    source: Mapping[str, Any]
    key: Sequence[str]
    where: Sequence[str] = ()
    sums: Sequence[str] = ()
    select: Mapping[str, str] = field(default_factory=dict)

    def body(self, after: Sequence[Any] | None, size: int) -> dict[str, Any]:
        steps: list[dict[str, Any]] = [{"source": dict(self.source)}]
        steps += [{"filter": each} for each in self.where]
        if self.sums:
            steps.append({"group": {"group": list(self.key), "fields": {name: {"sum": name} for name in self.sums}}})
        elif self.select:
            steps.append({"select": dict(self.select)})
        if after is not None:
            steps.append({"filter": _beyond(self.key, after)})
        steps += [{"sort": list(self.key)}, {"limit": size}]
        name = self.what.replace(" ", "-")
        return {"response": {"mimeType": "application/json"}, "request": {"requestId": name, "pipeline": steps}}

    async def pages(self, client: Client, size: int) -> AsyncIterator[list[Row]]:
        """Rows, `size` at a time, in the order of the key; ContractError for a page that does not go on."""
        after: list[Any] | None = None
        while True:
            rows = await self._rows(client, after, size)
            if not rows and after is None:  # all queries go to one address, and "nothing" does not say of which it is
                rows = await self._rows(client, after, size)
            if rows and not (self.sums or self.select) and not any("metadata" in row for row in rows):
                raise ContractError(f"{self.what}: a page without metadata; it is another query's")
            fresh: list[Row] = []
            last = after
            for row in rows:
                key = self._of(row)
                if last is not None and _less(key, last):
                    raise ContractError(
                        f"{self.what}: a page does not go on from the row asked for; it is another page's"
                    )
                if key != last:  # keys are unique: a row that comes twice is one
                    fresh.append(row)
                last = key
            yield fresh
            if len(rows) < size:
                return
            if last == after:
                raise ContractError(f"{self.what}: a page does not advance")
            after = last

    async def _rows(self, client: Client, after: Sequence[Any] | None, size: int) -> list[Row]:
        answer = await client.post_json(PATH, json=self.body(after, size))
        if not isinstance(answer, dict) or "results" not in answer:
            raise ContractError(f"{self.what}: an answer without results")
        return answer["results"] or []

    def _of(self, row: Row) -> list[Any]:
        """The row's key."""
        try:
            key = [row[name] for name in self.key]
        except (KeyError, TypeError):
            raise ContractError(f"{self.what}: a row without {', '.join(self.key)}; it is another query's") from None
        chosen = self.sums or self.select
        if chosen and (more := row.keys() - {*self.key, *chosen}):
            raise ContractError(f"{self.what}: a row with {', '.join(sorted(more))}; it is another query's")
        return key


def series(source: str, start: datetime, end: datetime, *, of: Mapping[str, str] | None = None) -> dict[str, Any]:
    """[start, end) by the hour: days would be the subscription's, in its own time zone."""
    first = round(start.timestamp()) * 1000
    hours = -(-(round(end.timestamp()) * 1000 - first) // HOUR)
    return {source: dict(of) if of else None, "timeSeries": {"period": "hourRange", "first": first, "count": hours}}


def text(value: str) -> str:
    """`value` as it stands in a filter."""
    return orjson.dumps(value).decode()


def _beyond(key: Sequence[str], after: Sequence[Any]) -> str:
    """(a, b) > (1, 2) as `a > 1 || (a == 1 && b > 2)`."""
    parts = []
    for index, name in enumerate(key):
        same = [f"{key[n]} == {_literal(after[n])}" for n in range(index)]
        parts.append("(" + " && ".join([*same, f"{name} > {_literal(after[index])}"]) + ")")
    return " || ".join(parts)


def _literal(value: Any) -> str:
    return text(value) if isinstance(value, str) else str(int(value))


def _less(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return list(one) < list(other)
