"""The Mixpanel connector against its sandbox, over real HTTP on loopback."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zlib import crc32

import pytest

from connectors.kit.base import Bookmark, Page, Stream, Window, map_rows
from connectors.kit.errors import BrokenBodyError, ContractError, DeniedError, PausedError, TransientError
from connectors.kit.http import Client
from connectors.kit.registry import build
from connectors.kit.sandbox import Faults
from connectors.kit.simulated import ProductEvent, World
from connectors.mixpanel.connector import Connector
from connectors.mixpanel.sandbox import EXPORTED_TWICE, Days, app
from hub.errors import ConfigError
from hub.model.records import Company, FeatureUsageDay, Record, UserActivityDay
from hub.store import Store
from hub.store.records import upsert

SECRET = "mixpanel-s3cret-value"
NUMBERS = count()
TODAY = date(2026, 11, 22)


@pytest.fixture
def busy_world(small_world: World) -> World:
    """Forty days of two companies; enough events that some are exported twice."""
    events = [
        ProductEvent(
            insert_id=f"busy-{n}",
            at=small_world.until - timedelta(minutes=30 * (2_000 - n)),
            account=1 + n % 2,
            person=1 + n % 2,
            name=("report_viewed", "login")[n % 2],
        )
        for n in range(2_000)
    ]
    return replace(small_world, events=events)


class Sandbox:
    """A served sandbox and a source that pulls from it; `asked`: paths of requests that arrived; `pages`: the
    last pull's, as far as it came."""

    def __init__(self, serve: Callable[[Any], str], world: World, fake_time: Any, **options: Any) -> None:
        self.world, self.faults, self.asked = world, Faults(), list[str]()
        self._fake_time = fake_time
        self._user = f"sync-{next(NUMBERS)}"  # a budget of its own, should a port come twice
        sandbox = app(lambda: self.world, token=SECRET, faults=self.faults, **{"per_second": 1_000, **options})

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.asked.append(scope["path"])
            await sandbox(scope, receive, send)

        self.url = serve(counted)

    def source(self, **settings: Any) -> Connector:
        defaults = {"base_url": self.url, "project_id": 7, "user": self._user, "secret": SECRET, "data_group_id": "3"}
        connector = build("mixpanel", {**defaults, **settings})
        assert isinstance(connector, Connector)
        return connector

    def client(self, source: Connector) -> Client:
        client = source.client()
        # waiting is faked, nothing else: retries and budgets are those the connector itself is made with
        client._sleep, client._monotonic = self._fake_time.sleep, self._fake_time.monotonic
        client._clock = self._fake_time.clock
        return client

    async def pull(
        self, stream: str, *, bookmark: Bookmark | None = None, limit: int | None = None, **settings: Any
    ) -> list[Page]:
        source = self.source(**settings)
        async with self.client(source) as client:
            window = Window(bookmark=bookmark, started_at=self.world.until, limit=limit)
            self.pages = list[Page]()
            async for page in named(source, stream).pull(client, window):
                self.pages.append(page)
            return self.pages


@pytest.fixture
def sandbox(serve: Any, busy_world: World, fake_time: Any) -> Sandbox:
    return Sandbox(serve, busy_world, fake_time)


def named(source: Connector, name: str) -> Stream:
    (stream,) = [stream for stream in source.streams() if stream.name == name]
    return stream


def records(sandbox: Sandbox, stream: str, pages: list[Page]) -> list[Record]:
    made, bad = map_rows(named(sandbox.source(), stream), [row for page in pages for row in page.rows])
    assert bad == []
    return made


def expected(world: World, first: date) -> tuple[Counter[Any], Counter[Any]]:
    """Events of each user's and of each feature's day from `first` on, counted in the plainest way."""
    users: Counter[Any] = Counter()
    features: Counter[Any] = Counter()
    for event in world.events:
        if (day := event.at.date()) >= first:
            users[f"acct-{event.account}", f"u-{event.person}", day] += 1
            features[f"acct-{event.account}", event.name, day] += 1
    return users, features


async def test_everything_of_the_world_arrives_once(sandbox: Sandbox) -> None:
    twice = sum(crc32(event.insert_id.encode()) % EXPORTED_TWICE == 0 for event in sandbox.world.events)
    assert twice > 3
    pages = await sandbox.pull("usage", history_days=60, window_days=10)
    made = records(sandbox, "usage", pages)
    users, features = expected(sandbox.world, date(2000, 1, 1))
    days = [row for row in made if isinstance(row, UserActivityDay)]
    uses = [row for row in made if isinstance(row, FeatureUsageDay)]
    assert {(row.company_key, row.user_key, row.day): row.events for row in days} == users
    assert {(row.company_key, row.feature, row.day): row.events for row in uses} == features
    assert len(made) == len(users) + len(features)
    assert {(row.sessions, row.minutes) for row in days if row.events == 24} == {(24, 24.0)}
    assert {row.users for row in uses} == {1}
    assert all(page.faults == () or page.faults == [] for page in pages)


