"""Rows in every table of the store that hold a person, or speak of one: made from the tables themselves, so that a table or
column that is new is covered without a word here.

    await fill(store)         a person of the customer c001, by every name, in rows of their own and in rows of others
    await told(store)         {"table.column": value} of every value that holds one of `TELLING`

A row of a table's own is filled in every column that hub.store.privacy takes for personal, and in every text; a second one
belongs to another customer, or to nobody, and mentions the person's address in every text.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import Column, LargeBinary, Table, select

from hub.store import Store, audit
from hub.store.privacy.place import Place, Whose
from hub.store.privacy.places import BY_TABLE
from hub.store.tables import audit_record, customer, metadata
from hub.store.tables.base import Json, PackedJson, UtcDateTime

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ADDRESS, NAME, PHONE, USER = "jo.smith@acme.example", "Joanna Smith", "+49 30 5550199", "user-4711"
CONTACT, KEY, SOURCE = "crm:person-77", "person-77", "crm"
TELLING = (ADDRESS, NAME, PHONE, CONTACT, KEY, USER)
COMPANY, DOMAIN, COMPANY_KEY = "Acme Works", "acme.example", "company-12"
SPOKEN = f"Spoke to {NAME} <{ADDRESS}>, {PHONE}, whom {SOURCE} calls {CONTACT}"
MENTIONED = f"They copied {ADDRESS.upper()} in"
_MADE = frozenset({"audit_record", "event_log", "executor", "tombstone", "erasure", "signing_key"})
"""Filled in their own way, or by nobody but the store."""
_VALUES = {bool: False, int: 1, float: 1.0, date: NOW.date()}


async def fill(store: Store) -> None:
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in metadata.sorted_tables:
        if table.name not in _MADE:
            rows[table.name] = [_row(table, number) for number in (1, 2)]
    rows["customer"] = [
        {**rows["customer"][0], "id": "c001", "name": COMPANY, "domain": DOMAIN},
        {**rows["customer"][1], "id": "c002", "name": "Other", "domain": "other.example"},
    ]
    row = {**rows["raw_row"][0], "id": "raw_row-3", "key": KEY, "raw": {"id": KEY, "mobilephone": PHONE}}
    change = rows["field_change"][0]
    rows["field_change"] += [
        {**change, "id": 3, "field": "title", "before": NAME, "after": "CTO"},
        {
            **change,
            "id": 4,
            "kind": "customer",
            "record_id": "c001",
            "field": "custom.champion",
            "before": None,
            "after": NAME,
        },
    ]
    of_tickets = {
        **row,
        "id": "raw_row-4",
        "key": "9",
        "raw": {"requester_id": KEY, "subject": "It hurts", "phone": PHONE},
    }
    rows["raw_row"] += [row, of_tickets]
    async with store.transaction() as connection:
        for name, some in rows.items():
            await connection.execute(metadata.tables[name].insert(), some)
        for subject, request in (("c001", {"note": SPOKEN}), ("c002", {"to": [ADDRESS]}), ("c002", {"note": "nobody"})):
            await audit.insert(
                connection,
                entry_id=audit.new_entry(),
                at=NOW,
                actor="ann",
                action="x",
                subject=subject,
                request=request,
            )


def _row(table: Table, number: int) -> dict[str, Any]:
    """number: 1 for the person's own, at c001; 2 for one that mentions them."""
    place, row = BY_TABLE[table.name], dict[str, Any]()
    for column in table.c:
        if column.autoincrement is True:
            continue
        name, mine = column.name, number == 1
        if column.foreign_keys:
            [key] = column.foreign_keys
            of_customer = key.column.table is customer
            if name == "customer_id" or of_customer:
                row[name] = f"c00{number}" if name != "merged_into_id" and name != "parent_id" else None
            else:
                row[name] = None if column.nullable else f"{key.column.table.name}-{number}"
        elif name == "customer_id":
            row[name] = f"c00{number}"
        elif name in place.own and mine:
            row[name] = {Whose.EMAIL: ADDRESS, Whose.RECORD: CONTACT, Whose.USER: USER}[place.own[name]]
        elif name in place.texts:
            row[name] = _told(column, SPOKEN if mine else MENTIONED)
        elif name in place.personal and mine:
            row[name] = _personal(place, column)
        elif name in place.company and mine:
            row[name] = _of_company(column)
        else:
            row[name] = _plain(table, column, number)
    return row


def _personal(place: Place, column: Column[Any]) -> Any:
    match column.name:
        case "id" if place.name == "delivery_endpoint":
            return f"email:{ADDRESS}"
        case "id" if place.name == "suppression":
            return f"{ADDRESS} surveys"
        case "id":
            return f"{SOURCE}:{KEY}" if Whose.USER not in place.own.values() else f"{SOURCE}:{COMPANY_KEY}|{USER}"
        case "key":
            return KEY if Whose.USER not in place.own.values() else f"{COMPANY_KEY}|{USER}"
    return {"email": ADDRESS, "address": ADDRESS}.get(column.name, NAME)


def _of_company(column: Column[Any]) -> Any:
    if isinstance(column.type, Json):
        return [DOMAIN]
    known = {"id": f"{SOURCE}:{COMPANY_KEY}", "key": COMPANY_KEY, "company_key": COMPANY_KEY, "domain": DOMAIN}
    return known.get(column.name, COMPANY)


def _told(column: Column[Any], words: str) -> Any:
    if isinstance(column.type, Json | PackedJson):
        return {"said": [words, {"by": {words: 1}}]}
    length = getattr(column.type, "length", None)
    return words if length is None or length >= len(words) else ADDRESS[:length]


def _plain(table: Table, column: Column[Any], number: int) -> Any:
    type_ = column.type
    if isinstance(type_, UtcDateTime):
        return NOW
    if isinstance(type_, Json | PackedJson):
        return {}
    if isinstance(type_, LargeBinary):
        return b"."
    if column.name == "source":
        return SOURCE
    if type_.python_type is str:
        word = table.name if column.primary_key else column.name
        return f"{word[: (type_.length or 60) - 2]}-{number}"
    return number if column.primary_key or column.unique else _VALUES[type_.python_type]


async def told(store: Store, telling: tuple[str, ...] = TELLING) -> dict[str, Any]:
    """Every value of every table that holds one of these, looked for in small letters and however white space is set."""
    looked = [re.sub(r"\s+", "", each).lower() for each in telling]
    found: dict[str, Any] = {}
    async with store.reading() as connection:
        for table in metadata.tables.values():
            for row in (await connection.execute(select(table))).mappings():
                for column in table.c:
                    text = re.sub(r"\s+", "", _text(row[column.name])).lower()
                    if any(each in text for each in looked):
                        found[f"{table.name}.{column.name}"] = row[column.name]
    return found


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bytes():
            return value.decode("latin-1")
        case str():
            return value
        case dict() | list():
            return orjson.dumps(value, default=str).decode()
    return str(value)


def wordy(place: Place) -> Iterator[str]:
    """Columns that the person stands in, of a table's own row."""
    yield from (name for name in (*place.own, *place.personal, *place.texts))


def expected() -> Mapping[str, set[str]]:
    """{table: columns} that `fill` must have put the person into."""
    return {place.name: set(wordy(place)) for place in BY_TABLE.values() if place.name not in _MADE} | {
        audit_record.name: {"detail"}
    }
