"""Scorecards and churn predictions: one of each a customer and day (and model), written in bulk, read by the newest.

A scorecard of a past day is never overwritten; that of today is, until the day is over. `latest` marks each customer's
newest one and moves with it, so that lists need no search. A customer who left has a history and no latest one: whoever is
listed as at risk still pays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, select, update

from hub.model.actions import Band
from hub.store.among import among
from hub.store.bulk import write_rows
from hub.store.daily import BATCH, batches
from hub.store.events import note_events
from hub.store.store import Connection
from hub.store.tables import churn_prediction, customer, scorecard

__all__ = ["BATCH", "Scorecard", "Standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """Health and churn risk of a customer on a day; None where there is none, with the reason for missing health.

    health, band  in force, an override included; computed_…: what the definition made of the facts
    definition    its name
    """

    customer_id: str
    as_of: date
    health: float | None
    band: str | None
    computed_health: float | None
    computed_band: str | None
    override_id: str | None
    previous_band: str | None
    coverage: float
    reason: str | None
    churn_risk: float | None
    churn_annualised: float | None
    churn_band: str | None
    facts: Mapping[str, Any] = field(repr=False)
    readings: Sequence[Mapping[str, Any]] = field(repr=False)
    definition: str
    definition_hash: str
    computed_at: datetime
    latest: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What is there of a customer when a day is scored: bands of the newest scorecard before the day and of the day's own.

    has_card, has_later  whether the day has a scorecard already, and whether a later day has one
    """

    band_before: str | None
    band: str | None
    has_card: bool
    has_later: bool


Read = tuple[date, Sequence[Mapping[str, Any]]]
"""The readings of a scorecard, and its day."""

_RANK = {band.value: rank for rank, band in enumerate(Band)}
_CARD = tuple(Scorecard.__dataclass_fields__)


def _card(row: Row[Any]) -> Scorecard:
    return Scorecard(**{name: row._mapping[name] for name in _CARD})


def _cards() -> Select[Any]:
    return select(*(scorecard.c[name] for name in _CARD))


async def retire(connection: Connection, *, as_of: date) -> None:
    """After everybody was scored as of a day: who has no scorecard of it is no customer any more, and has no latest one."""
    for table in (scorecard, churn_prediction):
        statement = update(table).where(table.c.latest, table.c.as_of < as_of).values(latest=False)
        await connection.execute(statement)


async def find_latest(connection: Connection, customer_ids: Iterable[str] | None = None) -> dict[str, Scorecard]:
    """{customer id: newest scorecard} of those asked for, or of all; who was never scored is not in it."""
    statement = _cards().where(scorecard.c.latest).order_by(scorecard.c.customer_id)
    if customer_ids is None:
        return {row.customer_id: _card(row) for row in await connection.execute(statement)}
    found: dict[str, Scorecard] = {}
    for ids in batches(customer_ids):
        rows = await connection.execute(statement.where(scorecard.c.customer_id.in_(ids)))
        found.update((row.customer_id, _card(row)) for row in rows)
    return found


async def find_history(
    connection: Connection, customer_ids: Iterable[str], *, since: date | None = None, until: date | None = None
) -> dict[str, list[Scorecard]]:
    """{customer id: scorecards of the days from `since` to `until`, oldest first}; [] for who has none."""
    wanted = list(dict.fromkeys(customer_ids))
    found: dict[str, list[Scorecard]] = {id_: [] for id_ in wanted}
    for ids in batches(wanted):
        statement = (
            _cards().where(scorecard.c.customer_id.in_(ids)).order_by(scorecard.c.customer_id, scorecard.c.as_of)
        )
        if since is not None:
            statement = statement.where(scorecard.c.as_of >= since)
        if until is not None:
            statement = statement.where(scorecard.c.as_of <= until)
        for row in await connection.execute(statement):
            found[row.customer_id].append(_card(row))
    return found


async def find_newest(connection: Connection, customer_id: str, *, until: date | None = None) -> Scorecard | None:
    """The customer's newest scorecard, or the newest of those up to a day."""
    statement = _cards().where(scorecard.c.customer_id == customer_id).order_by(scorecard.c.as_of.desc()).limit(1)
    if until is not None:
        statement = statement.where(scorecard.c.as_of <= until)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _card(row)


async def find_first_day(connection: Connection, customer_id: str) -> date | None:
    """The day of the customer's oldest scorecard."""
    statement = select(func.min(scorecard.c.as_of)).where(scorecard.c.customer_id == customer_id)
    first: date | None = (await connection.execute(statement)).scalar()
    return first


async def find_scored(connection: Connection, *, as_of: date) -> set[str]:
    """Ids of the customers that have a scorecard of the day."""
    rows = await connection.execute(select(scorecard.c.customer_id).where(scorecard.c.as_of == as_of))
    return set(rows.scalars())


