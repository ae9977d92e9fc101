"""Tokens of the API as stored: never the secret, only its digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from hub.model.actions import Role
from hub.store.store import Connection
from hub.store.tables import api_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token without its secret."""

    id: str
    name: str
    role: Role
    csm_email: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_columns = [api_token.c[name] for name in ("id", "name", "role", "csm_email", "created_at", "expires_at", "revoked_at")]


async def insert(connection: Connection, token: Token, *, digest: str) -> None:
    row = {column.name: getattr(token, column.name) for column in _columns}
    await connection.execute(api_token.insert(), [{**row, "role": token.role.value, "digest": digest}])


async def find_by_digest(connection: Connection, digest: str) -> Token | None:
    return await _find(connection, select(*_columns).where(api_token.c.digest == digest))


async def find_by_id(connection: Connection, token_id: str) -> Token | None:
    return await _find(connection, select(*_columns).where(api_token.c.id == token_id))


async def find_all(connection: Connection) -> Sequence[Token]:
    """Newest first."""
    rows = await connection.execute(select(*_columns).order_by(api_token.c.created_at.desc(), api_token.c.id))
    return [_token(row) for row in rows]


async def revoke(connection: Connection, token_id: str, *, now: datetime) -> None:
    """Mark the token revoked, if there is one that is not."""
    await connection.execute(
        api_token.update().where(api_token.c.id == token_id, api_token.c.revoked_at.is_(None)).values(revoked_at=now)
    )


async def _find(connection: Connection, statement: Select[Any]) -> Token | None:
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _token(row)


def _token(row: Any) -> Token:
    values = dict(row._mapping)
    return Token(**{**values, "role": Role(values["role"])})
