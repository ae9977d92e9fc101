"""A receiver on loopback that keeps what it was sent, byte by byte, and answers as told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.serving import serving


@dataclass
class Receiver:
    """`answers`: (status, headers, body) of the next calls; then 200 again."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    otherwise: int = 200
    gate: asyncio.Event | None = None

    async def take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        self.paths.append(request.url.path)
        if self.gate is not None:
            await self.gate.wait()
        status, headers, body = self.answers.pop(0) if self.answers else (self.otherwise, {}, "")
        return Response(body, status_code=status, headers=headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    async with serving(Starlette(routes=[Route("/{path:path}", made.take, methods=["POST", "GET"])])) as address:
        made.url = address
        yield made
