"""Tokens of the API as stored: never the secret, only its digest; while a rotation overlaps, of the secret before too."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, or_, select

from hub.model.actions import Role, Scope
from hub.store.among import among
from hub.store.store import Connection
from hub.store.tables import api_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token without its secret.

    scopes          what it was narrowed to; None: all of its role
    rotated_at      when it got its present secret, if that is not its first
    previous_until  until when the secret before opens too
    """

    id: str
    name: str
    role: Role
    csm_email: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    scopes: tuple[Scope, ...] | None = None
    last_used_at: datetime | None = None
    rotated_at: datetime | None = None
    previous_until: datetime | None = None

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a token gives now. scopes: None: all of its role."""

    role: str
    csm_email: str | None
    scopes: frozenset[str] | None
    expires_at: datetime | None
    revoked_at: datetime | None

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_columns = [api_token.c[name] for name in Token.__dataclass_fields__]


async def insert(connection: Connection, token: Token, *, digest: str) -> None:
    row = {column.name: getattr(token, column.name) for column in _columns}
    scopes = None if token.scopes is None else [scope.value for scope in token.scopes]
    await connection.execute(
        api_token.insert(), [{**row, "role": token.role.value, "scopes": scopes, "digest": digest}]
    )


async def find_by_digest(connection: Connection, digest: str) -> tuple[Token, bool] | None:
    """The token whose secret, or the one before, has this digest, and whether it is the present one."""
    row = api_token.c
    statement = select(*_columns, row.digest).where(or_(row.digest == digest, row.previous_digest == digest))
    found = (await connection.execute(statement)).one_or_none()
    return None if found is None else (_token(found), found.digest == digest)


async def find_by_id(connection: Connection, token_id: str) -> Token | None:
    return await _find(connection, select(*_columns).where(api_token.c.id == token_id))


async def find_standing(connection: Connection, token_ids: Collection[str]) -> dict[str, Standing]:
    """{token's id: what it gives now} of those there are; one statement."""
    names = Standing.__dataclass_fields__
    statement = select(api_token.c.id, *(api_token.c[name] for name in names))
    found = {}
    for row in await connection.execute(statement.where(among(connection, api_token.c.id, token_ids))):
        values = {name: row._mapping[name] for name in names}
        scopes = None if values["scopes"] is None else frozenset(values["scopes"])
        found[row.id] = Standing(**{**values, "scopes": scopes})
    return found


async def find_all(connection: Connection) -> Sequence[Token]:
    """Newest first."""
    rows = await connection.execute(select(*_columns).order_by(api_token.c.created_at.desc(), api_token.c.id))
    return [_token(row) for row in rows]


async def revoke(connection: Connection, token_id: str, *, now: datetime) -> None:
    """Mark the token revoked, if there is one that is not."""
    await connection.execute(
        api_token.update().where(api_token.c.id == token_id, api_token.c.revoked_at.is_(None)).values(revoked_at=now)
    )


async def rotate(
    connection: Connection, token_id: str, *, digest: str, previous_until: datetime, now: datetime
) -> bool:
    """Give a token that is not revoked another secret; the present one opens until then, one before it no more."""
    row = api_token.c
    values = {
        "previous_digest": row.digest,
        "previous_until": previous_until,
        "digest": digest,
        "rotated_at": now,
    }
    statement = api_token.update().where(row.id == token_id, row.revoked_at.is_(None)).values(values)
    return bool((await connection.execute(statement)).rowcount)


async def note_use(connection: Connection, used: Mapping[str, datetime]) -> None:
    """{token id: when it was used last}: all of them at once; a later use that is known already stays."""
    row = api_token.c
    at = bindparam("at", type_=row.last_used_at.type)
    earlier = or_(row.last_used_at.is_(None), row.last_used_at < at)
    statement = api_token.update().where(row.id == bindparam("token"), earlier).values(last_used_at=at)
    if used:
        await connection.execute(statement, [{"token": id_, "at": at} for id_, at in sorted(used.items())])


async def _find(connection: Connection, statement: Select[Any]) -> Token | None:
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _token(row)


def _token(row: Any) -> Token:
    return token_of({name: row._mapping[name] for name in Token.__dataclass_fields__})


def token_of(values: Mapping[str, Any]) -> Token:
    """Of the values of its columns."""
    scopes = values["scopes"]
    return Token(
        **{
            **values,
            "role": Role(values["role"]),
            "scopes": None if scopes is None else tuple(Scope(scope) for scope in scopes),
        }
    )
