"""Sign in to the dashboard at the company's own sign-on, and come back.

    GET /sign-in/oidc?next=/customers      to the issuer, with a cookie that knows what was asked there
    GET /sign-in/oidc/callback             back again: a session, and on to `next`; or the sign-in page, which says why not

The cookie is signed, lives for ten minutes and counts for one answer: an answer that this browser did not ask for signs nobody
in. What the issuer is told, and what its answer must be, is hub.access.code_flow's.
"""

import math
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hub.access.code_flow import CodeFlow, Kept, SignOnError
from hub.access.issuer import IssuerAwayError
from hub.access.links import LinkError
from hub.access.signing_in import BY_ISSUER, note_failed, sign_in_person
from hub.web.browsers import found, local_path
from hub.web.dashboard.signin import Entry, address_of, too_often
from hub.web.receiving import Routes

BEGIN = "/sign-in/oidc"
CALLBACK = "/sign-in/oidc/callback"
PURPOSE = "oidc"
GOOD_FOR = timedelta(minutes=10)
LOST = "That sign-in took too long, or began in another browser: sign in once more."


def routes(entry: Entry, flow: CodeFlow) -> Routes:
    """Both of them."""
    name = entry.browsers.named("oidc")

    async def begin(request: Request) -> Response:
        next_ = local_path(request.query_params.get("next"))
        try:
            begun = await flow.begin()
        except IssuerAwayError as error:
            return entry.page(request, next_=next_, fault=str(error), status=503)
        kept = {
            "state": begun.kept.state,
            "nonce": begun.kept.nonce,
            "verifier": begun.kept.verifier,
            "next": next_,
        }
        sealed = entry.links.sign(PURPOSE, kept, expires_at=entry.clock() + GOOD_FOR)
        made = RedirectResponse(begun.url, status_code=303, headers={"cache-control": "no-store"})
        made.headers.append("set-cookie", entry.browsers.set(name, sealed, seconds=int(GOOD_FOR.total_seconds())))
        return made

    async def back(request: Request) -> Response:
        made = await answered(request)
        made.headers.append("set-cookie", entry.browsers.set(name, "", seconds=0))
        return made

    async def answered(request: Request) -> Response:
        address = address_of(request)
        if (wait := math.ceil(entry.throttle.wait(address))) > 0:
            return entry.page(request, next_="/", fault=too_often(wait), status=429, wait=wait)
        try:
            data = entry.links.read(PURPOSE, found(request.headers, name) or "", now=entry.clock())
        except LinkError:
            return entry.page(request, next_="/", fault=LOST, status=400)
        next_ = local_path(str(data["next"]))
        kept = Kept(state=str(data["state"]), nonce=str(data["nonce"]), verifier=str(data["verifier"]))
        try:
            person = await flow.finish(kept, request.query_params, now=entry.clock())
        except SignOnError as error:
            entry.throttle.note(address)
            await note_failed(entry.store, by=BY_ISSUER, why=str(error), address=address, now=entry.clock())
            return entry.page(request, next_=next_, fault=str(error), status=403)
        except IssuerAwayError as error:
            return entry.page(request, next_=next_, fault=str(error), status=503)
        opened = await sign_in_person(entry.store, entry.sessions, person, address=address, now=entry.clock())
        await entry.leave(request)
        return entry.opened(opened, next_=next_)

    return [Route(BEGIN, begin), Route(CALLBACK, back)]
