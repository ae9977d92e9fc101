"""The Zendesk connector against its sandbox, over real HTTP on loopback."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from connectors.kit.base import Bookmark, Page, Stream, Window, map_rows
from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.http import Client
from connectors.kit.registry import build
from connectors.kit.sandbox import Faults
from connectors.kit.simulated import World
from connectors.zendesk.connector import Connector, with_sideloads
from connectors.zendesk.sandbox import app
from connectors.zendesk.wire import tables
from hub.errors import ConfigError
from hub.model.records import Company, Contact, Record, Severity, SurveyResponse, SurveyType, Ticket, TicketStatus
from hub.store import Store
from hub.store.records import upsert

TOKEN = "zendesk-s3cret-value"
STREAMS = ("organizations", "users", "tickets", "csat")
NUMBERS = count()
EXPORTS = "/api/v2/incremental/"


class Sandbox:
    """A served sandbox and a source that pulls from it.

    `asked`: path and query of the requests that arrived; `pages`: the last pull's, as far as it came.
    """

    def __init__(self, serve: Callable[[Any], str], world: World, fake_time: Any, **options: Any) -> None:
        self.world, self.faults, self.asked = world, Faults(), list[str]()
        self._fake_time = fake_time
        self._email = f"ada.{next(NUMBERS)}@ourco.example"  # a budget of its own, should a port come twice
        plenty = {"exports_per_minute": 10_000, "requests_per_minute": 10_000}
        sandbox = app(lambda: self.world, token=TOKEN, faults=self.faults, **{**plenty, **options})

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}".removesuffix("?"))
            await sandbox(scope, receive, send)

        self.url = serve(counted)

    def source(self, **settings: Any) -> Connector:
        defaults = {"base_url": self.url, "email": self._email, "token": TOKEN}
        connector = build("zendesk", {**defaults, **settings})
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
        self.asked.clear()
        self.pages = list[Page]()
        async with self.client(source) as client:
            window = Window(bookmark=bookmark, started_at=self.world.until, limit=limit)
            async for page in named(source, stream).pull(client, window):
                self.pages.append(page)
        return self.pages

    async def records(self, stream: str, **how: Any) -> list[Record]:
        pages = await self.pull(stream, **how)
        made, bad = map_rows(named(self.source(), stream), [row for page in pages for row in page.rows])
        assert bad == []
        return made


@pytest.fixture
def sandbox(serve: Any, small_world: World, fake_time: Any) -> Sandbox:
    return Sandbox(serve, small_world, fake_time)


def named(source: Connector, name: str) -> Stream:
    (stream,) = [stream for stream in source.streams() if stream.name == name]
    return stream


def with_accounts(world: World, *seconds: int) -> World:
    """`world` with one account per number: how many seconds before noon of 20 November it was updated."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    like = world.accounts[0]
    accounts = [
        replace(like, number=n, name=f"Account {n}", updated_at=noon - timedelta(seconds=ago))
        for n, ago in enumerate(seconds, start=1)
    ]
    return replace(world, accounts=accounts)


async def test_organizations_become_companies(sandbox: Sandbox) -> None:
    third, second, first = await sandbox.records("organizations")
    assert first == Company(
        key="70001",
        version=int(sandbox.world.accounts[0].updated_at.timestamp() * 1000),
        company_key="70001",
        name="Acme GmbH",
        domains=("acme.example",),
        external_key="9000000001",
    )
    assert (second.key, third.key) == ("70002", "70003")


async def test_users_become_contacts(sandbox: Sandbox) -> None:
    made = {record.key: record for record in await sandbox.records("users")}
    assert set(made) == {"500001", "500002", "500003", "500004", "500005"}
    assert {key for key, record in made.items() if record.deleted} == {"500004"}
    contact = made["500002"]
    assert isinstance(contact, Contact)
    assert (contact.company_key, contact.email, contact.name) == ("70002", "tom@cloud.acme.example", "Tom Ash")


