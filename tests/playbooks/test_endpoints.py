"""An endpoint that only fails is disabled, people hear of it once, nothing is sent, and a person enables it again."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from hub.delivery.webhook import Endpoint, WebhookChannel, new_secret
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Delivery, DeliveryState
from hub.playbooks.endpoints import Told, enable, tell_of_disabled
from hub.playbooks.ledger import Ledger
from hub.playbooks.resending import plan_resend
from hub.store import Store, deliveries
from hub.store.endpoints import find_endpoints
from tests.delivery.conftest import Receiver, receiver
from tests.fakes.clock import START, Clock

TOLD = Told("slack", "#cshub")
__all__ = ["receiver"]


@dataclass
class World:
    store: Store
    clock: Clock
    ledger: Ledger
    receiver: Receiver
    count: int = 0

    async def post(self) -> Delivery:
        """Reserve an event and try to send it, once."""
        self.count += 1
        key = f"hook.1.0.{self.count}"
        made: dict[str, Any] = {
            "id": f"del_{self.count}",
            "dedup_key": key,
            "channel": "webhook",
            "address": "crm",
            "payload": {"type": "test", "data": {"n": self.count}},
            "state": "reserved",
            "attempts": 0,
            "reserved_at": self.clock(),
        }
        async with self.store.transaction() as connection:
            await deliveries.reserve(connection, [made])
        await self.ledger.drain()
        return await self.find(made["id"])

    async def find(self, id_: str) -> Delivery:
        async with self.store.reading() as connection:
            (found,) = await deliveries.find_deliveries(connection, ids=[id_])
        return found

    async def disabled(self) -> list[str]:
        async with self.store.reading() as connection:
            return [each.address for each in await find_endpoints(connection, disabled=True)]

    async def tell(self) -> list[str]:
        return await tell_of_disabled(self.store, TOLD, hub_url="https://hub.example", now=self.clock())


@pytest.fixture
async def world(store: Store, receiver: Receiver) -> World:
    clock = Clock()
    endpoint = Endpoint(url=f"{receiver.url}/s3cr3t", secrets=(new_secret(),))
    channel = WebhookChannel({"crm": endpoint}, allowed=[ip_network("127.0.0.0/8")])
    return World(store, clock, Ledger(store, {"webhook": channel}, executor="here", clock=clock), receiver)


async def test_three_days_of_nothing_but_failure(world: World) -> None:
    world.receiver.otherwise = 404
    for _ in range(3):
        assert (await world.post()).state is DeliveryState.RESERVED
        world.clock.move(hours=23)
    assert (await world.disabled(), await world.tell()) == ([], []), "not yet"
    world.clock.move(hours=4)
    await world.post()
    assert await world.disabled() == ["crm"]
    tried = len(world.receiver.got)
    refused = await world.post()
    assert (refused.state, refused.attempts) == (DeliveryState.FAILED, 1)
    assert "is disabled since" in (refused.error or "")
    assert len(world.receiver.got) == tried, "nothing is sent"

    [told] = await world.tell()
    world.clock.move(minutes=1)
    assert await world.tell() == [], "once"
    message = await world.find(told)
    assert (message.channel, message.address) == ("slack", "#cshub")
    assert message.subject == "Webhook crm is disabled"
    text = message.payload["blocks"][0]["text"]["text"]
    assert "It has failed since 2026-11-01 12:00 UTC" in text
    assert "webhook crm refuses us (404)" in text
    assert "cshub delivery enable crm" in text
    assert "s3cr3t" not in text
    assert world.receiver.url not in text

    world.receiver.otherwise = 200
    enabled = await enable(world.store, "crm", by="eve", now=world.clock())
    assert (enabled.disabled_at, enabled.failures, enabled.enabled_by) == (None, 0, "eve")
    assert (await world.post()).state is DeliveryState.CONFIRMED
    assert await world.ledger.resend([refused.id], by="eve") == [refused.id]
    await world.ledger.drain()
    assert (await world.find(refused.id)).state is DeliveryState.CONFIRMED
    assert await world.tell() == []


async def test_another_outage_is_another_message(world: World) -> None:
    for _ in range(2):
        world.receiver.answers = [(410, {}, "")]
        assert (await world.post()).state is DeliveryState.FAILED
        assert await world.disabled() == ["crm"], "at once: it says that it is no more"
        assert len(await world.tell()) == 1
        await enable(world.store, "crm", by="eve", now=world.clock())
        world.clock.move(hours=1)


async def test_a_success_between_ends_the_outage(world: World) -> None:
    for status in (404, 404, 404, 200, 404):
        world.receiver.answers = [(status, {}, "")]
        await world.post()
        world.clock.move(days=1)
    assert await world.disabled() == []
    async with world.store.reading() as connection:
        [found] = await find_endpoints(connection)
    assert found.failures == 1
    assert found.failing_since == START + timedelta(days=4)


async def test_two_failures_far_apart_are_no_outage(world: World) -> None:
    world.receiver.otherwise = 404
    await world.post()
    world.clock.move(days=30)
    await world.ledger.drain()
    assert len(world.receiver.got) == 1, "the first one has expired by now"
    await world.post()
    assert await world.disabled() == []


async def test_what_is_refused_for_its_own_sake_is_no_failure_of_the_endpoint(world: World) -> None:
    world.receiver.otherwise = 422
    for _ in range(4):
        assert (await world.post()).state is DeliveryState.FAILED
        world.clock.move(days=2)
    async with world.store.reading() as connection:
        assert await find_endpoints(connection) == []


async def test_enabling_what_is_not_disabled(world: World) -> None:
    with pytest.raises(NotFoundError, match="no webhook 'erp' has ever failed; disabled are: none"):
        await enable(world.store, "erp", by="eve", now=world.clock())
    world.receiver.answers = [(404, {}, "")]
    await world.post()
    with pytest.raises(RefusedError, match="webhook crm is not disabled"):
        await enable(world.store, "crm", by="eve", now=world.clock())


async def test_before_sending_once_more_it_is_said_what_may_be_doubled(world: World) -> None:
    def row(id_: str, state: str, channel: str, **more: Any) -> dict[str, Any]:
        common = {"payload": {}, "attempts": 1, "reserved_at": START, "address": "#a", "doubted_at": None}
        return {**common, "id": id_, "dedup_key": id_, "state": state, "channel": channel, **more}

    rows = [
        row("failed", "failed", "slack"),
        row("lost", "unknown", "slack"),
        row("hook", "unknown", "webhook"),
        row("page", "unknown", "pagerduty"),
        row("maybe", "failed", "email", doubted_at=START),
        row("done", "confirmed", "slack"),
        row("never", "suppressed", "email"),
    ]
    async with world.store.transaction() as connection:
        await deliveries.reserve(connection, rows)
    planned = await plan_resend(
        world.store, ["lost", "failed", "hook", "page", "maybe"], recognised={"webhook", "pagerduty"}
    )
    assert [(each.delivery.id, each.risk.partition(":")[0].partition(";")[0]) for each in planned] == [
        ("lost", "it may have arrived"),
        ("failed", "it surely never arrived"),
        ("hook", "it may have arrived"),
        ("page", "it may have arrived"),
        ("maybe", "it may have arrived"),
    ]
    assert "may get it twice" in planned[0].risk
    assert "takes it only once" in planned[2].risk
    assert "opens it anew" in planned[3].risk
    with pytest.raises(RefusedError, match=r"done is confirmed .*; never is suppressed"):
        await plan_resend(world.store, ["lost", "done", "never"], recognised=())
    with pytest.raises(NotFoundError, match="no message 'nope'"):
        await plan_resend(world.store, ["lost", "nope"], recognised=())
    assert (await world.find("lost")).state is DeliveryState.UNKNOWN
