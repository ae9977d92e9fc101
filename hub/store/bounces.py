"""Mail that came back: kept once each, matched with the message of the ledger it was, and marked there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update

from hub.model.actions import DeliveryState
from hub.model.mail import COMPLAINT, HARD, SOFT, Bounced
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import delivery, mail_bounce


async def keep_bounces(connection: Connection, told: Sequence[Bounced]) -> list[Bounced]:
    """Write down what is new, with its message of the ledger where there is one; return that, and mark those messages."""
    if not told:
        return []
    matched = await _matched(connection, told)
    rows = [{"id": each.id, **{name: getattr(each, name) for name in Bounced.__dataclass_fields__}} for each in matched]
    statement = insert_missing(connection, mail_bounce).returning(mail_bounce.c.id)
    new = set((await connection.execute(statement, rows)).scalars())
    fresh = list({each.id: each for each in matched if each.id in new}.values())
    await _mark(connection, [each for each in fresh if each.delivery_id is not None])
    return fresh


async def _matched(connection: Connection, told: Sequence[Bounced]) -> list[Bounced]:
    """With the ids of deliveries: only those that are ours, and went to that address or are named by the return path."""
    ids = {each.delivery_id for each in told if each.delivery_id}
    keys = {key for each in told if (key := _key(each.message_id))}
    if not ids and not keys:
        return list(told)
    row = delivery.c
    statement = select(row.id, row.dedup_key).where(
        row.channel == "email",
        or_(
            row.id.in_(sorted(ids)),
            row.dedup_key.in_(sorted(keys)),
            func.replace(row.dedup_key, ":", ".").in_(sorted(keys)),
        ),
    )
    ours: dict[str, str] = {}
    for found in await connection.execute(statement):
        ours |= {found.id: found.id, found.dedup_key.replace(":", "."): found.id}
    made = []
    for each in told:
        values = {name: getattr(each, name) for name in Bounced.__dataclass_fields__}
        values["delivery_id"] = ours.get(each.delivery_id or "") or ours.get(_key(each.message_id) or "")
        made.append(Bounced(**values))
    return made


def _key(message_id: str | None) -> str | None:
    """Our key, as `hub.delivery.mail` writes it into a Message-ID."""
    return message_id.strip("<> ").rpartition("@")[0] or None if message_id else None


async def _mark(connection: Connection, found: Sequence[Bounced]) -> None:
    """The ledger says what came back: a hard bounce makes a message that was taken one that failed after all."""
    if not found:
        return
    row = delivery.c
    said = select(row.id, row.receipt, row.error).where(row.id.in_([each.delivery_id for each in found]))
    receipts = {each.id: (dict(each.receipt or {}), each.error) for each in await connection.execute(said)}
    rows = []
    for each in found:
        assert each.delivery_id is not None, "of those that were matched"
        receipt, _ = receipts[each.delivery_id]
        told = {"kind": each.kind, "status": each.status, "reason": each.reason, "at": each.at.isoformat()}
        receipt["bounce"] = {name: value for name, value in told.items() if value is not None}
        word = "called spam" if each.kind == COMPLAINT else "bounced" if each.kind == HARD else "bounced for now"
        why = " ".join(part for part in (each.status, each.reason) if part)
        rows.append(
            {
                "b_id": each.delivery_id,
                "b_receipt": receipt,
                "b_error": f"{word}: {why}" if why else word,
                "b_kind": each.kind,
            }
        )
    settled = [DeliveryState.CONFIRMED.value, DeliveryState.UNKNOWN.value, DeliveryState.SENT.value]
    noted = update(delivery).where(row.id == bindparam("b_id"))
    values: Mapping[str, Any] = {
        "receipt": bindparam("b_receipt", type_=row.receipt.type),
        "error": bindparam("b_error"),
    }
    softly = [
        {name: value for name, value in each.items() if name != "b_kind"} for each in rows if each["b_kind"] != HARD
    ]
    hardly = [
        {name: value for name, value in each.items() if name != "b_kind"} for each in rows if each["b_kind"] == HARD
    ]
    if softly:
        await connection.execute(noted.values(**values), softly)
    if hardly:
        failed = noted.where(or_(*(row.state == state for state in settled)))
        await connection.execute(failed.values(**values, state=DeliveryState.FAILED.value), hardly)


async def count_soft(connection: Connection, addresses: Sequence[str], *, since: datetime) -> dict[str, int]:
    """{address: how often mail to it came back for a while since then}."""
    row = mail_bounce.c
    statement = (
        select(row.address, func.count())
        .where(row.address.in_(sorted(set(addresses))), row.kind == SOFT, row.at > since)
        .group_by(row.address)
    )
    return {address: count for address, count in await connection.execute(statement)}  # noqa: C416  rows, not pairs


async def find_bounces(
    connection: Connection, *, address: str | None = None, limit: int | None = None
) -> list[Bounced]:
    """The newest first."""
    statement = select(mail_bounce).order_by(mail_bounce.c.at.desc(), mail_bounce.c.id).limit(limit)
    if address is not None:
        statement = statement.where(mail_bounce.c.address == address.lower())
    return [
        Bounced(**{name: row[name] for name in Bounced.__dataclass_fields__})
        for row in (await connection.execute(statement)).mappings()
    ]