async def test_tickets_come_with_their_metrics_and_who_asked(sandbox: Sandbox) -> None:
    made = {record.key: record for record in await sandbox.records("tickets")}
    opened = sandbox.world.until - timedelta(days=9)
    assert set(made) == {"1", "2", "3", "4"}
    assert made["2"] == Ticket(
        key="2",
        version=int((opened + timedelta(days=1)).timestamp() * 1000),
        company_key="70002",
        subject="Trouble 2",
        status=TicketStatus.SOLVED,
        severity=Severity.NORMAL,
        requester_email="tom@cloud.acme.example",
        created_at=opened,
        solved_at=opened + timedelta(days=1),
        first_response_minutes=30.0,
        resolution_minutes=1440.0,
        reopens=0,
        replies=2,
        url="https://ourco.zendesk.com/agent/tickets/2",
    )
    assert len(sandbox.asked) == 1


@pytest.mark.parametrize("feature", ["legacy", "survey", "both"])
async def test_answers_are_the_same_from_either_feature_and_count_once(
    serve: Any, small_world: World, fake_time: Any, feature: str
) -> None:
    sandbox = Sandbox(serve, small_world, fake_time, csat=feature)
    made = {record.key: record for record in await sandbox.records("csat")}
    answered = small_world.until - timedelta(days=8)
    assert set(made) == {"ticket-2", "ticket-3"}
    assert made["ticket-2"] == SurveyResponse(
        key="ticket-2",
        version=int(answered.timestamp() * 1000),
        company_key="70002",
        type=SurveyType.CSAT,
        scale="0-1",
        score=1.0,
        comment="thanks",
        respondent_email="tom@cloud.acme.example",
        responded_at=answered,
        ticket_key="2",
    )
    bad = made["ticket-3"]
    assert isinstance(bad, SurveyResponse)
    assert (bad.score, bad.company_key) == (0.0, "70001")


async def test_the_companies_of_many_answers_cost_one_request_a_page(
    serve: Any, small_world: World, fake_time: Any
) -> None:
    answered = [replace(small_world.tickets[1], number=n) for n in range(1, 251)]
    sandbox = Sandbox(serve, replace(small_world, tickets=answered), fake_time)
    made = await sandbox.records("csat")
    assert {record.company_key for record in made} == {"70002"}
    assert len({record.key for record in made}) == 250
    shown = [path for path in sandbox.asked if path.startswith("/api/v2/tickets/show_many")]
    assert (len(shown), len(sandbox.asked)) == (3, 3 + 3 + 1)  # and one that finds the other feature switched off


