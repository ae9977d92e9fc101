"""Who may come in, as hub.yaml's `access` says."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hub.access import Viewer
from hub.access.admission import Admission
from hub.access.code_flow import CodeFlow, CodeRules
from hub.access.oidc import Oidc
from hub.access.sessions import SessionRules, Sessions
from hub.settings.access import Access
from hub.web.dashboard.signin_oidc import CALLBACK

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
        code_flow=_code_flow(access, url=hub.settings.hub.url),
    )


def _code_flow(access: Access, *, url: str) -> CodeFlow | None:
    given, rules = access.oidc, access.sign_in
    if given is None or given.client_id is None or rules is None:
        return None
    secret = given.client_secret
    return CodeFlow(
        CodeRules(
            issuer=given.issuer,
            client_id=given.client_id,
            client_secret=None if secret is None else secret.get_secret_value(),
            redirect_uri=url.rstrip("/") + CALLBACK,
            scopes=given.scopes,
        ),
        Oidc(rules),
    )


def viewer_finder(hub: "Hub", admission: Admission) -> Callable[[str], Awaitable[Viewer | None]]:
    """Whose what stands behind `Bearer` is, for routes beside the API."""

    async def find_viewer(secret: str) -> Viewer | None:
        return await admission.find_viewer(secret, now=hub.clock())

    return find_viewer
