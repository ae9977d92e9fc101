"""Readings of drift as stored: what was checked of which model, of which day, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Row, delete, func, select

from hub.store.predictions import BATCH
from hub.store.store import Connection
from hub.store.tables import drift_reading, scorecard

Kind = Literal["psi", "calibration", "roc_auc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReading:
    """A check of one thing.

    kind       psi: of a feature or of the score, against what the model learned from; calibration: who left over who was
               expected to; roc_auc: how well leavers were told from others
    as_of      the day whose customers, or whose predictions, were looked at; checked_at: when
    warn, act  what the value was held against
    level      unused, steady, warn or act
    """

    model_version: str
    horizon: str
    as_of: date
    kind: Kind
    name: str
    value: float
    warn: float | None
    act: float | None
    level: str
    customers: int
    detail: Mapping[str, Any]
    checked_at: datetime


_NAMES = tuple(StoredReading.__dataclass_fields__)


async def put_readings(connection: Connection, readings: Sequence[StoredReading]) -> None:
    """Write what a check found; what the same model, day and kind had before gives way."""
    checks = {(each.model_version, each.as_of, each.kind) for each in readings}
    row = drift_reading.c
    for version, as_of, kind in sorted(checks):
        await connection.execute(
            delete(drift_reading).where(row.model_version == version, row.as_of == as_of, row.kind == kind)
        )
    rows = [
        asdict(each) | {"id": f"{each.model_version}:{each.as_of}:{each.kind}:{each.name}", "detail": dict(each.detail)}
        for each in readings
    ]
    if rows:
        await connection.execute(drift_reading.insert(), rows)


async def is_checked(connection: Connection, version: str, *, kinds: Sequence[Kind], as_of: date) -> bool:
    """Whether a model was checked for any of the kinds of a day."""
    row = drift_reading.c
    statement = select(row.id).where(row.model_version == version, row.kind.in_(kinds), row.as_of == as_of).limit(1)
    return (await connection.execute(statement)).scalar() is not None


async def find_newest(connection: Connection, version: str) -> list[StoredReading]:
    """The newest check of each kind of a model: alarming ones first, then by value."""
    row = drift_reading.c
    newest = (
        select(row.kind, func.max(row.as_of).label("as_of")).where(row.model_version == version).group_by(row.kind)
    ).subquery()
    statement = (
        select(drift_reading)
        .join(newest, (newest.c.kind == row.kind) & (newest.c.as_of == row.as_of))
        .where(row.model_version == version)
    )
    order = {"act": 0, "warn": 1, "steady": 2, "unused": 3}
    found = [_reading(each) for each in await connection.execute(statement)]
    return sorted(found, key=lambda one: (order[one.level], one.kind, -one.value, one.name))


class Alarming(NamedTuple):
    """What was beyond its limits at a check."""

    checked_at: datetime
    kind: Kind
    name: str
    level: str


async def find_alarming(connection: Connection, version: str, *, since: datetime) -> list[Alarming]:
    """What of a model was at warn or act, checked since a moment."""
    row = drift_reading.c
    statement = select(row.checked_at, row.kind, row.name, row.level).where(
        row.model_version == version, row.checked_at >= since, row.level.in_(("warn", "act"))
    )
    return [Alarming(*each) for each in await connection.execute(statement)]


async def find_facts_of_day(
    connection: Connection, *, as_of: date, customer_ids: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    """{customer: the facts its scorecard of the day was made of}; who has none is not in it."""
    found: dict[str, Mapping[str, Any]] = {}
    for ids in _batches(customer_ids):
        statement = select(scorecard.c.customer_id, scorecard.c.facts).where(
            scorecard.c.as_of == as_of, scorecard.c.customer_id.in_(ids)
        )
        found.update((each.customer_id, each.facts) for each in await connection.execute(statement))
    return found


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _reading(row: Row[Any]) -> StoredReading:
    return StoredReading(**{name: row._mapping[name] for name in _NAMES})
