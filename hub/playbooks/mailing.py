"""The rules of mail: who gets none, when customers get theirs, and how much of it.

Asked twice. `settle`, of many messages in three statements, before they are reserved: a suppressed one is written down and
never sent, one to a customer waits for the sending window, and what is more than a contact should get in a week is left out
and says so. `look`, of those that are about to be sent, right before: people unsubscribe while messages wait, and a try that
failed may come again outside the window.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.model.actions import Delivery, DeliveryState
from hub.store import Connection
from hub.store.mailings import find_countries, find_recent
from hub.store.suppression import Suppressed, applying, find_suppressed

WEEK = timedelta(days=7)
CUSTOMER = "customer"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UTC_ZONE = ZoneInfo("UTC")

Row = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When mail to customers may go out: from `begin` until before `end`, on `days` (0 is Monday), where they are."""

    begin: time = time(8)
    end: time = time(18)
    days: frozenset[int] = frozenset(range(5))

    def next(self, at: datetime, zone: ZoneInfo) -> datetime:
        """`at` where it is within the window, else when the window next opens; in UTC."""
        there = at.astimezone(zone)
        if there.weekday() in self.days and self.begin <= there.time() < self.end:
            return at
        day = there.date()
        if there.weekday() not in self.days or there.time() >= self.end:
            day += timedelta(days=1)
        while day.weekday() not in self.days:
            day += timedelta(days=1)
        return datetime.combine(day, self.begin, zone).astimezone(UTC)


NO_SENDER = "nobody writes to customers until config/hub.yaml names the sender: mail.customers.sender"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """See the module. window, most_per_week: None for none. zones: {country, as customers have it: its time zone}; else zone.

    always        topics of which most_per_week leaves none out: who was promised to be guided waits for the next step
    to_customers  whether customers are written to at all; a hub that was just set up asks nobody by surprise
    """

    to_customers: bool = True
    window: Window | None = None
    most_per_week: int | None = None
    always: frozenset[str] = frozenset()
    zone: ZoneInfo = UTC_ZONE
    zones: Mapping[str, ZoneInfo] = field(default_factory=dict)

    async def settle(self, connection: Connection, rows: Sequence[Row], *, now: datetime) -> None:
        """Complete `rows` of the ledger before they are reserved. Those of other channels stay as they are."""
        for row in rows:
            to_customer = row["channel"] == "email" and row["payload"].get("audience") == CUSTOMER
            row["audience"] = CUSTOMER if to_customer else row.get("audience")
            row.setdefault("not_before", None)
            if to_customer and not self.to_customers and row["state"] == DeliveryState.RESERVED.value:
                _leave_out(row, NO_SENDER)
        mails = [row for row in rows if row["channel"] == "email" and row["state"] == DeliveryState.RESERVED.value]
        if not mails:
            return
        lines = await find_suppressed(connection, {row["address"] for row in mails})
        for row in mails:
            topic, to_customer = row["payload"].get("topic", ""), row["audience"] == CUSTOMER
            found = applying(lines.get(row["address"], ()), topic=topic, to_customer=to_customer)
            if found is not None:
                _leave_out(row, found.show())
        written = [row for row in mails if row["audience"] == CUSTOMER and row["state"] == DeliveryState.RESERVED.value]
        if written:
            await self._pace(connection, written, now=now)

    async def _pace(self, connection: Connection, rows: Sequence[Row], *, now: datetime) -> None:
        ids = [row["customer_id"] for row in rows if row["customer_id"] is not None]
        countries = await find_countries(connection, ids) if self.zones and self.window else {}
        recent: dict[str, list[datetime]] = {}
        if self.most_per_week is not None:
            recent = await find_recent(connection, [row["address"] for row in rows], ids, since=now - WEEK)
        for row in rows:
            at = row["not_before"] or now
            if self.window is not None:
                at = self.window.next(at, self._zone(countries.get(row["customer_id"])))
            got = recent.setdefault(row["address"].lower(), [])
            most = None if row["payload"].get("topic") in self.always else self.most_per_week
            if most is not None and sum(each > at - WEEK for each in got) >= most:
                _leave_out(row, f"{row['address']} has {most} mails of us within a week, which is the most")
                continue
            got.append(at)
            if at > now:
                row["not_before"] = at

    async def look(
        self, connection: Connection, mails: Sequence[Delivery], *, now: datetime
    ) -> dict[str, Suppressed | datetime]:
        """{id: why this mail must not go out, or when it may}; those that may go now are not in it."""
        if not mails:
            return {}
        lines = await find_suppressed(connection, {mail.address for mail in mails})
        ruled: dict[str, Suppressed | datetime] = {}
        written = []
        for mail in mails:
            to_customer = mail.payload.get("audience") == CUSTOMER
            topic = mail.payload.get("topic", "")
            if found := applying(lines.get(mail.address, ()), topic=topic, to_customer=to_customer):
                ruled[mail.id] = found
            elif to_customer:
                written.append(mail)
        if self.window is None or not written:
            return ruled
        ids = [mail.customer_id for mail in written if mail.customer_id]
        countries = await find_countries(connection, ids) if self.zones and ids else {}
        for mail in written:
            at = self.window.next(now, self._zone(countries.get(mail.customer_id or "")))
            if at > now:
                ruled[mail.id] = at
        return ruled

    def opens(self, country: object, *, now: datetime) -> datetime:
        """When mail to a customer there may go out: `now`, or when the window next opens."""
        zone = self._zone(country if isinstance(country, str) else None)
        return now if self.window is None else self.window.next(now, zone)

    def _zone(self, country: str | None) -> ZoneInfo:
        return self.zones.get((country or "").lower(), self.zone)


def _leave_out(row: Row, reason: str) -> None:
    row["state"], row["error"] = DeliveryState.SUPPRESSED.value, reason
