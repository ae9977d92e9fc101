"""The routes of the dashboard: each page asked for, drawn and sent; who is not signed in is sent to where one signs in.

A page that can't be shown is a page too: refused, not there, too much asked, or the hub's own fault, each saying what to do.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.access import Viewer
from hub.model.actions import Role, Scope
from hub.resources import TEMPLATES
from hub.web.dashboard import words
from hub.web.dashboard.asking import Ask, Asked
from hub.web.dashboard.page import Page, Visit
from hub.web.dashboard.pages import PAGES
from hub.web.receiving import Routes

log = logging.getLogger(__name__)
FOLDER = TEMPLATES / "web" / "dashboard"
SIGN_IN = "/sign-in"
NAVIGATION = (
    ("today", "/", "Today", Role.VIEWER),
    ("portfolio", "/portfolio", "Portfolio", Role.VIEWER),
    ("customers", "/customers", "Customers", Role.VIEWER),
    ("playbooks", "/playbooks", "Playbooks", Role.VIEWER),
    ("sources", "/sources", "Sources", Role.VIEWER),
    ("model", "/model", "Model", Role.VIEWER),
    ("admin", "/admin", "Admin", Role.ADMIN),
)
"""(name, path, title, who sees it)"""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cache-control": "no-store",
    "vary": "Cookie",
    "referrer-policy": "same-origin",  # forms of ours say where they come from, and nobody else is told
}
_TROUBLE: Mapping[int, tuple[str, str]] = {
    403: ("Not for this role", "What this page shows is not allowed to you. An admin can give you another role."),
    404: ("Not there", "There is nothing at this address, or it lies outside the customers you see."),
    429: ("One moment", "You asked more in a minute than you may. The page can be loaded again shortly."),
    503: ("Took too long", "The hub did not answer in time. It may be busy with a sync: try again in a moment."),
    500: ("Our fault", "Something went wrong inside the hub. Its log has the details."),
}

_FRAGMENT = re.compile(r"^fragment (\w+) on ", re.MULTILINE)
_SPREAD = re.compile(r"\.\.\.(\w+)")

FindViewer = Callable[[Mapping[str, str]], Awaitable[Viewer | None]]


def environment() -> Environment:
    """Where templates are found and drawn."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(words.FILTERS)
    made.globals.update(counted=words.counted, customers_where=words.customers_where)
    return made


def documents(folder: str = "") -> Mapping[str, str]:
    """The documents of pages, or of what is pressed on them (`actions`), by name.

    A fragment that several of them spread stands once, in a file of `parts`, and is put behind each.
    """
    shared: dict[str, str] = {}
    for each in sorted((FOLDER / "parts").glob("*.graphql")):
        text = each.read_text(encoding="utf-8").strip()
        shared |= dict.fromkeys(_FRAGMENT.findall(text), text)
    found = {}
    for each in sorted((FOLDER / folder).glob("*.graphql")):
        text = each.read_text(encoding="utf-8").strip()
        wanted = dict.fromkeys(shared[name] for name in _SPREAD.findall(text) if name in shared)
        found[each.stem] = "\n\n".join([text, *wanted])
    return found


def routes(
    ask: Ask,
    find_viewer: FindViewer,
    *,
    clock: Callable[[], datetime],
    customer_id: Callable[[str], str],
    company: str = "",
) -> Routes:
    """All pages, and what their scripts need.

    customer_id  the API's id of a customer, of that id itself or of the hub's key: links in messages have the key
    company      whose hub it is, for the head of each page
    """
    served = _Served(ask, find_viewer, clock=clock, customer_id=customer_id, company=company)
    actions = orjson.dumps(documents("actions"))

    async def pressed(_: Request) -> Response:
        return Response(actions, media_type="application/json", headers={"cache-control": "no-cache"})

    pages = [Route(page.path, served.endpoint(page)) for page in PAGES]
    return [*pages, Route("/dashboard/actions.json", pressed)]


class _Served:
    """Answers for each page."""

    def __init__(
        self,
        ask: Ask,
        find_viewer: FindViewer,
        *,
        clock: Callable[[], datetime],
        customer_id: Callable[[str], str],
        company: str,
    ) -> None:
        self._ask = ask
        self._find_viewer = find_viewer
        self._clock = clock
        self._customer_id = customer_id
        self._company = company
        self._environment = environment()
        self._documents = documents()

    def endpoint(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            viewer = await self._find_viewer(request.headers)
            if viewer is None:
                return RedirectResponse(f"{SIGN_IN}?next={quote(_asked_for(request), safe='')}", status_code=303)
            path = {
                name: self._customer_id(key) if name == "customer" else key for name, key in request.path_params.items()
            }
            visit = Visit(viewer=viewer, now=self._clock(), here=page.name, path=path, query=dict(request.query_params))
            if not viewer.may(page.role):
                return self._trouble(page, visit, Asked(data=None, status=403))
            try:
                asked = await self._ask(viewer, self._documents[page.name], page.variables(visit))
            except ValueError as error:  # what stood behind the question mark was none
                return self._trouble(page, visit, Asked(data=None, faults=(str(error),), status=404))
            if asked.data is None or (page.needs is not None and asked.data[page.needs] is None):
                return self._trouble(page, visit, asked)
            shaped = page.shape(asked.data, visit)
            return self._drawn(f"{page.name}.html", page, visit, data=asked.data, faults=asked.faults, **shaped)

        return respond

    def _trouble(self, page: Page, visit: Visit, asked: Asked) -> Response:
        status = {400: 404, 200: 404, 504: 503}.get(asked.status, asked.status)
        title, advice = _TROUBLE.get(status, _TROUBLE[500])
        made = self._drawn(
            "trouble.html", page, visit, status=status, heading=title, advice=advice, faults=asked.faults
        )
        if asked.retry_after is not None:
            made.headers["retry-after"] = str(asked.retry_after)
        return made

    def _drawn(self, template: str, page: Page, visit: Visit, *, status: int = 200, **values: Any) -> Response:
        navigation = [each for each in NAVIGATION if visit.viewer.may(each[3])]
        text = self._environment.get_template(template).render(
            page=page,
            visit=visit,
            now=visit.now,
            viewer=visit.viewer,
            may_act=Scope.ACT in visit.viewer.scopes,
            navigation=navigation,
            company=self._company,
            **values,
        )
        return HTMLResponse(text, status_code=status, headers=_HEADERS)


def _asked_for(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
