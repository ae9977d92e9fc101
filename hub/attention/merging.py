"""What was said already, for the same customer and reason, by another playbook; and what a person snoozed.

A message joins an earlier one to the same place that is at least as severe; a call joins the open one of its kind, which
takes the higher severity. One playbook's own messages never join each other: how often it speaks is its `rest`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.attention.concerns import CSM, TEAM, Concern, highest
from hub.attention.rules import Rules, is_urgent, weight
from hub.model.actions import DeliveryState
from hub.store.attention import OpenCall, Said
from hub.store.snoozes import ANY, Snooze

if TYPE_CHECKING:
    from hub.attention.budget import Made

Row = dict[str, Any]


class Merging:
    """Of what is written (`said`, `opened`) and what is let through meanwhile."""

    def __init__(
        self,
        rules: Rules,
        *,
        said: Iterable[Said],
        opened: Iterable[OpenCall],
        snoozes: Iterable[Snooze],
        now: datetime,
    ) -> None:
        self._rules = rules
        self._now = now
        self._said: dict[tuple[str, ...], list[Said]] = {}
        self._opened: dict[tuple[str, ...], list[OpenCall]] = {}
        self._snoozes = {(each.customer_id, each.reason_key): each for each in snoozes}
        self.raised: dict[str, str] = {}
        self.withheld: list[Row] = []
        self.calls_withheld: list[Row] = []
        self.notes: dict[str, str] = {}
        for message in said:
            key = (message.customer_id, message.reason_key, message.channel, message.address)
            self._said.setdefault(key, []).append(message)
        for call in opened:
            self._opened.setdefault((call.customer_id, call.reason_key, call.kind), []).append(call)
        self._new: dict[str, Row] = {}

    @staticmethod
    def weight(made: "Made") -> int:
        """Who speaks first where several speak of the same at once: the most severe."""
        severities: Sequence[str] = [row["severity"] for row in (*made.deliveries, *made.alerts)]
        return max((weight(each) for each in severities), default=0)

    def message(self, concern: Concern, row: Row) -> None:
        """Suppress a message that is snoozed, or was said."""
        if (snooze := self._snooze(concern, row["severity"])) is not None:
            _suppress(row, "snoozed", snooze.id, _told(snooze))
            return
        if row["audience"] not in (CSM, TEAM):
            return
        said = self._said.setdefault((concern.customer_id, concern.reason, row["channel"], row["address"]), [])
        for each in said:
            other = each.playbook != concern.playbook and each.run_id != concern.run_id
            if other and weight(each.severity) >= weight(row["severity"]) and not is_urgent(row["severity"]):
                detail = f"{each.playbook} says the same ({concern.reason}) in {each.id}"
                _suppress(row, "merged", each.id, detail)
                return
        said.append(
            Said(
                id=row["id"],
                customer_id=concern.customer_id,
                reason_key=concern.reason,
                channel=row["channel"],
                address=row["address"],
                severity=row["severity"],
                run_id=concern.run_id,
                playbook=concern.playbook,
                reserved_at=self._now,
            )
        )

    def call(self, concern: Concern, row: Row) -> None:
        """Withhold an alert or task that is snoozed, or join it to the open one."""
        if (snooze := self._snooze(concern, row["severity"])) is not None:
            self._withhold(concern, row, "snoozed", _told(snooze), snooze_id=snooze.id)
            return
        opened = self._opened.setdefault((concern.customer_id, concern.reason, row["kind"]), [])
        for each in opened:
            if each.playbook != concern.playbook:
                self._raise(each, row["severity"])
                detail = f"joined {each.id} of {each.playbook}, about the same ({concern.reason})"
                self._withhold(concern, row, "merged", detail, alert_id=each.id)
                return
        self._new[row["id"]] = row
        opened.append(
            OpenCall(
                id=row["id"],
                customer_id=concern.customer_id,
                reason_key=concern.reason,
                kind=row["kind"],
                severity=row["severity"],
                playbook=concern.playbook,
                title=row["title"],
            )
        )

    def _raise(self, call: OpenCall, severity: str) -> None:
        before = self.raised.get(call.id, call.severity)
        now = highest(before, severity)
        if call.id in self._new:
            self._new[call.id]["severity"] = now
        elif now != before:
            self.raised[call.id] = now

    def _withhold(
        self,
        concern: Concern,
        row: Row,
        held: str,
        detail: str,
        *,
        alert_id: str | None = None,
        snooze_id: str | None = None,
    ) -> None:
        self.calls_withheld.append(row)
        self.notes[row["dedup_key"]] = detail
        self.withheld.append(
            {
                "id": row["id"],
                "customer_id": concern.customer_id,
                "run_id": concern.run_id,
                "kind": row["kind"],
                "title": row["title"],
                "severity": row["severity"],
                "reason_key": concern.reason,
                "held": held,
                "alert_id": alert_id,
                "snooze_id": snooze_id,
                "detail": detail,
                "withheld_at": self._now,
            }
        )

    def _snooze(self, concern: Concern, severity: str) -> Snooze | None:
        if is_urgent(severity) and self._rules.urgent_through_snoozes:
            return None
        keys = ((concern.customer_id, concern.reason), (concern.customer_id, ANY))
        return next((self._snoozes[key] for key in keys if key in self._snoozes), None)


def _suppress(row: Row, held: str, by: str, detail: str) -> None:
    row |= {"state": DeliveryState.SUPPRESSED.value, "held": held, "held_by": by, "error": detail}


def _told(snooze: Snooze) -> str:
    what = "everything" if snooze.reason_key == ANY else snooze.reason_key
    note = f": {snooze.note}" if snooze.note else ""
    return f"{snooze.made_by} snoozed {what} until {snooze.until:%Y-%m-%d %H:%M} UTC{note}"
