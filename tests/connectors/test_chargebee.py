"""Chargebee against its sandbox: seconds that are left out, deleted rows, both product catalogs, webhooks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.chargebee import webhook
from connectors.chargebee.connector import Settings
from connectors.chargebee.refusals import judge
from connectors.chargebee.sandbox import app, event, key, settings, signed
from connectors.kit.base import Bookmark, Page, Stream, Window, map_rows
from connectors.kit.errors import ContractError, DeniedError, TransientError
from connectors.kit.registry import build
from connectors.kit.reply import Reply
from connectors.kit.sandbox import Faults
from connectors.kit.signing import BadSignatureError
from connectors.kit.simulated import Removed, World
from hub.model.records import CancellationKind, Record, SubscriptionStatus

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN = "live_key_secret_value"


class Site:
    def __init__(self, serve: Callable[..., str], world: World, configured: dict[str, Any], **options: Any) -> None:
        self.world, self.faults, self.requests = world, Faults(), list[str]()
        served = app(lambda: self.world, token=TOKEN, faults=self.faults, **options)

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.requests.append(scope["path"])
            await served(scope, receive, send)

        self.connector = build("chargebee", {**settings(serve(counted), token=TOKEN), **configured})
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
def site(serve: Callable[..., str], small_world: World) -> Callable[..., Site]:
    return lambda world=small_world, configured=None, **options: Site(serve, world, configured or {}, **options)


async def test_rows_of_the_very_second_of_the_bookmark_are_not_lost(site: Any, small_world: World) -> None:
    source = site()
    await source.pull("customers")
    assert source.bookmarks["customers"] == {"since": int((NOON - timedelta(seconds=60)).timestamp())}
    edge = NOON - timedelta(seconds=660)  # where the next pull begins
    like = small_world.accounts[0]
    more = [replace(like, number=10 + n, updated_at=edge - timedelta(seconds=n)) for n in range(2)]
    source.world = replace(small_world, accounts=[*small_world.accounts, *more])
    later = await source.pull("customers", NOON + timedelta(minutes=5))
    assert [record.key for record in later] == [key("account", 10)]


async def test_deleted_rows_come_as_deleted(site: Any, small_world: World) -> None:
    source = site()
    await source.pull("subscriptions")
    at = NOON + timedelta(minutes=20)
    grave = Removed(what="term", number=2, account=1, at=at)
    terms = [term for term in small_world.terms if term.number != 2]
    source.world = replace(small_world, terms=terms, removed=[grave], until=at)
    (gone,) = await source.pull("subscriptions", NOON + timedelta(hours=1))
    assert (gone.key, gone.deleted, gone.version) == (key("term", 2), True, round(at.timestamp() * 1000))


@pytest.mark.parametrize("catalog", ["1", "2"])
@pytest.mark.parametrize("with_mrr", [True, False])
async def test_both_catalogs_give_the_same_subscriptions(site: Any, catalog: str, with_mrr: bool) -> None:
    source = site(catalog=catalog, with_mrr=with_mrr)
    found: dict[str, Any] = {record.key: record for record in await source.pull("subscriptions")}
    running, ended = found[key("term", 3)], found[key("term", 4)]
    assert (running.plan, running.mrr, running.seats_purchased) == ("Growth", 1000.0, 20)
    assert (running.status, running.renews_on.isoformat()) == (SubscriptionStatus.ACTIVE, "2027-02-01")
    assert (ended.status, ended.cancellation_kind) == (SubscriptionStatus.ENDED, CancellationKind.VOLUNTARY)
    lists = [request for request in source.requests if request.endswith(("plans", "item_prices"))]
    assert lists == (["/api/v2/item_prices"] if catalog == "2" else ["/api/v2/item_prices", "/api/v2/plans"])
    source.requests.clear()
    source.bookmarks.clear()
    await source.pull("subscriptions")  # by now it is known
    assert len([request for request in source.requests if request.endswith(("plans", "item_prices"))]) == 1


async def test_the_wrong_catalog_is_no_empty_list(site: Any) -> None:
    with pytest.raises(ContractError, match=r"product catalog 2\.0"):
        await site(configured={"catalog": "1"}).pull("subscriptions")


async def test_an_interrupted_pull_goes_on_with_the_second_it_had_reached(site: Any, small_world: World) -> None:
    same = [replace(account, updated_at=NOON - timedelta(days=2)) for account in small_world.accounts]
    source = site(world=replace(small_world, accounts=same), configured={"page_size": 2})
    first = (await source.pages("customers"))[0]
    source.bookmarks["customers"] = first.bookmark
    again = await source.pull("customers")
    assert {record.key for record in again} == {key("account", n) for n in (1, 2, 3)}


async def test_rows_are_fetched_by_id(site: Any) -> None:
    source = site()
    async with source.connector.client() as client:
        wanted = [key("account", 1), key("account", 77)]
        (page,) = [page async for page in source.stream("customers").fetch(client, wanted)]
    assert ([row["id"] for row in page.rows], list(page.gone)) == ([wanted[0]], [wanted[1]])


def test_refusals_are_told_apart_by_their_code() -> None:
    def said(status: int, code: str, **headers: str) -> Any:
        body = f'{{"message":"no","api_error_code":"{code}"}}'.encode()
        return judge(Reply(status, {name.replace("_", "-"): v for name, v in headers.items()}, body, "GET x"), NOON)

    assert said(429, "api_request_limit_exceeded", retry_after="9").retry_after == 9
    assert said(429, "api_request_limit_exceeded").retry_after == 60
    assert isinstance(said(409, "lock_timeout"), TransientError)
    denied = said(403, "api_authorization_failed")
    assert isinstance(denied, DeniedError)
    assert (denied.scope, denied.permission) == ("stream", "a read-only key for all data")
    assert said(401, "api_authentication_failed") is None  # the kit knows what to do with that


def test_a_webhook_is_believed_by_its_password_and_hints_at_all_it_shows() -> None:
    made = Settings.model_validate({"api_key": "k", "webhook_secret": "pw"})
    body = event("bill", 7)
    known: Any = {"settings": made, "method": "POST", "url": "https://hub.example", "now": NOON}
    webhook.verified(signed(body, **known), body, **known)
    with pytest.raises(BadSignatureError):
        webhook.verified({"authorization": "Bearer pw"}, body, **known)
    (hint,) = webhook.hints({}, body)
    assert (hint.stream, hint.key) == ("invoices", key("bill", 7))
    both = webhook.hints({}, b'{"id":"ev_1","content":{"customer":{"id":"c"},"subscription":{"id":"s"},"card":{}}}')
    assert [(each.stream, each.key) for each in both] == [("customers", "c"), ("subscriptions", "s")]
    assert webhook.hints({}, b'{"id":"ev_2","content":{"quote":{"id":"q"}}}') == []
