"""What receivers of other people's requests share: the raw body, up to a limit, and what a route is.

Routes are made by `hub.web.<noun>.routes(…) -> Routes` and mounted by hub.compose.web.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson
from starlette.requests import Request
from starlette.routing import BaseRoute

Routes: TypeAlias = list[BaseRoute]


class TooLargeError(Exception):
    """A body beyond its limit; its rest was not read."""


async def body_of(request: Request, *, most: int) -> bytes:
    """The raw bytes, as signatures are made over them; TooLargeError for more than `most`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLargeError
    return bytes(body)


def json_object(body: bytes) -> dict[str, Any] | None:
    """A body's JSON object; None where it is none, or nested so deeply that it could not be kept."""
    try:
        value = orjson.loads(body)
        orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return value if isinstance(value, dict) else None


def bearer(headers: Mapping[str, str]) -> str | None:
    """What stands behind `Bearer`; None where nothing does."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def content_type(request: Request) -> str:
    """Without its parameters, in small letters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
