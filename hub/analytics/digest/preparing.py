"""Reads for all digests of a day, makes those that are wanted, and finds the reasons of all their moves at once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.analytics.digest.data import read
from hub.analytics.digest.making import Making, explained
from hub.analytics.digest.moving import find_reasons
from hub.analytics.digest.parts import Digest
from hub.analytics.digest.settings import DigestSettings
from hub.analytics.digest.words import gaps_of
from hub.analytics.targets_settings import TargetSettings
from hub.errors import NotFoundError
from hub.store import Store


@dataclass(frozen=True, slots=True)
class Prepared:
    """owners: CSMs who have customers."""

    owners: Sequence[str]
    _store: Store = field(repr=False)
    _making: Making = field(repr=False)

    async def of(self, owners: Sequence[str | None]) -> list[Digest]:
        """The digests of these CSMs (None: of all customers), in their order; NotFoundError for one without customers."""
        wanted = [owner.lower() if owner is not None else None for owner in owners]
        for owner in wanted:
            if owner is not None and owner not in self.owners:
                there = ", ".join(self.owners[:20]) or "none"
                raise NotFoundError(f"no customer has the CSM {owner!r}; there are: {there}")
        # seconds of arithmetic where customers are many: a process that also answers others goes on meanwhile
        made = await asyncio.to_thread(lambda: [self._making.of(owner) for owner in wanted])
        async with self._store.reading() as connection:
            reasons = await find_reasons(connection, [move for each in made for move in (*each.falls, *each.rises)])
        return [explained(each, reasons) for each in made]


async def prepare(
    store: Store,
    kind: str,
    settings: DigestSettings,
    targets: Mapping[str, TargetSettings],
    *,
    now: datetime,
    grace_days: int,
    fewest_votes: int,
    effects: Mapping[str, str],
    own_sources: Sequence[str] | None = None,
) -> Prepared:
    """`own_sources`: the sources that are configured; None: all that the store knows. effects: see `Making`."""
    data = await read(store, targets, days=settings.days, now=now, grace_days=grace_days, fewest_votes=fewest_votes)
    days = [row.as_of for row in data.book if row.as_of is not None]
    sources = [each for each in data.sources if own_sources is None or each.name in own_sources]
    gaps = gaps_of(sources, now=now, portfolio_scored_on=(min(days), max(days)) if days else None)
    making = await asyncio.to_thread(lambda: Making(kind, settings, data, effects=effects, gaps=gaps))
    return Prepared(making.owners, store, making)
