"""A stand-in for Chargebee, over the simulated company.

    GET /api/v2/{customers,subscriptions,invoices}   updated_at[after], sort_by[asc]=updated_at, id[in], include_deleted, offset
    GET /api/v2/item_prices                          with the product catalog 2; configuration_incompatible with 1
    GET /api/v2/plans                                the other way round

`updated_at[after]` leaves its second out. An offset is a place in the order of (updated_at, id). Deleted rows are shown to who
asks for them.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

import orjson
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.credentials import basic
from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble, authorized
from connectors.kit.simulated import World, crm_id

Row = dict[str, Any]
WRAPPED = {"customers": "customer", "subscriptions": "subscription", "invoices": "invoice"}
PREFIX = {"account": "cust", "term": "sub", "bill": "inv"}
OBJECT = {"account": "customer", "term": "subscription", "bill": "invoice"}
KIND = {"account": "customers", "term": "subscriptions", "bill": "invoices"}
WEBHOOK_SECRET = "password-of-the-sandbox"  # noqa: S105  # of a stand-in, and told to whoever asks
REASON = {None: None, "voluntary": None, "contraction": None, "involuntary": "not_paid"}


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    catalog: Literal["1", "2"] = "2",
    with_mrr: bool = True,
    requests_a_minute: int = 10_000,
) -> Starlette:
    """with_mrr: whether the site shows `mrr`."""
    served = _Site(world, token, faults, catalog, with_mrr, Limiter(requests_a_minute, 60.0))
    routes = [
        Route("/api/v2/item_prices", served.guarded(served.names)),
        Route("/api/v2/plans", served.guarded(served.names)),
        Route("/api/v2/{kind}", served.guarded(served.rows)),
    ]
    return assemble(routes, faults=faults, limited=_limited, expired=lambda some: _unauthorized())


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "api_key": token,
        "webhook_secret": WEBHOOK_SECRET,
        "page_size": 3,
        "external_key_field": "cf_crm_id",
        "domain_field": "cf_domain",
        "segment_field": "cf_segment",
        "csm_email_field": "cf_csm",
    }


def truth(world: World) -> Mapping[str, Collection[str]]:
    return {
        "customers": {key("account", each.number) for each in world.accounts},
        "subscriptions": {key("term", each.number) for each in world.terms},
        "invoices": {key("bill", each.number) for each in world.bills},
    }


def key(what: str, number: int) -> str:
    return f"{PREFIX[what]}_{number:06d}"


def event(what: str, number: int) -> bytes:
    """A webhook's body: row `number` has changed."""
    name = OBJECT[what]
    body = {
        "id": f"ev_{what}_{number}", "occurred_at": 1_795_348_800, "source": "admin_console", "object": "event",
        "api_version": "v2", "event_type": f"{name}_changed", "content": {name: {"id": key(what, number), "object": name}},
    }  # fmt: skip
    return orjson.dumps(body)


def signed(body: bytes, *, settings: Any, method: str, url: str, now: datetime) -> dict[str, str]:
    """Headers as Chargebee sends them."""
    return {"authorization": basic(settings.webhook_user, settings.webhook_secret), "user-agent": "ChargeBee"}


