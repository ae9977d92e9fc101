"""The suppression list: addresses and whole domains that get no mail, about everything or one topic, and why.

What a person asked for (`unsubscribed`, `complained`, `manual`) holds for mail to customers; an address that does not exist
(`bounced`) holds for all mail, for sending there harms the sender. A line about ann@example.com holds for
ann+anything@example.com too: it is the same mailbox. Of people who were erased the list has a keyed hash of the address.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import RowMapping, delete, select

from hub.store.privacy.changing import hashed
from hub.store.privacy.keyed import find_keyed
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import suppression

BATCH = 500


class Reason(StrEnum):
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """One line of the list. address: in small letters; "@example.com" is a domain. topic: "" for everything."""

    address: str
    reason: Reason
    since: datetime
    by: str
    topic: str = ""
    note: str | None = None

    def show(self) -> str:
        """Why nothing is sent, for the ledger."""
        about = f" from {self.topic}" if self.topic else ""
        note = f": {self.note}" if self.note else ""
        return f"{self.address} is suppressed{about}: {self.reason.value} since {self.since:%Y-%m-%d}{note}"


async def suppress(connection: Connection, wanted: Sequence[Suppressed]) -> list[str]:
    """Add lines; return the addresses that are new. One that is there keeps its first reason and day."""
    if not wanted:
        return []
    rows = [
        {
            "id": _id(each.address, each.topic),
            "address": each.address.lower(),
            "topic": each.topic,
            "reason": each.reason.value,
            "since": each.since,
            "by": each.by,
            "note": each.note,
        }
        for each in wanted
    ]
    statement = insert_missing(connection, suppression).returning(suppression.c.address)
    return sorted((await connection.execute(statement, rows)).scalars())


async def unsuppress(connection: Connection, address: str, *, topic: str | None = None) -> list[Suppressed]:
    """Take an address or domain off the list, from every topic where none is said; return what is gone."""
    statement = delete(suppression).where(suppression.c.address == address.lower())
    if topic is not None:
        statement = statement.where(suppression.c.topic == topic)
    return [_line(row) for row in (await connection.execute(statement.returning(suppression))).mappings()]


async def find_suppressed(connection: Connection, addresses: Iterable[str]) -> dict[str, list[Suppressed]]:
    """{address as given: the lines about it, its mailbox or its domain}; addresses without any are left out."""
    places = {address: _places(address) for address in addresses}
    if places and (keyed := await find_keyed(connection)) is not None:  # somebody was erased, and their opt-outs hold
        places = {
            address: [*each, *(hashed(keyed, place) for place in each if not place.startswith("@"))]
            for address, each in places.items()
        }
    wanted = sorted({place for each in places.values() for place in each})
    lines: dict[str, list[Suppressed]] = {}
    for first in range(0, len(wanted), BATCH):
        statement = (
            select(suppression)
            .where(suppression.c.address.in_(wanted[first : first + BATCH]))
            .order_by(suppression.c.since, suppression.c.id)
        )
        for row in (await connection.execute(statement)).mappings():
            lines.setdefault(row["address"], []).append(_line(row))
    found = {address: [line for place in each for line in lines.get(place, ())] for address, each in places.items()}
    return {address: each for address, each in found.items() if each}


def _places(address: str) -> list[str]:
    """Where lines about an address may stand."""
    local, _, domain = address.lower().rpartition("@")
    return list(dict.fromkeys([f"{local}@{domain}", f"{local.partition('+')[0] or local}@{domain}", f"@{domain}"]))


def applying(lines: Sequence[Suppressed], *, topic: str, to_customer: bool) -> Suppressed | None:
    """The line that forbids a mail about `topic`, if one does."""
    for line in lines:
        if line.reason is Reason.BOUNCED or (to_customer and line.topic in ("", topic)):
            return line
    return None


async def list_suppressed(
    connection: Connection, *, reason: Reason | None = None, limit: int | None = None
) -> list[Suppressed]:
    """The list, the newest first."""
    statement = select(suppression).order_by(suppression.c.since.desc(), suppression.c.id)
    if reason is not None:
        statement = statement.where(suppression.c.reason == reason.value)
    return [_line(row) for row in (await connection.execute(statement.limit(limit))).mappings()]


def _id(address: str, topic: str) -> str:
    return f"{address.lower()} {topic}".strip()


def _line(row: RowMapping) -> Suppressed:
    values = {name: row[name] for name in Suppressed.__dataclass_fields__}
    return Suppressed(**{**values, "reason": Reason(values["reason"])})
