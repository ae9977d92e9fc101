"""An erased person is told of again on every path there is: nothing of them comes back, and what they did still counts."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette

from hub.access.privacy.asking import About
from hub.access.privacy.erasing import erase
from hub.compose import Hub
from hub.compose.hooks import hook_routes
from hub.settings import load
from hub.store import Store
from hub.store.tables import contact, quarantine, raw_row, survey_response, tracked_act, user_activity_day
from tests.audits.everything import ADDRESS, NAME, NOW, PHONE, USER, told
from tests.fakes.clock import Clock
from tests.fakes.durable import FakeDurable
from tests.fakes.serving import serving

KEY = "wk_of_the_product_1"
TELLING = (ADDRESS, NAME, PHONE, USER, "visitor-88")
DAY = "2026-10-30T10:00:00Z"
PEOPLE = f"id,company,email,name,phone\nvisitor-88,acme,{ADDRESS},{NAME},{PHONE}\n9,acme,ann@acme.example,Ann Other,\n"
GOOD, BAD = f"1,acme,{ADDRESS},9,{DAY},{NAME} likes it", f"2,acme,{ADDRESS},many,{DAY},I am {NAME}"
ANSWERS = f"id,company,who,score,at,comment\n{GOOD}\n{BAD}\n"


class Engine(FakeDurable):
    executor = "test"


def write(folder: Path) -> None:
    (folder / "people.csv").write_text(PEOPLE, "utf-8")
    (folder / "answers.csv").write_text(ANSWERS, "utf-8")


def configured(folder: Path, store: Store) -> Path:
    def file(name: str, record: str, columns: dict[str, str], **constants: str) -> dict[str, Any]:
        settings = {"location": str(folder / name), "record": record, "key": "id", "company_key": "company"}
        return {
            "connector": "csvfile",
            "settings": {**settings, "columns": columns, "constants": constants},
            "raw_log": {"days": 30},
        }

    answers = {"respondent_email": "who", "responded_at": "at"}
    sources = {
        "product": {"connector": "segment", "settings": {"write_key": KEY}, "raw_log": {"days": 30}},
        "people": file("people.csv", "contact", {}),
        "answers": file("answers.csv", "survey_response", answers, type="nps", scale="0-10"),
    }
    (folder / "hub.yaml").write_text(f"store: {store.url.render_as_string(hide_password=False)}\n")
    (folder / "sources.yaml").write_text(orjson.dumps({"sources": sources}).decode())
    return folder


class Place:
    def __init__(self, hub: Hub, engine: Engine, clock: Clock, url: str) -> None:
        self.hub, self.engine, self.clock, self.url = hub, engine, clock, url

    async def track(self, *calls: dict[str, Any]) -> None:
        """What a program tells of the person, and of somebody else."""
        async with httpx.AsyncClient(auth=(KEY, "")) as client:
            answered = await client.post(f"{self.url}/v1/batch", json={"batch": list(calls)})
        assert answered.status_code == 200
        self.clock.move(seconds=2)
        await self.engine.run()

    async def pull(self) -> None:
        reports = await self.hub.sync_all(["people", "answers"])
        assert [report.error for report in reports] == [None, None]

    async def count(self, table: Any, value: Any = None) -> float:
        async with self.hub.store.reading() as connection:
            counted = func.count() if value is None else func.sum(value)
            return float((await connection.execute(select(counted).select_from(table))).scalar() or 0)


@pytest.fixture
async def place(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Place]:
    clock = Clock(NOW)
    engine = Engine(clock=clock)
    write(tmp_path)
    settings = load(configured(tmp_path, sqlite_store), environment={})
    async with (
        Hub.open(settings, clock=clock, engine=engine) as hub,
        hub.working(),
        serving(Starlette(routes=hook_routes(hub))) as url,
    ):
        yield Place(hub, engine, clock, url)


def acts(*numbers: int, user: str = USER) -> list[dict[str, Any]]:
    act = {"type": "track", "event": "clicked", "userId": user, "timestamp": DAY, "context": {"groupId": "acme"}}
    return [{**act, "messageId": f"{user[-2:]}-{number}"} for number in numbers]


TOLD = {
    "type": "identify",
    "userId": USER,
    "traits": {"email": ADDRESS, "name": NAME, "phone": PHONE, "company": {"id": "acme"}},
    "messageId": "i-1",
}
UNREADABLE = {"type": "track", "userId": USER, "messageId": "b-1", "properties": {"by": NAME}}


async def test_on_no_path_they_come_back(place: Place, tmp_path: Path) -> None:
    await place.track(TOLD, UNREADABLE, *acts(1, 2), *acts(1, user="somebody else"))
    await place.pull()
    store = place.hub.store
    held = {each.partition(".")[0] for each in await told(store, TELLING)}
    tables = {"contact", "survey_response", "quarantine", "raw_row", "tracked_act", "tracked_user", "user_activity_day"}
    assert tables - held == set(), "the person stands everywhere before"
    counted = [await place.count(user_activity_day, user_activity_day.c.events), await place.count(survey_response)]
    assert counted == [3, 1]

    await erase(store, About(person=(ADDRESS,)), by="Ann", now=place.clock())
    assert await told(store, TELLING) == {}, "their user's key follows from what the program told"

    await place.hub.forget_bookmarks(["people", "answers"])
    write(tmp_path)  # newer than before
    await place.pull()
    await place.track({**TOLD, "messageId": "i-2"}, {**UNREADABLE, "messageId": "b-2"}, *acts(2, 3))
    another = {"email": ADDRESS.upper(), "name": NAME}
    await place.track({"type": "identify", "userId": "phone of theirs", "traits": another, "messageId": "i-3"})
    for source in ("people", "answers", "product"):
        await place.hub.sourcing.replay(source)
        await place.hub.sourcing.retry_quarantine(source, streams=None, dry_run=False)
    async with store.reading() as connection:
        kept = (await connection.execute(select(raw_row.c.key).where(raw_row.c.source == "people"))).scalars().all()
        acted = (await connection.execute(select(tracked_act.c.user_key).distinct())).scalars().all()
    left = await told(store, TELLING)
    assert left.keys() <= {"source_event.raw", "source_event.key"}, left
    assert set(kept) == {"9"}
    assert len(acted) == 2
    assert await place.count(quarantine) == 0
    assert await place.count(contact) == 3
    assert await place.count(survey_response) == 1
    assert await place.count(user_activity_day) == 2, "a day of use is one row, before and after"
    assert await place.count(user_activity_day, user_activity_day.c.events) == 4, "what they did since counts, too"
