"""Requests that people, their mail programs and the demo itself make over HTTP on this machine."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

TAKES_AT_MOST = 60.0


class Caller:
    """Calls below `url`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    async def post(
        self, path: str, body: Mapping[str, Any] | bytes, *, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """(status, body); 0 where nobody answers. A mapping is sent as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
        request = Request(f"{self.url}{path}", data=raw, headers={**kind, **(headers or {})})  # noqa: S310  loopback
        return await asyncio.to_thread(_answer, request)


def _answer(request: Request) -> tuple[int, bytes]:
    try:
        with urlopen(request, timeout=TAKES_AT_MOST) as answer:  # noqa: S310  the same
            return int(answer.status), answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()
    except (URLError, OSError):
        return 0, b""
