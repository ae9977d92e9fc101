"""Alerts and tasks: calls for human action, opened once per dedup key and changed by people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, Update, and_, bindparam, case, func, select, update

from hub.errors import NotFoundError
from hub.model.actions import Alert, AlertOutcome, AlertState
from hub.store.among import among
from hub.store.asking import Asking, several
from hub.store.books import of_book
from hub.store.bulk import insert_new
from hub.store.events import note_alerts
from hub.store.store import Connection
from hub.store.tables import alert
from hub.store.tables.base import UtcDateTime


async def open_alerts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Open alerts; return the ids of those that are new. The same dedup key twice is one alert."""
    if not rows:
        return []
    if new := sorted(await insert_new(connection, alert, rows)):
        await note_alerts(connection, among(connection, alert.c.id, new), change="opened", at=rows[0]["opened_at"])
    return new


_ALERT = select(alert).where(alert.c.id == bindparam("id"))


async def get_alert(connection: Connection, id_: str, *, lock: bool = False) -> Alert:
    statement = _ALERT.with_for_update() if lock else _ALERT
    if (row := (await connection.execute(statement, {"id": id_})).one_or_none()) is None:
        raise NotFoundError(f"there is no alert {id_!r}")
    return _alert(row)


async def change_alert(connection: Connection, id_: str, values: Mapping[str, Any]) -> None:
    """Give an alert new values, `updated_at` among them."""
    await connection.execute(update(alert).where(alert.c.id == id_).values(**values))
    change = "closed" if values.get("state") == AlertState.CLOSED else "changed"
    await note_alerts(connection, alert.c.id == id_, change=change, at=values["updated_at"])


async def close(
    connection: Connection, dedup_keys: Iterable[str], *, outcome: AlertOutcome, note: str | None, now: datetime
) -> None:
    """Close alerts that are still open, by what they were opened under."""
    which = and_(alert.c.dedup_key.in_(list(dedup_keys)), alert.c.state != AlertState.CLOSED.value)
    await note_alerts(connection, which, change="closed", at=now)  # while it can still be told which are open
    statement = update(alert).where(which)
    closed = {"state": AlertState.CLOSED.value, "outcome": outcome.value, "closed_at": now, "updated_at": now}
    await connection.execute(
        statement.values(**closed, snoozed_until=None, changed_by=None, note=func.coalesce(note, alert.c.note))
    )


async def close_of_runs(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Close what runs opened and nobody closed yet: {run, came: the outcome, said: a note or None, at} for each run.

    A note that is there stays, with ours below.
    """
    if not rows:
        return
    at = bindparam("at", type_=UtcDateTime)
    await _note_of_runs(connection, [row["run"] for row in rows], change="closed", at=rows[0]["at"])
    closed = {"state": AlertState.CLOSED.value, "outcome": bindparam("came"), "closed_at": at, "updated_at": at}
    statement = _of_run().values(**closed, snoozed_until=None, changed_by=None, note=_with_note())
    await connection.execute(statement, [dict(row) for row in rows])


async def note_of_runs(connection: Connection, run_ids: Iterable[str], *, note: str, now: datetime) -> None:
    """Say something to what runs opened and nobody closed."""
    ids = list(run_ids)
    if ids:
        statement = _of_run().values(updated_at=bindparam("at", type_=UtcDateTime), note=_with_note())
        await connection.execute(statement, [{"run": id_, "said": note, "at": now} for id_ in ids])
        await _note_of_runs(connection, ids, change="changed", at=now)


async def _note_of_runs(connection: Connection, run_ids: Sequence[str], *, change: str, at: datetime) -> None:
    which = and_(among(connection, alert.c.run_id, run_ids), alert.c.state != AlertState.CLOSED.value)
    await note_alerts(connection, which, change=change, at=at)


def _of_run() -> Update:
    return update(alert).where(alert.c.run_id == bindparam("run"), alert.c.state != AlertState.CLOSED.value)


def _with_note() -> ColumnElement[str | None]:
    said = bindparam("said", type_=Text)
    return case((said.is_(None), alert.c.note), (alert.c.note.is_(None), said), else_=alert.c.note + "\n" + said)


async def find_alerts(
    connection: Connection,
    *,
    customer_ids: Iterable[str] | None = None,
    run_ids: Iterable[str] | None = None,
    owner_email: str | None = None,
    states: Iterable[AlertState] | None = None,
    limit: int | None = None,
    book: str | None = None,
) -> list[Alert]:
    """Alerts that meet everything asked, newest first."""
    statement, asked = _ALERTS.of(
        customer_ids=customer_ids,
        run_ids=run_ids,
        owner_email=owner_email,
        states=None if states is None else [state.value for state in states],
        limit=limit,
    )
    if book is not None:
        statement = statement.where(*of_book(alert.c.customer_id, book))
    return [_alert(row) for row in await connection.execute(statement, asked)]


_ALERTS = Asking(
    select(alert).order_by(alert.c.opened_at.desc(), alert.c.id),
    customer_ids=alert.c.customer_id.in_(several("customer_ids")),
    run_ids=alert.c.run_id.in_(several("run_ids")),
    owner_email=alert.c.owner_email == bindparam("owner_email"),
    states=alert.c.state.in_(several("states")),
)


def _alert(row: Row[Any]) -> Alert:
    known = row._mapping
    values = {name: known[name] for name in Alert.__dataclass_fields__}
    outcome = values["outcome"]
    return Alert(
        **{
            **values,
            "state": AlertState(values["state"]),
            "outcome": AlertOutcome(outcome) if outcome else None,
        }
    )
