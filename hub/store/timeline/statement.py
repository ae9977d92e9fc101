"""One statement for the newest entries of each of some customers: the first few of every part, put together and cut.

Each part reads no more than a page of each customer, along its index where it has one, so the statement costs as much as its
parts do and not as much as there is history. On SQLite a part's page is a correlated subselect of ids, on PostgreSQL a
lateral join.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Float,
    FromClause,
    Select,
    String,
    Subquery,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
)

from hub.store.tables.base import UtcDateTime
from hub.store.texts import bytewise
from hub.store.timeline import PARTS, Part
from hub.store.timeline.part import MOST_WORDS

WORDS = tuple(f"word{number}" for number in range(1, MOST_WORDS + 1))
COLUMNS = ("id", "customer_id", "at", "kind", *WORDS, "amount", "subject", "actor", "text")


def columns_of(part: Part) -> dict[str, ColumnElement[Any]]:
    """Every column of the timeline as this part has it."""
    words = dict(zip(WORDS, part.words, strict=False))
    given = {**words, "amount": part.amount, "actor": part.actor, "text": part.text}
    given["subject"] = part.subject[1] if part.subject is not None else None
    kind = literal_column(f"'{part.kind}'", Text)
    found: dict[str, ColumnElement[Any]] = {
        "id": literal_column(f"'{part.kind}:'", Text) + cast(part.table.c.id, Text),
        "customer_id": part.of,
        "at": part.at,
        "kind": kind,
    }
    for name in COLUMNS[4:]:
        type_ = Float() if name == "amount" else Text()
        value = given.get(name)
        found[name] = cast(null() if value is None else value, type_)
    return found


def everything() -> Subquery:
    """All entries of all customers, as if they were a table: for counting."""
    names = ("id", "customer_id", "at", "kind")
    parts = [
        select(*(columns_of(part)[name].label(name) for name in names)).select_from(part.rows).where(*part.tests)
        for part in PARTS.values()
    ]
    return union_all(*parts).subquery("timeline")


def newest_of_each(
    customer_ids: Sequence[str],
    columns: Iterable[str],
    *,
    parent: str,
    kinds: Iterable[str] | None,
    since: datetime | None,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int,
    mine: Callable[[FromClause], Sequence[ColumnElement[bool]]],
    dialect: str,
) -> Select[Any]:
    """The newest `limit` entries of each customer, whose id is the column called `parent`, newest first.

    kinds         only these; None: all
    since, until  at or after the one, at or before the other
    after         only those that come after the entry of this moment and id
    mine          the tests that an entry must pass to be seen; it has a `customer_id`
    """
    names = [name for name in COLUMNS if name in {"id", "at", "customer_id", *columns}]
    chosen = list(PARTS.values()) if kinds is None else [PARTS[kind] for kind in PARTS if kind in set(kinds)]
    if not chosen:  # of no kind at all: a statement all the same, that finds nothing
        chosen, limit = [next(iter(PARTS.values()))], 0
    ids = list(customer_ids)
    given: Any = orjson.dumps(ids).decode() if dialect == "sqlite" else ids
    asked = bindparam("customer_ids", given, Text() if dialect == "sqlite" else ARRAY(String))
    most: ColumnElement[int] = bindparam("most", limit)
    place = _Window(since, until, after)
    parts = [_first_of_each(part, names, parent, asked, place.tests(part), most, dialect) for part in chosen]
    entries = union_all(*parts).subquery("entries")
    newest = [entries.c.at.desc(), bytewise(entries.c.id).desc()]
    number = func.row_number().over(partition_by=entries.c[parent], order_by=newest).label("place")
    placed = select(entries, number).subquery("placed")
    return (
        select(placed.c[parent], *(placed.c[name] for name in names))
        .where(placed.c.place <= most, *mine(placed))
        .order_by(placed.c.at.desc(), bytewise(placed.c.id).desc())
    )


class _Window:
    """The tests that bound the entries of a page, with one parameter each however many parts there are."""

    def __init__(self, since: datetime | None, until: datetime | None, after: tuple[datetime, str] | None) -> None:
        self.since = None if since is None else bindparam("since", since, UtcDateTime())
        self.until = None if until is None else bindparam("until", until, UtcDateTime())
        self.after: tuple[ColumnElement[datetime], ColumnElement[str]] | None = None
        if after is not None:
            self.after = (bindparam("after_at", after[0], UtcDateTime()), bindparam("after_id", after[1]))

    def tests(self, part: Part) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.since is not None:
            found.append(part.at >= self.since)
        if self.until is not None:
            found.append(part.at <= self.until)
        if self.after is not None:
            at, key = self.after
            found.append(or_(part.at < at, and_(part.at == at, bytewise(columns_of(part)["id"]) < key)))
        return found


def _first_of_each(
    part: Part,
    names: Sequence[str],
    parent: str,
    asked: ColumnElement[Any],
    tests: Sequence[ColumnElement[bool]],
    most: ColumnElement[int],
    dialect: str,
) -> Select[Any]:
    """The first few entries of one kind of each customer."""
    columns = columns_of(part)
    chosen = [columns[name].label(name) for name in names]
    ordered = (part.at.desc(), bytewise(columns["id"]).desc())
    if dialect == "sqlite":
        listed = func.json_each(asked).table_valued("value", name="parents")
        few = (
            select(part.table.c.id)
            .select_from(part.rows)
            .where(part.of == listed.c.value, *part.tests, *tests)
            .order_by(*ordered)
            .limit(most)
            .correlate(listed)
        )
        return select(listed.c.value.label(parent), *chosen).select_from(
            listed.join(part.rows, part.table.c.id.in_(few))
        )
    listed = func.unnest(asked).table_valued("value").render_derived("parents")
    rows = (
        select(*chosen)
        .select_from(part.rows)
        .where(part.of == listed.c.value, *part.tests, *tests)
        .order_by(*ordered)
        .limit(most)
        .correlate(listed)
        .lateral("few")
    )
    return select(listed.c.value.label(parent), *(rows.c[name] for name in names)).select_from(
        listed.join(rows, true())
    )