class _Site:
    def __init__(
        self,
        world: Callable[[], World],
        token: str,
        faults: Faults,
        catalog: str,
        with_mrr: bool,
        limiter: Limiter,
    ) -> None:
        self._expected, self._faults, self._limiter = basic(token, SecretStr("")), faults, limiter
        self._catalog, self._with_mrr = catalog, with_mrr
        self._rendered = Rendered(world, self._render)
        self._plans = Rendered(world, lambda some: sorted({term.plan for term in some.terms}))

    def guarded(self, answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            if not authorized(request, self._expected):
                return _unauthorized()
            if not self._limiter.hit()[0]:
                return _limited(Faults(retry_after=60))
            return answer(request)

        return handle

    def names(self, request: Request) -> Response:
        version = "1" if request.url.path.endswith("/plans") else "2"
        if version != self._catalog:
            words = f"This operation is not supported in your site: it has product catalog {self._catalog}.0."
            return _error(400, "configuration_incompatible", words)
        wrapped = "plan" if version == "1" else "item_price"
        rows = [{wrapped: {"id": _price(plan), "name": plan, "external_name": plan.title()}} for plan in self._plans()]
        return JSONResponse({"list": rows})

    def rows(self, request: Request) -> Response:
        query, kind = request.query_params, request.path_params["kind"]
        if kind not in WRAPPED:
            return _error(404, "resource_not_found", f"{kind} not found")
        rows = self._rendered()[kind]
        if query.get("include_deleted") != "true":
            rows = [row for row in rows if not row["deleted"]]
        if (after := query.get("updated_at[after]")) is not None:
            rows = [row for row in rows if row["updated_at"] > int(after)]
        if (ids := query.get("id[in]")) is not None:
            rows = [row for row in rows if row["id"] in orjson.loads(ids)]
        return self._page(request, kind, sorted(rows, key=_place))

    def _page(self, request: Request, kind: str, rows: list[Row]) -> Response:
        query = request.query_params
        limit, begin = int(query.get("limit", 10)), (0, "")
        if not 1 <= limit <= 100:
            return _error(400, "param_wrong_value", "limit : should be between 1 and 100", param="limit")
        if offset := query.get("offset"):
            told = orjson.loads(offset)
            begin = (int(told[0]), str(told[1]))
        beyond = [row for row in rows if _place(row) > begin]
        page = beyond[:limit]
        more = len(beyond) > limit
        if offset and more and self._faults.take("empty_pages"):
            return JSONResponse(
                {"list": [], "next_offset": orjson.dumps([str(begin[0]), begin[1] + "\u0000"]).decode()}
            )
        before = [row for row in rows if _place(row) <= begin]
        body: dict[str, Any] = {}
        if more:
            at, name = _place(page[-1])
            body["next_offset"] = orjson.dumps([str(at), name]).decode()
        if before and page and self._faults.take("duplicate_rows"):
            page = [before[-1], *page]
        beside = {"customer": {"id": "of somebody"}} if kind == "subscriptions" else {}
        return JSONResponse({"list": [{WRAPPED[kind]: row, **beside} for row in page], **body})

    def _render(self, world: World) -> dict[str, list[Row]]:
        made = {
            "customers": [_customer(each) for each in world.accounts],
            "subscriptions": [self._subscription(each) for each in world.terms],
            "invoices": [_invoice(each) for each in world.bills],
        }
        for grave in world.removed:
            if grave.what in KIND:
                row = {"id": key(grave.what, grave.number), "deleted": True, **_stamps(grave.at)}
                if grave.what != "account":
                    row["customer_id"] = key("account", grave.account)
                made[KIND[grave.what]].append(row)
        return made

    def _subscription(self, each: Any) -> Row:
        ended, yearly = each.ended_on is not None, round(each.mrr * 1200)
        row: Row = {
            "id": key("term", each.number),
            "object": "subscription",
            "customer_id": key("account", each.account),
            "status": "cancelled" if ended else "active" if each.auto_renew else "non_renewing",
            "currency_code": each.currency,
            "billing_period": 1,
            "billing_period_unit": "year",
            "started_at": _midnight(each.started_on),
            "current_term_start": _midnight(each.started_on),
            "current_term_end": _midnight(each.renews_on),
            "deleted": False,
            **_stamps(each.updated_at),
        }
        if not ended and each.auto_renew:
            row["next_billing_at"] = _midnight(each.renews_on)
        if each.cancelled_at is not None:
            row["cancel_schedule_created_at"] = _unix(each.cancelled_at)
        if ended:
            row["cancelled_at"] = _midnight(each.ended_on)
        if REASON[each.cancellation_kind]:
            row["cancel_reason"] = REASON[each.cancellation_kind]
        if self._with_mrr:
            row["mrr"] = round(each.mrr * 100)
        if self._catalog == "1":
            return {**row, "plan_id": _price(each.plan), "plan_quantity": each.seats_purchased, "plan_amount": yearly}
        item = {
            "item_price_id": _price(each.plan), "item_type": "plan", "quantity": each.seats_purchased, "amount": yearly,
            "object": "subscription_item",
        }  # fmt: skip
        return {**row, "subscription_items": [item]}


def _customer(each: Any) -> Row:
    return {
        "id": key("account", each.number),
        "object": "customer",
        "company": each.name,
        "email": f"billing@{each.domain}",
        "billing_address": {"country": each.country},
        "created_at": _midnight(each.signed_on),
        "deleted": False,
        "cf_crm_id": crm_id(each.number),
        "cf_domain": each.domain,
        "cf_segment": each.segment,
        "cf_csm": each.csm_email,
        **_stamps(each.updated_at),
    }


def _invoice(each: Any) -> Row:
    status = {"open": "payment_due", "paid": "paid", "failed": "not_paid", "void": "voided"}[each.status]
    issued = _midnight(each.issued_on)
    tries = each.attempts if each.status != "paid" else max(1, each.attempts)
    payments = [
        {
            "txn_id": f"txn_{each.number}_{n}",
            "applied_amount": 0,
            "txn_status": "failure",
            "txn_date": issued + n * 86_400,
        }
        for n in range(tries)
    ]
    if each.status == "paid":
        payments[-1] |= {"txn_status": "success", "applied_amount": round(each.amount * 100)}
    row: Row = {
        "id": key("bill", each.number),
        "object": "invoice",
        "customer_id": key("account", each.account),
        "status": status,
        "currency_code": each.currency,
        "total": round(each.amount * 100),
        "date": issued,
        "due_date": _midnight(each.due_on),
        "linked_payments": payments,
        "deleted": False,
        **_stamps(each.updated_at),
    }
    return {**row, "paid_at": _unix(each.paid_at)} if each.paid_at else row


def _stamps(when: datetime) -> Row:
    return {"updated_at": _unix(when), "resource_version": round(when.timestamp() * 1000)}


def _place(row: Row) -> tuple[int, str]:
    return row["updated_at"], row["id"]


def _price(plan: str) -> str:
    return f"{plan}-yearly"


def _unix(when: datetime) -> int:
    return int(when.timestamp())


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _limited(faults: Faults) -> Response:
    response = _error(
        429, "api_request_limit_exceeded", "Sorry, you have exceeded the number of requests of this site."
    )
    response.headers["Retry-After"] = str(faults.retry_after)
    return response


def _unauthorized() -> Response:
    return _error(401, "api_authentication_failed", "Sorry, authentication failed. Invalid api key.")


def _error(status: int, code: str, message: str, **more: str) -> Response:
    told = {"message": message, "type": "invalid_request", "api_error_code": code, "http_status_code": status, **more}
    return JSONResponse(told, status)
