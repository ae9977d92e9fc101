"""The change between two scorecards of a customer, divided by measure and cause.

What is in force is what was computed, moved by the override there is; so the change is the change of what was computed
(scoring.explain.difference) and, as causes of their own, what the override of each day adds to its computed score. Where an
override stood in on a day without a computed score, the whole change is the override's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.explanation.cards import band_of
from hub.explanation.parts import ChangeLine, Comparison, Evidences
from hub.store import Connection
from hub.store.definitions import find_definitions
from hub.store.evidence import find_evidence
from hub.store.judgement import Statement, get_statements
from hub.store.scorecards import Scorecard
from scoring.definition_record import recall
from scoring.explain import NOTHING, Cause, Change, Side, difference
from scoring.measures import discover

OVERRIDE = "override"
"""Stands in the place of a measure."""


async def compare(connection: Connection, before: Scorecard, after: Scorecard, *, records: int) -> Comparison:
    """Why `after` differs from `before`; at most `records` records behind each fact and day."""
    if before.health is None or after.health is None:
        without = before if before.health is None else after
        note = f"No score on {without.as_of}, so there is no change to divide: {without.reason}"
        return _comparison(before, after, None, (), note)
    change = after.health - before.health
    ids = [card.override_id for card in (before, after) if card.override_id is not None]
    stated = await get_statements(connection, "override", ids) if ids else {}
    if before.computed_health is None or after.computed_health is None:
        without = before if before.computed_health is None else after
        lines = _overrides(before, after, stated, whole=change)
        return _comparison(before, after, change, lines, f"Nothing could be computed on {without.as_of}")
    kept = await find_definitions(connection, [before.definition_hash, after.definition_hash])
    for card in (before, after):
        if card.definition_hash not in kept:
            note = f"The definition that made the scorecard of {card.as_of} is not kept, so its change can't be divided"
            return _comparison(before, after, change, (), note)
    changes = difference(*(_side(card, kept[card.definition_hash]) for card in (before, after)))
    lines = await _lines(connection, before, after, changes, records)
    return _comparison(before, after, change, [*lines, *_overrides(before, after, stated)], None)


def _comparison(
    before: Scorecard, after: Scorecard, change: float | None, lines: Sequence[ChangeLine], note: str | None
) -> Comparison:
    causes = {cause: [line.amount for line in lines if line.cause is cause] for cause in Cause}
    ordered = sorted(lines, key=lambda line: (-round(abs(line.amount), 12), line.measure, line.cause))
    return Comparison(
        since=before.as_of,
        score=before.health,
        band=band_of(before.band),
        computed=before.computed_health,
        change=change,
        changes=tuple(ordered),
        causes={cause: sum(amounts) for cause, amounts in causes.items() if amounts},
        definitions=((before.definition, before.definition_hash), (after.definition, after.definition_hash)),
        note=note,
    )


def _side(card: Scorecard, kept: Mapping[str, Any]) -> Side:
    return Side(
        as_of=card.as_of, definition=recall(kept, card.definition_hash), readings=card.readings, facts=card.facts
    )


async def _lines(
    connection: Connection, before: Scorecard, after: Scorecard, changes: Sequence[Change], records: int
) -> list[ChangeLine]:
    """The changes of what was computed, each with the facts and records of both days."""
    measures = discover()
    facts = {change.measure: measures[change.measure].facts if change.measure in measures else () for change in changes}
    asked = list(dict.fromkeys(fact for names in facts.values() for fact in names))
    then, now = [
        (await find_evidence(connection, [card.customer_id], asked, as_of=card.as_of, first=records))[card.customer_id]
        for card in (before, after)
    ]

    def of(evidence: Evidences, names: Sequence[str]) -> Evidences:
        return {name: evidence[name] for name in names if name in evidence}

    return [
        ChangeLine(
            change=change,
            facts={name: (before.facts.get(name), after.facts.get(name)) for name in facts[change.measure]},
            evidence=of(now, facts[change.measure]),
            evidence_before=of(then, facts[change.measure]),
        )
        for change in changes
    ]


def _overrides(
    before: Scorecard, after: Scorecard, stated: Mapping[str, Statement], *, whole: float | None = None
) -> list[ChangeLine]:
    """What the overrides of the two days add to the change: what the one of after adds, less what the one of before did.

    whole  the change, where nothing was computed on one of the days, so that an override made all of it
    """
    if whole is not None:
        made_by = after.override_id or before.override_id
        return [_override(whole, stated.get(made_by or ""))]
    if before.override_id == after.override_id:
        amounts = [(after.override_id, _added(after) - _added(before))]
    else:
        amounts = [(before.override_id, -_added(before)), (after.override_id, _added(after))]
    return [_override(amount, stated.get(id_)) for id_, amount in amounts if id_ is not None and abs(amount) > NOTHING]


def _added(card: Scorecard) -> float:
    """What the override adds to the computed score; both there are, or there is none in force."""
    if card.override_id is None or card.health is None or card.computed_health is None:
        return 0.0
    return card.health - card.computed_health


def _override(amount: float, stated: Statement | None) -> ChangeLine:
    change = Change(measure=OVERRIDE, cause=Cause.OVERRIDE, amount=amount)
    return ChangeLine(change=change, facts={}, evidence={}, evidence_before={}, override=stated)
