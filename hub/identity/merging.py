"""Two customers that are one become one, and two again if that was wrong.

A merge moves what `hub.store.merges` says, and keeps what it takes to undo it exactly. Syncs leave it: what the sources call
the merged customer is evidence of the one that was kept. Chains go: a customer that others were merged into can be merged.
They are undone the last one first.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.errors import NotFoundError, RefusedError
from hub.identity.deciding import IdentityRules, resolve
from hub.store import Connection, Store, merges
from hub.store.identity import begin_deciding, refresh_profiles
from hub.store.merges import MERGED, Merge

LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a merge moved, would move, or what undoing it moved back.

    merge_id  None of a dry run
    records   {kind of record: how many}
    runs      how many runs of playbooks were cancelled
    """

    merge_id: str | None
    kept_id: str
    merged_id: str
    evidence: int
    notes: int
    alerts: int
    records: Mapping[str, int] = field(default_factory=dict)
    runs: int = 0


class _OnlyTried(Exception):  # noqa: N818 - it is no error: it takes back what a dry run wrote
    pass


async def merge(
    store: Store, keep_id: str, merge_id: str, *, reason: str, by: str, now: datetime, dry_run: bool = False
) -> Merged:
    """Make the customer `merge_id` part of `keep_id`. A dry run does it, looks, and takes everything back.

    Raises NotFoundError for a customer that is not there, RefusedError for one that is part of another already, for a merge
    with itself, and without a reason; then nothing has changed.
    """
    why = " ".join(reason.split())
    if not 0 < len(why) <= LONGEST_REASON:
        raise RefusedError(
            f"a merge needs a reason of 1 to {LONGEST_REASON:,} characters: how you know that they are one"
        )
    if keep_id == merge_id:
        raise RefusedError("a customer cannot be merged into itself")
    told: list[Merged] = []
    try:
        async with store.transaction() as connection:
            await begin_deciding(connection)
            await _check(connection, keep_id, merge_id)
            told.append(await _merge(connection, keep_id, merge_id, why=why, by=by, now=now, dry_run=dry_run))
            if dry_run:
                raise _OnlyTried
    except _OnlyTried:
        pass
    return told[0]


async def _check(connection: Connection, keep_id: str, merge_id: str) -> None:
    found = await merges.find_standing(connection, [keep_id, merge_id])
    for id_ in (keep_id, merge_id):
        if id_ not in found:
            raise NotFoundError(f"there is no customer {id_!r}")
        if (into := found[id_].merged_into_id) is not None:
            raise RefusedError(f"{found[id_].name} ({id_}) is part of {into} already")


async def _merge(
    connection: Connection, keep_id: str, merge_id: str, *, why: str, by: str, now: datetime, dry_run: bool
) -> Merged:
    evidence, moved = await merges.find_moving(connection, merge_id, keep_id)
    made = Merge(
        id=f"mrg_{secrets.token_hex(10)}",
        kept_id=keep_id,
        merged_id=merge_id,
        reason=why,
        by=by,
        at=now,
        evidence=evidence,
        moved=moved,
    )
    await merges.add_merge(connection, made)
    records = await merges.point_evidence(connection, evidence, source_of=merge_id, target=keep_id)
    await merges.rename_method(connection, evidence, before="created", after=MERGED)
    await merges.move_rows(connection, moved, source_of=merge_id, target=keep_id, now=now)
    await merges.set_parent(connection, moved["children"], before=merge_id, after=keep_id)
    await merges.set_parent(connection, [keep_id], before=merge_id, after=None)
    parts = _below(merge_id, await merges.find_parts(connection))
    await merges.set_part_of(connection, [merge_id, *parts], target=keep_id, now=now)
    runs = await merges.end_runs(connection, merge_id, why=f"its customer is part of {keep_id} now", by=by, now=now)
    return Merged(
        merge_id=None if dry_run else made.id,
        kept_id=keep_id,
        merged_id=merge_id,
        evidence=len(evidence),
        notes=len(moved["notes"]),
        alerts=len(moved["alerts"]),
        records=records,
        runs=runs,
    )


async def undo_merge(
    store: Store, merge_id: str, rules: IdentityRules, *, by: str, now: datetime, dry_run: bool = False
) -> Merged:
    """Make two customers of one again: what was the merged one's is its again, and what came since goes by the rules.

    Raises NotFoundError for no such merge, RefusedError for one that was undone, or whose customer has gone on to another.
    """
    told: list[Merged] = []
    try:
        async with store.transaction() as connection:
            await begin_deciding(connection)
            told.append(await _undo(connection, merge_id, rules, by=by, now=now, dry_run=dry_run))
            if dry_run:
                raise _OnlyTried
    except _OnlyTried:
        pass
    return told[0]


async def _undo(
    connection: Connection, merge_id: str, rules: IdentityRules, *, by: str, now: datetime, dry_run: bool
) -> Merged:
    made = await merges.find_merge(connection, merge_id)
    if made is None:
        raise NotFoundError(f"there is no customer merge {merge_id!r}")
    if made.undone_at is not None:
        raise RefusedError(f"this merge was undone at {made.undone_at:%Y-%m-%d %H:%M}")
    kept, merged = made.kept_id, made.merged_id
    into = (await merges.find_standing(connection, [kept, merged]))[merged].merged_into_id
    if into != kept:
        raise RefusedError(f"{kept} has become part of {into} since: undo that merge first")
    await merges.end_merge(connection, merge_id, by=by, now=now)
    records = await merges.point_evidence(connection, made.evidence, source_of=kept, target=merged)
    parts = _below(merged, await merges.find_parts(connection))
    theirs = await merges.find_evidence_of(connection, [merged])
    own = [each for each in made.evidence if each not in theirs]
    await merges.rename_method(connection, own, before=MERGED, after="created")
    await merges.move_rows(connection, made.moved, source_of=kept, target=merged, now=now)
    await merges.set_part_of(connection, [merged], target=None, now=now)
    await merges.set_part_of(connection, parts, target=merged, now=now)
    await merges.set_parent(connection, made.moved.get("children", ()), before=kept, after=merged)
    if made.moved.get("below"):
        await merges.set_parent(connection, [kept], before=None, after=merged)
    if since := await merges.find_learned(connection, kept, since=made.at):  # of whom, was decided by what is undone
        await merges.open_again(connection, since, reason="a merge was undone")
    sources = sorted({each.partition(":")[0] for each in [*made.evidence, *since]})
    for source in sources:
        await resolve(connection, rules, source=source, now=now)
        await refresh_profiles(connection, source, now=now, free_mail=rules.free_mail)
    return Merged(
        merge_id=None if dry_run else merge_id,
        kept_id=kept,
        merged_id=merged,
        evidence=len(made.evidence),
        notes=len(made.moved.get("notes", ())),
        alerts=len(made.moved.get("alerts", ())),
        records=records,
    )


def _below(customer_id: str, parts: Mapping[str, str]) -> list[str]:
    """Who is part of a customer, directly or through others: `parts` is {merged: kept}."""
    found: list[str] = []
    front = [customer_id]
    while front:
        front = [merged for merged, kept in parts.items() if kept in front]
        found += front
    return found
