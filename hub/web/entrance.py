"""Who a request comes from: by what stands behind `Bearer`, else, in a browser, by the session's cookie."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from hub.access import Viewer
from hub.access.admission import Admission
from hub.web.browsers import Browsers
from hub.web.receiving import bearer

FindViewer = Callable[[Mapping[str, str]], Awaitable[Viewer | None]]


def entrance(admission: Admission, *, clock: Callable[[], datetime]) -> FindViewer:
    """`await find(headers)`: the viewer, or None. Of `viewer.session` a browser's: see hub.web.browsers on what it may do."""
    browsers = browsers_of(admission)

    async def find(headers: Mapping[str, str]) -> Viewer | None:
        secret = bearer(headers)
        if secret is not None:
            return await admission.find_viewer(secret, now=clock())
        cookie = None if browsers is None or "cookie" not in headers else browsers.cookie(headers)
        return None if cookie is None else await admission.find_by_session(cookie, now=clock())

    return find


def browsers_of(admission: Admission) -> Browsers | None:
    """None where nobody can sign in."""
    return None if admission.sessions is None else Browsers(admission.sessions.rules.url)
