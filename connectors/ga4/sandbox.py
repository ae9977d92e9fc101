"""Google's stand-in: the token endpoint, and reports of the simulated company's days by customer.

    POST /token                                  a signed assertion of the service account -> an access token, for an hour
    POST /v1beta/properties/{id}:runReport       dateRanges, dimensions, metrics, orderBys, limit, offset

Customers "acct-<number>" as customUser:account_id, users "u-<person number>" as customUser:user_id. A report without rows
has no key `rows`. Values are text. 10,000 rows come without a limit, 250,000 at most. Options show what Google leaves out:
`other` puts the smallest rows of a day into (other), `thresholded` those of one user. The key that `settings` holds was made
for this process; its id is the token.
"""

import base64
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Rendered, assemble
from connectors.kit.simulated import World
from connectors.kit.truth import usage_days
from connectors.kit.usage import sessions_of

ACCOUNT, USER = "customUser:account_id", "customUser:user_id"
Group = tuple[str, ...]
DEFAULT_LIMIT, LARGEST_LIMIT = 10_000, 250_000
COST = 12  # tokens a report


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    tokens_a_day: int = 200_000,
    tokens_an_hour: int = 40_000,
    other: int = 0,
    thresholded: bool = False,
) -> Starlette:
    """`other`: rows a report has at most before the rest comes as (other)."""
    access, spent = set[str](), [0]
    events = Rendered(world, _by_day)

    async def give_token(request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        if not _signed("".join(form.get("assertion", ())), key_id=token):
            return JSONResponse({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        access.add(made := "ya29." + secrets.token_urlsafe(24))
        return JSONResponse({"access_token": made, "expires_in": 3599, "token_type": "Bearer"})

    async def report(request: Request) -> Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in access:
            return _expired(faults)
        if spent[0] + COST > tokens_a_day:
            return _error(
                429, "RESOURCE_EXHAUSTED", "Exhausted property tokens per day. These quota tokens will return."
            )
        if spent[0] + COST > tokens_an_hour:
            return _error(
                429, "RESOURCE_EXHAUSTED", "Exhausted property tokens per hour. These quota tokens will return."
            )
        spent[0] += COST
        body = orjson.loads(await request.body())
        dimensions, metrics = ([each["name"] for each in body[name]] for name in ("dimensions", "metrics"))
        rows = _report(events(), body["dateRanges"][0], dimensions)
        cut = bool(other) and len(rows) > other
        if cut:
            rows = [
                *rows[:other],
                (("(other)",) * len(dimensions), [each for _, some in rows[other:] for each in some]),
            ]
        if thresholded:
            rows = [row for row in rows if len({user for _, user in row[1]}) > 1]
        limit, offset = min(int(body.get("limit", DEFAULT_LIMIT)), LARGEST_LIMIT), int(body.get("offset", 0))
        page = [
            {
                "dimensionValues": [{"value": name} for name in names],
                "metricValues": [{"value": str(METRICS[metric](seen))} for metric in metrics],
            }
            for names, seen in rows[offset : offset + limit]
        ]
        if page and faults.take("duplicate_rows"):
            page = [page[0], *page[:-1]] if len(page) == limit else [page[0], *page]
        answer = {
            "dimensionHeaders": [{"name": name} for name in dimensions],
            "metricHeaders": [{"name": name, "type": "TYPE_INTEGER"} for name in metrics],
            **({"rows": page} if page else {}),
            "rowCount": len(rows),
            "metadata": {
                "currencyCode": "EUR",
                "timeZone": "Etc/UTC",
                **({"dataLossFromOtherRow": True} if cut else {}),
                **({"subjectToThresholding": True} if thresholded else {}),
            },
            "propertyQuota": {
                "tokensPerDay": {"consumed": COST, "remaining": tokens_a_day - spent[0]},
                "tokensPerHour": {"consumed": COST, "remaining": tokens_an_hour - spent[0]},
                "concurrentRequests": {"remaining": 10},
                "serverErrorsPerProjectPerHour": {"remaining": 10},
                "potentiallyThresholdedRequestsPerHour": {"remaining": 120},
            },
            "kind": "analyticsData#runReport",
        }
        return JSONResponse(answer if rows else {name: value for name, value in answer.items() if name != "rowCount"})

    routes = [
        Route("/token", give_token, methods=["POST"]),
        Route("/v1beta/properties/{property:int}:runReport", report, methods=["POST"]),
    ]
    return assemble(routes, faults=faults, limited=_limited, expired=_expired)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    key = {
        "type": "service_account",
        "client_email": "cshub@acme.iam.example",
        "private_key_id": token,
        "private_key": _pem(),
        "token_uri": f"{base_url}/token",
    }
    return {
        "base_url": base_url, "property_id": 1, "service_account": orjson.dumps(key).decode(), "page_size": 5,
        "user_dimension": USER, "window_days": 90,
    }  # fmt: skip


def truth(world: World) -> Mapping[str, Collection[str]]:
    first = world.until.date() - timedelta(days=540)
    return {"usage": usage_days(event for event in world.events if event.at.date() >= first)}


def _report(
    days: Mapping[str, list[tuple[Group, tuple[int, str]]]], asked: Mapping[str, str], dimensions: list[str]
) -> Any:
    """[(names, [(time, user), …]), …] in the order of the names."""
    wanted = {"date": 0, ACCOUNT: 1, USER: 2, "eventName": 3}
    found: dict[Group, list[tuple[int, str]]] = {}
    for day, events in days.items():
        if asked["startDate"].replace("-", "") <= day <= asked["endDate"].replace("-", ""):
            for names, seen in events:
                found.setdefault(tuple(names[wanted[name]] for name in dimensions), []).append(seen)
    return sorted(found.items())


def _by_day(world: World) -> dict[str, list[tuple[Group, tuple[int, str]]]]:
    made: dict[str, list[tuple[Group, tuple[int, str]]]] = {}
    for event in world.events:
        day, user = f"{event.at:%Y%m%d}", f"u-{event.person}"
        seen = (int(event.at.timestamp()), user)
        made.setdefault(day, []).append(((day, f"acct-{event.account}", user, event.name), seen))
    return made


METRICS: Mapping[str, Callable[[list[tuple[int, str]]], int]] = {
    "eventCount": len,
    "totalUsers": lambda seen: len({user for _, user in seen}),
    "sessions": lambda seen: sessions_of([at for at, _ in seen])[0],
    "userEngagementDuration": lambda seen: round(60 * sessions_of([at for at, _ in seen])[1]),
}


@cache
def _private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem() -> str:
    return (
        _private_key()
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def _signed(assertion: str, *, key_id: str) -> bool:
    """Whether the assertion is signed by the key of `settings`, and its id is the token."""
    try:
        head, claims, signature = (part + "=" * (-len(part) % 4) for part in assertion.split("."))
        signed = ".".join(assertion.split(".")[:2]).encode()
        _private_key().public_key().verify(
            base64.urlsafe_b64decode(signature), signed, padding.PKCS1v15(), hashes.SHA256()
        )
        header, told = (orjson.loads(base64.urlsafe_b64decode(part)) for part in (head, claims))
    except (ValueError, InvalidSignature):
        return False
    return header.get("kid") == key_id and int(told["exp"]) > int(told["iat"])


def _error(status: int, kind: str, message: str, **more: Any) -> Response:
    return JSONResponse({"error": {"code": status, "message": message, "status": kind, **more}}, status)


def _limited(faults: Faults) -> Response:
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{faults.retry_after}s"}
    said = "Exhausted concurrent requests quota."
    response = _error(429, "RESOURCE_EXHAUSTED", said, details=[wait])
    response.headers["Retry-After"] = str(faults.retry_after)
    return response


def _expired(faults: Faults) -> Response:
    return _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
