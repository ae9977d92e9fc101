"""Sign in and out of the dashboard, each in the audit log: who, by what, from which address; and who tried and could not.

What somebody tried with is never noted: it may be the right secret of another place.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub.access import tokens
from hub.access.acting import act
from hub.access.sessions import Opened, Person, Sessions
from hub.access.viewer import Viewer
from hub.store import Store, audit
from hub.store.audit import ASKED, OUTCOME, Record

SIGN_IN, SIGN_OUT = "signIn", "signOut"
SUBJECT = "dashboard"
NOBODY = "(nobody)"
"""The actor where nobody knows who it was."""
BY_TOKEN, BY_ISSUER = "token", "issuer"


async def sign_in_with_token(
    store: Store, sessions: Sessions, secret: str, *, address: str, now: datetime
) -> Opened | None:
    """A new session of whose token it is; None where the secret opens nothing."""
    token = await tokens.find_token(store, secret, now=now)
    if token is None:
        await note_failed(store, by=BY_TOKEN, why="no valid token", address=address, now=now)
        return None
    return await _opened(
        store,
        tokens.viewer_of(token),
        lambda: sessions.open_by_token(token, secret, now=now),
        by=BY_TOKEN,
        address=address,
        now=now,
    )


async def sign_in_person(store: Store, sessions: Sessions, person: Person, *, address: str, now: datetime) -> Opened:
    """A new session of somebody the issuer has vouched for."""
    return await _opened(
        store, person.viewer, lambda: sessions.open_for(person, now=now), by=BY_ISSUER, address=address, now=now
    )


async def sign_out(store: Store, sessions: Sessions, viewer: Viewer, *, address: str, now: datetime) -> None:
    """End the session that the viewer came with."""
    session = viewer.session
    assert session is not None, "who came with a token has no session to end"

    async def run() -> Mapping[str, Any]:
        await sessions.end(session, now=now)
        return {}

    request = {"session": session, "address": address}
    await act(store, viewer, action=SIGN_OUT, subject=SUBJECT, request=request, now=now, run=run)


async def note_failed(store: Store, *, by: str, why: str, address: str, now: datetime) -> None:
    """Somebody tried to sign in, and was refused."""
    asked = Record(
        entry_id=audit.new_entry(),
        kind=ASKED,
        at=now,
        actor=NOBODY,
        action=SIGN_IN,
        subject=SUBJECT,
        detail={"request": {"by": by, "address": address}},
    )
    ended = replace(asked, kind=OUTCOME, detail={"outcome": f"refused: {why}"})
    await audit.append_alone(store, [asked, ended])


async def _opened(
    store: Store, viewer: Viewer, open_: Callable[[], Awaitable[Opened]], *, by: str, address: str, now: datetime
) -> Opened:
    made: list[Opened] = []

    async def run() -> Mapping[str, Any]:
        made.append(await open_())
        return {}

    request = {"by": by, "address": address}
    await act(store, viewer, action=SIGN_IN, subject=SUBJECT, request=request, now=now, run=run)
    return made[0]
