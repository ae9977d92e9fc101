"""The answers Zendesk's sandbox gives: JSON, errors in the vendor's shape; and who is let in."""

import base64
import binascii
import hmac
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.zendesk.wire import Row


def is_here(row: Row) -> bool:
    return row.get("status") != "deleted" and row.get("deleted_at") is None and row.get("email", "") is not None


def as_json(value: Any) -> Response:
    """A large answer: the standard library's JSON would take most of the sandbox's time."""
    return Response(orjson.dumps(value), media_type="application/json")


def too_recent() -> Response:
    return error(422, "InvalidValue", "Too recent start_time. Use a start_time older than 60 seconds")


def error(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "description": description}, status)


def authorized(request: Request, token: str) -> bool:
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, secret = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return kind == "Basic" and user.endswith("/token") and hmac.compare_digest(secret.encode(), token.encode())
