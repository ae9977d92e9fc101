"""/hooks/<source>: what a vendor tells, in the vendor's own way of signing; kept, and only then answered with 200.

200   it is kept, or a challenge is answered      400   it cannot be read      401   not signed by the vendor, or too old
405   no webhook      413   too large      500   it could not be kept: the vendor sends again
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.sync.hearing import Call, Ear
from hub.web.receiving import TooLargeError, body_of

MAX_BODY = 4 << 20


async def receive_source(request: Request, ear: Ear, *, public_url: str) -> Response:
    """public_url: of the hub, as the vendor knows it; some sign the address, too."""
    try:
        body = await body_of(request, most=MAX_BODY)
    except TooLargeError:
        return JSONResponse({"error": f"more than {MAX_BODY:,} bytes"}, 413)
    query = f"?{request.url.query}" if request.url.query else ""
    answer = await ear.hear(
        Call(
            method=request.method,
            url=f"{public_url.rstrip('/')}{request.url.path}{query}",
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
    )
    if answer.status == 200:
        return Response(answer.body, media_type=_kind(answer.body))
    return JSONResponse({"error": answer.body.decode()}, answer.status)


def _kind(body: bytes) -> str:
    return "application/json" if body[:1] in (b"{", b"[") else "text/plain"
