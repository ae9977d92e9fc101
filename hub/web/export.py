"""GET /export/{view}.{csv|jsonl|parquet}: rows for BI tools, streamed. GET /export says what there is.

    Authorization: Bearer cshub_…     a token with the scope `export`; personal data needs `personal` besides. Or the cookie
                                      of who signed in with such a token, for links on pages of the hub
    columns=id,name                   those and no others; without it all that the token may see
    where={"band": {"eq": "critical"}}     only of the customers who meet a condition, in the one vocabulary

400  wrong columns or condition, with what there is     401  no token     403  a token that may not
404  no such view or format     429  others are exporting: Retry-After     501  Parquet without polars

Who took what is in the audit log before the first row leaves. X-Cshub-Left-Out names columns that the token may not see. An
export that fails half-way is cut off, so that nobody takes it for whole.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from hub.access import Viewer
from hub.access.acting import act
from hub.errors import NotFoundError, RefusedError
from hub.export import FORMATS, Asked, PersonalError, Planned, encoded, plan
from hub.model.actions import Scope
from hub.store import Store
from hub.store.bi import VIEWS
from hub.web.browsers import Browsers
from hub.web.entrance import FindViewer
from hub.web.receiving import Routes

AT_ONCE = 2
RETRY_AFTER = 30
ACTION = "export"


@dataclass(frozen=True, slots=True)
class _DeniedError(Exception):
    reason: str
    status: int


def routes(
    store: Store, *, find_viewer: FindViewer, clock: Callable[[], datetime], browsers: Browsers | None = None
) -> Routes:
    """The two routes. browsers: what those who come by cookie must show; None where nobody does."""
    free = asyncio.Semaphore(AT_ONCE)

    async def index(request: Request) -> Response:
        try:
            viewer = await _viewer(request, find_viewer, browsers)
        except _DeniedError as denied:
            return _says(denied.reason, denied.status)
        personal = Scope.PERSONAL in viewer.scopes
        return JSONResponse({"formats": list(FORMATS), "exports": [_shown(name, personal) for name in VIEWS]})

    async def export(request: Request) -> Response:
        view, _, format_ = request.path_params["file"].rpartition(".")
        try:
            viewer = await _viewer(request, find_viewer, browsers)
            if format_ not in FORMATS:
                raise _DeniedError(f"the address ends in .{', .'.join(FORMATS)}", 404)
            asked = _asked(view, viewer, request.query_params)
            planned = await plan(store, asked, today=clock().date())
            rows = encoded(format_, planned.columns, planned.pages(store))
        except _DeniedError as denied:
            return _says(denied.reason, denied.status)
        except NotFoundError as error:
            return _says(str(error), 404)
        except PersonalError as error:
            return _says(str(error), 403)
        except RefusedError as error:
            return _says(str(error), 400)
        if free.locked():
            return _says("others are exporting: try again in a moment", 429, {"retry-after": str(RETRY_AFTER)})
        await _note(store, viewer, asked, planned, format_, now=clock())
        headers = {
            "content-disposition": f'attachment; filename="{view}-{clock():%Y-%m-%d}.{format_}"',
            "cache-control": "no-store",
            **({"x-cshub-left-out": ",".join(planned.left_out)} if planned.left_out else {}),
        }
        return _Exported(_one_of(free, rows), media_type=FORMATS[format_].media_type, headers=headers)

    return [Route("/export", index), Route("/export/{file}", export)]


class _Exported(StreamingResponse):
    """Closes what it reads from, also where its reader has gone."""

    def __init__(self, rows: AsyncGenerator[bytes], **how: Any) -> None:
        super().__init__(rows, **how)
        self._rows = rows

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        async with aclosing(self._rows):
            await super().__call__(scope, receive, send)


async def _one_of(free: asyncio.Semaphore, rows: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The rows, while no more than so many are exporting."""
    async with free:
        async for piece in rows:
            yield piece


async def _viewer(request: Request, find_viewer: FindViewer, browsers: Browsers | None) -> Viewer:
    viewer = await find_viewer(request.headers)
    if viewer is None:
        raise _DeniedError("a token is needed: Authorization: Bearer cshub_…", 401)
    if viewer.session is not None and browsers is not None and (why := browsers.why_no_download(request.headers)):
        raise _DeniedError(why, 403)
    if not {Scope.READ, Scope.EXPORT} <= viewer.scopes:
        raise _DeniedError("the token may not export: that takes the scope export", 403)
    return viewer


def _asked(view: str, viewer: Viewer, given: Mapping[str, str]) -> Asked:
    if unknown := set(given) - {"columns", "where"}:
        raise RefusedError(f"there is no parameter {', '.join(sorted(unknown))}; there are: columns, where")
    where = None
    if "where" in given:
        try:
            where = orjson.loads(given["where"])
        except orjson.JSONDecodeError:
            where = None
        if not isinstance(where, dict):
            raise RefusedError('where is a JSON object, such as {"band": {"eq": "critical"}}')
    return Asked(
        view=view,
        columns=None if "columns" not in given else [name for name in given["columns"].split(",") if name],
        where=where,
        owner=viewer.actor,
        book=viewer.book,
        personal=Scope.PERSONAL in viewer.scopes,
    )


async def _note(store: Store, viewer: Viewer, asked: Asked, planned: Planned, format_: str, *, now: datetime) -> None:
    """In the audit log, before the first row leaves."""

    async def begun() -> Mapping[str, Any]:
        return {}

    request = {
        "view": asked.view,
        "format": format_,
        "columns": [each.name for each in planned.columns],
        "where": asked.where,
    }
    await act(store, viewer, action=ACTION, subject=asked.view, request=request, now=now, run=begun)


def _shown(name: str, personal: bool) -> dict[str, Any]:
    view = VIEWS[name]
    columns = [{"name": each.name, "type": each.kind, "about": each.about} for each in view.shown(personal=personal)]
    return {"name": name, "about": view.about, "sql": view.view, "columns": columns}


def _says(reason: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": reason}, status, headers)
