"""Of use or not: what people say of what playbooks tell them, and how precise each playbook is by that.

Two figures that stand beside each other, for they ask different things:

by votes      useful of all votes: one a person and run, the newest counts
by outcomes   alerts and tasks closed as success, of those closed as success or invalid; one that was worked on without
              success says nothing about whether it should have been opened

Each with its Wilson interval, and told only from so many on (`fewest`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from hub.errors import RefusedError
from hub.store import Store
from hub.store import votes as rows
from hub.store.votes import Counted

MOST_NOTE = 1_000
Z95 = 1.959963984540054
"""The normal quantile of a two-sided 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted:
    """A vote as it counts now."""

    run_id: str
    playbook: str
    customer_id: str
    voter: str
    useful: bool


async def vote(
    store: Store,
    *,
    voter: str,
    useful: bool,
    way: str,
    run_id: str | None = None,
    alert_id: str | None = None,
    delivery_id: str | None = None,
    note: str | None = None,
    now: datetime,
) -> Voted:
    """A person's word on a run, named by itself, by its alert or by its message; a second one replaces the first.

    NotFoundError where no playbook did it; RefusedError for a note that is too long.
    """
    if note is not None and len(note) > MOST_NOTE:
        raise RefusedError(f"note may have at most {MOST_NOTE} characters")
    voter = voter.strip().lower()
    async with store.transaction() as connection:
        rated = await rows.get_rated(connection, run_id=run_id, alert_id=alert_id, delivery_id=delivery_id)
        parts = f"{rated.run_id}\x1f{voter}"
        await rows.put(
            connection,
            {
                "id": f"vote_{blake2b(parts.encode(), digest_size=16).hexdigest()}",
                "run_id": rated.run_id,
                "playbook": rated.playbook,
                "voter": voter,
                "useful": useful,
                "note": note or None,
                "way": way,
                "voted_at": now,
            },
        )
    return Voted(
        run_id=rated.run_id, playbook=rated.playbook, customer_id=rated.customer_id, voter=voter, useful=useful
    )


@dataclass(frozen=True, slots=True)
class Share:
    """good of `of`, its 95 % interval (0-1 each). told: whether there are enough to say so; share None: of none."""

    good: int
    of: int
    low: float
    high: float
    told: bool

    @property
    def share(self) -> float | None:
        return self.good / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How much of what a playbook says is of use, by what people say and by how its alerts end."""

    playbook: str
    votes: Share
    outcomes: Share


async def find_precision(
    store: Store,
    *,
    fewest: int,
    playbooks: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Precision]:
    """Of every playbook that was voted on or whose alerts ended, and of `playbooks`; by name."""
    async with store.reading() as connection:
        votes = await rows.count_votes(connection, since=since, until=until)
        outcomes = await rows.count_outcomes(connection, since=since, until=until)
    none = Counted(0, 0)
    return [
        Precision(
            playbook=name,
            votes=share_of(votes.get(name, none), fewest=fewest),
            outcomes=share_of(outcomes.get(name, none), fewest=fewest),
        )
        for name in sorted({*votes, *outcomes, *playbooks})
    ]


def share_of(counted: Counted, *, fewest: int) -> Share:
    low, high = wilson(counted.good, counted.of)
    return Share(counted.good, counted.of, low, high, counted.of >= max(fewest, 1))


def wilson(good: int, of: int, *, z: float = Z95) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927), which holds its level at few and at all or none; (0, 1) of none."""
    if of == 0:
        return 0.0, 1.0
    share, square = good / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return (0.0 if good == 0 else middle - half), (1.0 if good == of else middle + half)
