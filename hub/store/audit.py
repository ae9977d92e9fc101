"""The audit log: who asked for what, when, and what came of it, in records that are added and never changed.

What is asked for and its outcome are two records of one entry. Each is sealed to the one before: its digest is SHA-256
over the digest before it and the record itself, in which `detail` is held by a salted digest of its own: so a detail can be
taken out for a person who must be forgotten, which is itself a record, and whoever changes, removes or slips in anything else
breaks the chain. A chain cannot tell that its end was cut off: note its head elsewhere, and hold it against the log (`verify`).
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Dialect, Integer, and_, any_, cast, func, literal, select

from hub.store.extending import Chain, several
from hub.store.random_hex import random_hex
from hub.store.store import Connection, Store
from hub.store.tables import audit_record

UNFINISHED = "begun"
ASKED, OUTCOME, READ, REDACTED = "asked", "outcome", "read", "redacted"
GENESIS = "0" * 64
AT_ONCE = 5_000
LOCK = 0x63735F61756469  # "cs_audi": of PostgreSQL's advisory locks, the one that whoever adds a record holds until it commits

_HEAD = select(audit_record.c.number, audit_record.c.digest).order_by(audit_record.c.number.desc()).limit(1)
_Columns = Sequence[tuple[str, Callable[[Any], Any] | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is to be added. `entry_id`: of what it belongs to."""

    entry_id: str
    kind: str
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    token_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was asked for; `detail` holds the request and the outcome, which is "begun" where the process died over it."""

    id: str
    at: datetime
    actor: str
    token_id: str | None
    action: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A record as it is checked. `broken`: what is wrong with it, in words; None where it is whole."""

    number: int
    digest: str
    redacted: bool
    broken: str | None


def new_entry() -> str:
    return new_entries(1)[0]


def new_entries(count: int) -> list[str]:
    return [f"aud_{each}" for each in random_hex(12, count)]


async def append(connection: Connection, records: Sequence[Record]) -> None:
    """Add records to the end of the chain; others who add wait until this transaction is over."""
    if not records:
        return
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(literal(LOCK))))
    number, digest = await find_head(connection)
    rows = sealed(records, number=number, digest=digest)
    await connection.execute(audit_record.insert(), rows)


async def append_alone(store: Store, records: Sequence[Record]) -> None:
    """Add records to the end of the chain in a transaction of their own, committed when this returns."""
    chain, columns = _chain(store.sql_dialect)

    def make(head: Sequence[Any] | None) -> list[list[Any]]:
        number, digest = (0, GENESIS) if head is None else (int(head[0]), str(head[1]))
        rows = sealed(records, number=number, digest=digest)
        return [[row[name] if write is None else write(row[name]) for name, write in columns] for row in rows]

    extending = store.extending
    if records and (extending is None or not await extending.extend(chain, make)):
        async with store.transaction() as connection:
            await append(connection, records)


