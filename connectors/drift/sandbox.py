"""Drift's stand-in.

    GET /accounts                   index, size; `next` is a path
    GET /conversations/list         limit, statusId (several), next; the last one to change comes first
    GET /conversations/{id}, /contacts/{id}

Ids: conversations 2,000,000 + ticket number, contacts 3,000,000 + person number. Accounts are "<number>_<domain>".
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble, authorized
from connectors.kit.simulated import World

Row = dict[str, Any]
STATUSES = {
    "new": "open",
    "open": "open",
    "pending": "pending",
    "hold": "pending",
    "solved": "closed",
    "closed": "closed",
}
STATUS_IDS = {"1": "open", "2": "closed", "3": "pending"}


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    without: Sequence[str] = (),
    in_order: bool = True,
    requests_per_minute: int = 600,
) -> Starlette:
    """without: scopes the app lacks; in_order: whether conversations come by their change."""
    served = _Served(world, token, faults, without, in_order, Limiter(requests_per_minute, 60.0))
    routes = [
        Route("/accounts", served.guarded("account_read", served.accounts)),
        Route("/conversations/list", served.guarded("conversation_read", served.conversations)),
        Route("/conversations/{id:int}", served.guarded("conversation_read", served.single(conversations))),
        Route("/contacts/{id:int}", served.guarded("contact_read", served.single(contacts))),
    ]
    return assemble(routes, faults=faults, limited=limited, expired=lambda some: _unknown_token())


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {"base_url": base_url, "token": token, "page_size": 5, "requests_per_minute": 600}


def truth(world: World) -> Mapping[str, Sequence[str]]:
    known = {person.number for person in world.people}
    asked = {ticket.person for ticket in world.tickets} & known
    talks = [str(conversation_id(ticket.number)) for ticket in world.tickets]
    return {
        "accounts": [account.domain for account in world.accounts],
        "conversations": [*talks, *(f"contact-{contact_id(number)}" for number in asked)],
    }


def conversation_id(number: int) -> int:
    return 2_000_000 + number


def contact_id(number: int) -> int:
    return 3_000_000 + number


def accounts(world: World) -> list[Row]:
    return [
        {
            "accountId": f"{account.number}_{account.domain}", "ownerId": 21_965, "name": account.name,
            "domain": f"www.{account.domain}", "deleted": False, "customProperties": [], "targeted": True,
            "createDateTime": _ms(account.signed_on), "updateDateTime": _ms(account.updated_at),
        }
        for account in world.accounts
    ]  # fmt: skip


def conversations(world: World) -> list[Row]:
    return [
        {
            "id": conversation_id(ticket.number), "status": STATUSES[ticket.status], "contactId": contact_id(ticket.person),
            "createdAt": _ms(ticket.created_at), "updatedAt": _ms(ticket.updated_at), "inboxId": 1, "participants": [],
            "conversationTags": [],
        }
        for ticket in world.tickets
    ]  # fmt: skip


def contacts(world: World) -> list[Row]:
    return [
        {
            "id": contact_id(person.number), "createdAt": _ms(person.created_at),
            "attributes": {
                "email": person.email, "name": person.name, "title": person.title, "socialProfiles": {}, "events": {},
                "last_active": _ms(person.last_contact_at) if person.last_contact_at else None,
            },
        }
        for person in world.people
    ]  # fmt: skip


def _ms(at: datetime | date) -> int:
    when = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)
    return round(when.timestamp() * 1000)


class _Served:
    def __init__(
        self,
        world: Callable[[], World],
        token: str,
        faults: Faults,
        without: Sequence[str],
        in_order: bool,
        limiter: Limiter,
    ) -> None:
        self._world, self._expected, self._faults = world, f"Bearer {token}", faults
        self._without, self._in_order, self._limiter = without, in_order, limiter
        self._accounts, self._conversations = Rendered(world, accounts), Rendered(world, conversations)

    def guarded(self, scope: str, answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            if not authorized(request, self._expected):
                return _unknown_token()
            if scope in self._without:
                return _error(403, "forbidden", f"The token lacks the scope {scope}")
            allowed, _, reset = self._limiter.hit()
            return answer(request) if allowed else limited(Faults(retry_after=round(reset) + 1))

        return handle

    def accounts(self, request: Request) -> Response:
        rows, query = self._accounts(), request.query_params
        begin, size = int(query.get("index", "0")), int(query.get("size", "10"))
        data: Row = {"accounts": rows[begin : begin + size], "total": len(rows)}
        if begin + size < len(rows):
            data["next"] = f"/accounts?index={begin + size}&size={size}"
        return _json({"data": data})

    def conversations(self, request: Request) -> Response:
        query = request.query_params
        wanted = {STATUS_IDS[number] for number in query.getlist("statusId")} or {"open"}
        rows = [row for row in self._conversations() if row["status"] in wanted]
        rows.sort(key=lambda row: (row["updatedAt"] if self._in_order else row["id"] % 7, row["id"]), reverse=True)
        size, begin = int(query.get("limit", "25")), 0
        if "next" in query:
            begin = int(query["next"].rpartition("-")[2])
            begin -= self._faults.take("duplicate_rows")
        more = begin + size < len(rows)
        pagination = {"more": more, "next": f"c-{begin + size}" if more else None}
        return _json({"data": rows[max(0, begin) : begin + size], "pagination": pagination})

    def single(self, make: Callable[[World], list[Row]]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            row = next((row for row in make(self._world()) if row["id"] == request.path_params["id"]), None)
            return _json({"data": row}) if row else _error(404, "not_found", "There is no such thing")

        return answer


def limited(faults: Faults) -> Response:
    response = _error(429, "rate_limited", "Too many requests")
    response.headers["Retry-After"] = str(faults.retry_after)
    return response


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _unknown_token() -> Response:
    return _error(401, "authentication_error", "Invalid access token")


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"type": kind, "message": message}}, status)
