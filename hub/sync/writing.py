"""Use case: give a source's companies what the hub has found out, where sources.yaml names the fields.

Only what differs from what was written last is written, so an unchanged customer costs nothing. Each batch is noted as soon as
the vendor has answered; what was written and not noted, because the process died, is written once more, which changes nothing.
Our own write moves the row's time at the vendor and not what we read of it: the next sync finds it unchanged.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from connectors.kit.errors import ConnectorError, ContractError, PausedError
from connectors.kit.http import Client
from connectors.kit.writing import Outcome, Value, Wish
from hub.store import Store
from hub.store.writeback import find_standing, note_written
from hub.sync.report import Source

log = logging.getLogger(__name__)
AT_ONCE = 1_000
Told = Callable[[int, int], None]
"""(written so far, to be written)"""


class Write(Protocol):
    def __call__(
        self, client: Client, wishes: Sequence[Wish], *, settings: Any
    ) -> AsyncIterator[Sequence[Outcome]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """before: what was written last; after: what is to be; by the vendor's names of the fields."""

    key: str
    name: str
    before: Mapping[str, Value]
    after: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """changes: what was, or would be, written; refused: {key: why} of rows the vendor did not take; error: what ended it."""

    changes: Sequence[Change]
    unchanged: int
    written: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    paused_until: datetime | None = None


async def plan_writing(store: Store, source: str, fields: Mapping[str, str]) -> Written:
    """What differs from what was written last. fields: {ours: the vendor's name}."""
    async with store.reading() as connection:
        rows = await find_standing(connection, source)
    changes = []
    for row in rows:
        after = {theirs: _value(ours, getattr(row, ours)) for ours, theirs in fields.items()}
        before = row.written or {}
        if any(name not in before or before[name] != value for name, value in after.items()):
            changes.append(Change(key=row.key, name=row.name, before=before, after=after))
    return Written(changes=changes, unchanged=len(rows) - len(changes))


async def write_back(
    store: Store,
    source: Source,
    fields: Mapping[str, str],
    write: Write,
    *,
    settings: Any,
    clock: Callable[[], datetime],
    told: Told = lambda done, of: None,
) -> Written:
    """Write what differs. A vendor that refuses all of it, or has no quota left, ends it; what was written stays noted."""
    planned = await plan_writing(store, source.name, fields)
    done, refused, error, until = 0, dict[str, str](), None, None
    try:
        async with source.connector.client() as client:
            for first in range(0, len(planned.changes), AT_ONCE):
                some = planned.changes[first : first + AT_ONCE]
                wishes = [Wish(key=each.key, values=each.after) for each in some]
                after = {each.key: each for each in some}
                async for outcomes in write(client, wishes, settings=settings):
                    await _note(store, source.name, outcomes, after, now=clock())
                    refused |= {each.key: each.error for each in outcomes if each.error is not None}
                    done += sum(each.error is None for each in outcomes)
                    told(done, len(planned.changes))
    except PausedError as paused:
        error, until = str(paused), paused.until
    except ContractError as wrong:
        error = f"{wrong}; do the fields exist, by these names: {', '.join(fields.values())}?"
    except ConnectorError as failed:
        error = str(failed)
    if error is not None:
        log.warning("what %s is to be given was not written as a whole: %s", source.name, error)
    return Written(
        changes=planned.changes,
        unchanged=planned.unchanged,
        written=done,
        refused=refused,
        error=error,
        paused_until=until,
    )


async def _note(
    store: Store, source: str, outcomes: Sequence[Outcome], changes: Mapping[str, Change], *, now: datetime
) -> None:
    rows = [
        {
            "id": f"{source}:{each.key}",
            "source": source,
            "key": each.key,
            "values": dict(
                changes[each.key].before if each.error else {**changes[each.key].before, **changes[each.key].after}
            ),
            "written_at": None if each.error else now,
            "error": each.error,
            "tried_at": now,
        }
        for each in outcomes
    ]
    async with store.transaction() as connection:
        await note_written(connection, rows)


def _value(field_name: str, value: Any) -> Value:
    """As people read it there: whole per cents, so that noise of the last digits writes nothing."""
    if value is None:
        return None
    if field_name in ("health", "churn_risk"):
        return float(round(value * 100))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
