"""Finding the records behind facts: one statement for each kind and span of records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from hub.store.evidence.behind import BEHIND, Kind, Span
from hub.store.evidence.statements import STATEMENTS
from hub.store.evidence.words import said
from hub.store.facts.window import Window
from hub.store.store import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """A record, or a day or feature of use put together: which source says so, under which key, when, and what."""

    source: str
    key: str
    on: date
    what: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Records of one kind from `since` (None: of any age) to `until`: how many there are, and the newest of them."""

    kind: Kind
    since: date | None
    until: date
    total: int
    records: tuple[SourceRecord, ...]


async def find_evidence(
    connection: Connection, customer_ids: Sequence[str], facts: Iterable[str], *, as_of: date, first: int = 5
) -> dict[str, dict[str, tuple[Evidence, ...]]]:
    """{customer id: {fact: what it was counted from}} of the facts that are counted from records."""
    spans = {fact: BEHIND[fact] for fact in dict.fromkeys(facts) if fact in BEHIND}
    found = {
        span: await _find(connection, span, customer_ids, as_of, first)
        for span in dict.fromkeys(span for each in spans.values() for span in each)
    }
    return {
        id_: {fact: tuple(found[span][id_] for span in each) for fact, each in spans.items()} for id_ in customer_ids
    }


async def _find(
    connection: Connection, span: Span, customer_ids: Sequence[str], as_of: date, first: int
) -> dict[str, Evidence]:
    window = span.window(as_of, customer_ids)
    inner = (await STATEMENTS[span.kind](connection, window, span.days)).subquery()
    newest = [inner.c.at.desc(), inner.c.source, inner.c.key.desc()]
    ranked = select(
        *inner.c,
        func.row_number().over(partition_by=inner.c.customer_id, order_by=newest).label("rank"),
        func.count().over(partition_by=inner.c.customer_id).label("total"),
    ).subquery()
    statement = select(ranked).where(ranked.c.rank <= first).order_by(ranked.c.customer_id, ranked.c.rank)
    records: dict[str, list[SourceRecord]] = {id_: [] for id_ in customer_ids}
    totals = dict.fromkeys(customer_ids, 0)
    for row in await connection.execute(statement):
        totals[row.customer_id] = row.total
        records[row.customer_id].append(_record(span.kind, row, window))
    since = window.first(span.days) if span.days else None
    return {
        id_: Evidence(kind=span.kind, since=since, until=window.day, total=totals[id_], records=tuple(records[id_]))
        for id_ in customer_ids
    }


def _record(kind: Kind, row: Any, window: Window) -> SourceRecord:
    on = row.at.date() if isinstance(row.at, datetime) else row.at
    url = row.url if "ticket" in kind else None
    return SourceRecord(source=row.source, key=str(row.key), on=on, what=said(kind, row, window), url=url)
