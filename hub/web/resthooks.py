"""REST hooks for Zapier, Make, n8n and the like: they subscribe themselves, and leave again.

    Authorization: Bearer cshub_…     a token with the scope `export`

GET    /subscriptions                   kinds of event, and the token's hooks
POST   /subscriptions                   {"event": "alert.opened", "url": "https://…"}: 201 {"id", "event", "secret"}
DELETE /subscriptions/{id}              204; 404 where the token has no such hook
GET    /subscriptions/samples/{event}   the newest, the newest first, as they would be told: for trying, and for polling

`targetUrl` and `hookUrl` are taken for `url`, as these tools call it. Each message is signed with the secret after the Standard
Webhooks specification. An address that answers 410, or fails for days, is told no more.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.access import Viewer
from hub.access.acting import Result, act
from hub.access.vault import Vault
from hub.delivery.reach import Lookup, Network, look_up
from hub.errors import CshubError, NotFoundError, RefusedError
from hub.model.actions import Scope
from hub.resthooks import EVENTS, Subscribed, samples, subscribe, unsubscribe
from hub.store import Store
from hub.store.resthooks import find_hooks
from hub.web.receiving import Routes, TooLargeError, bearer, body_of

MOST_BYTES = 16 * 1024
LONGEST_SUBJECT = 60
NAMES_OF_URL = ("url", "targetUrl", "target_url", "hookUrl")
FindViewer = Callable[[str], Awaitable[Viewer | None]]
Deed = Callable[[Request, Viewer], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestHooks:
    """vault: None where no key for secrets is set; nobody can subscribe then, and is told why."""

    store: Store
    find_viewer: FindViewer
    vault: Vault | None
    clock: Callable[[], datetime]
    allowed: Sequence[Network] = ()
    lookup: Lookup = look_up

    def routes(self) -> Routes:
        return [
            Route("/subscriptions", self._guarded(self._list), methods=["GET"]),
            Route("/subscriptions", self._guarded(self._begin), methods=["POST"]),
            Route("/subscriptions/samples/{event}", self._guarded(self._sample), methods=["GET"]),
            Route("/subscriptions/{id}", self._guarded(self._end), methods=["DELETE"]),
        ]

    def _guarded(self, deed: Deed) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            secret = bearer(request.headers)
            viewer = None if secret is None else await self.find_viewer(secret)
            if viewer is None:
                return _says("a token is needed: Authorization: Bearer cshub_…", 401)
            if not {Scope.READ, Scope.EXPORT} <= viewer.scopes:
                return _says("the token may not take events out: that takes the scope export", 403)
            try:
                return await deed(request, viewer)
            except NotFoundError as error:
                return _says(str(error), 404)
            except TooLargeError:
                return _says(f"more than {MOST_BYTES:,} bytes", 413)
            except CshubError as error:
                return _says(str(error), 400)

        return answered

    async def _list(self, _: Request, viewer: Viewer) -> Response:
        async with self.store.reading() as connection:
            hooks = await find_hooks(connection, now=self.clock(), token_id=viewer.token_id)
        kinds = [{"event": name, "about": about} for name, (_kind, _change, about) in EVENTS.items()]
        mine = [{"id": each.id, "event": each.event, "created_at": each.created_at.isoformat()} for each in hooks]
        return JSONResponse({"events": kinds, "subscriptions": mine})

    async def _begin(self, request: Request, viewer: Viewer) -> Response:
        event, url = _wanted(await body_of(request, most=MOST_BYTES))
        made = list[Subscribed]()

        async def run() -> dict[str, Any]:
            new = await subscribe(
                self.store,
                viewer,
                event=event,
                url=url,
                vault=self.vault,
                allowed=self.allowed,
                now=self.clock(),
                lookup=self.lookup,
            )
            made.append(new)
            return {"id": new.hook.id}

        await self._act(viewer, "restHookSubscribe", event, run)
        return JSONResponse({"id": made[0].hook.id, "event": event, "secret": made[0].secret}, 201)

    async def _end(self, request: Request, viewer: Viewer) -> Response:
        id_ = request.path_params["id"]

        async def run() -> dict[str, Any]:
            await unsubscribe(self.store, viewer, id_, now=self.clock())
            return {}

        await self._act(viewer, "restHookUnsubscribe", id_, run)
        return Response(status_code=204)

    async def _sample(self, request: Request, viewer: Viewer) -> Response:
        found = await samples(self.store, viewer, event=request.path_params["event"])
        return Response(orjson.dumps(found, option=orjson.OPT_UTC_Z), media_type="application/json")

    async def _act(self, viewer: Viewer, action: str, subject: str, run: Callable[[], Awaitable[Result]]) -> None:
        """With what is asked for in the audit log; an address is a secret, and not in it."""
        await act(
            self.store, viewer, action=action, subject=subject[:LONGEST_SUBJECT], request={}, now=self.clock(), run=run
        )


def _wanted(body: bytes) -> tuple[str, str]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        given = None
    event = given.get("event") if isinstance(given, dict) else None
    url = next((given[name] for name in NAMES_OF_URL if name in given), None) if isinstance(given, dict) else None
    if not isinstance(event, str) or not isinstance(url, str):
        raise RefusedError('the body is a JSON object such as {"event": "alert.opened", "url": "https://…"}')
    return event, url


def _says(reason: str, status: int) -> Response:
    return JSONResponse({"error": reason}, status)
