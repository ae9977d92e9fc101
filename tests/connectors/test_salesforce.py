"""Salesforce against its sandbox: keysets over ties, the recycle bin, bulk loads, the day's requests, sessions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.kit.base import Bookmark, Stream, Window, map_rows
from connectors.kit.errors import ContractError, DeniedError, PausedError
from connectors.kit.registry import build
from connectors.kit.sandbox import Faults
from connectors.kit.simulated import Removed, World, crm_id
from connectors.salesforce.connector import Settings
from connectors.salesforce.org import key
from connectors.salesforce.sandbox import app, settings, truth
from connectors.salesforce.soql import id18
from hub.model.records import Record

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN = "consumer-secret-value"


class Org:
    """The sandbox of a World that can be replaced while it runs, and the source."""

    def __init__(self, serve: Callable[..., str], world: World, configured: dict[str, Any], **options: Any) -> None:
        self.world, self.faults, self.requests = world, Faults(), list[str]()
        served = app(lambda: self.world, token=TOKEN, faults=self.faults, **options)

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.requests.append(f"{scope['method']} {scope['path']}")
            await served(scope, receive, send)

        self.url = serve(counted)
        self.connector = build("salesforce", {**settings(self.url, token=TOKEN), **configured})
        self.bookmarks: dict[str, Bookmark | None] = {}

    def stream(self, name: str) -> Stream:
        return next(stream for stream in self.connector.streams() if stream.name == name)

    async def pull(self, name: str, at: datetime = NOON) -> list[Record]:
        stream, rows = self.stream(name), list[Any]()
        async with self.connector.client() as client:
            window = Window(bookmark=self.bookmarks.get(name), started_at=at)
            async for page in stream.pull(client, window):
                rows.extend(page.rows)
                self.bookmarks[name] = page.bookmark if page.bookmark is not None else self.bookmarks.get(name)
        records, bad = map_rows(stream, rows)
        assert bad == []
        return records


@pytest.fixture
def org(serve: Callable[..., str], small_world: World) -> Callable[..., Org]:
    def make(world: World = small_world, configured: dict[str, Any] | None = None, **options: Any) -> Org:
        return Org(serve, world, configured or {}, **options)

    return make


def crowd(world: World, count: int, at: datetime) -> World:
    """`count` accounts more, all changed in one second."""
    like = world.accounts[0]
    more = [replace(like, number=10 + n, name=f"Co {n}", updated_at=at) for n in range(count)]
    return replace(world, accounts=[*world.accounts, *more])


async def test_rows_of_one_second_are_all_seen_whatever_the_page(org: Any, small_world: World) -> None:
    source = org(crowd(small_world, 11, NOON - timedelta(days=1)), batch=3)
    records = await source.pull("accounts")
    assert sorted(record.key for record in records) == sorted(truth(source.world)["accounts"])
    assert len(records) == 14
    assert source.bookmarks["accounts"] == {"since": round((NOON - timedelta(minutes=5)).timestamp() * 1000)}
    first = next(record for record in records if record.key == key("Account", 2))
    assert (first.parent_key, first.external_key, first.domains) == (
        key("Account", 1), crm_id(2), ("cloud.acme.example",)
    )  # fmt: skip
    assert (first.csm_email, first.segment) == ("ada@ourco.example", "mid_market")


async def test_what_becomes_visible_late_and_what_is_deleted_is_seen_by_the_next_pull(
    org: Any, small_world: World
) -> None:
    source = org()
    await source.pull("accounts")
    late = crowd(small_world, 1, NOON - timedelta(minutes=12))  # its transaction took a while
    grave = Removed(what="account", number=3, account=3, at=NOON + timedelta(minutes=1))
    source.world = replace(late, accounts=[a for a in late.accounts if a.number != 3], removed=[grave])
    source.requests.clear()
    records = await source.pull("accounts", NOON + timedelta(minutes=30))
    assert [(record.key, record.deleted) for record in records] == [
        (key("Account", 10), False), (key("Account", 3), True)
    ]  # fmt: skip
    assert [request.rpartition("/")[2] for request in source.requests] == ["queryAll"]


async def test_an_interrupted_walk_goes_on_after_the_row_it_had_reached(org: Any, small_world: World) -> None:
    source = org(crowd(small_world, 6, NOON - timedelta(days=1)), configured={"page_size": 2})
    stream, seen = source.stream("accounts"), list[str]()
    bookmark = None
    while True:
        async with source.connector.client() as client:
            pages = stream.pull(client, Window(bookmark=bookmark, started_at=NOON))
            page = await anext(pages)
            await pages.aclose()
        seen.extend(str(row["Id"]) for row in page.rows)
        bookmark = page.bookmark
        if not page.rows:
            break
    assert len(seen) == len(set(seen)) == 9


async def test_a_first_load_of_many_rows_is_a_bulk_job_and_can_be_interrupted(org: Any, small_world: World) -> None:
    by_rest = await org(crowd(small_world, 9, NOON - timedelta(days=1))).pull("accounts")
    source = org(crowd(small_world, 9, NOON - timedelta(days=1)), configured={"bulk_from": 10, "bulk_wait": 0.01})
    stream = source.stream("accounts")
    async with source.connector.client() as client:
        pages = stream.pull(client, Window(bookmark=None, started_at=NOON))
        begun = await anext(pages)
        await pages.aclose()
    assert begun.rows == []
    assert begun.bookmark["job"]["id"].startswith("750")
    source.bookmarks["accounts"], source.requests[:] = begun.bookmark, []
    source.faults.cut_json, source.faults.only = (
        1,
        f"/services/data/v66.0/jobs/query/{begun.bookmark['job']['id']}/results",
    )
    records = await source.pull("accounts")
    key_of = {record.key: record for record in records}
    assert key_of == {record.key: record for record in by_rest}
    assert not [request for request in source.requests if request.startswith("POST /services/data")]
    assert source.requests.count(f"GET {source.faults.only}") == 2  # a part cut short is asked for again


async def test_the_hub_stops_at_its_share_of_the_days_requests(org: Any) -> None:
    source = org(configured={"api_ceiling": 0.5}, requests_a_day=10)

    async def pull_all() -> None:
        for name in ("accounts", "contacts", "opportunities", "cases") * 2:
            await source.pull(name)

    with pytest.raises(PausedError, match="used up"):
        await pull_all()
    asked = [request for request in source.requests if request.startswith("GET")]
    assert len(asked) == 5
    async with source.connector.client() as client:
        (quota,) = client.quotas
    assert (quota.limit, quota.remaining) == (5, 0)


async def test_a_used_up_day_is_a_pause_and_concurrent_requests_a_short_wait(org: Any, fake_time: Any) -> None:
    source = org(configured={"api_ceiling": 1.0}, requests_a_day=0)
    with pytest.raises(PausedError, match="24 hours are used up"):
        await source.pull("accounts")
    busy = org()
    busy.faults.rate_limited = 1
    client = busy.connector.client()
    client._sleep, client._monotonic = fake_time.sleep, fake_time.monotonic
    async with client:
        pages = [page async for page in busy.stream("accounts").pull(client, Window(bookmark=None, started_at=NOON))]
    assert sum(len(page.rows) for page in pages) == 3
    assert 5 <= fake_time.slept[0] <= 6


async def test_an_expired_session_is_renewed_once(org: Any) -> None:
    source = org()
    await source.pull("accounts")
    source.faults.expired = 1
    assert len(await source.pull("contacts")) == 5
    assert source.requests.count("POST /services/oauth2/token") == 2
    wrong = build("salesforce", {**settings(source.url, token="another-secret")})
    source.requests.clear()
    async with wrong.client() as client:
        with pytest.raises(DeniedError, match="invalid_client") as caught:
            await client.get_json("/services/data/v66.0/query")
    assert source.requests == ["POST /services/oauth2/token"]
    assert "another-secret" not in str(caught.value)


async def test_a_hidden_field_or_object_is_named(org: Any) -> None:
    with pytest.raises(DeniedError, match="Segment__c") as caught:
        await org(hidden=["Segment__c"]).pull("accounts")
    assert caught.value.permission == "field-level read access to Segment__c"
    with pytest.raises(DeniedError) as refused:
        await org(without=["Case"]).pull("cases")
    assert (refused.value.permission, refused.value.scope) == ("Read on Case", "stream")


async def test_rows_are_fetched_by_id_and_listed_by_id(org: Any) -> None:
    source = org()
    stream = source.stream("contacts")
    gone, short = key("Contact", 99), key("Contact", 2)[:15]
    async with source.connector.client() as client:
        (page,) = [page async for page in stream.fetch(client, [key("Contact", 1), short, gone])]
        listed = [each async for ids in stream.ids(client, Window(bookmark=None, started_at=NOON)) for each in ids]
    assert {row["Id"] for row in page.rows} == {key("Contact", 1), key("Contact", 2)}
    assert list(page.gone) == [gone]
    assert {each.key for each in listed} == {key("Contact", n) for n in (1, 2, 3, 5)}  # the fourth has left
    assert {each.key: each.version for each in listed}[key("Contact", 1)] == round(
        (NOON - timedelta(days=1)).timestamp() * 1000
    )


async def test_fewer_rows_than_are_counted_are_no_end(org: Any) -> None:
    source = org(configured={"bulk_from": 100})
    source.faults.repeated_pages, source.faults.only = 1, "/services/data/v66.0/query"
    with pytest.raises(ContractError, match="0 rows of 3 promised"):  # it got the count's answer again
        await source.pull("accounts")
    assert "since" not in (source.bookmarks.get("accounts") or {})


def test_settings_want_one_credential_and_the_own_domain() -> None:
    fine = {"base_url": "https://acme.my.salesforce.com", "client_id": "c"}
    assert Settings.model_validate({**fine, "client_secret": "s"}).login_url == "https://login.salesforce.com"
    for wrong in ({}, {"client_secret": "s", "username": "u", "private_key": "k"}, {"username": "u"}):
        with pytest.raises(ValueError, match="either client_secret, or private_key"):
            Settings.model_validate({**fine, **wrong})
    with pytest.raises(ValueError, match="My Domain"):
        Settings.model_validate({**fine, "base_url": "https://login.salesforce.com", "client_secret": "s"})


def test_an_id_of_15_characters_gets_its_check_characters() -> None:
    assert id18("001D000000IRFma") == "001D000000IRFmaIAH"
    assert id18("001D000000IRFmaIAH") == "001D000000IRFmaIAH"
