"""Roll-ups of parent customers, made of the scores in force of their families as soon as a day is written."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from hub.store import Connection
from hub.store.rollups import find_family_cards, find_links, put_rollups, retire_rollups
from scoring.book import HealthBook
from scoring.rollup import Families, Rolled, families_of, roll_up

log = logging.getLogger(__name__)
NAMED = 5


@dataclass(frozen=True, slots=True)
class RolledUp:
    """How many parents got a roll-up, and who is their own ancestor."""

    parents: int
    circular: tuple[str, ...]


async def roll_up_families(
    connection: Connection,
    book: HealthBook,
    *,
    as_of: date,
    now: datetime,
    open_day: bool,
    written: Collection[str] | None,
) -> RolledUp:
    """Roll up the families of the customers whose scorecards were `written`, or all of them (None).

    On the open day who has no scorecard of it yet counts with the newest there is; a past day has its own alone.
    """
    families = families_of(await find_links(connection))
    if families.circular:
        named = ", ".join(families.circular[:NAMED])
        log.warning("nothing is rolled up through %s: each is its own ancestor", named)
    cards = await find_family_cards(connection, as_of=as_of, newest=open_day) if families.parents else None
    rows = _rows(families, cards, book, as_of, now, written) if cards else []
    await put_rollups(connection, rows, as_of=as_of, replace=open_day)
    if open_day and written is None:
        await retire_rollups(connection, as_of=as_of)
    return RolledUp(len(rows), families.circular)


def _rows(
    families: Families,
    cards: dict[str, list[Any]],
    book: HealthBook,
    as_of: date,
    now: datetime,
    written: Collection[str] | None,
) -> list[dict[str, Any]]:
    places = {id_: i for i, id_ in enumerate(families.members)}
    scores, values = (np.full(len(places), np.nan) for _ in range(2))
    names = dict(zip(cards["customer_id"], cards["name"], strict=True))
    for id_, health, value in zip(cards["customer_id"], cards["health"], cards["value"], strict=True):
        if (place := places.get(id_)) is not None:
            scores[place] = np.nan if health is None else health
            values[place] = np.nan if value is None else value
    found = []
    for rolled in roll_up(families, scores, values, book.rollup):
        parts = [part for part in rolled.parts if part.customer_id in names]
        if parts and (written is None or any(part.customer_id in written for part in parts)):
            found.append((rolled, parts))
    bands = _bands(book, [rolled for rolled, _ in found])
    return [
        {
            "customer_id": rolled.customer_id,
            "as_of": as_of,
            "method": rolled.method.value,
            "health": rolled.score,
            "band": band,
            "customers": len(parts),
            "note": rolled.note,
            "parts": [
                {
                    "customer_id": part.customer_id,
                    "name": names[part.customer_id],
                    "score": part.score,
                    "weight": part.weight,
                    "contribution": part.contribution,
                }
                for part in parts
            ],
            "computed_at": now,
        }
        for (rolled, parts), band in zip(found, bands, strict=True)
    ]


def _bands(book: HealthBook, found: Sequence[Rolled]) -> list[str | None]:
    """By the main definition: a family has no definition of its own."""
    scores = np.array([np.nan if rolled.score is None else rolled.score for rolled in found], dtype=np.float64)
    names = [band.value for band, _ in book.main.bands]
    return [None if level < 0 else names[level] for level in book.main.levels(scores).tolist()]
