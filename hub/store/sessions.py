"""Sessions of the dashboard as stored: never what the cookie holds, only its digest, with the token they rest on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select

from hub.model.actions import Role
from hub.store.among import among
from hub.store.store import Connection
from hub.store.tables import api_token, web_session
from hub.store.tokens import Token, token_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session; of a token, or of a person as the issuer named them.

    token_digest   of the secret that was signed in with
    idle_minutes   so long it may rest
    last_used_at   up to a minute behind
    """

    id: str
    token_id: str | None = None
    token_digest: str | None = None
    issuer: str | None = None
    subject: str | None = None
    name: str | None = None
    role: Role | None = None
    csm_email: str | None = None
    created_at: datetime
    expires_at: datetime
    idle_minutes: int
    last_used_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A session and its token. present: whether the token's present secret was signed in with, or the one before;
    None where it was neither."""

    session: Session
    token: Token | None = None
    present: bool | None = None

    def stands(self, now: datetime, *, used_at: datetime | None = None, late: timedelta = timedelta(0)) -> bool:
        """Whether it opens. used_at: a later use than the stored one, where one is known. late: so much longer it may rest."""
        session, token = self.session, self.token
        last = session.last_used_at if used_at is None else max(session.last_used_at, used_at)
        rested = now >= last + timedelta(minutes=session.idle_minutes) + late
        if session.ended_at is not None or now >= session.expires_at or rested:
            return False
        if session.token_id is None:
            return True
        if token is None or not token.valid(now) or self.present is None:
            return False
        return self.present or (token.previous_until is not None and now < token.previous_until)


_own = [web_session.c[name] for name in Session.__dataclass_fields__]
_tokens = [api_token.c[name].label(f"token__{name}") for name in Token.__dataclass_fields__]
_secrets = [api_token.c.digest.label("present_digest"), api_token.c.previous_digest]


async def insert(connection: Connection, session: Session, *, digest: str) -> None:
    row = {name: getattr(session, name) for name in Session.__dataclass_fields__}
    role = None if session.role is None else session.role.value
    await connection.execute(web_session.insert(), [{**row, "role": role, "digest": digest}])


async def find_by_digest(connection: Connection, digest: str) -> Found | None:
    found = await _find(connection, web_session.c.digest == digest)
    return found[0] if found else None


async def find_by_ids(connection: Connection, ids: Collection[str]) -> dict[str, Found]:
    """{session's id: what is known of it} of those there are; one statement."""
    found = await _find(connection, among(connection, web_session.c.id, ids))
    return {each.session.id: each for each in found}


async def end(connection: Connection, session_id: str, *, now: datetime) -> bool:
    """Whether there was one to end."""
    row = web_session.c
    statement = web_session.update().where(row.id == session_id, row.ended_at.is_(None)).values(ended_at=now)
    return bool((await connection.execute(statement)).rowcount)


async def note_use(connection: Connection, used: Mapping[str, datetime]) -> None:
    """{session's id: when it was used last}: all of them at once; a later use that is known already stays."""
    row = web_session.c
    at = bindparam("at", type_=row.last_used_at.type)
    statement = web_session.update().where(row.id == bindparam("session"), row.last_used_at < at)
    if used:
        rows = [{"session": id_, "at": when} for id_, when in sorted(used.items())]
        await connection.execute(statement.values(last_used_at=at), rows)


async def _find(connection: Connection, test: ColumnElement[bool]) -> Sequence[Found]:
    joined = web_session.outerjoin(api_token, api_token.c.id == web_session.c.token_id)
    statement = select(*_own, *_tokens, *_secrets).select_from(joined).where(test)
    return [_found(row) for row in await connection.execute(statement)]


def _found(row: Any) -> Found:
    row = row._mapping
    values = {name: row[name] for name in Session.__dataclass_fields__}
    session = Session(**{**values, "role": None if values["role"] is None else Role(values["role"])})
    if row["token__id"] is None:
        return Found(session=session)
    present = {row["previous_digest"]: False, row["present_digest"]: True}.get(session.token_digest)
    return Found(
        session=session,
        token=token_of({name: row[f"token__{name}"] for name in Token.__dataclass_fields__}),
        present=present,
    )
