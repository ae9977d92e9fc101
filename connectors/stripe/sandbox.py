"""A stand-in for Stripe: lists, objects, events and its habits, over the simulated company.

    GET /v1/{customers,subscriptions,invoices}         newest first; `starting_after` an id, `limit`
    GET /v1/{customers,subscriptions,invoices}/<id>    {"deleted": true} for a customer that was deleted
    GET /v1/subscription_items?subscription=<id>       all of them; a subscription itself shows ten
    GET /v1/prices/<id>, /v1/coupons/<id>              with tiers where they are expanded
    GET /v1/events                                     of the last 30 days, newest first, by type and time

Discounts are ids where they are not expanded, coupons always. Subscriptions that have ended are listed with status=all only.
"""

import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble, authorized
from connectors.kit.simulated import World
from connectors.stripe.ledger import CREATED, DELETED, Row, customer, event_row, invoice, key, subscription, unix

KINDS = {"customers": "account", "subscriptions": "term", "invoices": "bill"}
WEBHOOK_SECRET = "whsec_of_the_sandbox"  # noqa: S105  # of a stand-in, and told to whoever asks
KEPT = timedelta(days=30)
SHOWN_ITEMS = 10


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    without: Collection[str] = (),
    per_second: int = 1000,
    extras: Mapping[str, Mapping[str, Any]] | None = None,
) -> Starlette:
    """without: kinds the key may not read; extras: by id of a subscription, what else it has (items, discounts, status)."""
    served = _Account(world, token, faults, frozenset(without), per_second, extras or {})
    routes = [
        Route("/v1/events", served.guarded(served.events)),
        Route("/v1/subscription_items", served.guarded(served.items)),
        Route("/v1/prices/{id}", served.guarded(served.price)),
        Route("/v1/coupons/{id}", served.guarded(served.coupon)),
        Route("/v1/{kind}", served.guarded(served.listed)),
        Route("/v1/{kind}/{id}", served.guarded(served.one)),
    ]
    return assemble(routes, faults=faults, limited=_limited, expired=lambda some: _unauthorized())


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "api_key": token,
        "webhook_secret": WEBHOOK_SECRET,
        "page_size": 3,
        "external_key_metadata": "crm_id",
        "domain_metadata": "domain",
        "segment_metadata": "segment",
        "csm_email_metadata": "csm",
    }


def truth(world: World) -> Mapping[str, Collection[str]]:
    return {
        "customers": {key("account", each.number) for each in world.accounts},
        "subscriptions": {key("term", each.number) for each in world.terms},
        "invoices": {key("bill", each.number) for each in world.bills},
    }


def event(what: str, number: int) -> bytes:
    """A webhook's body: row `number` has changed."""
    at = 1_795_348_800
    return orjson.dumps(event_row(CREATED[what], what, number, at))


def signed(body: bytes, *, settings: Any, method: str, url: str, now: datetime) -> dict[str, str]:
    """Headers as Stripe sends them with `body`."""
    stamp = str(int(now.timestamp()))
    secret = settings.webhook_secret.get_secret_value().encode()
    digest = hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={stamp},v1={digest},v0={'0' * 64}", "content-type": "application/json"}


