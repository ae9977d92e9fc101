"""The page to stop mail on: opening it asks, only sending its form (or a mail program's one click) unsubscribes.

    GET  /unsubscribe/TOKEN    a page that asks; whatever looks at links beforehand unsubscribes nobody
    POST /unsubscribe/TOKEN    List-Unsubscribe=One-Click (RFC 8058), or the page's form: from this topic, or everything

Who it is about is in the signed token; nobody logs in. A link is good for ever, as mail is kept.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hub.access.links import LinkError, Links
from hub.resources import TEMPLATES
from hub.web.receiving import Routes, TooLargeError, body_of, content_type

PURPOSE = "unsubscribe"
PATH = "/unsubscribe/"
MOST = 10_000
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}

Unsubscribe = Callable[[str, str], Awaitable[None]]
"""Stop mail to an address about a topic ("" for everything); twice is once."""


def token_of(links: Links, address: str, topic: str) -> str:
    return links.sign(PURPOSE, {"email": address.lower(), "topic": topic})


def read_token(links: Links, token: str, *, now: datetime) -> tuple[str, str]:
    """(address, topic); raise LinkError."""
    data = links.read(PURPOSE, token, now=now)
    return str(data["email"]), str(data["topic"])


def routes(links: Links, unsubscribe: Unsubscribe, *, company: str, clock: Callable[[], datetime]) -> Routes:
    pages = Environment(loader=FileSystemLoader(TEMPLATES / "web"), autoescape=True, undefined=StrictUndefined)
    page = pages.get_template("unsubscribe.html")

    def shown(status: int = 200, **values: str) -> Response:
        blank = {"company": company, "address": "", "topic": "", "done": "", "fault": ""}
        return HTMLResponse(page.render(blank | values), status_code=status, headers=HEADERS)

    async def answer(request: Request) -> Response:
        try:
            address, topic = read_token(links, request.path_params["token"], now=clock())
        except LinkError as error:
            return shown(404, fault=str(error))
        if request.method != "POST":
            return shown(address=address, topic=topic)
        try:
            form = _form(request, await body_of(request, most=MOST))
        except TooLargeError:
            return shown(413, fault="that is no form of this page")
        wanted = form.get("from", []) or ["topic" if form.get("List-Unsubscribe") == ["One-Click"] else ""]
        if wanted[0] not in ("topic", "everything"):
            return shown(400, address=address, topic=topic, fault="say from what to unsubscribe")
        about = topic if wanted[0] == "topic" else ""
        await unsubscribe(address, about)
        return shown(address=address, topic=topic, done=about or "everything")

    return [Route(PATH + "{token}", answer, methods=["GET", "POST"])]


def _form(request: Request, body: bytes) -> dict[str, list[str]]:
    """A form's fields; one-click may come as multipart/form-data too (RFC 8058, 3.1)."""
    if content_type(request) != "multipart/form-data":
        return parse_qs(body.decode("utf-8", "replace"))
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode("ascii", "replace")
    parts = message_from_bytes(head + body).get_payload()
    found: dict[str, list[str]] = {}
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, Message) and isinstance(name := part.get_param("name", header="content-disposition"), str):
            value = part.get_payload(decode=True)
            found.setdefault(name, []).append(
                value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else ""
            )
    return found
