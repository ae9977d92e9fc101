"""The segment connector with the official library, and by hand, over real HTTP into a hub."""

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from segment.analytics.client import Client as Library
from sqlalchemy import func, select
from starlette.applications import Starlette

from connectors.segment.sandbox import calls, truth
from hub.compose import Hub
from hub.compose.hooks import hook_routes
from hub.settings import load
from hub.store import Store
from hub.store.tables import quarantine, tracked_act, user_activity_day
from hub.sync.tracking import LATE
from tests.connectors.suite import holds
from tests.connectors.worlds import company
from tests.fakes.clock import Clock
from tests.fakes.durable import FakeDurable
from tests.fakes.serving import serving

KEY, OTHER = "wk_of_the_product_1", "wk_of_the_other_one"


class Engine(FakeDurable):
    executor = "test"


class Place:
    """A hub that listens, and what it holds."""

    def __init__(self, hub: Hub, engine: Engine, clock: Clock, url: str, broken: Counter[str]) -> None:
        self.hub, self.engine, self.clock, self.url, self.broken = hub, engine, clock, url, broken

    async def send(self, path: str, body: Any, *, key: str | None = KEY, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        async with httpx.AsyncClient(auth=(key, "") if key else None) as client:
            return await client.post(f"{self.url}{path}", content=content, headers=headers)

    async def heed(self) -> None:
        self.clock.move(seconds=2)
        await self.engine.run()

    async def keys(self) -> dict[str, set[str]]:
        held = await holds(self.hub.store)
        return {
            "companies": set(held["company"]),
            "contacts": set(held["contact"]),
            "usage": {*held["user_activity_day"], *held["feature_usage_day"]},
        }

    async def events(self) -> int:
        async with self.hub.store.reading() as connection:
            statement = select(func.sum(user_activity_day.c.events)).where(user_activity_day.c.deleted.is_(False))
            return int((await connection.execute(statement)).scalar() or 0)

    async def quarantined(self) -> list[str]:
        async with self.hub.store.reading() as connection:
            return sorted((await connection.execute(select(quarantine.c.reason))).scalars())


@pytest.fixture
async def place(store: Store, tmp_path: Path) -> AsyncIterator[Place]:
    clock = Clock(company().until)
    engine = Engine(clock=clock)
    sources = {
        "product": {"connector": "segment", "settings": {"write_key": KEY, "crm_trait": "crm_id"}},
        "other": {"connector": "segment", "settings": {"write_key": OTHER, "old_write_key": "wk_before_that_one"}},
    }
    (tmp_path / "hub.yaml").write_text(f"store: {store.url.render_as_string(hide_password=False)}\n")
    (tmp_path / "sources.yaml").write_text(orjson.dumps({"sources": sources}).decode())
    broken: Counter[str] = Counter()
    async with Hub.open(load(tmp_path, environment={}), clock=clock, engine=engine) as hub, hub.working():
        inner = Starlette(routes=hook_routes(hub))

        async def app(scope: Any, receive: Any, send: Any) -> None:
            """Takes what is sent; while `broken["answers"]` is above 0 its answer is lost on the way."""
            if scope["type"] != "http" or broken["answers"] <= 0:
                await inner(scope, receive, send)
                return
            broken["answers"] -= 1

            async def lost(message: Any) -> None:
                if message["type"] == "http.response.start":
                    await send({**message, "status": 502})
                else:
                    await send(message)

            await inner(scope, receive, lost)

        async with serving(app) as url:
            yield Place(hub, engine, clock, url, broken)


def library(place: Place, errors: list[Any], **options: Any) -> Library:
    return Library(
        KEY, host=place.url, on_error=lambda error, _: errors.append(error), upload_size=40, upload_interval=0.05,
        timeout=20, **options,
    )  # fmt: skip


def tell(client: Library, told: Sequence[dict[str, Any]]) -> None:
    for each in told:
        args = {"user_id": each["userId"], "timestamp": None, "message_id": each["messageId"]}
        match each["type"]:
            case "identify":
                client.identify(traits=each["traits"], **args)
            case "group":
                client.group(group_id=each["groupId"], traits=each["traits"], **args)
            case _:
                client.track(event=each["event"], context=each["context"], **args)


@pytest.mark.parametrize("packed", [False, True])
async def test_the_official_library_and_answers_that_are_lost(place: Place, packed: bool) -> None:
    world, errors = company(), list[Any]()
    told = calls(world)
    place.broken["answers"] = 2
    client = library(place, errors, gzip=packed, max_retries=5)
    await asyncio.to_thread(tell, client, told)
    await asyncio.to_thread(client.flush)
    await asyncio.to_thread(client.shutdown)
    assert (errors, place.broken["answers"]) == ([], 0)
    await place.heed()
    assert await place.events() == len(world.events)
    held = await place.keys()
    assert (held["companies"], held["contacts"]) == (truth(world)["companies"], truth(world)["contacts"])
    assert await place.quarantined() == []


async def test_days_companies_and_people_are_those_of_the_simulated_company(place: Place) -> None:
    world = company()
    told = calls(world)
    for first in range(0, len(told), 25):
        sent = {"batch": told[first : first + 25], "sentAt": place.clock().isoformat()}
        answered = await place.send("/v1/batch", gzip.compress(orjson.dumps(sent)), **{"content-encoding": "gzip"})
        assert (answered.status_code, answered.json()) == (200, {"success": True})
        if first == 25:
            await place.heed()  # days that are summed, and get more
    await place.heed()
    assert await place.keys() == {name: set(keys) for name, keys in truth(world).items()}
    assert await place.events() == len(world.events)
    held = await holds(place.hub.store)
    contact = held["contact"]["u-1"]
    assert (contact["email"], contact["name"], contact["company_key"]) == ("kim1@acme1.example", "Kim Ode 1", "acct-1")
    assert held["company"]["acct-1"]["external_key"] == "9000000001"
    assert held["company"]["acct-1"]["domains"] == ["acme1.example"]
    await place.send("/v1/batch", {"batch": told})
    await place.heed()
    assert await place.events() == len(world.events), "sent again, it counts once"


async def test_single_calls_and_browsers_and_which_source_is_meant(place: Place) -> None:
    call = {"userId": "u-1", "context": {"groupId": "g"}, "messageId": "m-1"}
    preflight = httpx.AsyncClient()
    async with preflight:
        allowed = await preflight.options(f"{place.url}/v1/t", headers={"origin": "https://app.example"})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, "*")
    assert (await place.send("/v1/track", {**call, "event": "clicked"})).status_code == 200
    in_body = await place.send("/v1/t", {**call, "event": "clicked", "messageId": "m-2", "writeKey": KEY}, key=None)
    assert (in_body.status_code, in_body.headers["access-control-allow-origin"]) == (200, "*")
    assert (await place.send("/v1/page", {**call, "name": "Home", "messageId": "m-3"}, key=OTHER)).status_code == 200
    old = await place.send("/hooks/other", {**call, "type": "screen", "messageId": "m-4"}, key="wk_before_that_one")
    assert old.status_code == 200
    for key in (None, "wk_of_nobody_at_all"):
        refused = await place.send("/v1/track", {**call, "event": "clicked", "messageId": "m-5"}, key=key)
        assert refused.status_code == 401
    told = await place.send("/hooks/other", {**call, "type": "track", "event": "x"})
    assert (told.status_code, told.json()["error"]) == (
        401,
        "the write key is not the source's write_key, nor its old_write_key",
    )
    await place.heed()
    async with place.hub.store.reading() as connection:
        found = (await connection.execute(select(tracked_act.c.source, tracked_act.c.name))).all()
    assert sorted(tuple(row) for row in found) == [
        ("other", "Page Home"), ("other", "Screen viewed"), ("product", "clicked"), ("product", "clicked"),
    ]  # fmt: skip


