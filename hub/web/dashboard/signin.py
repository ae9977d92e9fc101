"""Sign in to the dashboard with a token or at the company's own sign-on, and out again.

    GET  /sign-in?next=/customers      the page; who is signed in already goes on to `next`
    POST /sign-in                      token=cshub_…: a session, and on to `next`
    POST /sign-out                     ends the session
    GET  /sign-in/oidc, /sign-in/oidc/callback     see hub.web.dashboard.signin_oidc

A form counts only from a page of ours: the browser says so (hub.web.browsers), and the form carries what a cookie of the same
browser names, signed. Whoever fails is told the same whatever was wrong, and after ten times in a minute waits.
"""

import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.access.admission import Admission
from hub.access.links import LinkError, Links
from hub.access.sessions import Opened, Sessions
from hub.access.signing_in import sign_in_with_token, sign_out
from hub.store import Store
from hub.web.browsers import Browsers, found, local_path
from hub.web.dashboard.serving import CONTENT_SECURITY_POLICY, SIGN_IN, environment
from hub.web.entrance import entrance
from hub.web.receiving import Routes, TooLargeError, body_of
from hub.web.throttle import Throttle

SIGN_OUT = "/sign-out"
PURPOSE = "sign-in"
FORM_GOOD_FOR = timedelta(hours=1)
LARGEST_FORM = 8_000
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cache-control": "no-store",
    # with no-referrer a form of ours would come from the origin "null"
    "referrer-policy": "same-origin",
    "x-robots-tag": "noindex",
}
OPENS_NOTHING = (
    "That token does not open this hub: it may be mistyped, expired or revoked. Whoever runs the hub can make another."
)
STALE_FORM = "This page was open for too long, or its cookies are blocked. It is fresh now: try once more."
FOREIGN_FORM = "That did not come from this page. Sign in here."


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoToken:
    """One that the sign-in page of the demo offers. who: such as "an admin"; sees: what that means, in a few words."""

    who: str
    sees: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What signing in needs, for all of its routes. button: the name of the company's own sign-on, where there is one."""

    store: Store
    admission: Admission
    sessions: Sessions
    links: Links
    browsers: Browsers
    clock: Callable[[], datetime]
    throttle: Throttle
    company: str = ""
    button: str | None = None
    demo: Sequence[DemoToken] = ()

    def page(
        self, request: Request, *, next_: str, fault: str = "", notice: str = "", status: int = 200, wait: int = 0
    ) -> Response:
        """The sign-in page."""
        name = self.browsers.named("form")
        nonce = found(request.headers, name)
        if nonce is None or len(nonce) != 43:  # kept, so that the page may stand open twice
            nonce = secrets.token_urlsafe(32)
        form = self.links.sign(PURPOSE, {"n": nonce}, expires_at=self.clock() + FORM_GOOD_FOR)
        text = _TEMPLATE.render(
            company=self.company,
            next=next_,
            form=form,
            fault=fault,
            notice=notice,
            button=self.button,
            demo=self.demo,
        )
        made = HTMLResponse(text, status_code=status, headers=HEADERS)
        if wait:
            made.headers["retry-after"] = str(wait)
        made.headers.append("set-cookie", self.browsers.set(name, nonce, seconds=int(FORM_GOOD_FOR.total_seconds())))
        return made

    def opened(self, opened: Opened, *, next_: str) -> Response:
        """On to where somebody wanted to go, with the session's cookie."""
        made = RedirectResponse(next_, status_code=303, headers={"cache-control": "no-store"})
        cookie = self.browsers.set_session(opened.cookie, expires_at=opened.expires_at, now=self.clock())
        made.headers.append("set-cookie", cookie)
        return made

    async def leave(self, request: Request) -> None:
        """End the session that the request came with, if it did."""
        viewer = await entrance(self.admission, clock=self.clock)(request.headers)
        if viewer is not None and viewer.session is not None:
            await sign_out(self.store, self.sessions, viewer, address=address_of(request), now=self.clock())

    def is_of_ours(self, request: Request, form: str) -> bool:
        """Whether the form is one that this browser was given."""
        nonce = found(request.headers, self.browsers.named("form"))
        try:
            signed = self.links.read(PURPOSE, form, now=self.clock())
        except LinkError:
            return False
        return nonce is not None and secrets.compare_digest(str(signed.get("n")), nonce)


def routes(entry: Entry) -> Routes:
    """The page, and what its forms send."""

    async def sign_in(request: Request) -> Response:
        next_ = local_path(request.query_params.get("next"))
        if request.method == "POST":
            return await posted(request)
        viewer = await entrance(entry.admission, clock=entry.clock)(request.headers)
        if viewer is not None:
            return RedirectResponse(next_, status_code=303)
        notice = "You are signed out." if "out" in request.query_params else ""
        return entry.page(request, next_=next_, notice=notice)

    async def posted(request: Request) -> Response:
        try:
            body = (await body_of(request, most=LARGEST_FORM)).decode("utf-8", "replace")
            given = {name: values[-1] for name, values in parse_qs(body, max_num_fields=20).items()}
        except (TooLargeError, ValueError):
            return entry.page(request, next_="/", fault="That is no form of this page.", status=400)
        next_ = local_path(given.get("next"))
        if entry.browsers.why_no_form(request.headers) is not None:
            return entry.page(request, next_="/", fault=FOREIGN_FORM, status=403)
        if not entry.is_of_ours(request, given.get("form", "")):
            return entry.page(request, next_=next_, fault=STALE_FORM, status=403)
        address = address_of(request)
        if (wait := math.ceil(entry.throttle.wait(address))) > 0:
            return entry.page(request, next_=next_, fault=too_often(wait), status=429, wait=wait)
        secret = given.get("token", "").strip()
        opened = await sign_in_with_token(entry.store, entry.sessions, secret, address=address, now=entry.clock())
        if opened is None:
            entry.throttle.note(address)
            return entry.page(request, next_=next_, fault=OPENS_NOTHING, status=401)
        await entry.leave(request)  # the session before, which its cookie no longer names
        return entry.opened(opened, next_=next_)

    async def signed_out(request: Request) -> Response:
        if entry.browsers.why_no_form(request.headers) is not None:
            return entry.page(request, next_="/", fault=FOREIGN_FORM, status=403)
        await entry.leave(request)
        made = RedirectResponse(f"{SIGN_IN}?out=1", status_code=303, headers={"cache-control": "no-store"})
        made.headers.append("set-cookie", entry.browsers.end_session())
        return made

    return [
        Route(SIGN_IN, sign_in, methods=["GET", "POST"]),
        Route(SIGN_OUT, signed_out, methods=["POST"]),
    ]


def address_of(request: Request) -> str:
    """Where a request comes from; of one that came through a proxy on this machine, where it says it came from."""
    return request.client.host if request.client else "unknown"


def too_often(wait: int) -> str:
    """What whoever fails too often is told."""
    return f"Too many tries from your address. In {wait} seconds you can try again."


_TEMPLATE = environment().get_template("sign_in.html")
