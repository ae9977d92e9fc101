"""The HTTP client every connector pulls with: budgets, retries, errors that say what to do, bodies read defensively.

    async with connector.client() as client:
        page = await client.get_json("/tickets", params={"cursor": token}, bucket="exports")
        async for line in client.stream_lines("/export", params={...}): …

Paths are relative to the configured base URL; an absolute URL of another host is refused and redirects are not followed,
so a credential never travels elsewhere. Large bodies are spooled (to disk above 8 MB) before the first line is handed on:
only so can a body cut short be asked for again without anyone having seen half of it, and a slow store does not keep the
vendor's connection open.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cache
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, Any, Literal, Self
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from connectors.kit import tempo
from connectors.kit.budget import Budget, Quota
from connectors.kit.credentials import basic as basic
from connectors.kit.credentials import bearer as bearer
from connectors.kit.errors import BrokenBodyError, ConnectorError, DeniedError, PausedError, TransientError
from connectors.kit.paging import own_path
from connectors.kit.rates import RateHeaders, standard
from connectors.kit.reply import CHUNK_BYTES, MOST_BYTES, Download, Reply, whole_body
from connectors.kit.request import Params as Params
from connectors.kit.request import Request
from connectors.kit.retry import Retry, Sleep
from connectors.kit.verdict import Judge, verdict
from hub.clock import utc_now

SPOOL_BYTES = 8 << 20
TAIL_BYTES = 4096

# at INFO it logs whole URLs, and some vendors take keys in the query
logging.getLogger("httpx").setLevel(logging.WARNING)


@cache
def _certificates() -> ssl.SSLContext:
    """Trusted roots, read once: it takes longer than many a request."""
    return httpx.create_ssl_context(trust_env=False)


class Client:
    """One source's way to its vendor.

    authorization  value of the Authorization header, see `bearer` and `basic`
    headers        others to send with every request (an API version, a key header)
    judge          the vendor's own rules for its error answers; None leaves it to `connectors.kit.verdict`
    authorize      gives that value before the first request, where it has to be asked for, see `connectors.kit.oauth`
    renew          gives a new Authorization value when the vendor says 401; tried once per request
    deadline       seconds for one JSON request altogether; a dripping answer is cut off there
    transport, sleep, clock, monotonic    for tests
    """

    def __init__(
        self,
        base_url: str,
        *,
        budget: Budget,
        authorization: str | None = None,
        headers: Mapping[str, str] | None = None,
        judge: Judge | None = None,
        rate_headers: RateHeaders = standard,
        authorize: Callable[[], Awaitable[str]] | None = None,
        renew: Callable[[], Awaitable[str]] | None = None,
        retry: Retry | None = None,
        proxy: SecretStr | None = None,
        deadline: float = 120.0,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Sleep = tempo.sleep,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = tempo.monotonic,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._budget, self._judge, self._rate_headers = budget, judge, rate_headers
        self._authorization, self._authorize = authorization, authorize
        self._renew, self._renewing = renew, asyncio.Lock()
        self._retry = retry or Retry()
        self._sleep, self._clock, self._monotonic = sleep, clock, monotonic
        self._deadline = deadline
        self._http = httpx.AsyncClient(
            headers={"User-Agent": "cshub", **(headers or {})},
            timeout=httpx.Timeout(60.0, connect=10.0),
            follow_redirects=False,
            trust_env=False,  # the environment is read in one place only; a proxy is a setting
            verify=_certificates(),
            transport=transport,
            proxy=proxy.get_secret_value() if proxy else None,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    @property
    def renews(self) -> bool:
        """Whether a credential that has run out is renewed on the way."""
        return self._renew is not None

    @property
    def quotas(self) -> list[Quota]:
        """What is left of the vendor's limits, as far as anybody knows."""
        return self._budget.quotas(at=self._clock(), tick=self._monotonic())

    def now(self) -> datetime:
        return self._clock()

    async def get_json(self, path: str, *, params: Params | None = None, bucket: str = "default") -> Any:
        """The JSON body of a GET. Raises DeniedError, TransientError, PausedError or ContractError."""
        return (await self._ask(Request(method="GET", path=path, params=params, bucket=bucket)))[1]

    async def get(
        self, path: str, *, params: Params | None = None, bucket: str = "default", again: bool = True
    ) -> tuple[Reply, Any]:
        """A GET's answer, for its headers, and its JSON. `again=False`: tried once, where a request moves a place on."""
        return await self._ask(Request(method="GET", path=path, params=params, bucket=bucket), again=again)

    async def post_json(
        self,
        path: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        params: Params | None = None,
        bucket: str = "default",
        method: Literal["POST", "PUT", "PATCH"] = "POST",
    ) -> Any:
        """The JSON answer to `json` or `form`. It is retried: only for what reads, or sets values."""
        request = Request(method=method, path=path, params=params, json=json, form=form, bucket=bucket)
        return (await self._ask(request))[1]

    @asynccontextmanager
    async def download(
        self,
        path: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        bucket: str = "default",
        whole: Callable[[bytes], bool] | None = None,
    ) -> AsyncIterator[Download]:
        """A large body, complete. `whole` is shown its last 4 KB and says whether that is how a complete one ends."""
        request = Request(method="GET", path=path, params=params, headers=headers, bucket=bucket)
        with SpooledTemporaryFile(max_size=SPOOL_BYTES) as file:
            reply = await self._retry.run(
                lambda: self._spool(request, file, whole), sleep=self._sleep, clock=self._clock
            )
            file.seek(0)
            yield Download(reply, file)

    async def stream_bytes(
        self, path: str, *, params: Params | None = None, bucket: str = "default"
    ) -> AsyncIterator[bytes]:
        """The body in pieces of at most 64 KB."""
        async with self.download(path, params=params, bucket=bucket) as download:
            while piece := download.file.read(CHUNK_BYTES):
                yield piece

    async def stream_lines(
        self,
        path: str,
        *,
        params: Params | None = None,
        bucket: str = "default",
        whole: Callable[[bytes], bool] | None = None,
    ) -> AsyncIterator[str]:
        """The body's lines without their ends, as UTF-8; bytes that are none become U+FFFD."""
        async with self.download(path, params=params, bucket=bucket, whole=whole) as download:
            for line in download.file:
                yield line.rstrip(b"\r\n").decode("utf-8", "replace")

    async def _ask(self, request: Request, *, again: bool = True) -> tuple[Reply, Any]:
        async def once() -> tuple[Reply, Any]:
            reply = await self._send(request, deadline=self._deadline)
            return reply, reply.json()

        return await (self._retry.run(once, sleep=self._sleep, clock=self._clock) if again else once())

    async def _spool(self, request: Request, file: IO[bytes], whole: Callable[[bytes], bool] | None) -> Reply:
        file.seek(0)
        file.truncate()  # what an earlier try left
        reply = await self._send(request, into=file)
        size = file.tell()
        file.seek(0)
        head = file.read(TAIL_BYTES).lstrip()[:9].lower()
        file.seek(max(0, size - TAIL_BYTES))
        if head.startswith((b"<!doctype", b"<html")):
            raise BrokenBodyError(f"{reply.place} answered {reply.status} with HTML", status=reply.status)
        if reply.status != 304 and whole is not None and not whole(file.read()):
            raise BrokenBodyError(f"{reply.place} sent a body that ends too early", status=reply.status)
        return reply

    async def _send(self, request: Request, *, into: IO[bytes] | None = None, deadline: float | None = None) -> Reply:
        """One request, and a second one with a renewed credential after a 401."""
        if self._authorization is None and self._authorize is not None:
            async with self._renewing:
                self._authorization = self._authorization or await self._authorize()
        authorization = self._authorization
        try:
            return await self._once(request, authorization, into, deadline)
        except DeniedError as error:
            if self._renew is None or error.scope != "source":
                raise
            async with self._renewing:
                if self._authorization == authorization:  # nobody else has renewed it meanwhile
                    self._authorization = await self._renew()
            return await self._once(request, self._authorization, into, deadline)

    async def _once(
        self, request: Request, authorization: str | None, into: IO[bytes] | None, deadline: float | None
    ) -> Reply:
        path = own_path(request.path, base_url=self.base_url)
        base = urlsplit(self.base_url)
        place = f"{request.method} {base.netloc}{base.path}{path.partition('?')[0]}"
        await self._wait_for_budget(request.bucket, place)
        try:
            async with self._budget.slot(), asyncio.timeout(deadline):
                reply = await self._exchange(request, path, place, authorization, into)
        except (httpx.TimeoutException, TimeoutError):
            raise TransientError(f"{place} did not answer in time") from None
        except httpx.DecodingError:
            raise BrokenBodyError(f"{place} sent a body that cannot be decompressed") from None
        except httpx.TransportError as error:
            raise TransientError(f"{place}: {self._scrub(str(error)) or type(error).__name__}") from None
        refused = self._judged(reply, request.bucket)
        if refused is not None:
            raise refused
        return reply

    async def _exchange(
        self, request: Request, path: str, place: str, authorization: str | None, into: IO[bytes] | None
    ) -> Reply:
        url = httpx.URL(self.base_url + path)
        if request.params:
            wanted = {name: value for name, value in request.params.items() if value is not None}
            url = url.copy_merge_params(wanted)
        headers = dict(request.headers or {})
        if authorization is not None:
            headers["Authorization"] = authorization
        async with self._http.stream(
            request.method, url, json=request.json, data=request.form, headers=headers
        ) as response:
            content = b""
            if into is not None and response.status_code == 200:
                async for piece in response.aiter_bytes(CHUNK_BYTES):
                    into.write(piece)
            else:
                content = await whole_body(response, most=MOST_BYTES, place=place)
            names = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, names, content, place)

    def _judged(self, reply: Reply, bucket: str) -> ConnectorError | None:
        """Learn from the answer's headers, and say which error it stands for."""
        now, tick = self._clock(), self._monotonic()
        for reading in self._rate_headers(reply.headers, now):
            self._budget.observe(reading.bucket or bucket, reading, at=now, tick=tick)
        error = (self._judge(reply, now) if self._judge else None) or verdict(reply, now)
        if isinstance(error, TransientError) and error.retry_after is not None:
            self._budget.bucket(bucket).block(error.retry_after, tick)
        if error is not None:
            error.args = (self._scrub(str(error)),)
        return error

    async def _wait_for_budget(self, bucket: str, place: str) -> None:
        wait, granted = self._budget.bucket(bucket).reserve(self._monotonic(), at_most=self._retry.total)
        if not granted:
            until = self._clock() + timedelta(seconds=wait)
            raise PausedError(f"{place}: rate budget is used up until {until:%Y-%m-%d %H:%M} UTC", until=until)
        if wait > 0:
            await self._sleep(wait)

    def _scrub(self, text: str) -> str:
        """Vendors echo credentials in error messages."""
        for secret in (self._authorization or "").split():
            if len(secret) >= 8:
                text = text.replace(secret, "***")
        return text
