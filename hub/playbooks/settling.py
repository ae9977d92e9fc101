"""Playbooks ready to be asked: what their conditions say of saved segments and of days that count from today.

    playbook = await settled(connection, playbook, today=now.date())

A playbook that speaks of neither comes back as it is. Playbooks are nobody's, so they use shared segments. One whose segment
is not there (any more) raises RefusedError: it should fire for nobody rather than for the wrong ones.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date

from hub.errors import RefusedError
from hub.model.conditions import (
    All,
    Condition,
    ConditionError,
    Field,
    Operator,
    Test,
    expand,
    is_relative,
    on_day,
    segments_of,
)
from hub.playbooks.spec import Playbook
from hub.segments.settling import lookup_in
from hub.store import Connection
from hub.store.segments import find_segments

NOBODY = All((Test(Field("name", "text"), Operator.EXISTS, True), Test(Field("name", "text"), Operator.EXISTS, False)))


def segments_used(playbook: Playbook) -> frozenset[str]:
    """The saved segments a playbook speaks of, anywhere."""
    return frozenset().union(*(segments_of(each) for each in _conditions(playbook)))


def uses(playbooks: Mapping[str, Playbook]) -> dict[str, frozenset[str]]:
    """{playbook: the saved segments it speaks of} of those that speak of any."""
    found = {name: segments_used(each) for name, each in playbooks.items()}
    return {name: names for name, names in found.items() if names}


async def expanded(connection: Connection, playbook: Playbook) -> Playbook:
    """The playbook with what saved segments say now; days still count from whatever day it is asked on."""
    if not segments_used(playbook):
        return playbook
    lookup = lookup_in(await find_segments(connection, owner=None))
    try:
        return _with(playbook, lambda condition: expand(condition, lookup))
    except ConditionError as error:
        raise RefusedError(f"{playbook.name}: {error}") from None


async def settled(connection: Connection, playbook: Playbook, *, today: date) -> Playbook:
    """The playbook, ready to be asked on a day."""
    return on(await expanded(connection, playbook), today)


async def settled_runs(connection: Connection, playbooks: Iterable[Playbook], *, today: date) -> dict[int, Playbook]:
    """{id(playbook): the playbook, ready to be asked} of runs that are under way, which nothing may stop: nobody is in a
    segment that is no more."""
    found: dict[int, Playbook] = {}
    lookup = None
    for playbook in {id(each): each for each in playbooks}.values():
        made = playbook
        if segments_used(playbook):
            lookup = lookup or lookup_in(await find_segments(connection, owner=None))
            made = _with(playbook, _forgiving(lookup))
        found[id(playbook)] = on(made, today)
    return found


def on(playbook: Playbook, today: date) -> Playbook:
    """The playbook with dates for days that count from `today`."""
    if not any(map(is_relative, _conditions(playbook))):
        return playbook
    return _with(playbook, lambda condition: on_day(condition, today))


def _forgiving(lookup: Callable[[str], Condition]) -> Callable[[Condition], Condition]:
    def found(name: str) -> Condition:
        try:
            return lookup(name)
        except ConditionError:
            return NOBODY

    return lambda condition: expand(condition, found)


def _conditions(playbook: Playbook) -> list[Condition]:
    trigger = playbook.trigger
    steps = [each for step in playbook.steps for each in (step.unless, step.condition)]
    given = (playbook.when, trigger.now, trigger.before, trigger.where, *steps)
    return [each for each in given if each is not None]


def _with(playbook: Playbook, do: Callable[[Condition], Condition]) -> Playbook:
    def done(condition: Condition | None) -> Condition | None:
        return None if condition is None else do(condition)

    trigger = playbook.trigger
    return replace(
        playbook,
        when=done(playbook.when),
        trigger=replace(trigger, now=done(trigger.now), before=done(trigger.before), where=done(trigger.where)),
        steps=tuple(replace(step, unless=done(step.unless), condition=done(step.condition)) for step in playbook.steps),
    )
