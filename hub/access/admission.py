"""Who a request comes from: the token it carries, or the JWT of the company's own sign-on, as a viewer with a book or none.

A token that was looked up is known for a second (`KNOWN_FOR`), so that a frontend's requests cost no statement each. What is
revoked or rotated away is therefore refused within a second, in every process. A token's expiry is looked at each time.

When a token was used last is kept here and written for all tokens at once, at most once a minute; `close` writes the rest.
Browsers have a session instead (hub.access.sessions), which holds as long as what it rests on.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from hub.access import tokens
from hub.access.code_flow import CodeFlow
from hub.access.last_use import LastUse
from hub.access.sessions import Sessions
from hub.access.viewer import Viewer, book_of
from hub.model.actions import Role
from hub.store import Store
from hub.store import tokens as stored
from hub.store.tokens import Token

KNOWN_FOR = timedelta(seconds=1)
MOST_KNOWN = 10_000
_LONGEST_JWT = 16_000


class SignOn(Protocol):
    """Reads the access tokens of an issuer; see hub.access.oidc."""

    async def find_viewer(self, token: str, *, now: datetime) -> Viewer | None: ...

    async def close(self) -> None: ...


class Admission:
    """books: whether a CSM sees only the customers that are its own. `sign_on`: None where only our tokens open.

    sessions   of browsers; None: there are none
    code_flow  where people sign in at the company's own sign-on; None: they do not
    """

    def __init__(
        self,
        store: Store,
        *,
        books: bool = False,
        sign_on: SignOn | None = None,
        sessions: Sessions | None = None,
        code_flow: CodeFlow | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._books = books
        self._sign_on = sign_on
        self._monotonic = monotonic
        self._known: OrderedDict[str, tuple[float, Token, bool, Viewer]] = OrderedDict()
        self.uses = LastUse(store, stored.note_use, what="tokens", monotonic=monotonic)
        self.sessions = sessions
        self.code_flow = code_flow

    async def find_viewer(self, secret: str, *, now: datetime) -> Viewer | None:
        """Whose `secret`, what stands behind `Bearer`, is; None where nobody may come in with it."""
        if tokens.is_one(secret):
            holder = await self._holder(secret, now=now)
            if holder is not None:
                self.uses.note(holder.token_id, now=now)
            return holder
        if self._sign_on is None or secret.count(".") != 2 or len(secret) > _LONGEST_JWT:
            return None
        viewer = await self._sign_on.find_viewer(secret, now=now)
        if viewer is None:
            return None
        return replace(viewer, book=self._book(viewer.role, viewer.csm_email))

    async def find_by_session(self, secret: str, *, now: datetime) -> Viewer | None:
        """Whose session it is that a cookie of ours says; None where it is none, or none any more."""
        if self.sessions is None:
            return None
        viewer = await self.sessions.find_viewer(secret, now=now)
        if viewer is None:
            return None
        if viewer.token_id.startswith(tokens.ID):
            self.uses.note(viewer.token_id, now=now)
        return replace(viewer, book=self._book(viewer.role, viewer.csm_email))

    async def close(self) -> None:
        """Write what is not written yet."""
        await self.uses.close()
        if self.sessions is not None:
            await self.sessions.close()
        if self._sign_on is not None:
            await self._sign_on.close()
        if self.code_flow is not None:
            await self.code_flow.close()

    def _book(self, role: Role, csm_email: str | None) -> str | None:
        return book_of(role, csm_email, books=self._books)

    async def _holder(self, secret: str, *, now: datetime) -> Viewer | None:
        key = tokens.digest(secret)
        at = self._monotonic()
        known = self._known.get(key)
        if known is not None and at - known[0] < KNOWN_FOR.total_seconds():
            _, token, present, viewer = known
        else:
            async with self._store.reading() as connection:
                found = await stored.find_by_digest(connection, key)
            if found is None:
                self._known.pop(key, None)
                return None
            token, present = found
            viewer = tokens.viewer_of(token, book=self._book(token.role, token.csm_email))
            self._known[key] = (at, token, present, viewer)
            self._known.move_to_end(key)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return viewer if tokens.opens(token, present=present, now=now) else None
