"""The use case: the figures asked for, of every period, group, currency and scale there is.

Records are read once, in a few statements whose number depends on which figures are asked for and on nothing else: not on
how many customers there are, months or groups.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.analytics.definitions import Definition, choose
from hub.analytics.frame import Frame, Known
from hub.analytics.from_answers import of_answers
from hub.analytics.from_deals import of_renewals
from hub.analytics.from_onboardings import of_onboardings
from hub.analytics.from_scorecards import of_scorecards
from hub.analytics.from_starts import of_starts
from hub.analytics.from_terms import of_events, of_terms
from hub.analytics.months import Period, periods
from hub.analytics.records import Records, read
from hub.analytics.request import Request
from hub.analytics.shares import Value
from hub.errors import RefusedError
from hub.store import Store

MOST_VALUES = 2_000
FROM: Mapping[str, Callable[[Frame, Definition], Iterator[Value]]] = {
    "terms": of_terms,
    "renewals": of_renewals,
    "answers": of_answers,
    "starts": of_starts,
    "events": of_events,
    "onboardings": of_onboardings,
    "scorecards": of_scorecards,
}
"""{what a figure needs: how its values are made of it}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer to a request: values in order of period, figure, currency or scale, and group (everybody first)."""

    request: Request
    today: date
    values: tuple[Value, ...]


async def measure(store: Store, request: Request, *, now: datetime) -> Report:
    """Compute the figures of a request as of `now`.

    NotFoundError for a figure there is not, RefusedError for months or a grouping that cannot be, or too many values.
    """
    today = now.date()
    request.check(today)
    definitions = choose(request.metrics)
    spans = periods(request.first, request.last, monthly=request.monthly, today=today)
    needs = {definition.needs for definition in definitions}
    async with store.reading() as connection:
        records = await read(connection, request, spans, needs=needs, now=now)
    # seconds of arithmetic where customers are many: a process that also answers others goes on meanwhile
    values = await asyncio.to_thread(_values, records, request, spans, definitions)
    return Report(request=request, today=today, values=tuple(values))


def _values(
    records: Records, request: Request, spans: Sequence[Period], definitions: Sequence[Definition]
) -> list[Value]:
    found: list[Value] = []
    known: Known = {}
    for place, period in enumerate(spans):
        frame = Frame(records, request, period, place, known)
        for definition in definitions:
            found.extend(FROM[definition.needs](frame, definition))
        if len(found) > MOST_VALUES:
            narrower = f", or not by {request.by}" if request.by else ""
            raise RefusedError(f"that is more than {MOST_VALUES:,} values: ask for fewer months or metrics{narrower}")
    return found
