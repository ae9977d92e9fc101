"""Slack's chat.postMessage on loopback: a real HTTP server that keeps what it was sent and answers as told.

async with serving_slack() as slack:
    slack.answers = [(429, {"retry-after": "7"}, "slow down")]     # the next answers; then ok again
    channel = SlackChannel("xoxb-test", base_url=slack.url)
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.serving import serving

Answer = tuple[int, dict[str, str], Any]


@dataclass
class FakeSlack:
    url: str = ""
    posted: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def post_message(self, request: Request) -> Response:
        body = await request.json()
        self.received.append(body)
        self.tokens.append(request.headers["authorization"])
        if self.gate is not None:
            await self.gate.wait()
        if self.answers:
            status, headers, answer = self.answers.pop(0)
            text = answer if isinstance(answer, str) else json.dumps(answer)
            media_type = "text/html" if isinstance(answer, str) else "application/json"
            return Response(text, status_code=status, headers=headers, media_type=media_type)
        self.posted.append(body)
        return JSONResponse({"ok": True, "channel": "C0000001", "ts": f"1700000000.{len(self.posted):06}"})


@asynccontextmanager
async def serving_slack() -> AsyncIterator[FakeSlack]:
    slack = FakeSlack()
    app = Starlette(routes=[Route("/api/chat.postMessage", slack.post_message, methods=["POST"])])
    async with serving(app) as address:
        slack.url = f"{address}/api/"
        yield slack
