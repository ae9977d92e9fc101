"""Evidence and customers: what identity reads, and how a decision reaches every record."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, ColumnElement, and_, bindparam, case, func, or_, select, type_coerce, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.assignments import is_assigned
from hub.store.store import Connection
from hub.store.tables import RECORD_TABLES, customer, external_id

LINKED = [table for table in RECORD_TABLES.values() if table is not external_id]
DECIDING = 0x1DE7717
"""The advisory lock of those who decide whose a company is."""
PROFILE = ("name", "segment", "industry", "country", "employees", "csm_email", "csm_name", "became_customer_on")


async def find_customers_by_key(connection: Connection, source: str, keys: Iterable[str]) -> dict[str, str | None]:
    """{company_key: customer_id} of the evidence a source has of `keys`; None where nobody knows yet.

    It stays so until the transaction ends: whoever decides it meanwhile waits, and then finds the records written here.
    """
    statement = (
        select(external_id.c.key, external_id.c.customer_id)
        .where(external_id.c.id.in_([f"{source}:{key}" for key in keys]))
        .order_by(external_id.c.source, external_id.c.key)  # as decisions are written, so that nobody waits in a circle
        .with_for_update(read=True)
    )
    return {row.key: row.customer_id for row in await connection.execute(statement)}


async def add_implied(connection: Connection, source: str, keys: Iterable[str], *, now: datetime) -> None:
    """Make evidence of company keys that records name and no company row brought yet: they are to be matched too."""
    blank = {"source": source, "version": 0, "digest": 0, "deleted": False, "learned_at": now, "synced_at": now}
    rows = [{"id": f"{source}:{key}", "key": key, "company_key": key, **blank} for key in sorted(set(keys))]
    if rows:
        insert = sqlite.insert(external_id) if connection.dialect.name == "sqlite" else postgresql.insert(external_id)
        await connection.execute(insert.on_conflict_do_nothing(index_elements=[external_id.c.id]), rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A company as one source knows it, and what was decided about it: `customer_id` None while nobody knows."""

    id: str
    source: str
    key: str
    external_key: str | None
    name: str | None
    domains: tuple[str, ...]
    customer_id: str | None
    state: str
    method: str | None
    reason: str | None
    candidates: tuple[str, ...]
    decided_by: str | None


class Settled(NamedTuple):
    """Evidence whose customer is known, as far as it tells of others. domains: of sources whose domains count."""

    source: str
    key: str
    domains: Sequence[str]
    customer_id: str


async def find_settled(connection: Connection, *, telling: Collection[str]) -> list[Settled]:
    """What is decided of all companies that are not deleted; domains only of the sources `telling`."""
    row = external_id.c
    columns = (row.source, row.key, case((row.source.in_(sorted(telling)), row.domains), else_=None), row.customer_id)
    statement = select(*columns).where(row.deleted.is_(False), row.customer_id.is_not(None))
    rows = await connection.execute(statement)
    return [Settled(source, key, domains or (), customer_id) for source, key, domains, customer_id in rows]


async def find_evidence(connection: Connection, *, state: str | None = None, undecided: bool = False) -> list[Evidence]:
    """All evidence that is not deleted, ordered by source and key; of one state where it is given.

    undecided  only what neither a rule nor a person has decided
    """
    columns = [external_id.c[field.name] for field in fields(Evidence)]
    statement = select(*columns).where(external_id.c.deleted.is_(False))
    if state is not None:
        statement = statement.where(external_id.c.state == state)
    if undecided:
        statement = statement.where(external_id.c.customer_id.is_(None), external_id.c.decided_by.is_(None))
    rows = await connection.execute(statement.order_by(external_id.c.source, external_id.c.key))
    return [
        Evidence(
            id=id_,
            source=source,
            key=key,
            external_key=external_key,
            name=name,
            domains=tuple(domains or ()),
            customer_id=customer_id,
            state=state,
            method=method,
            reason=reason,
            candidates=tuple(candidates or ()),
            decided_by=decided_by,
        )
        for (
            id_,
            source,
            key,
            external_key,
            name,
            domains,
            customer_id,
            state,
            method,
            reason,
            candidates,
            decided_by,
        ) in rows
    ]


async def begin_deciding(connection: Connection) -> None:
    """Let others who want to decide wait until this transaction ends: each decision is to see the ones before it.

    SQLite has one writing transaction at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(DECIDING)))


async def add_customers(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await connection.execute(customer.insert(), list(rows))


async def put_decisions(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write decisions: id, customer_id, state, method, reason, candidates, decided_at, decided_by."""
    given = [{**row, "row_id": row["id"]} for row in rows]
    if not given:
        return
    names = ("customer_id", "state", "method", "reason", "candidates", "decided_at", "decided_by")
    statement = (
        update(external_id)
        .where(external_id.c.id == bindparam("row_id"))
        .values({name: bindparam(f"new_{name}", type_=external_id.c[name].type) for name in names})
    )
    await connection.execute(
        statement, [{"row_id": row["row_id"], **{f"new_{name}": row[name] for name in names}} for row in given]
    )


async def link(connection: Connection, *, since: datetime) -> int:
    """Point every record at the customer of its company, for evidence decided since; return the records moved."""
    moved = 0
    for table in LINKED:
        result = await connection.execute(
            update(table)
            .values(customer_id=external_id.c.customer_id)
            .where(
                and_(
                    external_id.c.source == table.c.source,
                    external_id.c.key == table.c.company_key,
                    external_id.c.decided_at >= since,
                    table.c.customer_id.is_distinct_from(external_id.c.customer_id),
                )
            )
        )
        moved += result.rowcount
    return moved


async def refresh_profiles(
    connection: Connection, source: str, *, now: datetime, free_mail: Collection[str] = ()
) -> int:
    """Bring customers that this source created, and their parents, to what it says of their company.

    All of them are compared, not those of one sync: one that was killed may have landed companies and come no further.
    A customer's domain is the first that is stated; where that is of `free_mail`, it names nobody and the customer has none.
    """
    of_source = and_(
        external_id.c.source == source,
        external_id.c.method == "created",
        external_id.c.customer_id == customer.c.id,
    )
    said: dict[str, ColumnElement[Any]] = {name: external_id.c[name] for name in PROFILE}
    said["name"] = func.coalesce(external_id.c.name, customer.c.name)
    said["csm_email"] = func.lower(external_id.c.csm_email)  # as books are looked up by
    first = func.lower(func.nullif(type_coerce(external_id.c.domains, JSON)[0].as_string(), ""))
    said["domain"] = case((first.not_in(sorted(free_mail)), first)) if free_mail else first
    for name in ("csm_email", "csm_name"):  # our own word goes before the source's
        said[name] = case((is_assigned(), customer.c[name]), else_=said[name])
    await connection.execute(
        update(customer)
        .values(**said, updated_at=now)
        .where(of_source, or_(*(customer.c[name].is_distinct_from(value) for name, value in said.items())))
    )
    parent = external_id.alias("parent")
    result = await connection.execute(
        update(customer)
        .values(parent_id=parent.c.customer_id)
        .where(
            of_source,
            parent.c.source == external_id.c.source,
            parent.c.key == external_id.c.parent_key,
            parent.c.customer_id.is_distinct_from(customer.c.id),  # which it is, once they were merged
            customer.c.parent_id.is_distinct_from(parent.c.customer_id),
        )
    )
    return result.rowcount
