"""`Attention`: what becomes of the messages and calls that runs are about to make, decided with all that is written already.

It is asked within the transaction that writes them, behind a lock that all processes share: two of them never let through
what only one may. A handful of statements, however many rows there are.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.attention.asking import with_question
from hub.attention.concerns import CSM, TEAM, Concern, audience_of, highest, opens_incident
from hub.attention.merging import Merging
from hub.attention.placing import place
from hub.attention.rules import Rules, is_urgent
from hub.model.actions import DeliveryState
from hub.model.team import Team
from hub.store import Connection
from hub.store import attention as rows
from hub.store.snoozes import find_snoozes

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What one run makes in one move. own: dedup keys of calls that stand by themselves, such as what a person is asked."""

    concern: Concern
    deliveries: Sequence[Row]
    alerts: Sequence[Row]
    own: Collection[str] = ()


@dataclass(slots=True)
class Kept:
    """withheld: dedup keys of alerts and tasks not to open; `rows` say so, and are written once the others are open.

    notes  {dedup key of a message or call: why, in words}
    """

    withheld: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


Rate = Callable[[str, str], str]
"""(run, address of who is asked) -> where they can say whether it was of use."""


class Attention:
    """See the module. rate: None, and nobody is asked whether it was of use."""

    def __init__(self, rules: Rules, team: Team, *, rate: Rate | None = None) -> None:
        self.rules = rules
        self.team = team
        self.rate = rate

    async def plan(self, connection: Connection, made: Sequence[Made], *, now: datetime) -> Kept:
        """Say in the rows of `made` themselves what they are and what becomes of them."""
        for each in made:
            self._describe(each)
        kept = Kept()
        if not any(each.deliveries or each.alerts for each in made):
            return kept
        await rows.begin(connection)
        merging = await self._merging(connection, made, now=now)
        for each in sorted(made, key=lambda each: -merging.weight(each)):
            for row in each.deliveries:
                if _concerns_people(row) and _goes_out(row):
                    merging.message(each.concern, row)
            for row in each.alerts:
                if row["reason_key"] is not None:
                    merging.call(each.concern, row)
        await rows.raise_severity(connection, merging.raised, now=now)
        kept.rows = merging.withheld
        kept.withheld = {row["dedup_key"] for row in merging.calls_withheld}
        messages = [row for each in made for row in each.deliveries]
        mine = [row for row in messages if row["audience"] == CSM and _goes_out(row) and not is_urgent(row["severity"])]
        await place(connection, mine, rules=self.rules, team=self.team, now=now)
        kept.notes = {row["dedup_key"]: row["error"] for row in messages if row["held"]}
        kept.notes |= merging.notes
        return kept

    async def _merging(self, connection: Connection, made: Sequence[Made], *, now: datetime) -> Merging:
        customers = {each.concern.customer_id for each in made}
        reasons = {each.concern.reason for each in made}
        said = await rows.find_said(
            connection, customer_ids=customers, reason_keys=reasons, since=now - self.rules.together
        )
        calls = any(each.alerts for each in made)
        opened = await rows.find_open_calls(connection, customer_ids=customers, reason_keys=reasons) if calls else []
        snoozes = await find_snoozes(connection, book=None, customer_ids=customers, now=now)
        return Merging(self.rules, said=said, opened=opened, snoozes=snoozes, now=now)

    def _describe(self, made: Made) -> None:
        """Give every row the columns of attention."""
        concern = made.concern
        for row in made.alerts:
            row["reason_key"] = None if row["dedup_key"] in made.own else concern.reason
            if row["reason_key"] is not None and is_urgent(concern.severity):
                row["severity"] = concern.severity
        severity = highest(concern.severity, *(row["severity"] for row in made.alerts if row["kind"] == "alert"))
        for row in made.deliveries:
            audience, owner = audience_of(row, concern, self.team)
            row |= {
                "audience": audience,
                "owner_email": owner,
                "severity": severity,
                "reason_key": concern.reason,
                "rank": concern.rank,
                "held": None,
                "held_by": None,
                "counts_on": None,
                "turn_at": None,
                "not_before": row.get("not_before"),
            }
            if self.rate is not None and owner is not None and row["channel"] == "email":
                row["payload"] = with_question(row["payload"], self.rate(concern.run_id, owner))


def _concerns_people(row: Row) -> bool:
    """Whether it calls on people of ours."""
    return row["audience"] in (CSM, TEAM) or opens_incident(row)


def _goes_out(row: Row) -> bool:
    return bool(row["state"] == DeliveryState.RESERVED)
