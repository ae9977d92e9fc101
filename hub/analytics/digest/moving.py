"""Whose health fell and rose most, and why: the exact difference between two scorecards, divided by measure and cause.

The same division as `cshub explain` shows (scoring.explain.difference), without the records behind it: the reasons of a move
add up to the move, an override's part included.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hub.analytics.digest.parts import Move, Reason
from hub.store import Connection
from hub.store.definitions import find_definitions
from hub.store.digest_data import find_cards
from hub.store.scorecards import Scorecard
from scoring.definition import HealthDefinition
from scoring.definition_record import recall
from scoring.explain import NOTHING, Cause, Change, Side, difference


def moves(rows: Sequence[Any], *, most: int, least: float) -> tuple[tuple[Move, ...], tuple[Move, ...]]:
    """The biggest falls and rises of these rows of `find_book`, `most` of each, without reasons yet."""
    known = [row for row in rows if row.health is not None and row.then_health is not None]
    by_change = sorted(known, key=lambda row: (row.health - row.then_health, row.id))
    # 0.7 less 0.65 is a little less than 0.05
    falls = [row for row in by_change[:most] if row.then_health - row.health >= least - NOTHING]
    rises = [row for row in reversed(by_change[-most:]) if row.health - row.then_health >= least - NOTHING]
    return tuple(map(_move, falls)), tuple(map(_move, rises))


def _move(row: Any) -> Move:
    return Move(
        customer_id=row.id,
        name=row.name,
        before=row.then_health,
        after=row.health,
        card_id=row.card_id,
        then_id=row.then_id,
    )


async def find_reasons(connection: Connection, wanted: Iterable[Move]) -> dict[tuple[str, str], Move]:
    """{(scorecard then, scorecard now): the move with its reasons}, of all moves of all digests at once."""
    pairs = {(move.then_id, move.card_id): move for move in wanted}
    cards = await find_cards(connection, {id_ for pair in pairs for id_ in pair})
    kept = await find_definitions(connection, {card.definition_hash for card in cards.values()})
    definitions = {hash_: recall(content, hash_) for hash_, content in kept.items()}
    return {
        pair: _explained(move, cards[move.then_id], cards[move.card_id], definitions) for pair, move in pairs.items()
    }


def _explained(move: Move, before: Scorecard, after: Scorecard, definitions: Mapping[str, HealthDefinition]) -> Move:
    if before.computed_health is None or after.computed_health is None:
        reason = Reason("override", Cause.OVERRIDE.value, move.after - move.before, "a person's override")
        return replace(move, reasons=(reason,))
    for card in (before, after):
        if card.definition_hash not in definitions:
            note = f"the definition that made the scorecard of {card.as_of} is not kept, so the change can't be divided"
            return replace(move, note=note)
    sides = [
        Side(
            as_of=card.as_of,
            definition=definitions[card.definition_hash],
            readings=card.readings,
            facts=card.facts,
        )
        for card in (before, after)
    ]
    changes = list(difference(*sides))
    added = _added(after) - _added(before)
    if abs(added) > NOTHING:
        changes.append(Change(measure="override", cause=Cause.OVERRIDE, amount=added))
    changes.sort(key=lambda each: (-round(abs(each.amount), 12), each.measure, each.cause))
    said = {str(reading["measure"]): str(reading["reason"]) for reading in after.readings}
    return replace(move, reasons=tuple(_reason(each, said) for each in changes))


def _added(card: Scorecard) -> float:
    """What the override of the day adds to what was computed."""
    if card.override_id is None or card.health is None or card.computed_health is None:
        return 0.0
    return card.health - card.computed_health


def _reason(change: Change, said: Mapping[str, str]) -> Reason:
    name = change.measure.replace("_", " ")
    match change.cause:
        case Cause.OVERRIDE:
            words = "a person's override"
        case Cause.DEFINITION:
            words = f"{name} is weighed or read otherwise now"
        case _:
            words = said.get(change.measure, f"{name} is no part of the score any more")
    return Reason(change.measure, change.cause.value, change.amount, words)
