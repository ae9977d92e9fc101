"""A web server with three CSV files of the simulated company, as other people's exports look.

/nps.csv            answers to the NPS survey; the company is named by its domain, sometimes by the respondent's e-mail
/subscriptions.csv  terms of subscriptions; the company is named by its id in the CRM
/invoices.csv       invoices, paid, failed and open; the company is named by its id in the CRM
"""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from hashlib import blake2b
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Rendered, assemble, authorized
from connectors.kit.simulated import Term, World, crm_id

BY_EMAIL = 10  # every tenth answer names no domain


def app(world: Callable[[], World], *, token: str, faults: Faults) -> Starlette:
    """The files; an empty `token` asks for none."""
    rendered = Rendered(world, _files)

    async def serve(request: Request) -> Response:
        if token and not authorized(request, f"Bearer {token}"):
            return PlainTextResponse("token required", 401)
        files, name = rendered(), request.path_params["name"]
        if name not in files:
            return PlainTextResponse(f"files are: {', '.join(files)}", 404)
        content, headers = files[name]
        if _fresh(request, headers):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="text/csv", headers=headers)

    return assemble([Route("/{name:str}", serve)], faults=faults)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    """A source that reads the terms of subscriptions."""
    return {
        "location": "subscriptions.csv", "base_url": base_url, "token": token, "record": "subscription", "key": "term_id",
        "company_key": "customer", "updated_at": "updated_at",
    }  # fmt: skip


def truth(world: World) -> Mapping[str, Collection[str]]:
    return {"rows": [f"term-{term.number}" for term in world.terms]}


def _fresh(request: Request, headers: Mapping[str, str]) -> bool:
    asked = request.headers
    if "if-none-match" in asked:
        return asked["if-none-match"] == headers["ETag"]
    return asked.get("if-modified-since") == headers["Last-Modified"]


def _files(world: World) -> dict[str, tuple[bytes, dict[str, str]]]:
    changed = format_datetime(world.until.replace(microsecond=0), usegmt=True)
    files = {}
    made = {"nps.csv": _nps(world), "subscriptions.csv": _subscriptions(world), "invoices.csv": _invoices(world)}
    for name, content in made.items():
        tag = blake2b(content, digest_size=12).hexdigest()
        files[name] = (content, {"ETag": f'"{tag}"', "Last-Modified": changed})
    return files


def _nps(world: World) -> bytes:
    domains = {account.number: account.domain for account in world.accounts}
    emails = {person.number: person.email for person in world.people}
    header = ("response_id", "company", "respondent", "score", "comment", "responded_at")
    return _csv(
        header,
        (
            (
                f"nps-{answer.number}",
                emails[answer.person] if answer.number % BY_EMAIL == 0 else domains[answer.account],
                emails[answer.person],
                answer.score,
                answer.comment,
                _iso(answer.at),
            )
            for answer in world.nps
        ),
    )


def _subscriptions(world: World) -> bytes:
    header = (
        "term_id", "customer", "plan", "mrr", "currency", "seats_purchased", "seats_used", "started_on", "renews_on",
        "ended_on", "auto_renew", "status", "cancelled_at", "cancellation_kind", "updated_at",
    )  # fmt: skip
    return _csv(
        header,
        (
            (
                f"term-{term.number}", crm_id(term.account), term.plan, f"{term.mrr:.2f}", term.currency,
                term.seats_purchased, term.seats_used, term.started_on, term.renews_on, term.ended_on or "",
                "yes" if term.auto_renew else "no", _status(term, world.until), _iso(term.cancelled_at),
                term.cancellation_kind or "", _iso(term.updated_at),
            )
            for term in world.terms
        ),
    )  # fmt: skip


def _invoices(world: World) -> bytes:
    header = (
        "invoice_id", "customer", "number", "amount", "currency", "issued_on", "due_on", "paid_at", "failed_at",
        "attempts", "status", "updated_at",
    )  # fmt: skip
    return _csv(
        header,
        (
            (
                f"invoice-{bill.number}", crm_id(bill.account), f"NB-{bill.number:06}", f"{bill.amount:.2f}",
                bill.currency, bill.issued_on, bill.due_on, _iso(bill.paid_at), _iso(bill.failed_at), bill.attempts,
                bill.status, _iso(bill.updated_at),
            )
            for bill in world.bills
        ),
    )  # fmt: skip


def _status(term: Term, until: datetime) -> str:
    if term.ended_on is not None and term.ended_on <= until.date():
        return "ended"
    return "active" if term.cancelled_at is None else "cancelled"


def _csv(header: Sequence[str], body: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(body)
    return b"\xef\xbb\xbf" + text.getvalue().encode()  # spreadsheets put a byte order mark in front


def _iso(when: datetime | None) -> str:
    return when.isoformat().replace("+00:00", "Z") if when is not None else ""
