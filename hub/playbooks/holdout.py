"""The hold-out: a random share of the customers a playbook concerns is left untreated, so that its effect can be told.

    holdout: 10 %          a key of the playbook; 1 to 50 %

At a customer's first eligibility a lot is drawn, and kept, before anything is done: a hash of the playbook, the customer and
the calendar's period decides, so that asking twice, or in another process, says the same, and nothing that is known of the
customer has a say. What was drawn holds for PERIOD from that first eligibility on, however often the playbook concerns the
customer in it. A customer who was left alone is not treated next week, while the outcome is still awaited; and one who was
treated is not compared as untreated. When the period is over, the next eligibility draws anew.

An eligibility that is held out is a run of the state `held_out`, which rests like any run, does nothing and sends nothing.
Runs that another playbook starts are held out too; what a person fires by hand is not, and the report counts such customers.
Changing the share changes only lots that are drawn later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any

from hub.model.actions import RunState
from hub.playbooks.rows import definition_row
from hub.playbooks.spec import Playbook
from hub.store import Connection, runs
from hub.store.holdout import find_assignments, insert_assignments

PERIOD = timedelta(days=180)
"""Longer than the longest usual horizon and its grace, so that outcomes are in before a customer may change sides."""
TREATED, HELD_OUT = "treated", "held_out"


def drawn(playbook: str, customer_id: str, day: date, *, share: float) -> str:
    """What the lot says of a customer that is first eligible on `day`."""
    period = day.toordinal() // PERIOD.days
    digest = blake2b(f"{playbook}\x1f{customer_id}\x1f{period}".encode(), digest_size=8, person=b"holdout").digest()
    return HELD_OUT if int.from_bytes(digest) < share * 2**64 else TREATED


@dataclass(frozen=True, slots=True)
class Begun:
    """Ids of new runs: those that go on, and those that are held out."""

    going: list[str]
    held: list[str]


async def begin(connection: Connection, playbook: Playbook, rows: Sequence[dict[str, Any]], *, now: datetime) -> Begun:
    """Insert runs that no person asked for, those of held-out customers as such."""
    share = playbook.holdout
    definitions = [definition_row(playbook, now=now)]
    rested = playbook.rested_since(now)
    if share is None or not rows:
        return Begun(await runs.insert(connection, rows, definitions=definitions, rested_since=rested), [])
    ids = [row["customer_id"] for row in rows]
    known = await find_assignments(connection, playbook=playbook.name, since=now - PERIOD, customer_ids=ids)
    lots = {id_: known[id_].arm if id_ in known else drawn(playbook.name, id_, now.date(), share=share) for id_ in ids}
    new = await runs.insert(
        connection,
        [_with_lot(row, lots[row["customer_id"]], now) for row in rows],
        definitions=definitions,
        rested_since=rested,
    )
    fresh = set(new)
    first = {
        row["customer_id"]: row for row in reversed(rows) if row["id"] in fresh and row["customer_id"] not in known
    }
    await insert_assignments(connection, [_assignment(row, lots, share, now) for row in first.values()])
    held = {row["id"] for row in rows if lots[row["customer_id"]] == HELD_OUT}
    return Begun([id_ for id_ in new if id_ not in held], [id_ for id_ in new if id_ in held])


def _with_lot(row: dict[str, Any], lot: str, now: datetime) -> dict[str, Any]:
    if lot == HELD_OUT:
        return {**row, "state": RunState.HELD_OUT.value, "finished_at": now}
    return {**row, "finished_at": None}


def _assignment(row: dict[str, Any], lots: dict[str, str], share: float, now: datetime) -> dict[str, Any]:
    id_ = row["customer_id"]
    return {
        "playbook": row["playbook"],
        "customer_id": id_,
        "arm": lots[id_],
        "share": share,
        "since": now,
        "run_id": row["id"],
    }


def count_held_out(playbook: Playbook, first: Iterable[tuple[str, date]]) -> int:
    """How many of customers with the day of their first eligibility the lot would leave untreated."""
    share = playbook.holdout
    if share is None:
        return 0
    return sum(drawn(playbook.name, id_, day, share=share) == HELD_OUT for id_, day in first)
