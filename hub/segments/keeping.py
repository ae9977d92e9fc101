"""The use case: saving, changing and deleting segments, and what must hold of one.

A segment is its owner's; a shared one is for everybody to use, and its owner, managers and admins change it. What others use,
a playbook or another segment, cannot be taken from them: deleting it, giving it another name or keeping it to oneself is
refused, naming who uses it.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from hub.errors import NotFoundError, RefusedError
from hub.model.conditions import Condition, ConditionError, expand, on_day, parse, segments_of
from hub.segments.settling import OF_ALL, condition_of, lookup_in
from hub.segments.vocabulary import VOCABULARY
from hub.store import Connection, Store
from hub.store.segments import (
    SHARED,
    SavedSegment,
    count_members,
    count_segments,
    delete_segment,
    find_all_segments,
    find_segments,
    insert_segment,
    update_segment,
)

NAME = re.compile("[a-z0-9][a-z0-9_-]{0,59}")
MOST = 200
"""Segments somebody may make."""
MOST_COUNTED = 50
LONGEST_DESCRIPTION = 1_000
Uses = Mapping[str, frozenset[str]]
"""{playbook: the saved segments it speaks of}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """Who asks. steward: a manager or an admin, who may change what others share."""

    name: str
    steward: bool = False

    def may_change(self, segment: SavedSegment) -> bool:
        return segment.owner == self.name or (segment.shared and self.steward)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a segment shall be; None: as it is. `filter` is a condition as a mapping; description "": none."""

    name: str | None = None
    filter: Mapping[str, Any] | None = None
    description: str | None = None
    shared: bool | None = None


async def list_segments(store: Store, editor: Editor) -> list[SavedSegment]:
    """All that are shared and the editor's own, by name."""
    async with store.reading() as connection:
        return await find_segments(connection, owner=editor.name)


async def get_segment(store: Store, editor: Editor, text: str) -> SavedSegment:
    """The one of this id or name, the editor's own before a shared one; NotFoundError naming what there is."""
    async with store.reading() as connection:
        return _found(await find_segments(connection, owner=editor.name), text)


async def create_segment(store: Store, editor: Editor, wanted: Wanted, *, now: datetime) -> SavedSegment:
    """Save a new one. ConditionError for what is no condition, RefusedError for a name that is taken or a circle."""
    name = _name(wanted.name or "")
    made = SavedSegment(
        id=f"seg_{uuid.uuid4().hex}",
        name=name,
        filter=dict(wanted.filter or {}),
        owner=editor.name,
        shared=bool(wanted.shared),
        description=_description(wanted.description),
        created_at=now,
        updated_at=now,
        updated_by=editor.name,
    )
    async with store.transaction() as connection:
        if await count_segments(connection, owner=editor.name) >= MOST:
            raise RefusedError(f"{editor.name} has {MOST} segments, and no more are kept: delete one")
        await _check(connection, made, now=now)
        await insert_segment(connection, made)
    return made


async def change_segment(
    store: Store, editor: Editor, text: str, wanted: Wanted, *, uses: Uses, now: datetime
) -> SavedSegment:
    """Change what `wanted` says; NotFoundError, RefusedError or ConditionError where it cannot be."""
    async with store.transaction() as connection:
        old = _found(await find_segments(connection, owner=editor.name), text)
        _permit(editor, old)
        made = replace(
            old,
            name=old.name if wanted.name is None else _name(wanted.name),
            filter=old.filter if wanted.filter is None else dict(wanted.filter),
            description=old.description if wanted.description is None else _description(wanted.description),
            shared=old.shared if wanted.shared is None else wanted.shared,
            updated_at=now,
            updated_by=editor.name,
        )
        if (made.name, made.scope) != (old.name, old.scope):
            await _unused(connection, old, uses, "keeps its name" if made.name != old.name else "stays shared")
        await _check(connection, made, now=now, but=old)
        await update_segment(connection, made)
    return made


async def remove_segment(store: Store, editor: Editor, text: str, *, uses: Uses) -> SavedSegment:
    """Delete it and return what it was; RefusedError, naming them, while a playbook or another segment uses it."""
    async with store.transaction() as connection:
        old = _found(await find_segments(connection, owner=editor.name), text)
        _permit(editor, old)
        await _unused(connection, old, uses, "stays")
        await delete_segment(connection, old.id)
    return old


