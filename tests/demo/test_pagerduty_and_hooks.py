"""The demo's PagerDuty and webhook receiver, by the hub's own channels: what arrives is what the ledger will say."""

import base64
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from hub.clock import utc_now
from hub.delivery import Message, Refusal, Rejected, Uncertain, pagerduty, webhook
from hub.delivery.pagerduty import PagerDutyChannel
from hub.delivery.webhook import Endpoint, WebhookChannel
from hub.demo.page import render
from hub.demo.sandboxes import Sandboxes, token

UNTIL = datetime(2026, 10, 15, 9, tzinfo=UTC)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Sandboxes]:
    started_on = date(2026, 10, 1)
    async with Sandboxes(folder=tmp_path, started_on=started_on, until=UNTIL, customers=12, months=1) as sandboxes:
        yield sandboxes


def to(address: str, payload: object, *, key: str = "save.1.0.a") -> Message:
    return Message(id=f"del_{key[-1]}", dedup_key=key, address=address, payload=payload, at=utc_now())  # type: ignore[arg-type]  # a test's shorthand


async def test_an_incident_is_opened_taken_and_closed_under_one_key(running: Sandboxes) -> None:
    channel = PagerDutyChannel({"cs": token("pagerduty")}, base_url=f"{running.url}/pagerduty")
    event = pagerduty.trigger("Acme is critical", source="Acme", severity="critical", link="https://hub.example/acme")
    running.pagerduty_faults.lost_answers = 1
    with pytest.raises(Uncertain):
        await channel.send(to("cs", event))
    await channel.send(to("cs", event))
    await channel.send(to("cs", pagerduty.acknowledge("save.1.0.a"), key="save.1.1.b"))
    await channel.send(to("cs", pagerduty.resolve("save.1.0.a"), key="save.1.2.c"))
    await channel.send(to("cs", pagerduty.resolve("save.1.0.a"), key="save.1.2.c"))
    assert [(each.kind, each.body["state"], each.answered) for each in reversed(running.outbox.arrivals())] == [
        ("pagerduty", "triggered", False),
        ("pagerduty_repeat", "triggered", True),
        ("pagerduty", "acknowledged", True),
        ("pagerduty", "resolved", True),
        ("pagerduty_repeat", "resolved", True),
    ]
    assert running.outbox.duplicates() == []
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{running.url}/pagerduty/_incidents")).json() == {"save.1.0.a": "resolved"}
    shown = render(running.outbox)
    assert "Acme is critical (critical)" in shown
    assert "recognised, not taken twice" in shown
    assert token("pagerduty") not in shown


async def test_pagerduty_says_no(running: Sandboxes) -> None:
    channel = PagerDutyChannel({"cs": token("pagerduty")}, base_url=f"{running.url}/pagerduty")
    with pytest.raises(Rejected, match="severity' is invalid") as refused:
        await channel.send(to("cs", pagerduty.trigger("x", source="y", severity="dire")))  # type: ignore[arg-type]  # wrong on purpose
    assert refused.value.kind is Refusal.PERMANENT
    running.pagerduty_faults.rate_limited, running.pagerduty_faults.retry_after = 1, 9
    with pytest.raises(Rejected) as refused:
        await channel.send(to("cs", pagerduty.trigger("x", source="y", severity="info")))
    assert refused.value.retry_after == timedelta(seconds=9)
    running.pagerduty_faults.server_errors = 1
    with pytest.raises(Uncertain):
        await channel.send(to("cs", pagerduty.trigger("x", source="y", severity="info")))
    assert running.outbox.arrivals() == []


def hooks(running: Sandboxes, *secrets: str) -> WebhookChannel:
    endpoint = Endpoint(url=f"{running.url}/hooks/demo", secrets=secrets or (token("hooks"),))
    return WebhookChannel({"demo": endpoint}, allowed=[ip_network("127.0.0.0/8")])


async def test_an_event_is_believed_and_taken_once(running: Sandboxes) -> None:
    event = webhook.event("customer.at_risk", {"name": "Acme <b>"}, at=UNTIL)
    running.hook_faults.lost_answers = 1
    with pytest.raises(Uncertain):
        await hooks(running).send(to("demo", event))
    assert await hooks(running).send(to("demo", event)) == {"webhook_id": "del_a", "status": 204}
    assert await hooks(running, webhook.new_secret(), token("hooks")).send(to("demo", event, key="k.b"))
    assert [(each.kind, each.subject, each.body["id"]) for each in reversed(running.outbox.arrivals())] == [
        ("webhook", "customer.at_risk", "del_a"),
        ("webhook_repeat", "customer.at_risk", "del_a"),
        ("webhook", "customer.at_risk", "del_b"),
    ]
    assert running.outbox.duplicates() == []
    assert "Acme &lt;b&gt;" in render(running.outbox)


async def test_what_is_not_signed_as_agreed_is_not_taken(running: Sandboxes) -> None:
    event = webhook.event("customer.at_risk", {}, at=UNTIL)
    with pytest.raises(Rejected, match="401"):
        await hooks(running, webhook.new_secret()).send(to("demo", event))
    old = Message(id="del_a", dedup_key="k", address="demo", payload=event, at=utc_now() - timedelta(minutes=6))
    with pytest.raises(Rejected, match="401"):
        await hooks(running).send(old)
    # signed for another body
    key = base64.b64decode(token("hooks").removeprefix("whsec_"))
    stamp = str(int(utc_now().timestamp()))
    signature = base64.b64encode(hmac.digest(key, f"x.{stamp}.".encode() + b'{"a":1}', "sha256")).decode()
    headers = {"webhook-id": "x", "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
    async with httpx.AsyncClient() as client:
        assert (await client.post(f"{running.url}/hooks/demo", headers=headers, content=b'{"a":2}')).status_code == 401
        assert running.outbox.arrivals() == []
        assert (await client.post(f"{running.url}/hooks/demo", headers=headers, content=b'{"a":1}')).status_code == 204


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("rate_limited", Refusal.TRANSIENT, "asks to wait .429"),
        ("unavailable", Refusal.TRANSIENT, "asks to wait .503"),
        ("redirects", Refusal.TRANSIENT, "redirects are not followed"),
        ("gone", Refusal.PERMANENT, "no more"),
    ],
)
async def test_a_receiver_in_trouble(running: Sandboxes, fault: str, kind: Refusal, words: str) -> None:
    setattr(running.hook_faults, fault, 1)
    with pytest.raises(Rejected, match=words) as refused:
        await hooks(running).send(to("demo", webhook.event("x", {}, at=UNTIL)))
    assert refused.value.kind is kind
    assert running.outbox.arrivals() == []
