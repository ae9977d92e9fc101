"""Documents of an OpenID Connect issuer over HTTP: JSON objects of a bounded size, in bounded time, without redirects."""

from collections.abc import Mapping
from typing import Any

import httpx
import orjson

LARGEST = 1_000_000
SECONDS = 5.0


class FetchError(Exception):
    """It did not come, or is no JSON object. The message names the address, and nothing that was sent there."""


class Fetching:
    """A client for one issuer; `close` it."""

    def __init__(self) -> None:
        self._http: httpx.AsyncClient | None = None

    async def get(self, url: str, *, bearer: str | None = None) -> Mapping[str, Any]:
        """What stands there, where it answers 200."""
        status, found = await self._ask(
            "GET", url, headers={} if bearer is None else {"authorization": f"Bearer {bearer}"}
        )
        if status != 200:
            raise FetchError(f"{url} answered {status}")
        return found

    async def post(
        self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        """(status, what it answered); of a refusal, too, where it is a JSON object."""
        return await self._ask("POST", url, data=dict(form), auth=None if basic is None else httpx.BasicAuth(*basic))

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **given: Any
    ) -> tuple[int, Mapping[str, Any]]:
        if self._http is None:
            # the environment is read in one place only, and an issuer does not redirect to where its keys are
            self._http = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=httpx.Timeout(SECONDS))
        body = bytearray()
        wanted = {"accept": "application/json", **(headers or {})}
        try:
            async with self._http.stream(method, url, headers=wanted, **given) as response:
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST:
                        raise FetchError(f"{url} answered more than {LARGEST:,} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(str(error) or type(error).__name__) from None
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise FetchError(f"{url} answered {response.status_code}, and no JSON object")
        return response.status_code, found
