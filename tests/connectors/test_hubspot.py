"""HubSpot against its sandbox, over real HTTP on loopback."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest

from connectors.hubspot.connector import Connector, Settings
from connectors.hubspot.sandbox import app
from connectors.kit.base import Bookmark, Stream, Window, map_rows
from connectors.kit.budget import Budget
from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.http import Client
from connectors.kit.retry import Retry
from connectors.kit.sandbox import Faults
from connectors.kit.simulated import Account, World, crm_id
from hub.model.records import Company, Contact, Opportunity, OpportunityStage, OpportunityType, Record

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOW = int(NOON.timestamp() * 1000)
TOKEN = "pat-simulated-token"


class Portal:
    """The sandbox of a World that can be replaced while it runs, and the connector; `boundless` pulls without a budget."""

    def __init__(self, serve: Callable[..., str], world: World, *, boundless: bool = False, **options: Any) -> None:
        self.world, self.faults, self.requests, self.boundless = world, Faults(), list[str](), boundless
        served = app(lambda: self.world, token=TOKEN, faults=self.faults, per_second=1000, **options)

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.requests.append(f"{scope['method']} {scope['path']}")
            await served(scope, receive, send)

        self.url = serve(counted)
        self.connector = Connector(Settings(base_url=self.url, token=TOKEN, deletions_hours=1))
        self.bookmarks: dict[str, Bookmark | None] = {}

    def stream(self, name: str) -> Stream:
        return next(stream for stream in self.connector.streams() if stream.name == name)

    async def pull(self, name: str, at: datetime = NOON, *, bookmark: Bookmark | None = None) -> list[Record]:
        """Pull from where the last pull of this stream ended, as sync would; the records it gave."""
        stream, rows = self.stream(name), list[Mapping[str, Any]]()
        window = Window(bookmark=bookmark or self.bookmarks.get(name), started_at=at)
        async with self.client() as client:
            async for page in stream.pull(client, window):
                rows.extend(page.rows)
                self.bookmarks[name] = page.bookmark
        records, bad = map_rows(stream, rows)
        assert bad == []
        return records

    def client(self) -> Client:
        client = self.connector.client()
        client._retry = Retry(first=0.001)  # waits of milliseconds; everything else as configured
        if self.boundless:
            client._budget = Budget({})
        return client


@pytest.fixture
def portal(serve: Callable[..., str], small_world: World) -> Callable[..., Portal]:
    return lambda **options: Portal(serve, options.pop("world", small_world), **options)


def ms(when: datetime) -> int:
    return round(when.timestamp() * 1000)


async def test_a_full_pull_gives_every_company_with_owner_parent_and_domain(portal: Any) -> None:
    records = await portal().pull("companies")
    assert records[1] == Company(
        key="9000000002", version=ms(NOON - timedelta(days=20)), company_key="9000000002", name="Acme Cloud",
        domains=("cloud.acme.example",), parent_key="9000000001", segment="mid_market", industry="software",
        country="US", employees=80, csm_email="ada@ourco.example", csm_name="Ada Palm",
        became_customer_on=datetime(2025, 2, 1, tzinfo=UTC).date(),
    )  # fmt: skip
    assert [record.key for record in records] == [crm_id(1), crm_id(2), crm_id(3)]  # one that left was a customer too


async def test_a_full_pull_gives_contacts_and_deals_with_their_company(portal: Any) -> None:
    source = portal()
    contacts = await source.pull("contacts")
    assert [(c.key[-1], c.company_key, c.email, c.deleted) for c in contacts if isinstance(c, Contact)] == [
        ("1", crm_id(1), "nia@acme.example", False),
        ("2", crm_id(2), "tom@cloud.acme.example", False),
        ("3", crm_id(3), "liv@borealis.example", False),
        ("5", crm_id(1), "ida@acme.example", False),
        ("4", crm_id(1), "max@acme.example", True),  # left shortly before the first look
    ]
    deals = [deal for deal in await source.pull("deals") if isinstance(deal, Opportunity)]
    assert [(d.company_key, d.type, d.stage, d.stage_name, d.amount) for d in deals] == [
        (crm_id(1), OpportunityType.RENEWAL, OpportunityStage.OPEN, "In negotiation", 6000.0),
        (crm_id(2), OpportunityType.EXPANSION, OpportunityStage.WON, "Signed", 12000.0),
        (crm_id(3), OpportunityType.RENEWAL, OpportunityStage.LOST, "Lost", 18000.0),
    ]
    assert {deal.owner_email for deal in deals} == {"ada@ourco.example"}


async def test_the_bookmark_stays_a_minute_behind_the_start_of_the_sync(portal: Any) -> None:
    source = portal()
    await source.pull("companies")
    lagging = NOW - 60_000
    assert source.bookmarks["companies"] == {"since": lagging, "listed": lagging, "swept": lagging}
    await source.pull("companies", NOON + timedelta(minutes=10))
    assert source.bookmarks["companies"] == {"since": lagging + 600_000, "listed": lagging, "swept": lagging}


async def test_the_next_pull_gives_what_changed_and_the_hour_before_it(portal: Any, small_world: World) -> None:
    source = portal()
    await source.pull("contacts")
    people = list(small_world.people)
    people[0] = replace(people[0], title="Boss", updated_at=NOON + timedelta(minutes=1))
    people[1] = replace(people[1], updated_at=NOON - timedelta(minutes=59))
    people[2] = replace(people[2], updated_at=NOON - timedelta(minutes=62))
    source.world = replace(small_world, people=people, until=NOON + timedelta(minutes=5))
    records = await source.pull("contacts", NOON + timedelta(minutes=5))
    assert [(record.key[-1], record.company_key) for record in records] == [("1", crm_id(1)), ("2", crm_id(2))]
    again = await source.pull("contacts", NOON + timedelta(minutes=5))
    assert again == []  # the same moment has nothing new: not even a request for it
    assert source.requests.count("POST /crm/v4/associations/contacts/companies/batch/read") == 1


async def test_rows_younger_than_the_index_lag_come_with_a_later_pull(portal: Any, small_world: World) -> None:
    source = portal(index_lag=timedelta(minutes=30))
    await source.pull("deals")
    deals = list(small_world.deals)
    deals[0] = replace(deals[0], updated_at=NOON + timedelta(minutes=4))
    source.world = replace(small_world, deals=deals, until=NOON + timedelta(minutes=10))
    assert await source.pull("deals", NOON + timedelta(minutes=10)) == []
    source.world = replace(source.world, until=NOON + timedelta(minutes=40))
    late = await source.pull("deals", NOON + timedelta(minutes=40))
    assert [record.version for record in late] == [ms(NOON + timedelta(minutes=4))]


def crowd(world: World, count: int) -> World:
    """`count` accounts more, all changed after noon at the same second."""
    like, after = world.accounts[0], NOON + timedelta(minutes=2)
    more: list[Account] = [
        replace(like, number=10 + n, name=f"Co {n}", domain=f"co{n}.example", updated_at=after) for n in range(count)
    ]
    return replace(world, accounts=[*world.accounts, *more], until=NOON + timedelta(minutes=5))


async def test_changes_beyond_the_search_cap_are_reached_by_keyset(portal: Any, small_world: World) -> None:
    source = portal(search_cap=4, largest_page=2)
    await source.pull("companies")
    source.world = crowd(small_world, 9)
    records = await source.pull("companies", NOON + timedelta(minutes=5))
    assert [record.key for record in records] == [crm_id(10 + n) for n in range(9)]
    async with source.client() as client:
        with pytest.raises(ContractError, match="maximum of 4 results") as capped:
            await client.post_json("/crm/v3/objects/companies/search", json={"after": "4"})
    assert capped.value.status == 400


async def test_an_interrupted_pull_goes_on_where_it_stopped(portal: Any, small_world: World) -> None:
    source = portal(largest_page=2)
    stream = source.stream("companies")
    keys: list[str] = []
    bookmark: Bookmark | None = None
    for _ in range(3):  # listing: a page each time, then changes
        async with source.client() as client:
            async for page in stream.pull(client, Window(bookmark=bookmark, started_at=NOON, limit=2)):
                keys.extend(row["id"] for row in page.rows)
                bookmark = page.bookmark
                break
    assert keys == [crm_id(1), crm_id(2), crm_id(3)]
    source.world, later = crowd(small_world, 5), NOON + timedelta(minutes=5)
    async with source.client() as client:
        pages = stream.pull(client, Window(bookmark=bookmark, started_at=later))
        first = await anext(pages)
        await pages.aclose()
    assert first.bookmark == {
        **(bookmark or {}),
        "changes": {"until": ms(later) - 60_000, "last": crm_id(11)},
    }
    rest = await source.pull("companies", later + timedelta(minutes=1), bookmark=first.bookmark)
    assert [record.key for record in rest][:3] == [crm_id(12), crm_id(13), crm_id(14)]
    assert source.bookmarks["companies"]["since"] == ms(later)


async def test_pulling_twice_from_the_same_bookmark_gives_the_same_records(portal: Any) -> None:
    source = portal()
    first = await source.pull("deals")
    source.bookmarks.clear()
    assert await source.pull("deals") == first
    later = NOON + timedelta(minutes=5)
    bookmark = {"since": NOW - 3_000_000_000, "listed": NOW, "swept": NOW}
    assert await source.pull("deals", later, bookmark=bookmark) == await source.pull("deals", later, bookmark=bookmark)


async def test_the_first_look_through_the_archive_of_people_goes_back_as_long_as_it_is_kept(
    portal: Any, small_world: World
) -> None:
    people = list(small_world.people)
    people[0] = replace(people[0], left_at=NOON - timedelta(days=89))
    people[1] = replace(people[1], left_at=NOON - timedelta(days=91))
    source = portal(world=replace(small_world, people=people))
    records = await source.pull("contacts")
    assert {record.key[-1] for record in records if record.deleted} == {"1", "4"}
    assert source.bookmarks["contacts"]["swept"] == NOW - 60_000
    assert await source.pull("contacts", NOON + timedelta(hours=2)) == []


async def test_archived_rows_come_as_deleted(portal: Any, small_world: World) -> None:
    source = portal()
    await source.pull("contacts")
    people = list(small_world.people)
    left = NOON + timedelta(minutes=30)
    people[0] = replace(people[0], left_at=left)
    source.world = replace(small_world, people=people, until=NOON + timedelta(hours=2))
    assert await source.pull("contacts", NOON + timedelta(minutes=50)) == []  # the archive is looked through hourly
    (gone,) = await source.pull("contacts", NOON + timedelta(hours=2))
    assert (gone.key, gone.deleted, gone.version, gone.company_key) == ("70000000001", True, ms(left), crm_id(1))
    assert source.bookmarks["contacts"]["swept"] == ms(NOON + timedelta(hours=2)) - 60_000


async def test_a_week_later_everything_is_listed_again(portal: Any) -> None:
    source = portal()
    first = await source.pull("companies")
    assert await source.pull("companies", NOON + timedelta(days=6)) == []
    assert await source.pull("companies", NOON + timedelta(days=7)) == first
    assert source.bookmarks["companies"]["listed"] == ms(NOON + timedelta(days=7)) - 60_000


@pytest.mark.parametrize(
    "fault", ["rate_limited", "server_errors", "resets", "truncated", "cut_json", "html", "duplicate_rows"]
)
async def test_what_passes_is_survived_without_losing_a_row(portal: Any, small_world: World, fault: str) -> None:
    source = portal(largest_page=2)
    source.faults.only = "/crm/v3/objects"
    setattr(source.faults, fault, 2)
    source.connector = Connector(Settings(base_url=source.url, token=TOKEN))
    client = source.client()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    client._sleep = sleep  # the ten seconds HubSpot wants are only noted
    rows: list[str] = []
    async with client:
        async for page in source.stream("contacts").pull(client, Window(bookmark=None, started_at=NOON)):
            rows.extend(row["id"] for row in page.rows)
    assert sorted(set(rows)) == [f"7000000000{n}" for n in (1, 2, 3, 4, 5)]
    assert getattr(source.faults, fault) == 0
    if fault == "rate_limited":
        assert max(slept) >= 10


async def test_a_repeated_page_ends_the_pull_instead_of_repeating_for_ever(portal: Any, small_world: World) -> None:
    source = portal(largest_page=1)
    source.faults.repeated_pages = 10**6
    source.faults.only = "/crm/v3/objects"
    with pytest.raises(ContractError, match="same page token twice"):
        await source.pull("contacts")
    source.faults.repeated_pages = 0
    source.bookmarks.clear()
    await source.pull("companies")
    source.world = crowd(small_world, 4)
    source.faults.repeated_pages = 10**6
    with pytest.raises(ContractError, match="does not advance"):
        await source.pull("companies", NOON + timedelta(minutes=5))
    assert len(source.requests) < 40


async def test_a_missing_scope_stops_one_stream_and_names_the_scope(portal: Any) -> None:
    source = portal(without_scopes=("deals",))
    with pytest.raises(DeniedError, match=r"needs scope crm\.objects\.deals\.read") as caught:
        await source.pull("deals")
    assert (caught.value.scope, caught.value.permission) == ("stream", "crm.objects.deals.read")
    assert source.requests.count("GET /crm/v3/pipelines/deals") == 1
    assert len(await source.pull("companies")) == 3
    with pytest.raises(DeniedError) as caught:
        await portal(without_scopes=("owners",)).pull("companies")
    assert caught.value.permission == "crm.objects.owners.read"


async def test_a_wrong_token_is_refused_after_one_call(portal: Any) -> None:
    source = portal()
    source.connector = Connector(Settings(base_url=source.url, token="pat-wrong-token-here"))
    with pytest.raises(DeniedError, match="does not accept the credential") as caught:
        await source.pull("companies")
    assert (caught.value.scope, len(source.requests)) == ("source", 1)
    assert "pat-wrong" not in str(caught.value)


def test_faults_are_switched_while_it_runs(portal: Any) -> None:
    source = portal()
    told = httpx.post(f"{source.url}/_faults", json={"server_errors": 2}, trust_env=False).json()
    assert (told["server_errors"], source.faults.server_errors) == (2, 2)
    refused = httpx.post(f"{source.url}/_faults", json={"meteor": 1}, trust_env=False)
    assert refused.status_code == 400
    assert "server_errors" in refused.json()["error"]


@pytest.mark.parametrize("seed", range(3))
async def test_many_pulls_of_a_changing_portal_with_faults_end_where_one_fresh_pull_ends(
    portal: Any, small_world: World, seed: int
) -> None:
    random, at = Random(seed), NOON
    source = portal(largest_page=3, index_lag=timedelta(seconds=40), boundless=True)
    source.faults.only = "/crm"
    kept: dict[str, Record] = {}
    for step in range(8):
        for record in await source.pull("contacts", at):
            if record.key not in kept or kept[record.key].version <= record.version:
                kept[record.key] = record
        at += timedelta(minutes=random.choice((3, 20, 61, 300)))
        people = list(source.world.people)
        for index in random.sample(range(len(people)), 2):
            changed = at - timedelta(seconds=random.choice((0, 30, 90, 170)))
            if people[index].left_at is None:
                left = changed if random.random() < 0.3 else None
                people[index] = replace(people[index], title=f"Title {step}", updated_at=changed, left_at=left)
        people.append(replace(people[0], number=100 + step, created_at=at, updated_at=at, left_at=None))
        source.world = replace(source.world, people=people, until=at)
        setattr(source.faults, random.choice(("server_errors", "resets", "truncated", "cut_json", "html")), 2)
    at += timedelta(hours=2)
    source.world = replace(source.world, until=at)
    for record in await source.pull("contacts", at):
        kept[record.key] = record
    fresh = await portal(world=source.world).pull("contacts", at)
    assert {key: record for key, record in kept.items() if not record.deleted} == {
        record.key: record for record in fresh if not record.deleted
    }
    gone = {str(70_000_000_000 + person.number) for person in source.world.people if person.left_at is not None}
    assert {key for key, record in kept.items() if record.deleted} == gone
