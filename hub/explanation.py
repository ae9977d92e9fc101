"""Explanation: why a customer's score is what it is, why it moved since a day, and what would lift it.

    explained = await explain(store, "acme.example", since=day)
    lift = await find_lift(store, book, "acme.example", target=Band.HEALTHY)

Everything is read from what is stored: the scorecard with its readings, the definition that made it, the records as of its
day. The parts of a score sum to the score, and the parts of a change to the change (scoring.explain). A day without a
scorecard stands for the newest one before it. A lift is that of the definition in force, from the facts of the newest day.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Band
from hub.store import Connection, Store
from hub.store.customers import Named, find_customers_called
from hub.store.definitions import find_definitions
from hub.store.evidence import Evidence, find_evidence
from hub.store.facts import find_facts
from hub.store.scorecards import Scorecard, find_first_day, find_newest
from scoring.book import HealthBook
from scoring.definition_record import recall
from scoring.explain import Cause, Change, Contribution, Side, contributions, difference
from scoring.facts import FactTable
from scoring.lift import Lift, find
from scoring.reading import remembered

CANDIDATES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a measure adds to the score, and the records each of its facts was counted from."""

    contribution: Contribution
    evidence: Mapping[str, tuple[Evidence, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Why the score is not what it was on `since`, the day of the earlier scorecard.

    score, band  of then; None where there was none
    change       of the score; None, with a note, where either day has none
    changes      sum to `change`, the largest first
    causes       {cause: sum over measures}, of those there are
    """

    since: date
    score: float | None
    band: Band | None
    change: float | None
    changes: tuple[Change, ...]
    causes: Mapping[Cause, float]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A scorecard in parts. The contributions sum to `score`; `note`: why there is none, or why the band is held."""

    customer: Named
    as_of: date
    score: float | None
    band: Band | None
    coverage: float
    note: str | None
    lines: tuple[Line, ...]
    comparison: Comparison | None


async def get_customer(connection: Connection, text: str) -> Named:
    """The customer of this id, domain or name; NotFoundError for none, RefusedError naming them where there are several."""
    found = await find_customers_called(connection, text)
    if not found:
        raise NotFoundError(f"no customer has the id, domain or name {text!r}; a name must be whole")
    if len(found) > 1:
        named = ", ".join(f"{each.id} ({each.name}, {each.domain or 'no domain'})" for each in found[:CANDIDATES])
        more = f" and {len(found) - CANDIDATES} more" if len(found) > CANDIDATES else ""
        raise RefusedError(f"{text!r} could be {len(found)} customers; say which id: {named}{more}")
    return found[0]


async def explain(
    store: Store, customer: str, *, as_of: date | None = None, since: date | None = None, records: int = 5
) -> Explanation:
    """Explain the scorecard of `as_of` (default: the newest), and its change since a day; at most `records` for each fact."""
    async with store.reading() as connection:
        who = await get_customer(connection, customer)
        card = await _card(connection, who, as_of)
        parts = contributions(card.readings, card.facts)
        facts = list(dict.fromkeys(fact for part in parts for fact in part.facts))
        evidence = (await find_evidence(connection, [who.id], facts, as_of=card.as_of, first=records))[who.id]
        comparison = None
        if since is not None:
            if since >= card.as_of:
                raise RefusedError(f"the scorecard is of {card.as_of}; compare it with a day before, not with {since}")
            comparison = await _compare(connection, await _card(connection, who, since), card)
    return Explanation(
        customer=who,
        as_of=card.as_of,
        score=card.health,
        band=_band(card),
        coverage=card.coverage,
        note=card.reason,
        lines=tuple(
            Line(contribution=part, evidence={fact: evidence[fact] for fact in part.facts if fact in evidence})
            for part in parts
        ),
        comparison=comparison,
    )


async def find_lift(store: Store, book: HealthBook, customer: str, *, target: Band) -> Lift:
    """The cheapest change of facts, as of the newest scorecard's day, that lifts the customer's band to `target`."""
    async with store.reading() as connection:
        who = await get_customer(connection, customer)
        card = await _card(connection, who, None)
        # where some are read against the others, all of them are needed to score one
        asked = None if book.relative else [who.id]
        columns = await find_facts(connection, as_of=card.as_of, customer_ids=asked)
    table = FactTable.of(card.as_of, columns)
    if who.id not in table.customers:
        raise RefusedError(f"{who.name} ({who.id}) was no customer any more on {card.as_of}")
    known = remembered({0: (card.as_of, card.readings)}, count=1, as_of=card.as_of)
    return await asyncio.to_thread(find, table, list(table.customers).index(who.id), book, target, before=known)


async def _card(connection: Connection, who: Named, day: date | None) -> Scorecard:
    card = await find_newest(connection, who.id, until=day)
    if card is None:
        first = await find_first_day(connection, who.id)
        there = f"the first is of {first}" if first else "cshub score makes one"
        raise NotFoundError(f"{who.name} ({who.id}) has no scorecard{f' up to {day}' if day else ''}; {there}")
    return card


async def _compare(connection: Connection, before: Scorecard, after: Scorecard) -> Comparison:
    if before.health is None or after.health is None:
        without = before if before.health is None else after
        note = f"No score on {without.as_of}, so there is no change to divide: {without.reason}"
        return _comparison(before, None, (), note)
    kept = await find_definitions(connection, [before.definition_hash, after.definition_hash])
    for card in (before, after):
        if card.definition_hash not in kept:
            note = f"The definition that made the scorecard of {card.as_of} is not kept, so its change can't be divided"
            return _comparison(before, after.health - before.health, (), note)
    changes = difference(*(_side(card, kept[card.definition_hash]) for card in (before, after)))
    return _comparison(before, after.health - before.health, changes, None)


def _comparison(before: Scorecard, change: float | None, changes: Sequence[Change], note: str | None) -> Comparison:
    causes = {cause: [each.amount for each in changes if each.cause is cause] for cause in Cause}
    return Comparison(
        since=before.as_of,
        score=before.health,
        band=_band(before),
        change=change,
        changes=tuple(changes),
        causes={cause: sum(amounts) for cause, amounts in causes.items() if amounts},
        note=note,
    )


def _side(card: Scorecard, kept: Mapping[str, Any]) -> Side:
    return Side(
        as_of=card.as_of, definition=recall(kept, card.definition_hash), readings=card.readings, facts=card.facts
    )


def _band(card: Scorecard) -> Band | None:
    return None if card.band is None else Band(card.band)
