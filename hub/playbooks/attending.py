"""What runs are about to say, put before the attention budget; their steps then note what became of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.attention import Attention, Made, concern_of
from hub.attention.rules import is_urgent
from hub.model.actions import Run
from hub.playbooks.rows import Walk, call_key
from hub.playbooks.spec import Playbook
from hub.store import Connection
from hub.store.playbooks import Situation
from hub.store.snoozes import find_asleep


def note_concern(walk: Walk, playbook: Playbook, situation: Situation | None) -> Walk:
    """The walk, with what it is about."""
    run = walk.run
    walk.concern = concern_of(
        run_id=run.id,
        playbook=run.playbook,
        customer_id=run.customer_id,
        reason=playbook.reason,
        severity=playbook.severity.value,
        values={} if situation is None else situation.values,
    )
    return walk


async def attend(
    connection: Connection, attention: Attention | None, walks: Sequence[Walk], *, now: datetime
) -> Sequence[Mapping[str, Any]]:
    """Settle in the walks' rows what goes out when, what is left unsaid, and which calls are not opened.

    Returns the rows that say so of calls, for `keep_withheld`, when the others are open.
    """
    if attention is None:
        return []
    made = [
        Made(
            concern=walk.concern,
            deliveries=walk.deliveries,
            alerts=walk.alerts,
            own={call_key(walk.run, asked["step"]) for asked in walk.approvals},
        )
        for walk in walks
        if walk.concern is not None
    ]
    kept = await attention.plan(connection, made, now=now)
    for walk in walks:
        walk.withheld = {row["dedup_key"] for row in walk.alerts} & kept.withheld
        _note(walk, {row["dedup_key"]: row.get("step") for row in walk.deliveries}, kept.notes)
        _note(walk, {key: _index(walk.run, key) for key in walk.withheld}, kept.notes)
    return kept.rows


async def leave_snoozed(
    connection: Connection, playbook: Playbook, due: Sequence[Situation], *, now: datetime
) -> list[Situation]:
    """But for customers of whom somebody wants to hear nothing for the playbook's reason, unless it is urgent.

    They are not fired for at all, so that the playbook does not rest when the snooze is over.
    """
    asleep = await find_asleep(connection, playbook.reason, now=now) if due else set()
    return [each for each in due if each.customer_id not in asleep or _is_urgent(playbook, each)]


def _is_urgent(playbook: Playbook, situation: Situation) -> bool:
    concern = concern_of(
        run_id="",
        playbook=playbook.name,
        customer_id=situation.customer_id,
        reason=playbook.reason,
        severity=playbook.severity.value,
        values=situation.values,
    )
    return is_urgent(concern.severity)


def _note(walk: Walk, indexes: dict[str, int | None], notes: dict[str, str]) -> None:
    """Say it in the notes of the steps that are over; of a step with several messages the first."""
    told = {index: notes[key] for key, index in reversed(indexes.items()) if key in notes}
    for step in walk.steps:
        if (note := told.get(step["index"])) is not None and step["state"] == "done":
            step["detail"] = "; ".join(filter(None, (step["detail"], note)))


def _index(run: Run, key: str) -> int:
    """Of the step a call is opened by: its key says so."""
    index = int(key.split(".")[-2])
    assert call_key(run, index) == key, "as rows.call_key makes it"
    return index
