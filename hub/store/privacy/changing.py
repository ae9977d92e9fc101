"""What a row becomes when its person or customer is erased, and writing that: a batch at a time, each as one transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, and_, bindparam, delete, update

from hub.store import audit
from hub.store.privacy.finding import OWN, Search, find_batch, search
from hub.store.privacy.keyed import ERASED, WORD, Keyed, is_erased, normal
from hub.store.privacy.mentions import Mentions
from hub.store.privacy.place import Does, Place
from hub.store.privacy.subject import Subject
from hub.store.store import Connection
from hub.store.tables import audit_record
from hub.store.tables.base import Json

BATCH = 1_000
Row = Mapping[str, Any]
GONE_AS_A_WHOLE: dict[str, Any] | None = None


async def change_batch(
    connection: Connection,
    place: Place,
    subject: Subject,
    keyed: Keyed,
    *,
    after: Sequence[Any] | None,
    now: datetime,
    most: int = BATCH,
) -> tuple[int, list[Any] | None]:
    """Erase in the next rows; return how many changed, and the key of the last one looked at, None at the end."""
    looked = search(connection, place, subject)
    rows = await find_batch(connection, place, looked, after=after, most=most)
    if place.table is audit_record:
        done = await _redact(connection, rows, looked.mentions, now=now)
    else:
        made = [(row, changed(place, row, subject, keyed, looked)) for row in rows]
        await _delete(connection, place.table, [row for row, change in made if change is GONE_AS_A_WHOLE])
        await _update(connection, place.table, [(row, change) for row, change in made if change])
        done = sum(change is GONE_AS_A_WHOLE or bool(change) for _, change in made)
    ended = len(rows) < most
    return done, None if ended else [rows[-1][key.name] for key in place.table.primary_key]


def changed(place: Place, row: Row, subject: Subject, keyed: Keyed, looked: Search) -> dict[str, Any] | None:
    """The columns that change; None: the row goes. An erased row does not change again."""
    own = bool(row[OWN])
    if (own and place.delete) or (place.forget and (own or looked.speaks(place, row))):
        return GONE_AS_A_WHOLE
    made = looked.mentions.without({name: row[name] for name in place.texts})
    if own:
        made |= {name: _value(place, name, does, row, subject, keyed) for name, does in place.personal.items()}
        if subject.is_customer:
            made |= {name: _value(place, name, does, row, subject, keyed) for name, does in place.company.items()}
        if not place.texts_of or any(row[name] in values for name, values in place.texts_of.items()):
            made |= {name: _emptied(place.table.c[name], row[name]) for name in place.texts}
        if place.stop and (state := place.stop.get(row["state"])):
            made |= {"state": state}
            if "error" in place.texts:
                made |= {"error": ERASED}
    return {name: value for name, value in made.items() if value != row[name]}


def _value(place: Place, name: str, does: Does, row: Row, subject: Subject, keyed: Keyed) -> Any:
    value = row[name]
    if value is None:
        return None
    match does:
        case Does.GONE:
            return _emptied(place.table.c[name], value)
        case Does.WORD:
            return value if is_erased(value) else f"{ERASED}-{keyed.hash('word', row['id'])[:8]}"
        case Does.KEY:
            return keyed.key(row["source"], _unnamed(value, row, subject, keyed))
        case Does.RECORD:
            return keyed.record(_unnamed(value, row, subject, keyed))
        case Does.HASH:
            address, space, topic = value.partition(" ")
            return value if is_erased(value) or "@" not in address[1:] else f"{hashed(keyed, address)}{space}{topic}"
        case Does.ADDRESS:
            return pseudonym(value, subject, keyed) if normal(value) in subject.emails else value
        case Does.PSEUDONYM:
            return pseudonym(value, subject, keyed)


def _unnamed(key: str, row: Row, subject: Subject, keyed: Keyed) -> str:
    """The key of a day of use as it is made of a pseudonym, which is all that is left to sum later acts by."""
    user = row.get("user_key")
    return key if user is None else keyed.of_user(key, user, pseudonym(user, subject, keyed))


def pseudonym(value: str, subject: Subject, keyed: Keyed) -> str:
    """What stands in the place of an address or a user's key."""
    if is_erased(value):
        return value
    known = subject.pseudonyms.get(normal(value))
    return keyed.spelt(known or f"{ERASED}-{keyed.hash('pseudonym', subject.named, normal(value))[:16]}", value)


def hashed(keyed: Keyed, address: str) -> str:
    """An address on the suppression list after its owner was erased."""
    return f"{ERASED}-{keyed.email(address)}"


def _emptied(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, Json):
        return None if column.nullable else ([] if isinstance(value, list) else {})
    return None if column.nullable else WORD


async def _delete(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    if rows:
        keys = [key.name for key in table.primary_key]
        statement = delete(table).where(and_(*(table.c[key] == bindparam(f"was_{key}") for key in keys)))
        await connection.execute(statement, [{f"was_{key}": row[key] for key in keys} for row in rows])


async def _update(connection: Connection, table: Table, made: Sequence[tuple[Row, dict[str, Any]]]) -> None:
    keys = [key.name for key in table.primary_key]
    alike: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row, change in made:
        at = {f"was_{key}": row[key] for key in keys}
        alike[tuple(change)].append(at | {f"new_{name}": value for name, value in change.items()})
    for names, parameters in alike.items():
        statement = (
            update(table)
            .where(and_(*(table.c[key] == bindparam(f"was_{key}") for key in keys)))
            .values({name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names})
        )
        await connection.execute(statement, parameters)


async def _redact(connection: Connection, rows: Sequence[Row], mentions: Mentions, *, now: datetime) -> int:
    numbers = [row["number"] for row in rows if row["detail"] and (row[OWN] or mentions.found(row["detail"]))]
    if not numbers:
        return 0
    return await audit.redact(connection, numbers, at=now, actor=ERASED, reason="a person or customer was erased")
