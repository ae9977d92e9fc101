"""Sessions of browsers: opened by who signs in, held by a signed cookie, and ended with what they rest on.

    opened = await sessions.open_by_token(token, secret, now=now)
    opened.cookie                                    what the cookie holds from now on
    await sessions.find_viewer(cookie, now=now)      who that is; None where the session is over

`hub.access.signing_in` is what opens and ends them, and has it in the audit log.

A session has an id of its own, new at every sign-in, and 32 random bytes that only the cookie knows; the store has their
SHA-256. It ends when somebody signs out, `hours` after it began, after resting for `idle`, and with the token that was
signed in with: revoked, expired, or rotated away. One that was looked up is known for a second, as tokens are, so all of that
is so within a second in every process. A session that began at the issuer holds the role that the issuer named then.
"""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hub.access import tokens
from hub.access.last_use import LastUse
from hub.access.links import LinkError, Links
from hub.access.viewer import Viewer, person_id
from hub.store import Store
from hub.store import sessions as stored
from hub.store.sessions import Found, Session
from hub.store.tokens import Token

KNOWN_FOR = timedelta(seconds=1)
MOST_KNOWN = 10_000
PURPOSE = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """hub.yaml's `dashboard`. url: where people reach the hub. issuer: whose sessions hold; None: none but of tokens."""

    url: str
    hours: float = 12.0
    idle_minutes: int = 240
    issuer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who signed in at the issuer. viewer: as hub.access.oidc reads the claims."""

    issuer: str
    subject: str
    viewer: Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session and, this once, what the cookie holds."""

    viewer: Viewer
    cookie: str = field(repr=False)
    expires_at: datetime


class Sessions:
    """See the module. One for a process."""

    def __init__(
        self,
        store: Store,
        links: Links,
        rules: SessionRules,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._links = links
        self.rules = rules
        self._monotonic = monotonic
        self._known: OrderedDict[str, tuple[float, Found]] = OrderedDict()
        self._uses = LastUse(store, stored.note_use, what="sessions", monotonic=monotonic)

    async def open_by_token(self, token: Token, secret: str, *, now: datetime) -> Opened:
        """A session that rests on one of our tokens, which this secret of it opens."""
        session = replace(self._new(now), token_id=token.id, token_digest=tokens.digest(secret))
        return await self._open(Found(session=session, token=token, present=True))

    async def open_for(self, person: Person, *, now: datetime) -> Opened:
        """A session of somebody the issuer has vouched for."""
        viewer = person.viewer
        session = replace(
            self._new(now),
            issuer=person.issuer,
            subject=person.subject,
            name=viewer.name,
            role=viewer.role,
            csm_email=viewer.csm_email,
        )
        return await self._open(Found(session=session))

    async def find_viewer(self, cookie: str, *, now: datetime) -> Viewer | None:
        """Whose session the cookie is of; None where it is of none, or of one that is over."""
        try:
            secret = str(self._links.read(PURPOSE, cookie, now=now)["s"])
        except (LinkError, KeyError):
            return None
        digest = _digest(secret)
        at = self._monotonic()
        known = self._known.get(digest)
        if known is not None and at - known[0] < KNOWN_FOR.total_seconds():
            found = known[1]
        else:
            async with self._store.reading() as connection:
                looked_up = await stored.find_by_digest(connection, digest)
            if looked_up is None:
                self._known.pop(digest, None)
                return None
            found = looked_up
            self._known[digest] = (at, found)
            self._known.move_to_end(digest)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        id_ = found.session.id
        if not self._holds(found) or not found.stands(now, used_at=self._uses.of(id_)):
            return None
        self._uses.note(id_, now=now)
        return viewer_of(found)

    async def end(self, session_id: str, *, now: datetime) -> None:
        """End it: here at once, in other processes within a second."""
        async with self._store.transaction() as connection:
            await stored.end(connection, session_id, now=now)
        for digest in [digest for digest, (_, found) in self._known.items() if found.session.id == session_id]:
            del self._known[digest]

    async def close(self) -> None:
        """Write what is not written yet."""
        await self._uses.close()

    def _holds(self, found: Found) -> bool:
        """Whether who vouched for it is still asked."""
        return found.session.issuer is None or found.session.issuer == self.rules.issuer

    def _new(self, now: datetime) -> Session:
        return Session(
            id=f"ses_{secrets.token_hex(8)}",
            created_at=now,
            expires_at=now + timedelta(hours=self.rules.hours),
            idle_minutes=self.rules.idle_minutes,
            last_used_at=now,
        )

    async def _open(self, found: Found) -> Opened:
        secret = secrets.token_urlsafe(32)
        session = found.session
        async with self._store.transaction() as connection:
            await stored.insert(connection, session, digest=_digest(secret))
        cookie = self._links.sign(PURPOSE, {"s": secret}, expires_at=session.expires_at)
        return Opened(viewer=viewer_of(found), cookie=cookie, expires_at=session.expires_at)


def viewer_of(found: Found) -> Viewer:
    """Who has the session; what the token gives now, or what the issuer said then."""
    session, token = found.session, found.token
    if token is not None:
        ends = session.expires_at if token.expires_at is None else min(session.expires_at, token.expires_at)
        return Viewer(
            token_id=token.id,
            name=token.name,
            role=token.role,
            csm_email=token.csm_email,
            expires_at=ends,
            granted=None if token.scopes is None else frozenset(token.scopes),
            session=session.id,
        )
    assert session.issuer is not None, "a session is a token's or a person's"
    assert session.subject is not None, "the issuer names whom it vouches for"
    assert session.role is not None, "nobody comes in without one"
    return Viewer(
        token_id=person_id(session.issuer, session.subject),
        name=session.name or session.subject,
        role=session.role,
        csm_email=session.csm_email,
        expires_at=session.expires_at,
        session=session.id,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
