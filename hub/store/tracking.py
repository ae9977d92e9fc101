"""Acts and users as tracking programs tell of them: kept once each, given a company once it is known, and found by day."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import bindparam, select, tuple_, update

from hub.store.among import among
from hub.store.bulk import write_rows
from hub.store.fitting import misfit
from hub.store.store import Connection
from hub.store.tables import tracked_act, tracked_user

OF_A_USER = ("company_key", "email", "name", "title", "created_at")
Day = tuple[str, date]
"""A company's key, and a day."""


def misfit_act(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """(column, why) where the table of acts cannot hold a row; one that it cannot would keep all others out."""
    return misfit(tracked_act, row)


def misfit_user(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """The same of what is said of a user."""
    return misfit(tracked_user, row)


async def insert_acts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep those that are not there yet; one without a company gets its user's."""
    source = rows[0]["source"]
    homeless = {row["user_key"] for row in rows if row["company_key"] is None}
    homes = {} if not homeless else await find_companies(connection, source, homeless)
    made = [{**row, "company_key": row["company_key"] or homes.get(row["user_key"]), "summed": False} for row in rows]
    await write_rows(connection, tracked_act, made, replace=False)


async def find_companies(connection: Connection, source: str, users: Collection[str]) -> dict[str, str]:
    """{user: its company} of those whose company is known."""
    c = tracked_user.c
    statement = select(c.user_key, c.company_key).where(
        c.source == source, c.company_key.is_not(None), among(connection, c.user_key, users)
    )
    return {row.user_key: row.company_key for row in await connection.execute(statement)}


async def merge_users(connection: Connection, source: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put what is said to what was said before, and return each user as it is known then.

    rows: {user_key, version, and some of `OF_A_USER`}; of two that say a thing the one with the higher version counts.
    """
    users = {row["user_key"] for row in rows}
    statement = select(tracked_user).where(
        tracked_user.c.source == source, among(connection, tracked_user.c.user_key, users)
    )
    found = (await connection.execute(statement)).mappings()
    known = {row["user_key"]: {str(name): value for name, value in row.items()} for row in found}
    for row in sorted(rows, key=lambda each: each["version"]):
        user = row["user_key"]
        before = known.get(user) or dict.fromkeys(OF_A_USER) | {"version": 0}
        older = row["version"] < before["version"]
        said = {name: row[name] for name in OF_A_USER if row.get(name) is not None}
        held = {name: before[name] for name in OF_A_USER if before[name] is not None}
        known[user] = {
            "id": f"{source}:{user}",
            "source": source,
            "user_key": user,
            "version": max(row["version"], before["version"]),
            **dict.fromkeys(OF_A_USER),
            **({**said, **held} if older else {**held, **said}),
        }
    merged = list(known.values())
    await write_rows(connection, tracked_user, merged, replace=True)
    return merged


async def adopt_acts(connection: Connection, source: str, companies: Mapping[str, str]) -> None:
    """Acts of users whose company was not known get it: {user: company}."""
    if not companies:
        return
    c = tracked_act.c
    statement = (
        update(tracked_act)
        .where(c.source == source, c.user_key == bindparam("of_user"), c.company_key.is_(None))
        .values(company_key=bindparam("its_company"), summed=False)
    )
    rows = [{"of_user": user, "its_company": company} for user, company in sorted(companies.items())]
    await connection.execute(statement, rows)


async def find_unsummed(connection: Connection, source: str, *, most: int) -> list[Day]:
    """Days of companies that have got acts since they were summed."""
    c = tracked_act.c
    statement = (
        select(c.company_key, c.day)
        .where(c.source == source, c.summed.is_(False), c.company_key.is_not(None))
        .distinct()
        .order_by(c.company_key, c.day)
        .limit(most)
    )
    return [(row.company_key, row.day) for row in await connection.execute(statement)]


async def find_unsummed_sources(connection: Connection) -> list[str]:
    c = tracked_act.c
    statement = select(c.source).where(c.summed.is_(False), c.company_key.is_not(None)).distinct().order_by(c.source)
    return list((await connection.execute(statement)).scalars())


async def find_acts(connection: Connection, source: str, days: Sequence[Day]) -> list[Any]:
    """All acts of these days: (name, company_key, user_key, at, id, version)."""
    c = tracked_act.c
    statement = select(c.name, c.company_key, c.user_key, c.at, c.id, c.version).where(
        c.source == source, tuple_(c.company_key, c.day).in_(days)
    )
    return list((await connection.execute(statement)).all())


async def note_summed(connection: Connection, source: str, days: Sequence[Day]) -> None:
    """Before their acts are read: what comes in between is read and summed once more, and never left out."""
    c = tracked_act.c
    which = (c.source == source, tuple_(c.company_key, c.day).in_(days), c.summed.is_(False))
    await connection.execute(update(tracked_act).where(*which).values(summed=True))
