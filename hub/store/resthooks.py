"""REST hooks: who asked to be told of which events, how far each has been told, and what an event looks like to them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Table, and_, func, insert, or_, select, update

from hub.model.own_words import title_without_words
from hub.store.among import among
from hub.store.events import Heard
from hub.store.store import Connection
from hub.store.tables import alert, api_token, customer, event, playbook_run, rest_hook, scorecard

_OF_ALERTS = ("id", "kind", "title", "severity", "state", "owner_email", "due_on", "dedup_key")
_OF_RUNS = ("id", "playbook", "playbook_version", "state", "cause")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestHook:
    """event: such as alert.opened. token_id: it is told while this token opens. book: see hub.access.Viewer."""

    id: str
    event: str
    token_id: str
    actor: str
    place: int
    created_at: datetime
    book: str | None = None


async def insert_hook(connection: Connection, hook: RestHook) -> None:
    row = {name: getattr(hook, name) for name in RestHook.__dataclass_fields__}
    await connection.execute(insert(rest_hook), [row])


async def find_hooks(
    connection: Connection, *, now: datetime, token_id: str | None = None, ids: Iterable[str] | None = None
) -> list[RestHook]:
    """Those that are told today: not ended, and their token neither revoked nor expired; the oldest first."""
    row, token = rest_hook.c, api_token.c
    columns = [row[name] for name in RestHook.__dataclass_fields__]
    statement = (
        select(*columns)
        .join(api_token, token.id == row.token_id)
        .where(
            row.ended_at.is_(None), token.revoked_at.is_(None), or_(token.expires_at.is_(None), token.expires_at > now)
        )
        .order_by(row.created_at, row.id)
    )
    if token_id is not None:
        statement = statement.where(row.token_id == token_id)
    if ids is not None:
        statement = statement.where(row.id.in_(list(ids)))
    return [RestHook(**found) for found in (await connection.execute(statement)).mappings()]


async def end_hooks(connection: Connection, ids: Collection[str], *, by: str, now: datetime) -> int:
    """They are told no more; how many were until now."""
    statement = update(rest_hook).where(rest_hook.c.id.in_(list(ids)), rest_hook.c.ended_at.is_(None))
    return (await connection.execute(statement.values(ended_at=now, ended_by=by))).rowcount


async def find_dead(connection: Connection, *, now: datetime) -> list[str]:
    """Ids of those whose token opens no more."""
    row, token = rest_hook.c, api_token.c
    closed = or_(token.id.is_(None), token.revoked_at.is_not(None), token.expires_at <= now)
    statement = select(row.id).outerjoin(api_token, token.id == row.token_id).where(row.ended_at.is_(None), closed)
    return list((await connection.execute(statement)).scalars())


async def move_places(connection: Connection, ids: Collection[str], *, to: int) -> None:
    """All up to this number has been told to them; a place never goes back."""
    statement = update(rest_hook).where(rest_hook.c.id.in_(list(ids)), rest_hook.c.place < to)
    await connection.execute(statement.values(place=to))


async def find_newest(connection: Connection, *, kind: str, change: str, book: str | None, limit: int) -> list[Heard]:
    """The newest events of a kind about customers of the book, the newest first."""
    columns = [event.c[name] for name in Heard.__dataclass_fields__ if name != "csm_email"]
    statement = (
        select(*columns, customer.c.csm_email)
        .join(customer, customer.c.id == event.c.customer_id)
        .where(event.c.kind == kind, event.c.change == change, event.c.number.is_not(None))
        .order_by(event.c.number.desc())
        .limit(limit)
    )
    if book is not None:
        statement = statement.where(func.lower(customer.c.csm_email) == book)
    return [Heard(**row) for row in (await connection.execute(statement)).mappings()]


async def describe(connection: Connection, heard: Sequence[Heard]) -> dict[int, dict[str, Any]]:
    """{number: what it tells} in plain values, of any number of events: a statement for customers and one a kind.

    What has gone since, a merged customer say, has nothing to tell and is left out.
    """
    customers = await _customers(connection, {each.customer_id for each in heard if each.customer_id is not None})
    alerts = await _rows(connection, alert, _OF_ALERTS, {each.subject for each in heard if each.kind == "alert"})
    for row in alerts.values():  # what a person wrote may name anybody, and leaves the hub with no message
        row["title"] = title_without_words(row["kind"], row["title"], row.pop("dedup_key"))
    runs = await _rows(connection, playbook_run, _OF_RUNS, {each.subject for each in heard if each.kind == "run"})
    told: dict[int, dict[str, Any]] = {}
    for each in heard:
        who = customers.get(each.customer_id or "")
        if who is None:
            continue
        if each.kind == "band":
            told[each.number] = {"customer": who, "before": each.data["before"], "band": each.data["band"]}
            continue
        about = (alerts if each.kind == "alert" else runs).get(each.subject)
        if about is not None:
            told[each.number] = {"customer": who, each.kind: about}
    return told


async def _customers(connection: Connection, ids: Collection[str]) -> Mapping[str, dict[str, Any]]:
    row, newest = customer.c, scorecard.c
    statement = (
        select(row.id, row.name, row.domain, row.segment, row.csm_email, newest.health, newest.band, newest.churn_risk)
        .outerjoin(scorecard, and_(newest.customer_id == row.id, newest.latest.is_(True)))
        .where(among(connection, row.id, ids), row.merged_into_id.is_(None))
    )
    return _by_id((await connection.execute(statement)).mappings())


async def _rows(
    connection: Connection, table: Table, names: Sequence[str], ids: Collection[str]
) -> Mapping[str, dict[str, Any]]:
    if not ids:
        return {}
    statement = select(*[table.c[name] for name in names]).where(among(connection, table.c.id, ids))
    return _by_id((await connection.execute(statement)).mappings())


def _by_id(rows: Iterable[RowMapping]) -> dict[str, dict[str, Any]]:
    return {row["id"]: {str(name): value for name, value in row.items()} for row in rows}