async def count_in(
    store: Store, editor: Editor, segments: Sequence[SavedSegment], *, book: str | None, today: date
) -> dict[str, int | None]:
    """{id: how many customers of the book are in it}, None for one that says nothing any more: one statement."""
    if len(segments) > MOST_COUNTED:
        raise RefusedError(f"members of at most {MOST_COUNTED} segments are counted at once, not of {len(segments)}")
    async with store.reading() as connection:
        lookup = lookup_in(await find_segments(connection, owner=editor.name))
        conditions: dict[str, Condition] = {}
        for each in segments:
            try:
                conditions[each.id] = expand(lookup(OF_ALL + each.name if each.shared else each.name), lookup)
            except ConditionError:
                continue
        members = await count_members(connection, list(conditions.values()), book=book, today=today)
    return {each.id: None for each in segments} | dict(zip(conditions, members, strict=True))


def problems_of(segment: SavedSegment, among: Sequence[SavedSegment]) -> list[str]:
    """What is wrong with a segment by now, such as facts that are no more; [] for one that can be used."""
    try:
        lookup = lookup_in(list(among))
        expand(condition_of(segment), lookup)
    except ConditionError as error:
        return [
            ".".join(map(str, (*each.key, ""))).rstrip(".") + (": " if each.key else "") + each.message
            for each in error.problems
        ]
    return []


def _found(segments: Sequence[SavedSegment], text: str) -> SavedSegment:
    wanted = text.removeprefix(OF_ALL)
    for each in segments:
        if text == each.id or (wanted == each.name and (each.shared or text == wanted)):
            return each
    there = ", ".join(dict.fromkeys(each.name for each in segments[:20])) or "none"
    raise NotFoundError(f"there is no saved segment {text!r}; there are: {there}")


def _permit(editor: Editor, segment: SavedSegment) -> None:
    if not editor.may_change(segment):
        raise RefusedError(f"{segment.name} is {segment.owner}'s: they, a manager or an admin may change it")


async def _check(connection: Connection, made: SavedSegment, *, now: datetime, but: SavedSegment | None = None) -> None:
    """That its name is free and what it says can be asked: by everybody, where it is shared."""
    condition = parse(made.filter, VOCABULARY)
    everything = await find_segments(connection, owner=None if made.shared else made.owner)
    others = [each for each in everything if but is None or each.id != but.id]
    if any(each.name == made.name and each.scope == made.scope for each in others):
        raise RefusedError(f"there is a {'shared ' if made.shared else ''}segment {made.name!r} already", about="name")
    try:
        on_day(expand(condition, lookup_in([made, *others])), now.date())
    except ConditionError as error:
        if made.shared and (mine := await _own(connection, made, segments_of(condition))):
            raise RefusedError(
                f"{', '.join(mine)}: nobody else sees it, so a shared segment cannot use it", about="filter"
            ) from None
        raise RefusedError(str(error), about="filter") from None


async def _own(connection: Connection, made: SavedSegment, names: frozenset[str]) -> list[str]:
    mine = await find_segments(connection, owner=made.owner, names=sorted(names))
    return [each.name for each in mine if not each.shared]


async def _unused(connection: Connection, old: SavedSegment, uses: Uses, stays: str) -> None:
    """RefusedError where somebody speaks of it."""
    by: list[str] = []
    if old.scope == SHARED:
        by += [f"playbook {name}" for name, used in sorted(uses.items()) if {old.name, OF_ALL + old.name} & used]
    hidden = False
    everything = await find_all_segments(connection)
    mine = {(each.owner, each.name) for each in everything if not each.shared}
    for each in everything:
        if each.id == old.id or not _speaks_of(each, old, mine):
            continue
        if each.shared or each.owner == old.owner:
            by.append(f"segment {each.name}")
        else:
            hidden = True
    if hidden:
        by.append("a private segment of somebody else")
    if by:
        raise RefusedError(f"{old.name} {stays}: it is used by {', '.join(by)}")


def _speaks_of(user: SavedSegment, old: SavedSegment, private: set[tuple[str, str]]) -> bool:
    try:
        named = segments_of(condition_of(user))
    except ConditionError:  # says nothing any more, and so holds nothing back
        return False
    if not old.shared:
        return not user.shared and user.owner == old.owner and old.name in named
    return OF_ALL + old.name in named or (old.name in named and (user.shared or (user.owner, old.name) not in private))


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise RefusedError(
            f"{text!r} must be small letters, digits, - and _, at most 60, such as big-and-unhappy", about="name"
        )
    return text


def _description(text: str | None) -> str | None:
    given = (text or "").strip()
    if len(given) > LONGEST_DESCRIPTION:
        raise RefusedError(
            f"the description must have at most {LONGEST_DESCRIPTION:,} characters, not {len(given):,}",
            about="description",
        )
    return given or None
