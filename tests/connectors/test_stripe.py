"""Stripe against its sandbox: what a subscription brings a month, events as hints of what to ask again, webhooks."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.kit.base import BadRowError, Bookmark, Stream, Window, map_rows
from connectors.kit.errors import DeniedError
from connectors.kit.registry import build
from connectors.kit.sandbox import Faults
from connectors.kit.signing import BadSignatureError
from connectors.kit.simulated import Removed, World
from connectors.stripe import webhook
from connectors.stripe.connector import Settings
from connectors.stripe.money import money, mrr
from connectors.stripe.sandbox import app, event, key, settings, signed
from hub.model.records import CancellationKind, Record, SubscriptionStatus

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN = "rk_live_secret_value"
AT = round(NOON.timestamp() * 1000)


def price(amount: float, interval: str = "month", count: int = 1, **more: Any) -> dict[str, Any]:
    recurring = {"interval": interval, "interval_count": count, "usage_type": more.pop("usage", "licensed")}
    return {
        "id": "price_x",
        "billing_scheme": "per_unit",
        "unit_amount_decimal": str(amount),
        "recurring": recurring,
        **more,
    }


def item(amount: float, quantity: int = 1, **more: Any) -> dict[str, Any]:
    discounts = more.pop("discounts", [])
    return {"quantity": quantity, "price": price(amount, **more), "discounts": discounts}


def discount(duration: str, *, end: int | None = None, **off: Any) -> dict[str, Any]:
    coupon = {"id": f"off{sum(off.values())}", "duration": duration, **off}
    return {"id": "di_1", "end": end, "source": {"type": "coupon", "coupon": coupon}}


TIERS = [
    {"up_to": 5, "unit_amount_decimal": "1000", "flat_amount": None},
    {"up_to": 10, "unit_amount_decimal": "800", "flat_amount": 500},
    {"up_to": None, "unit_amount_decimal": "600", "flat_amount": None},
]


@pytest.mark.parametrize(
    ("items", "discounts", "currency", "wanted"),
    [
        ([item(2000, 3)], [], "usd", 60.0),
        ([item(120_000, interval="year")], [], "eur", 100.0),
        ([item(30_000, interval="month", count=3)], [], "eur", 100.0),
        ([item(700, interval="week")], [], "eur", 30.42),
        ([item(5000)], [], "jpy", 5000.0),
        ([item(5000)], [], "kwd", 5.0),
        ([item(1.5, 1000)], [], "usd", 15.0),
        ([item(1000, 25, transform_quantity={"divide_by": 10, "round": "up"})], [], "usd", 30.0),
        ([item(2000), item(9000, usage="metered")], [], "usd", 20.0),
        ([item(0, 12, billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS)], [], "usd", 107.0),
        ([item(0, 12, billing_scheme="tiered", tiers_mode="volume", tiers=TIERS)], [], "usd", 72.0),
        ([item(10_000)], [discount("forever", percent_off=25)], "usd", 75.0),
        ([item(10_000)], [discount("once", percent_off=25)], "usd", 100.0),
        ([item(120_000, interval="year")], [discount("forever", amount_off=12_000)], "usd", 90.0),
        ([item(10_000)], [discount("repeating", end=AT // 1000 + 60, percent_off=50)], "usd", 50.0),
        ([item(10_000)], [discount("repeating", end=AT // 1000, percent_off=50)], "usd", 100.0),
        ([item(10_000, discounts=[discount("forever", amount_off=20_000)]), item(100)], [], "usd", 1.0),
    ],
)
def test_what_a_subscription_brings_a_month(items: Any, discounts: Any, currency: str, wanted: float) -> None:
    assert mrr(items, discounts, currency=currency, at=AT) == wanted


def test_what_money_cannot_be_read_is_refused() -> None:
    assert money(1999, "usd", field="total") == 19.99
    with pytest.raises(BadRowError, match="tiered price without its tiers"):
        mrr([item(0, billing_scheme="tiered")], [], currency="usd", at=AT)
    with pytest.raises(BadRowError, match="'fortnight' is none of: day, week, month, year"):
        mrr([item(1, interval="fortnight")], [], currency="usd", at=AT)


class Account:
    def __init__(self, serve: Callable[..., str], world: World, **options: Any) -> None:
        self.world, self.faults, self.requests = world, Faults(), list[str]()
        served = app(lambda: self.world, token=TOKEN, faults=self.faults, **options)

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.requests.append(scope["path"])
            await served(scope, receive, send)

        self.connector = build("stripe", settings(serve(counted), token=TOKEN))
        self.bookmarks: dict[str, Bookmark | None] = {}

    def stream(self, name: str) -> Stream:
        return next(stream for stream in self.connector.streams() if stream.name == name)

    async def pull(self, name: str, at: datetime = NOON) -> tuple[list[Record], list[str]]:
        """Records, and keys that are gone."""
        stream, rows, gone = self.stream(name), list[Any](), list[str]()
        async with self.connector.client() as client:
            async for page in stream.pull(client, Window(bookmark=self.bookmarks.get(name), started_at=at)):
                rows.extend(page.rows)
                gone.extend(page.gone)
                self.bookmarks[name] = page.bookmark if page.bookmark is not None else self.bookmarks.get(name)
        records, bad = map_rows(stream, rows)
        assert bad == []
        return records, gone


@pytest.fixture
def account(serve: Callable[..., str], small_world: World) -> Callable[..., Account]:
    return lambda world=small_world, **options: Account(serve, world, **options)


async def test_events_only_say_what_to_ask_for_again(account: Any, small_world: World) -> None:
    source = account()
    first, _ = await source.pull("customers")
    assert len(first) == 3
    later = NOON + timedelta(hours=2)
    changed = replace(small_world.accounts[0], name="Acme SE", updated_at=later - timedelta(minutes=20))
    grave = Removed(what="account", number=3, account=3, at=later - timedelta(minutes=30))
    source.world = replace(small_world, accounts=[changed, small_world.accounts[1]], removed=[grave], until=later)
    source.requests.clear()
    records, gone = await source.pull("customers", later)
    told = {record.key: (record.deleted, getattr(record, "name", None)) for record in records}
    assert told == {key("account", 1): (False, "Acme SE"), key("account", 3): (True, None)}
    assert gone == []
    assert sorted(source.requests) == ["/v1/customers/cus_00000001", "/v1/customers/cus_00000003", "/v1/events"]


async def test_a_bookmark_older_than_the_events_lists_everything_again(account: Any, small_world: World) -> None:
    source = account()
    await source.pull("invoices")
    later = NOON + timedelta(days=26)
    source.world = replace(small_world, until=later)
    source.requests.clear()
    await source.pull("customers", later)
    await source.pull("customers", later + timedelta(days=26))
    assert set(source.requests) == {"/v1/customers"}


async def test_a_listing_goes_on_where_it_stopped_unless_that_row_is_gone(account: Any, small_world: World) -> None:
    source = account()
    stream = source.stream("subscriptions")
    async with source.connector.client() as client:
        pages = stream.pull(client, Window(bookmark=None, started_at=NOON))
        first = await anext(pages)
        await pages.aclose()
    last = first.bookmark["listing"]["after"]
    assert [row["id"] for row in first.rows][-1] == last
    source.bookmarks["subscriptions"] = first.bookmark
    rest, _ = await source.pull("subscriptions")
    assert len(rest) == 1
    source.world = replace(small_world, terms=[term for term in small_world.terms if key("term", term.number) != last])
    source.bookmarks["subscriptions"] = first.bookmark
    again, _ = await source.pull("subscriptions")
    assert len(again) == 3
    assert "since" in source.bookmarks["subscriptions"]


async def test_items_tiers_and_coupons_are_fetched_where_a_list_leaves_them_out(account: Any) -> None:
    many = [{**item(1000), "id": f"si_{n}", "current_period_end": AT // 1000} for n in range(12)]
    tiered = {**item(0, 12, billing_scheme="tiered", tiers_mode="volume", tiers=TIERS), "id": "si_t"}
    tiered["price"]["id"] = "price_tiered"
    tiered["discounts"] = [discount("forever", percent_off=50)]
    several = {"data": many, "object": "list"}
    source = account(
        extras={
            key("term", 2): {"items": several, "discounts": [discount("forever", percent_off=10)]},
            key("term", 3): {"items": {"data": [tiered], "object": "list"}, "status": "past_due"},
        }
    )
    records, _ = await source.pull("subscriptions")
    found: dict[str, Any] = {record.key: record for record in records}
    assert (found[key("term", 2)].mrr, found[key("term", 2)].seats_purchased) == (108.0, 12)
    assert (found[key("term", 3)].mrr, found[key("term", 3)].status) == (36.0, SubscriptionStatus.PAST_DUE)
    ended = found[key("term", 4)]
    assert (ended.status, ended.cancellation_kind) == (SubscriptionStatus.ENDED, CancellationKind.VOLUNTARY)
    assert sorted(path for path in source.requests if "coupons" in path) == ["/v1/coupons/off10", "/v1/coupons/off50"]


async def test_a_missing_permission_is_named(account: Any) -> None:
    with pytest.raises(DeniedError) as refused:
        await account(without=["invoices"]).pull("invoices")
    assert (refused.value.permission, refused.value.scope) == ("rak_invoice_read", "stream")


def test_a_webhook_is_believed_by_its_signature_and_time() -> None:
    made = Settings.model_validate({"api_key": "k", "webhook_secret": "whsec_a"})
    body = event("term", 7)
    headers = signed(body, settings=made, method="POST", url="https://hub.example", now=NOON)

    def verify(headers: dict[str, str], body: bytes, now: datetime = NOON, settings: Settings = made) -> None:
        webhook.verified(headers, body, settings=settings, method="POST", url="https://hub.example", now=now)

    verify(headers, body)
    stamp, right, _ = headers["stripe-signature"].split(",")
    verify({"stripe-signature": f"{stamp},v1={'0' * 64},{right}"}, body)  # a secret being rotated
    unsigned = {"stripe-signature": f"{stamp},v0={right[3:]}"}
    for wrong in (
        {"headers": headers, "body": body + b" "},
        {"headers": headers, "body": body, "now": NOON + timedelta(minutes=6)},
        {"headers": {}, "body": body},
        {"headers": unsigned, "body": body},
    ):
        with pytest.raises(BadSignatureError):
            verify(**wrong)
    with pytest.raises(BadSignatureError, match="webhook_secret is not set"):
        verify(headers, body, settings=Settings.model_validate({"api_key": "k"}))
    (hint,) = webhook.hints({}, body)
    assert (hint.stream, hint.key) == ("subscriptions", key("term", 7))
    assert webhook.hints({}, b'{"id":"evt_1","type":"charge.refunded","data":{"object":{"id":"ch_1"}}}') == ()
    with pytest.raises(BadRowError):
        webhook.hints({}, b"[]")


class Slow:
    """A client whose first answer is a refusal and whose others take a while."""

    def __init__(self) -> None:
        self.asking = 0

    async def get_json(self, path: str, **_more: Any) -> dict[str, Any]:
        if path.endswith("/a"):
            raise DeniedError("refused")
        self.asking += 1
        for _ in range(20):
            await asyncio.sleep(0)
        self.asking -= 1
        return {"id": path.rpartition("/")[2]}


async def test_when_one_of_many_is_refused_nobody_goes_on_asking() -> None:
    """A client is closed once its pull has ended: what is asked after that is a connection nobody closes."""
    connector = build("stripe", settings("http://127.0.0.1:1", token=TOKEN))
    stream = next(each for each in connector.streams() if each.name == "customers")
    client: Any = Slow()
    assert stream.fetch is not None
    with pytest.raises(DeniedError):
        await anext(aiter(stream.fetch(client, ["a", "b", "c"])))
    assert client.asking == 0