async def test_a_bookmark_stands_on_the_last_page_of_a_window_and_never_names_today(sandbox: Sandbox) -> None:
    pages = await sandbox.pull("usage", history_days=60, window_days=10)
    marks = [page.bookmark for page in pages if page.bookmark]
    assert [mark["through"] for mark in marks] == [
        "2026-10-02", "2026-10-12", "2026-10-22", "2026-11-01", "2026-11-11", "2026-11-21", "2026-11-21",
    ]  # fmt: skip
    assert {row["day"] for row in pages[-1].rows} == {"2026-11-22"}
    assert sandbox.asked == ["/api/2.0/export"] * 7


async def test_many_rows_come_in_pages_of_a_thousand_with_one_bookmark(
    serve: Any, small_world: World, fake_time: Any
) -> None:
    start = small_world.until - timedelta(hours=11)
    events = [
        ProductEvent(insert_id=f"e{n}", at=start + timedelta(seconds=n), account=1, person=n, name="login")
        for n in range(2_400)
    ]
    sandbox = Sandbox(serve, replace(small_world, events=events), fake_time)
    pages = await sandbox.pull("usage", history_days=3)
    assert [len(page.rows) for page in pages] == [1_000, 1_000, 401]
    assert [page.bookmark for page in pages] == [None, None, {"through": "2026-11-21"}]


async def test_the_next_pull_looks_back_and_brings_the_same_rows_with_the_same_versions(sandbox: Sandbox) -> None:
    first = records(sandbox, "usage", await sandbox.pull("usage", history_days=60))
    pages = await sandbox.pull("usage", bookmark={"through": "2026-11-21"}, lookback_days=2)
    again = records(sandbox, "usage", pages)
    assert sorted({row["day"] for page in pages for row in page.rows}) == ["2026-11-20", "2026-11-21", "2026-11-22"]
    recent = [row for row in first if isinstance(row, (UserActivityDay, FeatureUsageDay)) and row.day.day >= 20]
    assert {row.key: row for row in again} == {row.key: row for row in recent if row.day.month == 11}
    assert len(again) == 12


async def test_an_event_that_arrives_late_changes_its_day_alone(sandbox: Sandbox) -> None:
    first = {row.key: row for row in records(sandbox, "usage", await sandbox.pull("usage", history_days=60))}
    at = datetime(2026, 11, 19, 0, 10, tzinfo=UTC)
    late = ProductEvent(insert_id="late", at=at, account=1, person=1, name="report_viewed")
    sandbox.world = replace(sandbox.world, events=sorted([*sandbox.world.events, late], key=lambda event: event.at))
    again = records(sandbox, "usage", await sandbox.pull("usage", bookmark={"through": "2026-11-21"}))
    changed = [row for row in again if first[row.key] != row]
    assert [row.key for row in changed] == ["2026-11-19|acct-1|u-1", "2026-11-19|acct-1|report_viewed"]
    assert all(row.version >= first[row.key].version for row in changed)


async def test_a_bookmark_of_long_ago_is_caught_up_with_in_windows(sandbox: Sandbox) -> None:
    pages = await sandbox.pull("usage", bookmark={"through": "2026-10-20"}, lookback_days=0, window_days=15)
    assert [page.bookmark for page in pages if page.bookmark] == [
        {"through": "2026-11-04"},
        {"through": "2026-11-19"},
        {"through": "2026-11-21"},
    ]
    users, _ = expected(sandbox.world, date(2026, 10, 21))
    days = [row for row in records(sandbox, "usage", pages) if isinstance(row, UserActivityDay)]
    assert {(row.company_key, row.user_key, row.day): row.events for row in days} == users


async def test_an_old_project_in_another_time_zone_gets_whole_utc_days(sandbox: Sandbox) -> None:
    """The sandbox is a UTC project; read as one of Tokyo, each event lies nine hours earlier and no day is torn."""
    pages = await sandbox.pull("usage", history_days=20, window_days=7, project_timezone="Asia/Tokyo")
    users: Counter[Any] = Counter()
    for event in sandbox.world.events:
        if (day := (event.at - timedelta(hours=9)).date()) >= TODAY - timedelta(days=20):
            users[f"u-{event.person}", day] += 1
    days = [row for row in records(sandbox, "usage", pages) if isinstance(row, UserActivityDay)]
    assert {(row.user_key, row.day): row.events for row in days} == users
    assert len(days) == len(users)
    assert not [fault for page in pages for fault in page.faults]


