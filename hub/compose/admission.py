"""Who may come in, as hub.yaml's `access` says."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hub.access import Viewer
from hub.access.admission import Admission
from hub.access.oidc import Oidc
from hub.access.sessions import SessionRules, Sessions

if TYPE_CHECKING:
    from hub.compose.hub import Hub


def admission_of(hub: "Hub") -> Admission:
    """One for the life of a process: it knows tokens for a moment, and the keys of the issuer."""
    access = hub.settings.hub.access
    rules = access.sign_on
    dashboard = hub.settings.hub.dashboard
    sessions = Sessions(
        hub.store,
        hub.links,
        SessionRules(
            url=hub.settings.hub.url,
            hours=dashboard.session_hours,
            idle_minutes=dashboard.idle_minutes,
            issuer=access.oidc.issuer if access.oidc else None,
        ),
    )
    return Admission(
        hub.store,
        books=access.csm == "book",
        sign_on=None if rules is None else Oidc(rules),
        sessions=sessions,
    )


def viewer_finder(hub: "Hub", admission: Admission) -> Callable[[str], Awaitable[Viewer | None]]:
    """Whose what stands behind `Bearer` is, for routes beside the API."""

    async def find_viewer(secret: str) -> Viewer | None:
        return await admission.find_viewer(secret, now=hub.clock())

    return find_viewer