async def test_answers_to_tickets_that_are_gone_get_the_company_of_who_was_asked(
    serve: Any, small_world: World, fake_time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.zendesk.sandbox.tables", lambda world: replace(tables(world), tickets=()))
    sandbox = Sandbox(serve, small_world, fake_time)
    made = await sandbox.records("csat")
    assert [(record.key, record.company_key) for record in made] == [("ticket-2", "70002"), ("ticket-3", "70001")]
    assert [path.partition("?")[0] for path in sandbox.asked][1:3] == [
        "/api/v2/tickets/show_many",
        "/api/v2/users/show_many",
    ]


@pytest.mark.parametrize("stream", STREAMS)
async def test_going_on_from_the_bookmark_brings_only_what_is_new(sandbox: Sandbox, stream: str) -> None:
    pages = await sandbox.pull(stream)
    bookmark = pages[-1].bookmark
    again = await sandbox.records(stream, bookmark=bookmark, csat_lookback_days=0)
    # by time, the boundary second is closed: its row comes again
    assert [record.key for record in again] == (["70001"] if stream == "organizations" else [])
    if stream in ("users", "tickets"):
        assert "start_time" not in sandbox.asked[0]
        assert sandbox.pages[-1].bookmark == bookmark


async def test_a_change_is_all_that_the_next_pull_brings(sandbox: Sandbox) -> None:
    bookmark = (await sandbox.pull("tickets"))[-1].bookmark
    later = sandbox.world.until + timedelta(hours=1)
    changed = replace(sandbox.world.tickets[3], status="solved", updated_at=later, solved_at=later)
    tickets = [*sandbox.world.tickets[:3], changed]
    sandbox.world = replace(sandbox.world, tickets=tickets, until=later + timedelta(minutes=5))
    (record,) = await sandbox.records("tickets", bookmark=bookmark)
    assert isinstance(record, Ticket)
    assert (record.key, record.status, record.solved_at) == ("4", TicketStatus.SOLVED, later)


async def test_what_changed_in_the_last_minute_comes_with_the_next_pull(sandbox: Sandbox) -> None:
    at = sandbox.world.until - timedelta(seconds=30)
    fresh = replace(sandbox.world.tickets[0], number=9, created_at=at, updated_at=at)
    sandbox.world = replace(sandbox.world, tickets=[*sandbox.world.tickets, fresh])
    bookmark = (await sandbox.pull("tickets"))[-1].bookmark
    assert "9" not in {str(row["id"]) for page in sandbox.pages for row in page.rows}
    sandbox.world = replace(sandbox.world, until=sandbox.world.until + timedelta(minutes=1))
    assert [record.key for record in await sandbox.records("tickets", bookmark=bookmark)] == ["9"]


async def test_a_change_by_the_system_alone_arrives_with_a_higher_version(
    serve: Any, small_world: World, fake_time: Any
) -> None:
    """every seventh ticket is touched a day after its last update: updated_at stays, generated_timestamp moves"""
    updated = small_world.until - timedelta(hours=12)
    ticket = replace(small_world.tickets[0], number=7, updated_at=updated)
    sandbox = Sandbox(serve, replace(small_world, tickets=[ticket]), fake_time)
    (before,) = await sandbox.records("tickets")
    bookmark = sandbox.pages[-1].bookmark
    sandbox.world = replace(sandbox.world, until=small_world.until + timedelta(days=1))
    (after,) = await sandbox.records("tickets", bookmark=bookmark)
    assert sandbox.pages[0].rows[0]["updated_at"] == "2026-11-22T00:00:00Z"
    assert after.version - before.version == 24 * 3600 * 1000


@pytest.mark.parametrize("stream", ["users", "tickets"])
async def test_cursor_pages_are_each_bookmarked_and_bring_every_row_once(sandbox: Sandbox, stream: str) -> None:
    whole = await sandbox.records(stream)
    pages = await sandbox.pull(stream, page_size=1)
    rows = [row for page in pages for row in page.rows]
    assert [str(row["id"]) for row in rows] == [record.key for record in whole]
    assert len({str(page.bookmark) for page in pages}) == len(whole)
    assert sum("start_time" in path for path in sandbox.asked) == 1
    resumed = await sandbox.pull(stream, page_size=1, bookmark=pages[1].bookmark)
    assert [row["id"] for page in resumed for row in page.rows] == [row["id"] for row in rows[2:]]


async def test_the_first_request_names_a_start_and_no_address_of_the_vendor_is_followed(sandbox: Sandbox) -> None:
    await sandbox.pull("tickets", page_size=2, history_days=100)
    first, second = sandbox.asked
    start = int((sandbox.world.until - timedelta(days=100)).timestamp())
    assert first == f"{EXPORTS}tickets/cursor?start_time={start}&per_page=2&include=metric_sets%2Cusers"
    assert second.startswith(f"{EXPORTS}tickets/cursor?cursor=")
    assert {str(row["id"]) for page in sandbox.pages for row in page.rows} == {"1", "2", "3"}


async def test_organizations_of_one_second_stand_on_one_page_and_adjacent_pages_overlap(
    serve: Any, small_world: World, fake_time: Any
) -> None:
    sandbox = Sandbox(serve, with_accounts(small_world, 9, 9, 9, 5, 5, 3, 1), fake_time)
    pages = await sandbox.pull("organizations", page_size=2)
    ids = [row["id"] - 70_000 for page in pages for row in page.rows]
    assert ids == [1, 2, 3, 4, 5, 6, 7]
    assert [len(page.rows) for page in pages] == [5, 1, 1]
    noon = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
    assert [page.bookmark for page in pages] == [{"start_time": noon - ago} for ago in (5, 3, 1)]


async def test_more_organizations_in_one_second_than_a_page_holds_are_all_found(
    serve: Any, small_world: World, fake_time: Any
) -> None:
    sandbox = Sandbox(serve, with_accounts(small_world, 60, *[9] * 230, 1), fake_time, rows_a_second=100)
    pages = await sandbox.pull("organizations", page_size=100)
    assert {row["id"] - 70_000 for page in pages for row in page.rows} == set(range(1, 233))
    assert [path for path in sandbox.asked if path.startswith("/api/v2/organizations?")] != []
    noon = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
    assert pages[-1].bookmark == {"start_time": noon - 1}
    assert all(page.bookmark is None or page.bookmark["start_time"] != noon - 8 for page in pages)


@pytest.mark.parametrize(
    "fault",
    [{"rate_limited": 3, "retry_after": 20}, {"server_errors": 3}, {"resets": 2}, {"truncated": 2}, {"cut_json": 2},
     {"html": 2}],
    ids=lambda fault: next(iter(fault)),
)  # fmt: skip
@pytest.mark.parametrize("stream", STREAMS)
async def test_passing_trouble_leaves_no_trace(sandbox: Sandbox, stream: str, fault: dict[str, int]) -> None:
    calm = await sandbox.pull(stream)
    for name, value in fault.items():
        setattr(sandbox.faults, name, value)
    assert await sandbox.pull(stream) == calm


async def test_a_storm_of_429_is_waited_out_as_long_as_it_asks(sandbox: Sandbox, fake_time: Any) -> None:
    sandbox.faults.rate_limited, sandbox.faults.retry_after = 4, 30
    await sandbox.pull("tickets")
    assert 120 <= fake_time.passed <= 4 * 31


async def test_the_exports_own_limit_is_kept_without_being_told_off(
    serve: Any, small_world: World, fake_time: Any
) -> None:
    tickets = [replace(small_world.tickets[0], number=n) for n in range(1, 26)]
    sandbox = Sandbox(serve, replace(small_world, tickets=tickets), fake_time)
    pages = await sandbox.pull("tickets", page_size=1, exports_per_minute=10)
    assert len(pages) == 25
    assert fake_time.passed == 120


async def test_a_limit_that_others_have_used_up_is_seen_in_the_headers(
    serve: Any, small_world: World, fake_time: Any
) -> None:
    """we reckon with 30 a minute, the account allows 4: after the fourth we wait before we are refused"""
    sandbox = Sandbox(serve, small_world, fake_time, exports_per_minute=4)
    await sandbox.pull("tickets", page_size=1, exports_per_minute=30)
    assert len(sandbox.asked) == 4
    bucket = sandbox.source(exports_per_minute=30).client()._budget.bucket("exports")
    wait, granted = bucket.reserve(fake_time.monotonic(), at_most=0)
    assert (granted, 20 < wait <= 61) == (False, True)


@pytest.mark.parametrize("stream", ["users", "tickets"])
async def test_a_page_served_again_is_noticed(sandbox: Sandbox, stream: str) -> None:
    source = sandbox.source(page_size=1)
    async with sandbox.client(source) as client:
        pages = named(source, stream).pull(client, Window(bookmark=None, started_at=sandbox.world.until))
        await anext(pages)
        sandbox.faults.repeated_pages = 1
        await anext(pages)
        with pytest.raises(ContractError, match="the same page token twice"):
            await anext(pages)


async def test_an_organizations_page_served_again_loses_nothing(serve: Any, small_world: World, fake_time: Any) -> None:
    sandbox = Sandbox(serve, with_accounts(small_world, 9, 7, 5, 3, 1), fake_time)
    source, rows = sandbox.source(page_size=1), list[Any]()
    async with sandbox.client(source) as client:
        window = Window(bookmark=None, started_at=sandbox.world.until)
        async for page in named(source, "organizations").pull(client, window):
            if not rows:
                sandbox.faults.repeated_pages = 1
            rows += page.rows
    assert {row["id"] - 70_000 for row in rows} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("stream", STREAMS)
async def test_pulled_again_the_store_finds_nothing_changed(sandbox: Sandbox, sqlite_store: Store, stream: str) -> None:
    counts = []
    for _ in range(2):
        made = await sandbox.records(stream)
        async with sqlite_store.transaction() as connection:
            counts.append(await upsert(connection, made, source="zendesk", now=sandbox.world.until))
    first, second = counts
    assert (first.new, first.changed, first.unchanged) == (len(made), 0, 0)
    assert (second.new, second.changed, second.unchanged) == (0, 0, len(made))


async def test_bad_rows_are_quarantined_and_the_rest_lands(sandbox: Sandbox) -> None:
    odd = [replace(ticket, status="escalated") if ticket.number == 2 else ticket for ticket in sandbox.world.tickets]
    sandbox.world = replace(sandbox.world, tickets=odd)
    pages = await sandbox.pull("tickets")
    made, bad = map_rows(named(sandbox.source(), "tickets"), [row for page in pages for row in page.rows])
    assert sorted(record.key for record in made) == ["1", "3", "4"]
    assert [(one.key, one.field) for one in bad] == [("2", "status")]


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_limit_stops_early_and_moves_no_bookmark(sandbox: Sandbox, stream: str) -> None:
    assert [(len(page.rows), page.bookmark) for page in await sandbox.pull(stream, limit=1)] == [(1, None)]


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_wrong_token_is_told_after_one_call_and_never_shown(sandbox: Sandbox, stream: str) -> None:
    wrong = "another-s3cret-value"
    with pytest.raises(DeniedError, match="does not accept email and token: Couldn't authenticate you") as caught:
        await sandbox.pull(stream, token=wrong)
    assert (caught.value.scope, caught.value.permission) == ("source", "the role administrator")
    assert len(sandbox.asked) == 1
    shown = f"{caught.value!r} {caught.value} {sandbox.source(token=wrong).settings!r}"
    assert wrong not in shown
    assert TOKEN not in shown


@pytest.mark.parametrize("stream", ["organizations", "users", "tickets"])
async def test_an_agents_token_is_told_which_role_is_missing(
    serve: Any, small_world: World, fake_time: Any, stream: str
) -> None:
    sandbox = Sandbox(serve, small_world, fake_time, role="agent")
    with pytest.raises(DeniedError, match="is refused; it needs the role administrator") as caught:
        await sandbox.pull(stream)
    assert (caught.value.scope, caught.value.permission) == ("stream", "the role administrator")
    assert len(sandbox.asked) == 1


async def test_no_csat_at_all_is_denied_and_says_what_was_tried(serve: Any, small_world: World, fake_time: Any) -> None:
    sandbox = Sandbox(serve, small_world, fake_time, csat="none")
    with pytest.raises(DeniedError) as caught:
        await sandbox.pull("csat")
    assert caught.value.scope == "stream"
    assert caught.value.permission is not None
    assert "satisfaction ratings or CSAT surveys switched on" in caught.value.permission
    assert "/api/v2/satisfaction_ratings answered 404" in str(caught.value)
    assert "/api/v2/guide/survey_responses answered 404" in str(caught.value)
    assert len(sandbox.asked) == 2
    assert sandbox.pages == []


async def test_changed_answers_are_found_within_the_lookback(sandbox: Sandbox) -> None:
    bookmark = (await sandbox.pull("csat"))[-1].bookmark
    changed = replace(sandbox.world.tickets[1], csat="bad", csat_comment="on second thought")
    sandbox.world = replace(
        sandbox.world,
        tickets=[changed, sandbox.world.tickets[2]],
        until=sandbox.world.until + timedelta(days=1),
    )
    (record,) = await sandbox.records("csat", bookmark=bookmark)  # the other one is older than the lookback
    assert isinstance(record, SurveyResponse)
    assert (record.key, record.score, record.comment) == ("ticket-2", 0.0, "on second thought")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"base_url": "acme.zendesk.com"}, "must be a URL"),
        ({"page_size": 5000}, "must be 1000 or less"),
        ({"subdomain": "acme"}, "is not a setting here"),
        ({"email": ""}, "at least 3 characters"),
    ],
)
def test_wrong_settings_are_named(sandbox: Sandbox, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        sandbox.source(**wrong)
    assert TOKEN not in str(caught.value)
    assert sandbox.asked == []


def test_metrics_may_stand_in_the_ticket_or_beside_it() -> None:
    ticket = {"id": 1, "requester_id": 5}
    inside = with_sideloads({"tickets": [{**ticket, "metric_set": {"replies": 2}}], "users": [{"id": 5, "email": "e"}]})
    beside = with_sideloads(
        {"tickets": [ticket], "metric_sets": [{"ticket_id": 1, "replies": 2}], "users": [{"id": 5, "email": "e"}]}
    )
    assert inside == [{"id": 1, "requester_id": 5, "metric_set": {"replies": 2}, "requester_email": "e"}]
    assert beside[0]["metric_set"] == {"ticket_id": 1, "replies": 2}
    assert with_sideloads({"tickets": [ticket]}) == [{**ticket, "metric_set": None, "requester_email": None}]
