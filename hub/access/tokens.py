"""Tokens of the API: a secret shown once, of which only the SHA-256 is stored.

A secret is "cshub_" and 32 random bytes: too many to guess, so a plain digest is enough (it is no password), and looking
the digest up takes no time that would tell anything about the secret.

A token that is rotated stays the same token with the same id, and gets another secret; the one before opens for a while
too, so that who uses it can change over. What requests go through, with a cache, is `hub.access.admission`.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.access.viewer import SCOPES, Viewer
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Role, Scope
from hub.store import Store
from hub.store import tokens as stored
from hub.store.tokens import Token

PREFIX = "cshub_"
ID = "tok_"
"""What ids of tokens begin with; ids of those who came without one begin otherwise."""
LONGEST_OVERLAP = timedelta(days=90)
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
    scopes: Collection[Scope] | None = None,
    within: Collection[Scope] | None = None,
) -> NewToken:
    """Make a token. RefusedError where it would never be valid, has no name, or would have a scope its role lacks.

    scopes  None: all of its role
    within  the scopes of who makes it: it gets none that they lack; None: whoever has the store
    """
    _check_within(SCOPES[role] if scopes is None else scopes, within)
    if not name.strip():
        raise RefusedError("a token needs a name: whose it is, or what it is for")
    if expires_at is not None and expires_at <= now:
        raise RefusedError(f"the token would have expired already ({expires_at.isoformat()})")
    if scopes is not None and (beyond := sorted(set(scopes) - SCOPES[role])):
        there = ", ".join(sorted(SCOPES[role]))
        raise RefusedError(f"the role {role.value} has no scope {', '.join(beyond)}; it has {there}")
    if scopes is not None and not scopes:
        raise RefusedError(f"a token needs a scope; the role {role.value} has {', '.join(sorted(SCOPES[role]))}")
    secret = _secret()
    token = Token(
        id=f"{ID}{secrets.token_hex(8)}",
        name=name.strip(),
        role=role,
        csm_email=csm_email.strip().lower() if csm_email else None,
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
        scopes=None if scopes is None else tuple(sorted(set(scopes))),
    )
    async with store.transaction() as connection:
        await stored.insert(connection, token, digest=digest(secret))
    return NewToken(token, secret)


def _check_within(scopes: Collection[Scope], within: Collection[Scope] | None) -> None:
    if within is not None and (beyond := sorted(set(scopes) - set(within))):
        raise RefusedError(f"your own token has no scope {', '.join(beyond)}: it can make and rotate none that has")


async def rotate(
    store: Store, token_id: str, *, overlap: timedelta, now: datetime, within: Collection[Scope] | None = None
) -> NewToken:
    """Give a token another secret; the present one opens for `overlap` more. `within`: as of `create`.

    NotFoundError where there is no such token; RefusedError where it is revoked or expired.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise RefusedError(f"the overlap must be 0 to {LONGEST_OVERLAP.days} days")
    secret = _secret()
    async with store.transaction() as connection:
        before = await stored.find_by_id(connection, token_id)
        if before is None:
            raise NotFoundError(f"no token {token_id!r}")
        _check_within(SCOPES[before.role] if before.scopes is None else before.scopes, within)
        until = now + overlap
        if not before.valid(now) or not await stored.rotate(
            connection, token_id, digest=digest(secret), previous_until=until, now=now
        ):
            raise RefusedError(f"{token_id} is not valid any more: make a new token")
        token = await stored.find_by_id(connection, token_id)
    assert token is not None, "it was just rotated"
    return NewToken(token, secret)


async def find_token(store: Store, secret: str, *, now: datetime) -> Token | None:
    """The token that `secret` opens now, looked up; None where there is none."""
    if not is_one(secret):
        return None
    async with store.reading() as connection:
        found = await stored.find_by_digest(connection, digest(secret))
    if found is None:
        return None
    token, present = found
    return token if opens(token, present=present, now=now) else None


def opens(token: Token, *, present: bool, now: datetime) -> bool:
    """Whether a secret of the token opens now: its `present` one, or the one before."""
    overlaps = token.previous_until is not None and now < token.previous_until
    return token.valid(now) and (present or overlaps)


async def find_viewer(store: Store, secret: str, *, now: datetime) -> Viewer | None:
    """Who holds `secret`, where every CSM sees all customers; None where no valid token has it."""
    token = await find_token(store, secret, now=now)
    return None if token is None else viewer_of(token)


def viewer_of(token: Token, *, book: str | None = None) -> Viewer:
    """The holder of a token."""
    return Viewer(
        token_id=token.id,
        name=token.name,
        role=token.role,
        csm_email=token.csm_email,
        expires_at=token.expires_at,
        granted=None if token.scopes is None else frozenset(token.scopes),
        book=book,
    )


async def list_tokens(store: Store) -> Sequence[Token]:
    """All tokens, newest first, the revoked and expired among them."""
    async with store.reading() as connection:
        return await stored.find_all(connection)


async def revoke(store: Store, token_id: str, *, now: datetime) -> Token:
    """Make a token invalid from now on, all its secrets; revoking twice changes nothing. NotFoundError for none."""
    async with store.transaction() as connection:
        await stored.revoke(connection, token_id, now=now)
        token = await stored.find_by_id(connection, token_id)
    if token is None:
        raise NotFoundError(f"no token {token_id!r}")
    return token


def is_one(secret: str) -> bool:
    """Whether it looks like a secret of ours."""
    return secret.startswith(PREFIX) and len(secret) <= _LONGEST


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)
