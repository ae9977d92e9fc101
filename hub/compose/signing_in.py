"""How people come in, wired to a hub: pages to sign in and out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub.access.admission import Admission
from hub.web.dashboard import signin, signin_oidc
from hub.web.dashboard.signin import DemoToken, Entry
from hub.web.entrance import browsers_of
from hub.web.receiving import Routes
from hub.web.throttle import Throttle

if TYPE_CHECKING:
    from hub.compose.hub import Hub


def sign_in_routes(hub: "Hub", admission: Admission, *, demo: Sequence[DemoToken] = ()) -> Routes:
    """demo: tokens that the page offers to whoever opens it, for a demonstration on one's own machine only."""
    sessions, browsers = admission.sessions, browsers_of(admission)
    if sessions is None or browsers is None:
        return []
    oidc = hub.settings.hub.access.oidc
    entry = Entry(
        store=hub.store,
        admission=admission,
        sessions=sessions,
        links=hub.links,
        browsers=browsers,
        clock=hub.clock,
        throttle=Throttle(),
        company=hub.settings.hub.company,
        demo=demo,
        button=None if admission.code_flow is None or oidc is None else oidc.button,
    )
    there = signin_oidc.routes(entry, admission.code_flow) if admission.code_flow is not None else []
    return [*signin.routes(entry), *there]