class _Account:
    def __init__(
        self,
        world: Callable[[], World],
        token: str,
        faults: Faults,
        without: Collection[str],
        per_second: int,
        extras: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._world, self._expected, self._faults = world, f"Bearer {token}", faults
        self._without, self._limiter, self._extras = without, Limiter(per_second, 1.0), extras
        self._rendered = Rendered(world, self._render)

    def guarded(self, answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            if not authorized(request, self._expected):
                return _unauthorized()
            if (kind := request.path_params.get("kind")) in self._without:
                return _error(
                    403,
                    "The provided key 'rk_***' does not have the required permissions for this endpoint. Having the"
                    f" 'rak_{str(kind).rstrip('s')}_read' permission would allow this request to continue.",
                )
            if not self._limiter.hit()[0]:
                return _limited(self._faults)
            return answer(request)

        return handle

    def listed(self, request: Request) -> Response:
        kind, query = request.path_params["kind"], request.query_params
        if kind not in KINDS:
            return _error(404, f"Unrecognized request URL (GET: /v1/{kind}).")
        rows = [row for row in self._rendered()[kind].values() if not row.get("deleted")]
        if kind == "subscriptions" and query.get("status") != "all":
            rows = [row for row in rows if row["status"] != "canceled"]
        rows.sort(key=lambda row: (row["created"], row["id"]), reverse=True)
        expanded = "data.discounts" in query.getlist("expand[]")
        return self._page(request, [_shown(row, expanded=expanded, items_too=False) for row in rows])

    def one(self, request: Request) -> Response:
        kind, name = request.path_params["kind"], request.path_params["id"]
        row = self._rendered().get(kind, {}).get(name)
        if row is None:
            return _error(404, f"No such {kind}: '{name}'", code="resource_missing", param="id")
        expand = request.query_params.getlist("expand[]")
        return JSONResponse(_shown(row, expanded="discounts" in expand, items_too="items.data.discounts" in expand))

    def items(self, request: Request) -> Response:
        row = self._rendered()["subscriptions"].get(request.query_params.get("subscription", ""))
        if row is None:
            return _error(404, "No such subscription", code="resource_missing", param="subscription")
        return self._page(request, [_bare_item(item, expanded=True) for item in row["items"]["data"]])

    def price(self, request: Request) -> Response:
        for row in self._rendered()["subscriptions"].values():
            for item in row["items"]["data"]:
                if item["price"]["id"] == request.path_params["id"]:
                    tiers = "tiers" in request.query_params.getlist("expand[]")
                    return JSONResponse({k: v for k, v in item["price"].items() if tiers or k != "tiers"})
        return _error(404, "No such price", code="resource_missing", param="id")

    def coupon(self, request: Request) -> Response:
        for row in self._rendered()["subscriptions"].values():
            for discount in (*row["discounts"], *(d for item in row["items"]["data"] for d in item["discounts"])):
                if discount["source"]["coupon"]["id"] == request.path_params["id"]:
                    return JSONResponse(discount["source"]["coupon"])
        return _error(404, "No such coupon", code="resource_missing", param="id")

    def events(self, request: Request) -> Response:
        query, world = request.query_params, self._world()
        types, since = query.getlist("types[]"), int(query.get("created[gte]", "0"))
        if len(types) > 20:
            return _error(400, "types: at most 20")
        rows = []
        for what, some in (("account", world.accounts), ("term", world.terms), ("bill", world.bills)):
            rows += [event_row(CREATED[what], what, row.number, unix(row.updated_at)) for row in some]
        for grave in world.removed:
            if grave.what in DELETED:
                rows.append(event_row(DELETED[grave.what], grave.what, grave.number, unix(grave.at)))
        oldest = max(since, unix(world.until - KEPT))
        found = [row for row in rows if row["type"] in types and row["created"] >= oldest]
        found.sort(key=lambda row: (row["created"], row["id"]), reverse=True)
        return self._page(request, found)

    def _page(self, request: Request, rows: list[Row]) -> Response:
        query = request.query_params
        limit, after, begin = int(query.get("limit", 10)), query.get("starting_after"), 0
        if not 1 <= limit <= 100:
            return _error(400, "Invalid integer: limit", param="limit")
        if after is not None:
            places = [n for n, row in enumerate(rows) if row["id"] == after]
            if not places:
                return _error(400, f"No such object: '{after}'", code="resource_missing", param="starting_after")
            begin = places[0] + 1
        page = rows[begin : begin + limit]
        more = begin + limit < len(rows)
        if begin and page and self._faults.take("duplicate_rows"):
            page = [rows[begin - 1], *page]
        return JSONResponse({"object": "list", "url": request.url.path, "has_more": more, "data": page})

    def _render(self, world: World) -> dict[str, dict[str, Row]]:
        made: dict[str, dict[str, Row]] = {
            "customers": {row["id"]: row for row in (customer(each) for each in world.accounts)},
            "subscriptions": {
                row["id"]: row
                for row in (subscription(each, self._extras.get(key("term", each.number), {})) for each in world.terms)
            },
            "invoices": {row["id"]: row for row in (invoice(each) for each in world.bills)},
        }
        for grave in world.removed:
            if grave.what == "account":
                name = key("account", grave.number)
                made["customers"][name] = {"id": name, "object": "customer", "deleted": True}
        return made


def _shown(row: Row, *, expanded: bool, items_too: bool) -> Row:
    """As an answer shows it: ten items, discounts as ids unless expanded, coupons as ids."""
    if row.get("object") != "subscription":
        return row
    items = [_bare_item(item, expanded=items_too) for item in row["items"]["data"]]
    return {
        **row,
        "discounts": [_bare_discount(each, expanded=expanded) for each in row["discounts"]],
        "items": {**row["items"], "data": items[:SHOWN_ITEMS], "has_more": len(items) > SHOWN_ITEMS},
    }


def _bare_item(item: Row, *, expanded: bool) -> Row:
    price = {name: value for name, value in item["price"].items() if name != "tiers"}
    discounts = [_bare_discount(each, expanded=expanded) for each in item["discounts"]]
    return {**item, "price": price, "discounts": discounts}


def _bare_discount(discount: Row, *, expanded: bool) -> Any:
    coupon = discount["source"]["coupon"]["id"]
    return {**discount, "source": {"type": "coupon", "coupon": coupon}} if expanded else discount["id"]


def _limited(faults: Faults) -> Response:
    response = _error(429, "Request rate limit exceeded.", code="rate_limit")
    response.headers["Retry-After"] = str(faults.retry_after)
    return response


def _unauthorized() -> Response:
    return _error(401, "Invalid API Key provided: rk_test_************0000")


def _error(status: int, message: str, **more: str) -> Response:
    return JSONResponse({"error": {"type": "invalid_request_error", "message": message, **more}}, status)
