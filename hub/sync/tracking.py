"""Use case: rows that are single acts, or say something of a user (`Stream.tracked`): kept, then summed into days.

Two steps, each a transaction. Acts are kept with the event that brought them; a company's days that have got more are then
summed anew from all their acts, and land as records of the stream. A process that dies in between leaves days that say so
(`tracked_act.summed`), and the next one sums them. An act that comes later than `LATE` is put aside and told: its day's other
acts may be gone by then.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kit.base import BadRowError, Page, Raw, Stream
from connectors.kit.tracking import Act, Profile
from connectors.kit.usage import Usage
from hub.model.records import Quarantined, UserActivityDay
from hub.store import Connection
from hub.store.privacy.tombstones import Veil
from hub.store.tracking import (
    adopt_acts,
    find_acts,
    find_unsummed,
    insert_acts,
    merge_users,
    misfit_act,
    misfit_user,
    note_summed,
)

LATE = timedelta(days=35)
KEPT = timedelta(days=40)
"""For how long acts are kept; longer than `LATE`, so that a day is summed from all of them."""
DAYS_AT_ONCE = 400


async def note_tracked(
    connection: Connection, stream: Stream, raws: Sequence[Raw], *, source: str, veil: Veil, now: datetime
) -> Page:
    """Keep what the rows tell. Returns what lands at once: users as they are known now, and rows that cannot be read."""
    acts: list[dict[str, Any]] = []
    profiles: list[dict[str, Any]] = []
    faults: list[Quarantined] = []
    for raw in raws:
        try:
            told = _read(stream, raw, now=now)
        except BadRowError as error:
            faults.append(Quarantined(key=stream.key(raw), reason=str(error), field=error.field, raw=raw))
            continue
        row = _act(told, source) if isinstance(told, Act) else _profile(told)
        if (problem := misfit_act(row) if isinstance(told, Act) else misfit_user(row)) is not None:
            field, why = problem
            faults.append(Quarantined(key=stream.key(raw), reason=f"{field}: {why}", field=field, raw=raw))
        elif isinstance(told, Act):
            acts.append(row)
        else:
            profiles.append(row)
    if await veil.look(connection):
        acts, profiles = _veiled(veil, acts, profiles, source=source)
    if acts:
        await insert_acts(connection, acts)
    users = await merge_users(connection, source, profiles) if profiles else []
    await adopt_acts(connection, source, {row["user_key"]: row["company_key"] for row in users if row["company_key"]})
    return Page(rows=[_row(user) for user in users], faults=faults)


async def sum_days(connection: Connection, *, source: str) -> tuple[list[Raw], bool]:
    """Rows of some of the days that have got more, which count as summed with this transaction; and whether more are left."""
    days = await find_unsummed(connection, source, most=DAYS_AT_ONCE)
    if not days:
        return [], False
    await note_summed(connection, source, days)
    usage = Usage()
    usage.add(
        (row.name, row.company_key, row.user_key, int(row.at.timestamp()), row.id, row.version, {})
        for row in await find_acts(connection, source, days)
    )
    return list(usage.rows()), len(days) == DAYS_AT_ONCE


def sums(stream: Stream) -> bool:
    """Whether days of use land in this stream."""
    return stream.tracked is not None and UserActivityDay in stream.makes


def _read(stream: Stream, raw: Raw, *, now: datetime) -> Act | Profile:
    assert stream.tracked is not None, "chosen by it"
    try:
        told = stream.tracked(raw)
    except KeyError as error:
        name = str(error.args[0]) if error.args else None
        raise BadRowError(f"field {name!r} is missing", field=name) from None
    except (TypeError, ValueError, AttributeError) as error:
        if isinstance(error, BadRowError):
            raise
        raise BadRowError(f"unexpected shape: {error}") from None
    if isinstance(told, Act) and now - told.at > LATE:
        raise BadRowError(
            f"it happened on {told.at:%Y-%m-%d}, and acts are taken for {LATE.days} days", field="timestamp"
        )
    return told


def _veiled(
    veil: Veil, acts: Sequence[dict[str, Any]], profiles: Sequence[dict[str, Any]], *, source: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Without the erased: their acts go by their pseudonyms, so that days count what they did, and nothing is said of them."""

    def of_company(row: dict[str, Any]) -> bool:
        return row["company_key"] is not None and veil.of_company(source, row["company_key"])

    named = [{**row, "user_key": veil.of_user(source, row["user_key"]) or row["user_key"]} for row in acts]
    told = [row for row in profiles if veil.of_user(source, row["user_key"]) is None]
    return (
        [row for row in named if not of_company(row)],
        [row for row in told if not (of_company(row) or (row["email"] and veil.of_email(row["email"])))],
    )


def _act(told: Act, source: str) -> dict[str, Any]:
    return {
        "id": f"{source}:{told.id}"[:300],
        "source": source,
        "user_key": told.user,
        "company_key": told.company,
        "day": told.at.astimezone(UTC).date(),
        "at": told.at,
        "name": told.name,
        "version": told.version,
    }


def _profile(told: Profile) -> dict[str, Any]:
    return {
        "user_key": told.user,
        "version": told.version,
        "company_key": told.company,
        "email": told.email,
        "name": told.name,
        "title": told.title,
        "created_at": told.created_at,
    }


def _row(user: dict[str, Any]) -> Raw:
    return {
        "kind": "profile",
        "user": user["user_key"],
        "company": user["company_key"],
        "email": user["email"],
        "name": user["name"],
        "title": user["title"],
        "created_at": user["created_at"].isoformat() if user["created_at"] else None,
        "version": user["version"],
    }
