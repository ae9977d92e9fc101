"""Whether those who stay connected still have the token they came with: asked again and again, for all of them at once."""

from collections.abc import Collection
from datetime import datetime, timedelta

from hub.access.tokens import ID
from hub.access.viewer import Viewer
from hub.store import Store
from hub.store.sessions import Found, find_by_ids
from hub.store.tokens import Standing, find_standing

WRITTEN_LATE = timedelta(minutes=2)


async def find_ended(store: Store, viewers: Collection[Viewer], *, now: datetime) -> set[Viewer]:
    """Those whose token has expired, was revoked, or has another role, other scopes or another owner than they came with,
    and browsers whose session is over.

    Who came without a token of ours (as with OIDC) ends when what they came with expires.
    """
    ours = {viewer.token_id for viewer in viewers if viewer.token_id.startswith(ID)}
    browsers = {viewer.session for viewer in viewers if viewer.session is not None}
    async with store.reading() as connection:
        standing = await find_standing(connection, ours)
        sessions = await find_by_ids(connection, browsers) if browsers else {}
    return {
        viewer
        for viewer in viewers
        if (viewer.expires_at is not None and viewer.expires_at <= now)
        or (viewer.token_id in ours and not _stands(viewer, standing.get(viewer.token_id), now))
        or (viewer.session is not None and not _holds(sessions.get(viewer.session), now))
    }


def _holds(found: Found | None, now: datetime) -> bool:
    """Whether the session does; when it was used last is written a little late."""
    return found is not None and found.stands(now, late=WRITTEN_LATE)


def _stands(viewer: Viewer, found: Standing | None, now: datetime) -> bool:
    if found is None or not found.valid(now):
        return False
    scopes = None if viewer.granted is None else {scope.value for scope in viewer.granted}
    owners = {(email or "").lower() for email in (found.csm_email, viewer.csm_email)}
    return found.role == viewer.role.value and found.scopes == scopes and len(owners) == 1
