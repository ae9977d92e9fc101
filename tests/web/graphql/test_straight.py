"""Requests to /graphql go past the application's routes, and are answered as those that go by them."""

import asyncio

import httpx
import pytest

from hub.web.graphql import endpoint
from hub.web.graphql.endpoint import Patience
from tests.web.conftest import FakeHub, serving

SAFE = ("content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-resource-policy")


async def test_its_answers_have_the_headers_of_all_answers(client: httpx.AsyncClient) -> None:
    everywhere = (await client.get("/healthz")).headers
    for accept in ("application/json", "text/event-stream", "application/json, Text/Event-Stream;q=0.5"):
        headers = {"accept": accept}
        response = await client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
        assert response.status_code == 401
        assert [response.headers[name] for name in SAFE] == [everywhere[name] for name in SAFE]


async def test_an_error_of_ours_is_an_answer_that_says_nothing(hub: FakeHub) -> None:
    class _Broken:
        sessions = None

        async def find_viewer(self, secret: str, **_: object) -> None:
            raise ZeroDivisionError("secret")

        async def close(self) -> None: ...

    async with serving(hub, admission=_Broken()) as url, httpx.AsyncClient(base_url=url) as client:
        headers = {"authorization": "Bearer cshub_x"}
        response = await client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert (response.status_code, response.text) == (500, "Internal Server Error")


async def test_a_head_has_no_body(client: httpx.AsyncClient) -> None:
    response = await client.head("/graphql", params={"query": "{ __typename }"})
    assert (response.status_code, response.content) == (401, b"")
    assert int(response.headers["content-length"]) > 0


async def test_patience_calls_the_late_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_PATIENCE_SECONDS", 0.01)
    patience, called = Patience(), list[str]()
    late = asyncio.Event()
    patience.wait("quick", lambda: called.append("quick"))
    patience.wait("late", late.set)
    patience.done("quick")
    await asyncio.wait_for(late.wait(), 10)
    patience.done("late")
    assert called == []
    await asyncio.sleep(0.05)
    again = asyncio.Event()
    patience.wait("again", again.set)  # its timer had stopped, and is set anew
    await asyncio.wait_for(again.wait(), 10)
    patience.done("again")
    patience.done("never seen")
