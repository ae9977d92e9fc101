"""The page on which a CSM says whether what a playbook told them was of use: opening it asks, only its form votes.

    GET  /rate/TOKEN    a page that asks; whatever looks at links in mails beforehand votes nothing
    POST /rate/TOKEN    useful=yes|no, and perhaps a note; said again, the newest counts

Of which run, and who says so, is in the signed token; nobody logs in.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hub.access.links import LinkError, Links
from hub.errors import CshubError
from hub.resources import TEMPLATES
from hub.web.receiving import Routes, TooLargeError, body_of

PURPOSE = "rate"
PATH = "/rate/"
MOST = 10_000
LONGEST_NOTE = 1_000
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}

Vote = Callable[[str, str, bool, str | None], Awaitable[str]]
"""(run, who, whether it was of use, a note): count it, and return the playbook's name."""


def path_of(links: Links, run_id: str, voter: str) -> str:
    """Where `voter` says of what use a run was. The same, the same path: it is part of a message."""
    return PATH + links.sign(PURPOSE, {"run": run_id, "voter": voter})


def routes(links: Links, vote: Vote, *, company: str, clock: Callable[[], datetime]) -> Routes:
    pages = Environment(loader=FileSystemLoader(TEMPLATES / "web"), autoescape=True, undefined=StrictUndefined)
    page = pages.get_template("rate.html")

    def shown(status: int = 200, **values: str) -> Response:
        blank = {"company": company, "voter": "", "playbook": "", "said": "", "fault": ""}
        return HTMLResponse(page.render(blank | values), status_code=status, headers=HEADERS)

    async def answer(request: Request) -> Response:
        try:
            data = links.read(PURPOSE, request.path_params["token"], now=clock())
        except LinkError as error:
            return shown(404, fault=str(error))
        run_id, voter = str(data["run"]), str(data["voter"])
        if request.method != "POST":
            return shown(voter=voter)
        try:
            form = parse_qs((await body_of(request, most=MOST)).decode("utf-8", "replace"))
        except TooLargeError:
            return shown(413, fault="that is no form of this page")
        said = form.get("useful", [""])[0]
        if said not in ("yes", "no"):
            return shown(400, voter=voter, fault="say whether it was of use: yes or no")
        note = form.get("note", [""])[0].strip()[:LONGEST_NOTE] or None
        try:
            playbook = await vote(run_id, voter, said == "yes", note)
        except CshubError as error:
            return shown(404, fault=str(error))
        return shown(voter=voter, playbook=playbook, said=said)

    return [Route(PATH + "{token}", answer, methods=["GET", "POST"])]
