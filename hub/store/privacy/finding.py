"""Rows of a subject in a table: which, how many, and one batch after another by their key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, literal, or_, select, tuple_
from sqlalchemy.sql.elements import ColumnClause

from hub.store.among import among
from hub.store.privacy.mentions import Mentions
from hub.store.privacy.place import Place, Whose
from hub.store.privacy.subject import Subject, split_id
from hub.store.store import Connection
from hub.store.tables import audit_record, contact, external_id, field_change, metadata

OWN = "own_row"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for in a table: own rows, and rows that may mention the subject, by which words."""

    own: ColumnElement[bool]
    mentioned: ColumnElement[bool]
    mentions: Mentions

    def speaks(self, place: Place, row: Mapping[str, Any]) -> bool:
        """Whether a row that may mention the subject does."""
        mentions = self.mentions
        if any(mentions.found(row[name]) for name in place.texts):
            return True
        return place.forget and "raw" in row and mentions.came_from(row["source"], row["raw"])

    @property
    def either(self) -> ColumnElement[bool]:
        return or_(self.own, self.mentioned)


def search(connection: Connection, place: Place, subject: Subject) -> Search:
    """How to find the subject's rows of a table."""
    here = _at_customers(connection, place, subject.customers)
    texts = [place.table.c[name] for name in place.texts]
    own = _own(connection, place, subject)
    certain = Mentions.of(subject, names=False)
    everywhere = certain.test(texts, keys=place.forget and "source" in place.table.c) if texts else false()
    if subject.is_customer:
        # a company's name is looked for in rows that may be nobody's; of other customers' its people and domains
        loose = not place.customer or place.table.c[place.customer[0]].nullable
        mentions = Mentions.of(subject, names=True) if loose else certain
        by_name = mentions.test(texts, keys=place.forget and "source" in place.table.c) if texts and loose else false()
        return Search(or_(here, own), or_(everywhere, by_name), mentions)
    by_name = false()
    mentions = certain
    if place.customer or place.table is field_change:
        mentions = Mentions.of(subject, names=True)
        if texts and (subject.names or subject.phones):
            by_name = and_(here, mentions.test(texts))
    return Search(own, or_(everywhere, by_name), mentions)


def _own(connection: Connection, place: Place, subject: Subject) -> ColumnElement[bool]:
    """Rows that are a person's; of a customer those that are somebody's there and no column says whose customer's."""
    c, tests = place.table.c, []
    for name, whose in place.own.items():
        match whose:
            case Whose.EMAIL:
                if not (subject.is_customer and place.customer):
                    tests.append(among(connection, func.lower(c[name]), subject.emails))
            case Whose.RECORD if subject.is_customer:
                if place.table is field_change:
                    tests += [_of_table(connection, c[name], table, subject) for table in (contact, external_id)]
            case Whose.RECORD:
                tests.append(among(connection, c[name], subject.contacts))
            case Whose.USER if not subject.is_customer:  # theirs are found by their company
                tests += [and_(c.source == source, c[name] == key) for source, key in subject.users]
    if place.forget and "source" in c:
        keys = subject.companies if subject.is_customer else [split_id(id_) for id_ in subject.contacts]
        tests += [and_(c.source == source, c["key"] == key) for source, key in keys]
    if subject.is_customer and not place.customer and "company_key" in c:
        tests += [and_(c.source == source, c.company_key == key) for source, key in subject.companies]
    if place.table is audit_record:
        about = subject.customers if subject.is_customer else subject.contacts
        tests.append(among(connection, c.subject, about))
    return or_(*tests) if tests else false()


def _of_table(connection: Connection, column: Any, table: Any, subject: Subject) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.in_(
        select(table.c.id).where(among(connection, table.c.customer_id, subject.customers))
    )
    return found


def _at_customers(connection: Connection, place: Place, ids: Sequence[str]) -> ColumnElement[bool]:
    if place.table is field_change:  # of fields of the customer that are our own
        return and_(field_change.c.kind == "customer", among(connection, field_change.c.record_id, ids))
    match place.customer:
        case (column,):
            return among(connection, place.table.c[column], ids)
        case (column, through):
            parent = metadata.tables[through]
            found: ColumnElement[bool] = place.table.c[column].in_(
                select(parent.c.id).where(among(connection, parent.c.customer_id, ids))
            )
            return found
    return false()


async def count(connection: Connection, place: Place, subject: Subject) -> tuple[int, int]:
    """(rows that are the subject's own, others that mention it)."""
    looked = search(connection, place, subject)
    own = select(func.count()).select_from(place.table).where(looked.own)
    counted = (await connection.execute(own)).scalar_one()
    if not place.texts:
        return counted, 0
    wanted = [column for column in place.table.c if column.name in place.texts or column.name == "source"]
    others = select(*wanted).where(looked.mentioned, ~func.coalesce(looked.own, False))
    mentioned = 0
    async with connection.stream(others) as rows:  # of packed rows these are all there are
        async for row in rows.mappings():
            mentioned += looked.speaks(place, dict(row))
    return counted, mentioned


async def find_batch(
    connection: Connection, place: Place, looked: Search, *, after: Sequence[Any] | None, most: int
) -> list[dict[str, Any]]:
    """The next rows in the order of their keys, each with `OWN`: whether it is the subject's own."""
    keys = list(place.table.primary_key)
    statement = select(*place.table.c, looked.own.label(OWN)).where(looked.either).order_by(*keys).limit(most)
    if after is not None:
        statement = statement.where(_beyond(keys, after))
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


def _beyond(keys: Sequence[ColumnClause[Any] | Any], after: Sequence[Any]) -> ColumnElement[bool]:
    if len(keys) == 1:
        found: ColumnElement[bool] = keys[0] > after[0]
        return found
    later: ColumnElement[bool] = tuple_(*keys) > tuple_(*(literal(value) for value in after))
    return later
