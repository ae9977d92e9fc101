"""Whether stored scores come out again: each scorecard's facts scored anew, compared to the last bit.

A scorecard leans on the one before it for what was last known; the one it leaned on is the newest that was there when it was
computed. Scorecards of definitions that are live no more are replayed by the definition kept beside them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from hub.backtest.ask import facts_of
from hub.store import Connection, Store
from hub.store.definitions import find_definitions
from hub.store.replay import StoredDay, find_known_then, find_stored_days, read_day
from scoring.book import HealthBook, LastKnown
from scoring.definition import HealthDefinition
from scoring.definition_record import recall
from scoring.facts import FactTable
from scoring.health import score
from scoring.reading import remembered, wants_last_known

MOST_SHOWN = 10
Progress = Callable[[date, int, int], None]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A stored scorecard that did not come out again: what it says and what the replay says."""

    customer_id: str
    day: date
    stored: float | None
    stored_band: str | None
    replayed: float | None
    replayed_band: str | None
    why: str

    def __str__(self) -> str:
        was, now = (
            f"{score!r} ({band or 'no band'})"
            for score, band in ((self.stored, self.stored_band), (self.replayed, self.replayed_band))
        )
        return f"{self.customer_id} on {self.day}: stored {was}, replayed {now}{f'; {self.why}' if self.why else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a replay of all stored scorecards came to.

    cards     how many there are, on so many `days`; live: those made by the live definitions
    exact     came out again to the last bit: score, band and coverage
    unknown   could not be replayed, by reason: {reason: scorecards}
    wrong     did not come out again; `first` names some of them
    """

    cards: int
    days: int
    live: int
    exact: int
    unknown: Mapping[str, int]
    wrong: int
    first: tuple[Mismatch, ...]

    def as_json(self) -> dict[str, Any]:
        plain = asdict(self)
        for each in plain["first"]:
            each["day"] = each["day"].isoformat()
        return plain

    def lines(self) -> list[str]:
        if not self.cards:
            return ["there are no scorecards yet: cshub score makes them"]
        lines = [
            f"{self.cards} scorecards of {self.days} days, {self.live} of them by the live definitions",
            f"{self.exact} came out again to the last bit, {self.wrong} did not",
        ]
        lines += [f"{count} could not be replayed: {reason}" for reason, count in sorted(self.unknown.items())]
        return lines + [str(each) for each in self.first]


async def verify(store: Store, book: HealthBook, *, now: datetime, progress: Progress | None = None) -> Verified:
    """Replay every stored scorecard up to today; nothing is written."""
    live = {definition.hash: definition for definition in book.definitions}
    tally: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    first: list[Mismatch] = []
    async with store.reading() as connection:
        days = await find_stored_days(connection, first=date.min, last=now.date())
        for number, day in enumerate(days, start=1):
            stored = await read_day(connection, day)
            known = {**await _recalled(connection, set(stored.hashes) - live.keys()), **live}
            usable = {hash_: known[hash_] for hash_ in set(stored.hashes) & known.keys() if _can(known[hash_], stored)}
            unknown.update(_unusable(hash_, known) for hash_ in stored.hashes if hash_ not in usable)
            table = FactTable.of(day, {"customer_id": stored.customers, **stored.facts})
            before = await _before(connection, table, list(usable.values()))
            found = await asyncio.to_thread(_compare, stored, table, usable, before, book)
            tally.update(cards=len(stored.customers), live=sum(hash_ in live for hash_ in stored.hashes))
            tally.update(exact=sum(hash_ in usable for hash_ in stored.hashes) - len(found), wrong=len(found))
            first += found[: MOST_SHOWN - len(first)]
            if progress:
                progress(day, number, len(days))
    counts = {name: tally[name] for name in ("cards", "live", "exact", "wrong")}
    return Verified(days=len(days), unknown=dict(unknown), first=tuple(first), **counts)


async def _recalled(connection: Connection, hashes: set[str]) -> dict[str, HealthDefinition]:
    kept = await find_definitions(connection, hashes)
    return {hash_: recall(content, hash_) for hash_, content in kept.items()}


def _can(definition: HealthDefinition, stored: StoredDay) -> bool:
    """Whether all measures are still there, and the cards have their facts."""
    there = all(place.leaf.measure.live for place in definition.places)  # a measure that is gone reads nothing
    return there and facts_of(HealthBook(definition)) <= stored.facts.keys()


def _unusable(hash_: str, known: Mapping[str, HealthDefinition]) -> str:
    if hash_ not in known:
        return "the definition that made it is not kept"
    return "this version reads facts the scorecard does not have, or lacks a measure it was made with"


async def _before(
    connection: Connection, table: FactTable, definitions: Sequence[HealthDefinition]
) -> dict[str, LastKnown]:
    if not definitions:
        return {}
    places = {table.customers[i]: i for i in np.flatnonzero(wants_last_known(table, definitions)).tolist()}
    found = await find_known_then(connection, list(places), as_of=table.as_of)
    return remembered({places[id_]: read for id_, read in found.items()}, count=len(table), as_of=table.as_of)


def _compare(
    stored: StoredDay,
    table: FactTable,
    definitions: Mapping[str, HealthDefinition],
    before: Mapping[str, LastKnown],
    book: HealthBook,
) -> list[Mismatch]:
    """Those of a day that do not come out again, in order of customer."""
    hashes = np.array(stored.hashes, dtype=np.str_)
    is_live = set(stored.hashes) <= {definition.hash for definition in book.definitions}
    speaking = [book.definitions[i].hash for i in book.assign(table).tolist()] if is_live else stored.hashes
    found = []
    for hash_, definition in definitions.items():
        health = score(table, definition, before=before)
        for i in np.flatnonzero(hashes == hash_).tolist():
            replayed = None if np.isnan(health.score[i]) else float(health.score[i])
            band = health.bands[i]
            named = None if band is None else band.value
            why = "" if speaking[i] == hash_ else "another definition speaks of it now"
            same = (stored.health[i], stored.band[i], stored.coverage[i]) == (replayed, named, health.coverage[i])
            if not same or why:
                mismatch = Mismatch(
                    stored.customers[i], stored.as_of, stored.health[i], stored.band[i], replayed, named, why
                )
                found.append(mismatch)
    return sorted(found, key=lambda each: each.customer_id)
