"""The client against a sandbox's faults, over real HTTP on loopback; limits and rendering of sandboxes; `read`."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.hubspot.sandbox import app as hubspot
from connectors.kit import registry
from connectors.kit.budget import Budget
from connectors.kit.errors import BrokenBodyError, ContractError, DeniedError, TransientError
from connectors.kit.http import Client
from connectors.kit.pull import Sample, read
from connectors.kit.retry import Retry
from connectors.kit.sandbox import EachOnce, Faults, Limiter, Rendered, assemble
from connectors.kit.simulated import World
from hub.model.records import Company

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LINES = b"".join(b'{"n": %d, "pad": "%s"}\n' % (n, b"x" * 200) for n in range(100_000))


class Acme:
    """A sandbox with a small answer, a large one and a redirect; and a client with short patience."""

    def __init__(self, serve: Callable[..., str], **client: Any) -> None:
        self.faults, self.asked = Faults(), 0
        routes = [Route("/rows", self.rows), Route("/export", self.export), Route("/moved", self.moved)]
        self.url = serve(assemble(routes, faults=self.faults))
        self.client = Client(self.url, budget=Budget({}), **{"retry": Retry(tries=4, first=0.001), **client})

    async def rows(self, request: Request) -> Response:
        self.asked += 1
        return JSONResponse({"n": self.asked})

    async def export(self, request: Request) -> Response:
        self.asked += 1
        return Response(LINES, media_type="application/x-ndjson")

    async def moved(self, request: Request) -> Response:
        self.asked += 1
        return Response(status_code=307, headers={"Location": "/rows"})


@pytest.mark.parametrize("fault", ["rate_limited", "server_errors", "resets", "truncated", "cut_json", "html"])
@pytest.mark.parametrize("strikes", [3, 4])
async def test_three_strikes_are_survived_and_four_are_not(serve: Any, fault: str, strikes: int) -> None:
    acme = Acme(serve)
    setattr(acme.faults, fault, strikes)
    async with acme.client as client:
        if strikes == 3:
            assert (await client.get_json("/rows"))["n"] >= 1
        else:
            kind = BrokenBodyError if fault in ("cut_json", "html") else TransientError
            with pytest.raises(kind):
                await client.get_json("/rows")
    assert getattr(acme.faults, fault) == 0


async def test_a_dripping_answer_is_cut_off(serve: Any) -> None:
    acme = Acme(serve, deadline=0.2, retry=Retry(tries=2, first=0.001))
    acme.faults.drip = 0.2
    async with acme.client as client:
        with pytest.raises(TransientError, match="did not answer in time"):
            await client.get_json("/rows")
    assert acme.asked == 2


async def test_a_large_body_cut_short_is_asked_for_again_before_anyone_sees_a_line(serve: Any) -> None:
    acme = Acme(serve)
    acme.faults.truncated = 2
    async with acme.client as client:
        numbers = [orjson.loads(line)["n"] async for line in client.stream_lines("/export")]
    assert numbers == list(range(100_000))
    assert acme.asked == 3


async def test_a_redirect_even_to_the_same_host_is_not_followed(serve: Any) -> None:
    acme = Acme(serve)
    async with acme.client as client:
        with pytest.raises(ContractError, match="redirects elsewhere"):
            await client.get_json("/moved")
    assert acme.asked == 1


async def test_a_host_that_is_not_there_is_transient() -> None:
    async with Client("http://127.0.0.1:9", budget=Budget({}), retry=Retry(tries=2, first=0.001)) as client:
        with pytest.raises(TransientError, match=r"^GET 127\.0\.0\.1:9/x: "):
            await client.get_json("/x")


async def test_a_budget_bounds_the_requests_under_way(serve: Any) -> None:
    now, most = 0, 0

    async def busy(request: Request) -> Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return JSONResponse({})

    url = serve(assemble([Route("/busy", busy)], faults=Faults()))
    async with Client(url, budget=Budget({}, concurrency=3)) as client:
        await asyncio.gather(*(client.get_json("/busy") for _ in range(12)))
    assert most == 3


def test_a_limiter_lets_so_many_through_a_window() -> None:
    clock = [0.0]
    limiter = Limiter(2, 10.0, monotonic=lambda: clock[0])
    assert [limiter.hit() for _ in range(3)] == [(True, 1, 10.0), (True, 0, 10.0), (False, 0, 10.0)]
    clock[0] = 10.0
    assert limiter.hit() == (True, 1, 10.0)


def test_a_view_of_the_world_is_made_once_for_each_world(small_world: World) -> None:
    made: list[World] = []
    worlds = [small_world]

    def make(world: World) -> int:
        made.append(world)
        return len(made)

    rendered = Rendered(lambda: worlds[-1], make)
    assert [rendered(), rendered()] == [1, 1]
    worlds.append(World(**{name: getattr(small_world, name) for name in World.__dataclass_fields__}))
    assert [rendered(), rendered()] == [2, 2]


def test_views_that_were_asked_for_are_made_again_before_anybody_asks(small_world: World) -> None:
    worlds: list[World] = [small_world]
    made: list[World] = []

    def make(world: World) -> int:
        made.append(world)
        return len(made)

    asked, never = Rendered(lambda: worlds[-1], make), Rendered(lambda: worlds[-1], make)
    assert asked() == 1
    worlds.append(World(**{name: getattr(small_world, name) for name in World.__dataclass_fields__}))
    Rendered.again()
    assert made == worlds, "and what nobody asked for is not made"
    assert (asked(), never()) == (2, 3)


async def test_read_looks_at_streams_without_storing_and_goes_on_after_a_refusal(
    serve: Any, small_world: World
) -> None:
    url = serve(hubspot(lambda: small_world, token="tok-12345", faults=Faults(), without_scopes=("contacts",)))
    connector = registry.build("hubspot", {"token": "tok-12345", "base_url": url})
    samples: list[Sample] = [sample async for sample in read(connector, now=NOON, limit=2)]
    assert [(sample.stream, len(sample.rows), len(sample.records)) for sample in samples] == [
        ("companies", 2, 2),
        ("contacts", 0, 0),
        ("deals", 2, 2),
    ]
    assert isinstance(samples[0].records[0], Company)
    assert isinstance(samples[1].error, DeniedError)
    (one,) = [sample async for sample in read(connector, ["deals"], now=NOON)]
    assert (len(one.rows), one.error, one.quarantined) == (3, None, [])


def test_each_object_is_made_once_for_as_long_as_it_is_asked_for() -> None:
    made: list[str] = []

    def make(item: list[str]) -> str:
        made.append(item[0])
        return item[0].upper()

    each_once = EachOnce(make)
    first, second, third = ["a"], ["b"], ["c"]
    assert each_once([first, second]) == ["A", "B"]
    assert each_once([second, third, second]) == ["B", "C", "B"]
    assert made == ["a", "b", "c"]
    assert each_once([first, ["b"]]) == ["A", "B"], "what was left out is forgotten, and an equal one is another"
    assert made == ["a", "b", "c", "a", "b"]