def _newest_before(as_of: date) -> Any:
    """The id of a customer's newest scorecard before the day: one step into the index."""
    return (
        select(scorecard.c.id)
        .where(scorecard.c.customer_id == customer.c.id, scorecard.c.as_of < as_of)
        .order_by(scorecard.c.as_of.desc())
        .limit(1)
        .correlate(customer)
        .scalar_subquery()
    )


async def find_readings_before(connection: Connection, customer_ids: Iterable[str], *, as_of: date) -> dict[str, Read]:
    """{customer id: day and readings of the newest scorecard before the day}."""
    found: dict[str, Read] = {}
    for ids in batches(customer_ids):
        newest = select(_newest_before(as_of).label("id")).where(customer.c.id.in_(ids)).subquery()
        columns = scorecard.c.customer_id, scorecard.c.as_of, scorecard.c.readings
        statement = select(*columns).join(newest, newest.c.id == scorecard.c.id)
        found.update((row.customer_id, (row.as_of, row.readings)) for row in await connection.execute(statement))
    return found


async def find_standing(connection: Connection, customer_ids: Iterable[str], *, as_of: date) -> dict[str, Standing]:
    """{customer id: what is there when the day is scored}."""
    before, own, later = scorecard.alias("before"), scorecard.alias("own"), scorecard.alias("later")
    found: dict[str, Standing] = {}
    for ids in batches(customer_ids):
        statement = (
            select(
                customer.c.id,
                before.c.band.label("band_before"),
                own.c.band,
                own.c.id.is_not(None).label("has_card"),
                select(later.c.id)
                .where(later.c.customer_id == customer.c.id, later.c.as_of > as_of)
                .exists()
                .label("has_later"),
            )
            .select_from(customer)
            .outerjoin(before, before.c.id == _newest_before(as_of))
            .outerjoin(own, and_(own.c.customer_id == customer.c.id, own.c.as_of == as_of))
            .where(customer.c.id.in_(ids))
        )
        for row in await connection.execute(statement):
            found[row.id] = Standing(row.band_before, row.band, bool(row.has_card), bool(row.has_later))
    return found


async def put(
    connection: Connection,
    cards: Sequence[Mapping[str, Any]],
    predictions: Sequence[Mapping[str, Any]],
    *,
    as_of: date,
    replace: bool,
) -> None:
    """Write the scorecards and predictions of a day. replace: the day is not over, what is there gives way."""
    newest = [card["customer_id"] for card in cards if card["latest"]]
    before = await _find_bands(connection, newest)
    for ids in batches(newest):
        await connection.execute(
            update(scorecard)
            .where(scorecard.c.customer_id.in_(ids), scorecard.c.latest, scorecard.c.as_of < as_of)
            .values(latest=False)
        )
        # of the day itself, too: a model that speaks no more had its say
        await connection.execute(
            update(churn_prediction)
            .where(churn_prediction.c.customer_id.in_(ids), churn_prediction.c.latest)
            .values(latest=False)
        )
    await write_rows(
        connection, scorecard, [{"id": f"{c['customer_id']}:{as_of}", **c} for c in cards], replace=replace
    )
    rows = [{"id": f"{p['customer_id']}:{as_of}:{p['model_version']}", **p} for p in predictions]
    await write_rows(connection, churn_prediction, rows, replace=replace)
    await note_events(connection, _changes_of_band(before, cards))


async def _find_bands(connection: Connection, customer_ids: Sequence[str]) -> dict[str, str | None]:
    """{customer id: band of the newest scorecard} of those that have one."""
    if not customer_ids:
        return {}
    statement = select(scorecard.c.customer_id, scorecard.c.band).where(
        among(connection, scorecard.c.customer_id, customer_ids), scorecard.c.latest
    )
    return {row.customer_id: row.band for row in await connection.execute(statement)}


def _way(old: str | None, new: str | None) -> str:
    if old is None or new is None:
        return "known" if old is None else "unknown"
    return "up" if _RANK[new] > _RANK[old] else "down"


def _changes_of_band(before: Mapping[str, str | None], cards: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What those who watch are told of a scoring; a customer's first scorecard changes nothing."""
    found = []
    for card in cards:
        id_, new = card["customer_id"], card["band"]
        if card["latest"] and id_ in before and before[id_] != new:
            old = before[id_]
            told = {"at": card["computed_at"], "kind": "band", "change": _way(old, new), "customer_id": id_}
            found.append({**told, "subject": f"{id_}:{card['as_of']}", "data": {"before": old, "band": new}})
    return found


async def count_days(connection: Connection) -> dict[date, int]:
    """{day: how many scorecards it has}, oldest first."""
    statement = select(scorecard.c.as_of, func.count().label("cards")).group_by(scorecard.c.as_of)
    rows = await connection.execute(statement.order_by(scorecard.c.as_of))
    return {row.as_of: row.cards for row in rows}
