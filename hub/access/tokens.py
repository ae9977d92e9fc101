"""Tokens of the API: a secret shown once, of which only the SHA-256 is stored.

A secret is "cshub_" and 32 random bytes: too many to guess, so a plain digest is enough (it is no password), and looking
the digest up takes no time that would tell anything about the secret.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.access.viewer import Viewer
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Role
from hub.store import Store
from hub.store import tokens as stored
from hub.store.tokens import Token

PREFIX = "cshub_"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token and, this once, its secret."""

    token: Token
    secret: str = field(repr=False)


async def create(
    store: Store,
    *,
    name: str,
    role: Role,
    now: datetime,
    csm_email: str | None = None,
    expires_at: datetime | None = None,
) -> NewToken:
    """Make a token. RefusedError where it would never be valid or has no name."""
    if not name.strip():
        raise RefusedError("a token needs a name: whose it is, or what it is for")
    if expires_at is not None and expires_at <= now:
        raise RefusedError(f"the token would have expired already ({expires_at.isoformat()})")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        id=f"tok_{secrets.token_hex(8)}",
        name=name.strip(),
        role=role,
        csm_email=csm_email,
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
    )
    async with store.transaction() as connection:
        await stored.insert(connection, token, digest=digest(secret))
    return NewToken(token, secret)


async def find_viewer(store: Store, secret: str, *, now: datetime) -> Viewer | None:
    """Who holds `secret`; None where no valid token has it."""
    if not secret.startswith(PREFIX) or len(secret) > _LONGEST:
        return None
    async with store.reading() as connection:
        token = await stored.find_by_digest(connection, digest(secret))
    if token is None or not token.valid(now):
        return None
    return Viewer(
        token_id=token.id, name=token.name, role=token.role, csm_email=token.csm_email, expires_at=token.expires_at
    )


async def list_tokens(store: Store) -> Sequence[Token]:
    """All tokens, newest first, the revoked and expired among them."""
    async with store.reading() as connection:
        return await stored.find_all(connection)


async def revoke(store: Store, token_id: str, *, now: datetime) -> Token:
    """Make a token invalid from now on; revoking twice changes nothing. NotFoundError where there is none."""
    async with store.transaction() as connection:
        await stored.revoke(connection, token_id, now=now)
        token = await stored.find_by_id(connection, token_id)
    if token is None:
        raise NotFoundError(f"no token {token_id!r}")
    return token


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
