"""Making a condition ready to be asked: saved segments by what they say now, and days that count from today as dates.

    condition = await settle(connection, parse(value, VOCABULARY), today=now.date(), owner=viewer.actor)

A condition without either comes back as it is, and nothing is read. `owner` may use its own private segments, its own of a
name before the shared one (which is `shared/<name>`); playbooks, which are nobody's, use shared ones alone. What a shared
segment speaks of is shared, whoever looks.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from hub.errors import RefusedError
from hub.model.conditions import (
    IN_SEGMENT,
    Condition,
    ConditionError,
    Not,
    Operator,
    Problem,
    Test,
    expand,
    on_day,
    parse,
    segments_of,
)
from hub.segments.vocabulary import VOCABULARY
from hub.store import Connection
from hub.store.segments import SavedSegment, find_segments

Lookup = Callable[[str], Condition]
OF_ALL = "shared/"
"""Before a segment's name: the shared one."""


async def settle(connection: Connection, condition: Condition, *, today: date, owner: str | None) -> Condition:
    """The condition, ready for SQL. RefusedError where it speaks of a segment that there is not, or that says nothing."""
    return on_day(await expanded(connection, condition, owner=owner), today)


async def expanded(connection: Connection, condition: Condition, *, owner: str | None) -> Condition:
    """The condition with what saved segments say; its days still count from whatever day it is asked on."""
    if not segments_of(condition):
        return condition
    lookup = lookup_in(await find_segments(connection, owner=owner))
    try:
        return expand(condition, lookup)
    except ConditionError as error:
        raise RefusedError(str(error)) from None


def lookup_in(segments: list[SavedSegment]) -> Lookup:
    """A segment's condition by its name: of those given, the first of a name, as they are ordered."""
    known: dict[str, SavedSegment] = {}
    for each in segments:
        known.setdefault(each.name, each)
        if each.shared:
            known[OF_ALL + each.name] = each
    parsed: dict[str, Condition] = {}

    def lookup(name: str) -> Condition:
        if name not in known:
            there = tuple(sorted(known.keys() - {OF_ALL + each for each in known})[:20])
            raise ConditionError([Problem((IN_SEGMENT,), f"there is no saved segment {name!r}", there)])
        if name not in parsed:
            said = condition_of(known[name])
            parsed[name] = _of_all(said) if known[name].shared else said
        return parsed[name]

    return lookup


def _of_all(condition: Condition) -> Condition:
    """The same, speaking of shared segments alone."""
    if isinstance(condition, Test):
        if condition.operator is not Operator.MEMBER:
            return condition
        return replace(condition, value=OF_ALL + str(condition.value).removeprefix(OF_ALL))
    if isinstance(condition, Not):
        return Not(_of_all(condition.condition))
    return replace(condition, conditions=tuple(map(_of_all, condition.conditions)))


def condition_of(segment: SavedSegment) -> Condition:
    """What a segment says. ConditionError, naming the segment, where facts it speaks of are no more."""
    try:
        return parse(segment.filter, VOCABULARY)
    except ConditionError as error:
        raise ConditionError(
            [Problem((IN_SEGMENT, segment.name, *each.key), each.message, each.choices[:10]) for each in error.problems]
        ) from None
