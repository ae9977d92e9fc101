"""/hooks/<source>: what a vendor tells, in the vendor's own way of signing; kept, and only then answered with 200.

200   it is kept, or a challenge is answered      400   it cannot be read      401   not signed by the vendor, or too old
405   no webhook      413   too large      500   it could not be kept: the vendor sends again

Some are heard at paths of their own, too (`receive_own`), also from browsers: who may send there is no secret of a browser's.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.sync.hearing import Call, Ear
from hub.web.receiving import TooLargeError, body_of

MAX_BODY = 4 << 20
FROM_BROWSERS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type, content-encoding",
    "access-control-max-age": "86400",
}


async def receive_source(request: Request, ear: Ear, *, public_url: str) -> Response:
    """public_url: of the hub, as the vendor knows it; some sign the address, too."""
    try:
        call = await _call(request, public_url=public_url)
    except TooLargeError:
        return _too_large()
    return await _heard(call, ear)


async def receive_own(request: Request, ears: Sequence[Ear], *, public_url: str) -> Response:
    """At a path that any of these may have; it is for the first that verifies it."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=FROM_BROWSERS)
    try:
        call = await _call(request, public_url=public_url)
    except TooLargeError:
        return _too_large()
    ear = next((each for each in ears if each.knows(call)), ears[0])
    answered = await _heard(call, ear)
    answered.headers.update(FROM_BROWSERS)
    return answered


async def _call(request: Request, *, public_url: str) -> Call:
    body = await body_of(request, most=MAX_BODY)
    path, query = request.url.path, f"?{request.url.query}" if request.url.query else ""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(
        method=request.method,
        url=f"{public_url.rstrip('/')}{path}{query}",
        headers={**headers, ":path": path},
        body=body,
    )


async def _heard(call: Call, ear: Ear) -> Response:
    answer = await ear.hear(call)
    if answer.status == 200:
        return Response(answer.body, media_type=_kind(answer.body))
    return JSONResponse({"error": answer.body.decode()}, answer.status)


def _too_large() -> Response:
    return JSONResponse({"error": f"more than {MAX_BODY:,} bytes"}, 413)


def _kind(body: bytes) -> str:
    return "application/json" if body[:1] in (b"{", b"[") else "text/plain"
