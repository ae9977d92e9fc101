"""One request over HTTP and what became of it: an answer, surely not sent, or nobody knows.

Redirects are not followed and proxies of the environment are not used, so what we say goes where the settings say. No error
has the address in it: for some receivers the address is the secret. An answer is read to MAX_ANSWER bytes and no further,
and not longer than the time-out altogether.
"""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import httpx

from hub.delivery.base import Refusal, Rejected, Uncertain

MAX_ANSWER = 16_384
LONGEST_WAIT = timedelta(hours=1)
"""What another side's Retry-After is taken for at most."""

logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it logs whole addresses, and some are secrets


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `body` is its beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> timedelta | None:
        return seconds(self.headers.get("retry-after"))


async def post(
    url: str,
    body: bytes,
    *,
    to: str,
    headers: Mapping[str, str],
    timeout_seconds: float,
    extensions: Mapping[str, Any] | None = None,
) -> Answer:
    """POST `body` once; see `ask`. Of an answer that took it the body is not read."""
    return await ask(
        "POST", url, body, to=to, headers=headers, timeout_seconds=timeout_seconds, extensions=extensions, read=False
    )


async def ask(
    method: str,
    url: str,
    body: bytes | None = None,
    *,
    to: str,
    headers: Mapping[str, str],
    timeout_seconds: float,
    extensions: Mapping[str, Any] | None = None,
    read: bool = True,
    most: int = MAX_ANSWER,
) -> Answer:
    """Send one request, once. `to` is how errors speak of the other side. Raises Rejected or Uncertain.

    read  whether the body of an answer that took it is wanted too; one that breaks off is Uncertain then
    most  so many bytes of the body are read
    """
    try:
        async with (
            asyncio.timeout(timeout_seconds * 1.5),  # a dripping answer never lets the client's own time-out strike
            httpx.AsyncClient(
                verify=_certificates(), trust_env=False, follow_redirects=False, timeout=timeout_seconds
            ) as client,
            client.stream(
                method,
                url,
                content=body,
                headers={"User-Agent": "cshub", **headers},
                extensions=dict(extensions or {}),
            ) as response,
        ):
            return Answer(response.status_code, response.headers, await _beginning(response, most if read else 0))
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise Rejected(f"{to} cannot be reached: {type(error).__name__}", kind=Refusal.TRANSIENT) from None
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError):
        raise Rejected(f"the address of {to} is none that can be called", kind=Refusal.PERMANENT) from None
    except (httpx.HTTPError, OSError) as error:  # TimeoutError is an OSError
        raise Uncertain(f"{to} did not answer: {type(error).__name__}") from None


async def _beginning(response: httpx.Response, most: int) -> bytes:
    """What a refusal says of itself. Where nobody looks at the body of what was taken (`most` is 0), it can't spoil the
    receipt either."""
    if not 200 <= response.status_code < 300:
        most = MAX_ANSWER
    body = b""
    if most:
        async for part in response.aiter_bytes(4096):
            body += part
            if len(body) >= most:
                break
    return body[:most]


def seconds(value: str | None) -> timedelta | None:
    """A Retry-After in seconds, between nothing and LONGEST_WAIT; None where it is not one."""
    try:
        given = float(value or "")
    except ValueError:
        return None
    if given != given:  # "nan" is a number to float
        return None
    return timedelta(seconds=min(max(given, 0.0), LONGEST_WAIT.total_seconds()))


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