async def test_an_act_belongs_to_its_users_company_once_that_is_known(place: Place) -> None:
    act = {"type": "track", "event": "clicked", "userId": "u-9"}
    await place.send("/v1/batch", {"batch": [{**act, "messageId": f"m-{n}"} for n in range(3)]})
    await place.heed()
    assert await place.events() == 0
    await place.send("/v1/group", {"userId": "u-9", "groupId": "late", "messageId": "g-1"})
    await place.heed()
    assert await place.events() == 3
    await place.send("/v1/track", {**act, "messageId": "m-4"})
    await place.heed()
    assert await place.events() == 4
    await place.send("/v1/identify", {"userId": "u-9", "traits": {"email": "Nia@X.example"}, "messageId": "i-1"})
    await place.heed()
    contact = (await holds(place.hub.store))["contact"]["u-9"]
    assert (contact["company_key"], contact["email"]) == ("late", "nia@x.example"), "what was said before stays"


async def test_clocks_that_are_wrong_and_acts_that_come_late(place: Place) -> None:
    now = place.clock()
    ahead = now + timedelta(days=700)
    act = {"type": "track", "event": "clicked", "userId": "u-1", "context": {"groupId": "g"}}
    body = {
        "sentAt": ahead.isoformat(),
        "batch": [
            {**act, "messageId": "m-1", "timestamp": (ahead - timedelta(days=2)).isoformat()},
            {**act, "messageId": "m-2", "timestamp": (ahead - LATE - timedelta(days=1)).isoformat()},
        ],
    }
    await place.send("/v1/batch", body)
    await place.heed()
    (day,) = (await holds(place.hub.store))["user_activity_day"].values()
    assert day["day"] == (now - timedelta(days=2)).date()
    (reason,) = await place.quarantined()
    assert "35 days" in reason


