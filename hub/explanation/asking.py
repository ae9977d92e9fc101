"""Explain a score, and find what would lift it."""

import asyncio
from datetime import date

from hub.errors import RefusedError
from hub.explanation.cards import band_of, get_card
from hub.explanation.comparing import compare
from hub.explanation.parts import Explanation, Line
from hub.model.actions import Band
from hub.store import Store
from hub.store.customers import get_customer
from hub.store.evidence import find_evidence
from hub.store.facts import find_facts
from hub.store.judgement import get_statements
from hub.store.rollups import find_rollup
from scoring.book import HealthBook
from scoring.explain import contributions
from scoring.facts import FactTable
from scoring.lift import Lift, find
from scoring.reading import remembered


async def explain(
    store: Store,
    customer: str,
    *,
    as_of: date | None = None,
    since: date | None = None,
    records: int = 5,
    scorecard: str | None = None,
) -> Explanation:
    """Explain the scorecard of `as_of` (default: the newest), and its change since a day; at most `records` for each fact.

    scorecard  the name of an extra scorecard, instead of the customer's own
    """
    async with store.reading() as connection:
        who = await get_customer(connection, customer)
        card = await get_card(connection, who, as_of, scorecard=scorecard)
        parts = contributions(card.readings, card.facts)
        facts = list(dict.fromkeys(fact for part in parts for fact in part.facts))
        evidence = (await find_evidence(connection, [who.id], facts, as_of=card.as_of, first=records))[who.id]
        stated = await get_statements(connection, "override", [card.override_id]) if card.override_id else {}
        rollup = None if scorecard else await find_rollup(connection, who.id, until=card.as_of)
        comparison = None
        if since is not None:
            if since >= card.as_of:
                raise RefusedError(f"the scorecard is of {card.as_of}; compare it with a day before, not with {since}")
            before = await get_card(connection, who, since, scorecard=scorecard)
            comparison = await compare(connection, before, card, records=records)
    return Explanation(
        customer=who,
        scorecard=scorecard,
        as_of=card.as_of,
        score=card.health,
        band=band_of(card.band),
        computed=card.computed_health,
        computed_band=band_of(card.computed_band),
        override=stated.get(card.override_id or ""),
        coverage=card.coverage,
        note=card.reason,
        definition=card.definition,
        definition_hash=card.definition_hash,
        lines=tuple(
            Line(contribution=part, evidence={fact: evidence[fact] for fact in part.facts if fact in evidence})
            for part in parts
        ),
        comparison=comparison,
        rollup=rollup,
    )


async def find_lift(store: Store, book: HealthBook, customer: str, *, target: Band) -> Lift:
    """The cheapest change of facts, as of the newest scorecard's day, that lifts the customer's computed band to `target`."""
    async with store.reading() as connection:
        who = await get_customer(connection, customer)
        card = await get_card(connection, who, None)
        # where some are read against the others, all of them are needed to score one
        asked = None if book.relative else [who.id]
        columns = await find_facts(connection, as_of=card.as_of, customer_ids=asked)
    table = FactTable.of(card.as_of, columns)
    if who.id not in table.customers:
        raise RefusedError(f"{who.name} ({who.id}) was no customer any more on {card.as_of}")
    known = remembered({0: (card.as_of, card.readings)}, count=1, as_of=card.as_of)
    return await asyncio.to_thread(find, table, list(table.customers).index(who.id), book, target, before=known)