async def test_a_time_zone_that_is_ahead_of_the_projects_is_a_setting_to_mend(
    serve: Any, busy_world: World, fake_time: Any
) -> None:
    late = replace(busy_world, until=datetime(2026, 11, 22, 20, tzinfo=UTC))  # already tomorrow in Tokyo
    sandbox = Sandbox(serve, late, fake_time)
    with pytest.raises(DeniedError, match="set project_timezone"):
        await sandbox.pull("usage", history_days=1, project_timezone="Asia/Tokyo")
    assert len(sandbox.asked) == 1


async def test_broken_events_are_quarantined_and_the_rest_lands(
    serve: Any, small_world: World, fake_time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox(serve, small_world, fake_time)
    whole_day = Days.lines
    bad = b'[1,2]\n{"event":"login","properties":{"time":1795305600,"distinct_id":"u-1"}}\n'
    monkeypatch.setattr(Days, "lines", lambda self, day: (bad if day == TODAY else b"") + whole_day(self, day))
    pages = await sandbox.pull("usage", history_days=10)
    users, features = expected(small_world, date(2000, 1, 1))
    assert len(records(sandbox, "usage", pages)) == len(users) + len(features)
    (page,) = pages
    assert [(fault.key.split("-")[0], fault.field) for fault in page.faults] == [
        ("line", None),
        ("2026", "company_id"),
    ]
    assert page.bookmark == {"through": "2026-11-21"}


async def test_events_outside_the_days_asked_for_are_told(
    serve: Any, small_world: World, fake_time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox(serve, small_world, fake_time)
    stray = b'{"event":"login","properties":{"time":1700000000,"distinct_id":"u-1","company_id":"acct-1"}}\n'
    monkeypatch.setattr(Days, "lines", lambda self, day: stray)
    (page,) = await sandbox.pull("usage", history_days=1)
    assert page.rows == []
    assert [fault.reason for fault in page.faults] == [
        "2 events lie outside the days 2026-11-21 to 2026-11-22 that were asked for: is project_timezone right?"
    ]


@pytest.mark.parametrize(
    "fault",
    [{"rate_limited": 3, "retry_after": 20}, {"server_errors": 3}, {"resets": 2}, {"truncated": 2}, {"cut_json": 2},
     {"html": 2}],
    ids=lambda fault: next(iter(fault)),
)  # fmt: skip
@pytest.mark.parametrize("stream", ["usage", "groups"])
async def test_passing_trouble_leaves_no_trace(sandbox: Sandbox, stream: str, fault: dict[str, int]) -> None:
    calm = await sandbox.pull(stream, history_days=60)
    for name, value in fault.items():
        setattr(sandbox.faults, name, value)
    assert await sandbox.pull(stream, history_days=60) == calm


async def test_an_export_terminated_early_is_asked_for_again(serve: Any, busy_world: World, fake_time: Any) -> None:
    answers = iter([True, True])
    sandbox = Sandbox(serve, busy_world, fake_time, terminated=lambda: next(answers, False))
    pages = await sandbox.pull("usage", history_days=25)
    users, features = expected(busy_world, TODAY - timedelta(days=25))
    assert len(records(sandbox, "usage", pages)) == len(users) + len(features)
    assert len(sandbox.asked) == 3


async def test_an_export_that_never_ends_well_yields_nothing(serve: Any, busy_world: World, fake_time: Any) -> None:
    sandbox = Sandbox(serve, busy_world, fake_time, terminated=lambda: True)
    with pytest.raises(BrokenBodyError, match="ends too early"):
        await sandbox.pull("usage", history_days=25)
    assert sandbox.pages == []


async def test_a_body_that_only_the_reader_can_see_is_cut_is_no_success(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = b'{"event":"login","properties":{"x":{"y":1}'  # ends like a record, and is none
    monkeypatch.setattr(Days, "lines", lambda self, day: cut if day == TODAY else b"")
    with pytest.raises(TransientError, match="stopped within a record; nothing of 2026-11-20 to 2026-11-22 is kept"):
        await sandbox.pull("usage", history_days=2)


async def test_the_hourly_budget_pauses_instead_of_running_into_a_wall(sandbox: Sandbox) -> None:
    """sixty exports an hour: with windows of a day, the rest of the first sync has to wait, and says until when"""
    with pytest.raises(PausedError, match="rate budget is used up until 2026-11-22 13:00 UTC"):
        await sandbox.pull("usage", history_days=100, window_days=1)
    assert len(sandbox.asked) == 60
    assert sandbox.pages[-1].bookmark == {"through": "2026-10-12"}


async def test_group_profiles_become_companies_page_by_page(serve: Any, small_world: World, fake_time: Any) -> None:
    sandbox = Sandbox(serve, small_world, fake_time, page_size=2)
    pages = await sandbox.pull("groups")
    assert [len(page.rows) for page in pages] == [2, 1]
    assert [page.total for page in pages] == [3, 3]
    made = records(sandbox, "groups", pages)
    assert made[1] == Company(
        key="acct-2",
        version=0,
        company_key="acct-2",
        name="Acme Cloud",
        domains=("cloud.acme.example",),
        external_key="9000000002",
    )
    assert records(sandbox, "groups", await sandbox.pull("groups")) == made


async def test_a_last_page_that_is_full_is_followed_by_an_empty_one(
    serve: Any, small_world: World, fake_time: Any
) -> None:
    sandbox = Sandbox(serve, small_world, fake_time, page_size=3)
    assert [len(page.rows) for page in await sandbox.pull("groups")] == [3, 0]


async def test_a_page_served_again_is_noticed(serve: Any, small_world: World, fake_time: Any) -> None:
    sandbox = Sandbox(serve, small_world, fake_time, page_size=1)
    source = sandbox.source()
    async with sandbox.client(source) as client:
        pages = named(source, "groups").pull(client, Window(bookmark=None, started_at=small_world.until))
        await anext(pages)
        sandbox.faults.repeated_pages = 1
        with pytest.raises(ContractError, match="asked for page 1 and got page 0"):
            await anext(pages)


async def test_a_limit_stops_early_and_moves_no_bookmark(sandbox: Sandbox) -> None:
    pages = await sandbox.pull("usage", history_days=60, limit=7)
    assert [(len(page.rows), page.bookmark) for page in pages] == [(7, None)]
    assert [len(page.rows) for page in await sandbox.pull("groups", limit=2)] == [2]


@pytest.mark.parametrize("stream", ["usage", "groups"])
async def test_a_wrong_secret_is_told_after_one_call_and_never_shown(sandbox: Sandbox, stream: str) -> None:
    wrong = "another-s3cret-value"
    with pytest.raises(DeniedError, match="does not accept user and secret: Unable to authenticate request") as caught:
        await sandbox.pull(stream, secret=wrong)
    assert caught.value.permission == "a service account that is a member of the project"
    assert caught.value.scope == "source"
    assert len(sandbox.asked) == 1
    shown = f"{caught.value!r} {caught.value} {sandbox.source(secret=wrong).settings!r}"
    assert wrong not in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"project_timezone": "Mars/Base"}, "must be the name of a time zone"),
        ({"query_base_url": "mixpanel.com"}, "must be a URL"),
        ({"window_days": 0}, "must be 1 or more"),
        ({"user": ""}, "must not be empty"),
    ],
)
def test_wrong_settings_are_named(sandbox: Sandbox, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        sandbox.source(**wrong)
    assert SECRET not in str(caught.value)
    assert sandbox.asked == []


def test_the_query_api_is_where_the_export_says(sandbox: Sandbox) -> None:
    assert sandbox.source().query_base_url() == sandbox.url
    assert sandbox.source(base_url="https://data.mixpanel.com").query_base_url() == "https://mixpanel.com"
    assert sandbox.source(base_url="https://data-eu.mixpanel.com/").query_base_url() == "https://eu.mixpanel.com"
    assert sandbox.source(query_base_url="http://other.example").query_base_url() == "http://other.example"


async def test_groups_are_asked_for_at_the_query_api_when_it_is_elsewhere(sandbox: Sandbox) -> None:
    pages = await sandbox.pull("groups", base_url="http://127.0.0.1:9", query_base_url=sandbox.url)
    assert sum(len(page.rows) for page in pages) == 3
    assert sandbox.asked == ["/api/query/engage"]


def test_without_a_group_id_there_are_no_companies(sandbox: Sandbox) -> None:
    assert [stream.name for stream in sandbox.source(data_group_id=None).streams()] == ["usage"]


async def test_pulled_again_the_store_finds_nothing_changed(sandbox: Sandbox, sqlite_store: Store) -> None:
    counts = []
    for bookmark in (None, {"through": "2026-11-21"}):
        made = records(sandbox, "usage", await sandbox.pull("usage", bookmark=bookmark, history_days=60))
        async with sqlite_store.transaction() as connection:
            counts.append(await upsert(connection, made, source="mixpanel", now=sandbox.world.until))
    first, second = counts
    assert (first.changed, first.unchanged) == (0, 0)
    assert (second.new, second.changed, second.unchanged) == (0, 0, 24)
