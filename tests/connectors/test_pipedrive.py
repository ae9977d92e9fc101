"""Pipedrive against its sandbox: customers by won deals, deleted deals, bookmarks within a pull, the day's tokens, OAuth."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from connectors.kit.base import BadRowError, Bookmark, Page, Stream, Window, map_rows
from connectors.kit.errors import ContractError, PausedError, TransientError
from connectors.kit.http import Client
from connectors.kit.oauth import Vault
from connectors.kit.registry import build
from connectors.kit.reply import Reply
from connectors.kit.sandbox import Faults
from connectors.kit.signing import BadSignatureError
from connectors.kit.simulated import Removed, World
from connectors.pipedrive import webhook
from connectors.pipedrive.connector import Settings
from connectors.pipedrive.lookups import Lookups
from connectors.pipedrive.refusals import judge
from connectors.pipedrive.sandbox import app, event, settings, signed
from hub.model.records import Record

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN = "api-token-secret-value"


class Company:
    def __init__(self, serve: Callable[..., str], world: World, configured: dict[str, Any], **options: Any) -> None:
        self.world, self.faults, self.requests = world, Faults(), list[str]()
        served = app(lambda: self.world, token=TOKEN, faults=self.faults, **options)

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.requests.append(f"{scope['path']}?{scope['query_string'].decode()}")
            await served(scope, receive, send)

        self.url = serve(counted)
        self.connector = build("pipedrive", {**settings(self.url, token=TOKEN), **configured})
        self.bookmarks: dict[str, Bookmark | None] = {}

    def stream(self, name: str) -> Stream:
        return next(stream for stream in self.connector.streams() if stream.name == name)

    async def pages(self, name: str, at: datetime = NOON) -> list[Page]:
        async with self.connector.client() as client:
            window = Window(bookmark=self.bookmarks.get(name), started_at=at)
            found = [page async for page in self.stream(name).pull(client, window)]
        self.bookmarks[name] = found[-1].bookmark
        return found

    async def pull(self, name: str, at: datetime = NOON) -> list[Record]:
        records, bad = map_rows(self.stream(name), [row for page in await self.pages(name, at) for row in page.rows])
        assert bad == []
        return records


@pytest.fixture
def company(serve: Callable[..., str], small_world: World) -> Callable[..., Company]:
    return lambda world=small_world, configured=None, **options: Company(serve, world, configured or {}, **options)


async def test_an_organization_becomes_a_customer_by_a_won_deal_that_does_not_change_it(
    company: Any, small_world: World
) -> None:
    source = company(configured={"customer_labels": [], "became_customer_field": None})
    assert [record.key for record in await source.pull("organizations")] == ["2"]
    later = NOON + timedelta(hours=2)
    deals = [replace(deal, stage="won", updated_at=later - timedelta(minutes=9)) for deal in small_world.deals[:1]]
    source.world = replace(small_world, deals=[*deals, *small_world.deals[1:]], until=later)
    assert [record.key for record in await source.pull("organizations", later)] == ["1"]
    asked = [request for request in source.requests if request.startswith("/api/v2/organizations?")]
    assert asked[-2].startswith("/api/v2/organizations?include_fields=won_deals_count&ids=1&")


async def test_the_bookmark_moves_with_each_page_and_stays_behind_the_start(company: Any, small_world: World) -> None:
    source = company()
    pages = await source.pages("persons")
    marks = [page.bookmark["since"] for page in pages]
    assert marks == sorted(marks)
    assert marks[-1] == round((NOON - timedelta(seconds=60)).timestamp() * 1000)
    first = pages[0]
    source.bookmarks["persons"] = first.bookmark  # killed after its first page
    rest = await source.pull("persons")
    assert {row["id"] for row in first.rows} | {int(record.key) for record in rest} == {1, 2, 3, 4, 5}


async def test_deleted_deals_come_as_deleted(company: Any, small_world: World) -> None:
    source = company()
    first: Any = {record.key: record for record in await source.pull("deals")}
    assert (first["2"].type, first["2"].stage, first["2"].stage_name) == ("expansion", "won", "Signed")
    later = NOON + timedelta(hours=1)
    grave = Removed(what="deal", number=1, account=1, at=later - timedelta(minutes=5))
    source.world = replace(small_world, deals=small_world.deals[1:], removed=[grave], until=later)
    assert [(record.key, record.deleted) for record in await source.pull("deals", later)] == [("1", True)]


async def test_a_pull_that_is_interrupted_has_not_passed_over_what_its_listing_does_not_show(
    company: Any, small_world: World
) -> None:
    source = company(configured={"page_size": 1, "customer_labels": [], "became_customer_field": None})
    await source.pull("deals")
    await source.pull("organizations")
    later = NOON + timedelta(hours=2)
    grave = Removed(what="deal", number=1, account=1, at=NOON + timedelta(minutes=5))
    deals = [replace(small_world.deals[1], updated_at=later - timedelta(minutes=9))]
    won = [replace(small_world.deals[0], number=9, stage="won", updated_at=NOON + timedelta(minutes=5))]
    accounts = [replace(small_world.accounts[1], updated_at=later - timedelta(minutes=9)), *small_world.accounts[:1]]
    source.world = replace(small_world, accounts=accounts, deals=deals + won, removed=[grave], until=later)
    for name in ("deals", "organizations"):
        mark = source.bookmarks[name]
        pages = await source.pages(name, later)
        moved = next(page for page in pages if page.bookmark and page.bookmark != mark)
        landed = [row["id"] for page in pages[: pages.index(moved)] for row in page.rows]
        assert landed[:1] == [1], "the deal that was deleted, and the organization whose deal was won"


async def test_a_list_that_lacks_what_a_row_names_is_read_once_more_and_then_believed() -> None:
    class Answering:
        def __init__(self) -> None:
            self.asked = list[str]()

        async def get_json(self, path: str, **_: Any) -> Any:
            self.asked.append(path.rpartition("/")[2])
            whole = self.asked.count(self.asked[-1]) > 1
            rows = [{"id": 1, "name": "Signed", "email": "ada@ourco.example"}] if whole else []
            return {"success": True, "data": rows, "additional_data": None}

    client, lookups = Answering(), Lookups(stages=True)
    row: dict[str, Any] = {"id": 5, "owner_id": 1, "pipeline_id": 1, "stage_id": 1}
    for _ in range(2):
        (dressed,) = await lookups(cast("Client", client), [row])
        assert (dressed["users"]["owner_id"]["id"], dressed["stage"]["id"], dressed["pipeline"]["id"]) == (1, 1, 1)
    assert sorted(client.asked) == 2 * ["pipelines"] + 2 * ["stages"] + 2 * ["users"]
    for _ in range(2):
        (gone,) = await lookups(cast("Client", client), [{**row, "stage_id": 7}])
        assert (gone["stage"], client.asked.count("stages")) == (None, 3)


async def test_a_page_of_what_changed_before_is_another_querys(company: Any, small_world: World) -> None:
    source = company()
    await source.pull("persons")
    later = NOON + timedelta(hours=1)
    source.world = replace(small_world, until=later)
    source.faults.repeated_pages = 1
    with pytest.raises(ContractError, match="got what changed before it"):
        await source.pages("persons", later)
    assert source.bookmarks["persons"]["since"] < round(later.timestamp() * 1000) - 3_000_000


async def test_a_pipeline_nobody_named_is_refused(company: Any) -> None:
    source = company(configured={"deal_types": {"Sales": "new"}})
    rows = [row for page in await source.pages("deals") for row in page.rows]
    records, bad = map_rows(source.stream("deals"), rows)
    assert records == []
    assert {fault.field for fault in bad} == {"pipeline"}
    assert "add the pipeline to the setting deal_types" in bad[0].reason


async def test_used_up_tokens_of_the_day_are_a_pause(company: Any) -> None:
    source = company(tokens_a_day=3)
    async with source.connector.client() as client:
        for _ in range(3):
            await client.get_json("/api/v1/users")
        with pytest.raises(PausedError, match="used up"):
            await client.get_json("/api/v1/users")
        (day,) = [quota for quota in client.quotas if quota.name == "day"]
    assert (day.limit, day.remaining) == (3, 0)
    assert len(source.requests) == 3


def test_what_is_kept_out_by_the_edge_is_not_what_is_forbidden() -> None:
    def said(status: int, body: bytes, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return judge(Reply(status, named, body, "GET api/x"), NOON)

    assert isinstance(said(403, b"<html>error 1015</html>"), TransientError)
    assert said(403, b'{"success":false,"error":"Scope and URL mismatch"}') is None
    paused = said(429, b"{}", x_daily_ratelimit_token_remaining="0")
    assert paused.until == datetime(2026, 11, 23, tzinfo=UTC)
    assert said(429, b"", x_ratelimit_reset="2").retry_after == 2


def test_settings_want_one_credential() -> None:
    oauth = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
    assert Settings.model_validate(oauth).api_token is None
    for wrong in ({}, {"api_token": "t", **oauth}, {"client_id": "c"}):
        with pytest.raises(ValueError, match="either api_token, or client_id"):
            Settings.model_validate(wrong)
    with pytest.raises(ValueError, match="type_field needs deal_types"):
        Settings.model_validate({"api_token": "t", "type_field": "x"})


async def test_oauth_asks_for_a_token_and_keeps_the_next_refresh_token(serve: Callable[..., str]) -> None:
    seen: list[str] = []
    kept: list[Any] = []

    async def vendor(request: Request) -> JSONResponse:
        form = dict(parse_qsl((await request.body()).decode()))
        seen.append(form.get("refresh_token") or request.headers["authorization"])
        if form:
            return JSONResponse({"access_token": f"access-{len(seen)}", "refresh_token": "second", "expires_in": 3599})
        return JSONResponse({"success": True, "data": []})

    async def keep(values: Any) -> None:
        kept.append(values["refresh_token"])
        assert len(seen) == 1  # before anything was asked with it

    url = serve(Starlette(routes=[Route("/{path:path}", vendor, methods=["GET", "POST"])]))
    oauth = {"client_id": "c", "client_secret": "s", "refresh_token": "first", "token_url": f"{url}/oauth/token"}
    made: Any = build("pipedrive", {"base_url": url, **oauth})
    made.vault = Vault(keep=keep)
    async with made.client() as client:
        await client.get_json("/api/v1/users")
    assert (seen, kept) == (["first", "Bearer access-1"], ["second"])


def test_a_webhook_is_believed_by_its_password() -> None:
    made = Settings.model_validate({"api_token": "t", "webhook_secret": "pw"})
    body = event("deal", 7)
    known: Any = {"settings": made, "method": "POST", "url": "https://hub.example", "now": NOON}
    webhook.verified(signed(body, **known), body, **known)
    with pytest.raises(BadSignatureError):
        webhook.verified({"authorization": "Basic Y3NodWI6cHc="[:-4]}, body, **known)
    (hint,) = webhook.hints({}, body)
    assert (hint.stream, hint.key, hint.event_id) == ("deals", "7", "deal-7")
    assert webhook.hints({}, b'{"meta":{"entity":"lead","entity_id":"x"}}') == ()
    with pytest.raises(BadRowError):
        webhook.hints({}, b'{"data":{}}')
