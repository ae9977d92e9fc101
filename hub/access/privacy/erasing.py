"""Erase a person or a customer: through every table, so that counts stay true and no sync brings them back.

    plan = await plan_erasure(store, about)                                what would go, counted; nothing changes
    done = await erase(store, about, by="Ann", now=now)                    to the end
    await go_on(store, now=now)                                            with what a killed process left half done

First of all the tombstones are put up, in one transaction with the row that says what is to be done. From then on no sync
writes the subject again, and the tables are gone through one after another, in batches that are a transaction each, with the
place they came to. Killed anywhere, it goes on from there.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.access.privacy.asking import About, find_subject
from hub.store import Connection, Store
from hub.store.privacy import erasures
from hub.store.privacy.beyond import find_left
from hub.store.privacy.changing import change_batch
from hub.store.privacy.erasures import Erasure
from hub.store.privacy.finding import count
from hub.store.privacy.keyed import Keyed, make_keyed, normal
from hub.store.privacy.places import PLACES
from hub.store.privacy.subject import Subject, with_pseudonyms
from hub.store.privacy.tombstones import lock_out, put_tombstones

Progress = Callable[[int, int, str, int], None]
"""Called with the places done, their number, the table that is worked on and the rows erased so far."""


def silent(_done: int, _of: int, _table: str, _rows: int) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What erasing would do. own: {table: rows of the subject}; mentions: {table: other rows that speak of it}."""

    subject: Subject
    own: Mapping[str, int]
    mentions: Mapping[str, int]
    left: Sequence[str]

    @property
    def rows(self) -> int:
        return sum(self.own.values()) + sum(self.mentions.values())


async def plan_erasure(store: Store, about: About) -> Plan:
    """Count what an erasure would go through."""
    own: dict[str, int] = {}
    mentions: dict[str, int] = {}
    async with store.reading() as connection:
        subject = await find_subject(connection, about)
        for place in PLACES:
            mine, others = await count(connection, place, subject)
            if mine and place.changes(customer=subject.is_customer):
                own[place.name] = mine
            if others:
                mentions[place.name] = others
        return Plan(subject=subject, own=own, mentions=mentions, left=await find_left(connection, subject))


async def erase(store: Store, about: About, *, by: str, now: datetime, progress: Progress = silent) -> Erasure:
    """Erase to the end, or go on with an erasure of the same subject that was begun. The report names nobody."""
    async with store.transaction() as connection:
        await lock_out(connection)
        keyed = await make_keyed(connection, now=now)
        erasure_id = await _begin(connection, keyed, about, by=by, now=now)
    return await _work(store, erasure_id, keyed, now=now, progress=progress)


async def go_on(store: Store, *, now: datetime, progress: Progress = silent) -> list[Erasure]:
    """End every erasure that was begun and not ended."""
    async with store.reading() as connection:
        running = await erasures.find_running(connection)
    if not running:
        return []
    async with store.transaction() as connection:
        keyed = await make_keyed(connection, now=now)
    return [await _work(store, erasure_id, keyed, now=now, progress=progress) for erasure_id in running]


async def _begin(connection: Connection, keyed: Keyed, about: About, *, by: str, now: datetime) -> str:
    asked = normal(about.customer if about.customer is not None else next(iter(about.person), ""))
    subject_hash = keyed.hash("subject", about.kind, asked)
    begun = await erasures.find_running(connection, subject_hash=subject_hash)
    if begun:
        return begun[0]
    erasure_id = f"era_{secrets.token_hex(12)}"
    found = await find_subject(connection, about)
    subject = await with_pseudonyms(connection, found, keyed, erasure_id=erasure_id)
    number = await erasures.next_number(connection)
    left = await find_left(connection, subject)
    await erasures.insert(
        connection, erasure_id, subject, number=number, subject_hash=subject_hash, left=left, by=by, now=now
    )
    await put_tombstones(connection, subject, keyed, number=number)
    return erasure_id


async def _work(store: Store, erasure_id: str, keyed: Keyed, *, now: datetime, progress: Progress) -> Erasure:
    while True:
        async with store.transaction() as connection:
            at = await erasures.lock(connection, erasure_id)
            assert at is not None, "reports are kept"
            if at.subject is None:
                progress(len(PLACES), len(PLACES), "", at.rows)
                return at
            if at.step >= len(PLACES):
                await erasures.finish(connection, erasure_id, now=now)
                continue
            place = PLACES[at.step]
            if not place.changes(customer=at.subject.is_customer):
                await erasures.move(connection, erasure_id, step=at.step + 1, after=None, counts=at.counts)
                continue
            progress(at.step, len(PLACES), place.name, at.rows)
            changed, after = await change_batch(connection, place, at.subject, keyed, after=at.after, now=now)
            counts = dict(at.counts)
            if changed:
                counts[place.name] = counts.get(place.name, 0) + changed
            step = at.step + 1 if after is None else at.step
            await erasures.move(connection, erasure_id, step=step, after=after, counts=counts)


async def list_erasures(store: Store, *, limit: int = 100) -> list[Erasure]:
    """Reports, the newest first; they name nobody."""
    async with store.reading() as connection:
        return await erasures.find_erasures(connection, limit=limit)
