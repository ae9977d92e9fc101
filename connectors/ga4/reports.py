"""Reports: what is asked, and the rows of all pages of one, checked against Google's own count.

Reports are read on by offset over rows that may change meanwhile: the order names every dimension, so that it is the same
each time, and a report whose count changed on the way, or whose rows are not as many different ones as counted, is asked
for again from its begin.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.kit.errors import ContractError, TransientError

log = logging.getLogger(__name__)

TRIES = 3
OTHER = "(other)"
NOT_SET = frozenset({"", "(not set)"})
Row = tuple[tuple[str, ...], tuple[float, ...]]
Ask = Callable[[Mapping[str, Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Report:
    """What one report said: rows of (dimension values, metric values), and what Google says it left out."""

    rows: Sequence[Row]
    thresholded: bool
    sampled: bool
    other: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    dimensions: Sequence[str]
    metrics: Sequence[str]

    def body(self, first: date, last: date, *, limit: int, offset: int) -> dict[str, Any]:
        return {
            "dateRanges": [{"startDate": first.isoformat(), "endDate": last.isoformat()}],
            "dimensions": [{"name": name} for name in self.dimensions],
            "metrics": [{"name": name} for name in self.metrics],
            "orderBys": [{"dimension": {"dimensionName": name}} for name in self.dimensions],
            "limit": str(limit),
            "offset": str(offset),
            "keepEmptyRows": False,
            "returnPropertyQuota": True,
        }

    async def answer(self, ask: Ask, first: date, last: date, *, limit: int) -> Report:
        """The whole report; TransientError where it changes each time it is read."""
        for _ in range(TRIES):
            report = await self._once(ask, first, last, limit=limit)
            if report is not None:
                return report
            log.info("a report of %s to %s changed while it was read", first, last)
        raise TransientError(f"the report of {first} to {last} changed each of the {TRIES} times it was read")

    async def _once(self, ask: Ask, first: date, last: date, *, limit: int) -> Report | None:
        found: dict[tuple[str, ...], tuple[float, ...]] = {}
        metadata: dict[str, Any] = {}
        count: int | None = None
        offset = 0
        while True:
            answer = await ask(self.body(first, last, limit=limit, offset=offset))
            rows = self._rows(answer)
            counted = int(answer.get("rowCount", 0))
            if count is not None and counted != count:
                return None
            count = counted
            for name, value in (answer.get("metadata") or {}).items():
                metadata[name] = metadata.get(name) or value
            found.update(rows)
            offset += limit
            if offset >= count or not rows:
                break
        if len(found) != count:
            return None
        return Report(
            rows=list(found.items()),
            thresholded=bool(metadata.get("subjectToThresholding")),
            sampled=bool(metadata.get("samplingMetadatas")),
            other=bool(metadata.get("dataLossFromOtherRow")) or any(OTHER in key for key in found),
        )

    def _rows(self, answer: Any) -> list[Row]:
        """The rows of a page; the key is absent where there are none."""
        headers = _names(answer, "dimensionHeaders"), _names(answer, "metricHeaders")
        if headers != (list(self.dimensions), list(self.metrics)):
            raise ContractError(f"a report of {', '.join(self.dimensions)} was not answered with these dimensions")
        return [
            (
                tuple(str(cell.get("value", "")) for cell in row["dimensionValues"]),
                tuple(float(cell["value"]) for cell in row["metricValues"]),
            )
            for row in answer.get("rows", ())
        ]


def _names(answer: Any, of: str) -> list[Any]:
    headers = answer.get(of) if isinstance(answer, Mapping) else None
    return [header.get("name") for header in headers] if isinstance(headers, list) else []