async def test_what_cannot_be_read_is_told_and_the_rest_lands(place: Place) -> None:
    good = {"type": "track", "event": "clicked", "userId": "u-1", "context": {"groupId": "g"}, "messageId": "ok"}
    bad = [
        {"type": "trak", "userId": "u-1", "messageId": "b-1"},
        {"type": "track", "userId": "u-1", "messageId": "b-2"},
        {"type": "track", "event": "clicked", "messageId": "b-3"},
        {"type": "track", "event": "clicked", "userId": "u-1", "timestamp": "yesterday", "messageId": "b-4"},
        {**good, "messageId": "b-5", "properties": {"text": "x" * 40_000}},
        "no call",
    ]
    assert (await place.send("/v1/batch", {"batch": [*bad, good]})).status_code == 200
    await place.heed()
    assert await place.events() == 1
    reasons = await place.quarantined()
    assert len(reasons) == len(bad)
    for words in (
        "'trak' is none of: track, page",
        "is empty",
        "neither userId",
        "'yesterday'",
        "more than 32 kB",
        "no object",
    ):
        assert any(words in reason for reason in reasons), words
    for body, headers in ((b"no json", {}), (b"no gzip", {"content-encoding": "gzip"})):
        assert (await place.send("/v1/batch", body, **headers)).status_code == 400
    bomb = gzip.compress(b'{"batch": [' + b" " * (40 << 20) + b"]}")
    assert (await place.send("/v1/batch", bomb, **{"content-encoding": "gzip"})).status_code == 400


async def test_what_no_table_can_hold_keeps_nothing_else_out(place: Place) -> None:
    good = {"type": "track", "event": "clicked", "userId": "u-1", "context": {"groupId": "g"}, "messageId": "ok"}
    bad = [
        {**good, "messageId": "long company", "context": {"groupId": "g" * 300}},
        {**good, "messageId": "nul company", "context": {"groupId": "g\0"}},
        {**good, "messageId": "nul user", "userId": "u\0"},
        {**good, "messageId": "nul event", "event": "cl\0cked"},
        {**good, "messageId": "nul \0 id"},
        {"type": "identify", "userId": "u-2", "messageId": "long mail", "traits": {"email": "a" * 300 + "@b.example"}},
        {"type": "group", "userId": "u-3", "messageId": "nul \0 name", "groupId": "g\0", "traits": {}},
    ]
    assert (await place.send("/v1/batch", {"batch": [*bad, good]})).status_code == 200
    await place.heed()
    assert await place.events() == 1
    reasons = await place.quarantined()
    assert len(reasons) == 8  # of the last one its company and its user
    assert "company_key: 300 characters; 240 are the most" in reasons
    assert sum("NUL" in reason for reason in reasons) == 6


async def test_a_process_that_dies_before_it_sums_leaves_it_to_the_next(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the process died")

    world = replace(company(), people=[])
    with monkeypatch.context() as patch:
        patch.setattr("hub.sync.heeding.sum_days", dies)
        await place.send("/v1/batch", {"batch": calls(world)})
        with pytest.raises(RuntimeError, match="died"):
            await place.hub.sourcing.heed("product")
    assert await place.events() == 0
    await place.heed()
    place.clock.move(minutes=1)
    await place.engine.run()
    assert await place.events() == len(world.events)