@lru_cache(maxsize=4)
def _chain(dialect: Dialect) -> tuple[Chain, _Columns]:
    """The log's statements as the driver takes them; its columns in their order, and how values of them are written."""
    added: Any = audit_record.insert().compile(dialect=dialect)
    # how the types write values; SQLAlchemy shows it nowhere else
    columns = [(name, added._bind_processors.get(name)) for name in added.positiontup]
    newest = str(_HEAD.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    names = list(added.positiontup)
    return Chain(
        newest,
        str(added),
        LOCK,
        several(audit_record, names, LOCK, dialect),
        tuple(f"{name}" for name in names),  # plain texts of names that are SQLAlchemy's own
        (names.index("number"), names.index("digest")),
    ), columns


def sealed(records: Sequence[Record], *, number: int, digest: str) -> list[dict[str, Any]]:
    """The records as rows that go on from a head: columns by their names."""
    rows = []
    salts = random_hex(16, len(records))
    for number, (record, salt) in enumerate(zip(records, salts, strict=True), start=number + 1):  # noqa: B020 - goes on from the head's
        detail = orjson.loads(orjson.dumps(record.detail))  # as it will be read again
        row = {
            "number": number,
            "at": record.at,
            "entry_id": record.entry_id,
            "kind": record.kind,
            "actor": record.actor,
            "token_id": record.token_id or None,
            "action": record.action,
            "subject": record.subject,
            "detail_digest": _detail_digest(salt, detail),
        }
        digest = _digest(digest, row)
        rows.append({**row, "detail": detail, "salt": salt, "digest": digest})
    return rows


async def insert(
    connection: Connection,
    *,
    entry_id: str,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    request: Mapping[str, Any],
    token_id: str | None = None,
) -> None:
    """Note that something was asked for."""
    asked = Record(
        entry_id=entry_id,
        kind=ASKED,
        at=at,
        actor=actor,
        token_id=token_id,
        action=action,
        subject=subject,
        detail={"request": dict(request)},
    )
    await append(connection, [asked])


async def finish(connection: Connection, entry_id: str, *, at: datetime, outcome: str) -> None:
    """Note what came of it."""
    asked = (
        await connection.execute(
            select(audit_record).where(audit_record.c.entry_id == entry_id, audit_record.c.kind == ASKED)
        )
    ).one()
    ended = Record(
        entry_id=entry_id,
        kind=OUTCOME,
        at=at,
        actor=asked.actor,
        token_id=asked.token_id,
        action=asked.action,
        subject=asked.subject,
        detail={"outcome": outcome},
    )
    await append(connection, [ended])


async def redact(
    connection: Connection,
    numbers: Sequence[int],
    *,
    at: datetime,
    actor: str,
    reason: str,
    token_id: str | None = None,
) -> int:
    """Take the details out of records, and note that and why; how many had one. The reason must name nobody."""
    if connection.dialect.name == "sqlite":
        listed = func.json_each(orjson.dumps(list(numbers)).decode()).table_valued("value")
        named: ColumnElement[bool] = audit_record.c.number.in_(select(cast(listed.c.value, Integer)))
    else:
        named = audit_record.c.number == any_(literal(list(numbers)))
    done = await connection.execute(
        audit_record.update().where(named, audit_record.c.salt.is_not(None)).values(detail=None, salt=None)
    )
    if done.rowcount:
        record = Record(
            entry_id=new_entry(),
            kind=REDACTED,
            at=at,
            actor=actor,
            token_id=token_id,
            action="auditRedact",
            subject=f"{done.rowcount} records",
            detail={"reason": reason},
        )
        await append(connection, [record])
    return done.rowcount


async def find_latest(
    connection: Connection, *, limit: int = 100, subject: str | None = None, actor: str | None = None
) -> Sequence[Entry]:
    """What was asked for and read, the newest first."""
    ended = audit_record.alias("ended")
    statement = (
        select(audit_record, ended.c.detail.label("end"))
        .outerjoin(ended, and_(ended.c.entry_id == audit_record.c.entry_id, ended.c.kind == OUTCOME))
        .where(audit_record.c.kind != OUTCOME)
        .order_by(audit_record.c.number.desc())
        .limit(limit)
    )
    if subject is not None:
        statement = statement.where(audit_record.c.subject == subject)
    if actor is not None:
        statement = statement.where(audit_record.c.actor == actor)
    return [
        Entry(
            id=row.entry_id,
            at=row.at,
            actor=row.actor,
            token_id=row.token_id,
            action=row.action,
            subject=row.subject,
            detail={
                **(row.detail or {}),
                **({"outcome": UNFINISHED} if row.kind == ASKED else {}),
                **(row.end or {}),
            },
        )
        for row in await connection.execute(statement)
    ]


async def find_head(connection: Connection) -> tuple[int, str]:
    """Number and digest of the newest record; (0, GENESIS) where there is none."""
    row = (await connection.execute(_HEAD)).one_or_none()
    return (0, GENESIS) if row is None else (int(row.number), str(row.digest))


async def verify(connection: Connection) -> AsyncIterator[Link]:
    """Every record in its order, checked against the one before it; stops after the first that is broken."""
    number, digest = 0, GENESIS
    while True:
        statement = (
            select(audit_record).where(audit_record.c.number > number).order_by(audit_record.c.number).limit(AT_ONCE)
        )
        rows = (await connection.execute(statement)).all()
        for row in rows:
            broken = _broken(row, after=number, digest=digest)
            yield Link(number=row.number, digest=row.digest, redacted=row.salt is None, broken=broken)
            if broken is not None:
                return
            number, digest = row.number, row.digest
        if len(rows) < AT_ONCE:
            return


def _broken(row: Any, *, after: int, digest: str) -> str | None:
    if row.number != after + 1:
        return f"records {after + 1} to {row.number - 1} are missing"
    if _digest(digest, row._mapping) != row.digest:
        return "it was changed after it was written, or something before it was removed or slipped in"
    if (row.salt is None) != (row.detail is None):
        return "its detail was half taken out"
    if row.salt is not None and _detail_digest(row.salt, row.detail) != row.detail_digest:
        return "its detail was changed after it was written"
    return None


def _digest(before: str, row: Mapping[str, Any]) -> str:
    sealed = [before, row["number"], row["at"].isoformat()]
    sealed += [row[name] for name in ("entry_id", "kind", "actor", "token_id", "action", "subject", "detail_digest")]
    return hashlib.sha256(orjson.dumps(sealed)).hexdigest()


def _detail_digest(salt: str, detail: Any) -> str:
    return hashlib.sha256(salt.encode() + orjson.dumps(detail, option=orjson.OPT_SORT_KEYS)).hexdigest()
