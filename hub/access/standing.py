"""Whether those who stay connected still have the token they came with: asked again and again, for all of them at once."""

from collections.abc import Collection
from datetime import datetime

from hub.access.viewer import Viewer
from hub.store import Store
from hub.store.tokens import Standing, find_standing


async def find_ended(store: Store, viewers: Collection[Viewer], *, now: datetime) -> set[Viewer]:
    """Those whose token has expired, was revoked, or has another role, other scopes or another owner than they came with.

    Who came without a token of ours (as with OIDC) ends when what they came with expires.
    """
    ours = {viewer.token_id for viewer in viewers if viewer.token_id.startswith("tok_")}
    async with store.reading() as connection:
        standing = await find_standing(connection, ours)
    return {
        viewer
        for viewer in viewers
        if (viewer.expires_at is not None and viewer.expires_at <= now)
        or (viewer.token_id in ours and not _stands(viewer, standing.get(viewer.token_id), now))
    }


def _stands(viewer: Viewer, found: Standing | None, now: datetime) -> bool:
    if found is None or not found.valid(now):
        return False
    scopes = None if viewer.granted is None else {scope.value for scope in viewer.granted}
    owners = {(email or "").lower() for email in (found.csm_email, viewer.csm_email)}
    return found.role == viewer.role.value and found.scopes == scopes and len(owners) == 1
