"""PagerDuty over real HTTP: the event as it goes out, and what becomes of each answer."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.delivery import Message, Refusal, Rejected, Uncertain
from hub.delivery.pagerduty import MAX_EVENT, PagerDutyChannel, acknowledge, resolve, trigger
from tests.delivery.conftest import Receiver

KEY = "0123456789abcdef0123456789abcdef"
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
EVENT = trigger("Acme is critical", source="Acme", severity="critical", details={"health": 20}, link="https://hub/acme")


def channel(receiver: Receiver, **options: Any) -> PagerDutyChannel:
    return PagerDutyChannel({"cs": KEY}, base_url=f"{receiver.url}/", **options)


def message(payload: Any = EVENT, **changes: Any) -> Message:
    return Message(**{"dedup_key": "watch.1.0.a", "address": "cs", "payload": payload, "at": AT} | changes)


async def test_an_incident_is_opened_under_the_ledgers_key(receiver: Receiver) -> None:
    receiver.otherwise = 202
    receipt = await channel(receiver).send(message())
    assert receipt == {"accepted": 202, "event_action": "trigger", "dedup_key": "watch.1.0.a"}
    [(_, body)] = receiver.got
    assert receiver.paths == ["/v2/enqueue"]
    assert json.loads(body) == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "watch.1.0.a",
        "payload": {
            "summary": "Acme is critical",
            "source": "Acme",
            "severity": "critical",
            "custom_details": {"health": 20},
        },
        "client": "cshub",
        "client_url": "https://hub/acme",
        "links": [{"href": "https://hub/acme", "text": "Open in cshub"}],
    }


async def test_later_steps_speak_of_the_same_incident(receiver: Receiver) -> None:
    for step, event in enumerate((acknowledge("watch.1.0.a"), resolve("watch.1.0.a")), start=1):
        await channel(receiver).send(message(event, dedup_key=f"watch.1.{step}.b"))
    assert [json.loads(body) for _, body in receiver.got] == [
        {"routing_key": KEY, "event_action": action, "dedup_key": "watch.1.0.a"}
        for action in ("acknowledge", "resolve")
    ]


async def test_another_attempt_has_the_same_key(receiver: Receiver) -> None:
    receiver.answers = [(500, {}, "oops")]
    with pytest.raises(Uncertain, match="may have taken"):
        await channel(receiver).send(message())
    await channel(receiver).send(message(at=AT + timedelta(hours=1)))
    assert receiver.got[0][1] == receiver.got[1][1]


@pytest.mark.parametrize(
    ("answer", "kind", "retry_after", "words"),
    [
        ((429, {"Retry-After": "7"}, ""), Refusal.TRANSIENT, 7, "asks to wait"),
        (
            (400, {}, json.dumps({"status": "invalid event", "errors": [f"routing_key {KEY} is wrong"]})),
            Refusal.PERMANENT,
            None,
            "routing_key … is wrong",
        ),
        ((400, {}, "<html>"), Refusal.PERMANENT, None, "refuses the event .400.$"),
        ((403, {}, ""), Refusal.DENIED, None, "renew it"),
        ((302, {"Location": "http://127.0.0.1:1/"}, ""), Refusal.DENIED, None, "not followed"),
    ],
)
async def test_surely_not_taken(
    receiver: Receiver, answer: Any, kind: Refusal, retry_after: int | None, words: str
) -> None:
    receiver.answers = [answer]
    with pytest.raises(Rejected, match=words) as caught:
        await channel(receiver).send(message())
    assert caught.value.kind is kind
    assert caught.value.retry_after == (None if retry_after is None else timedelta(seconds=retry_after))
    assert KEY not in str(caught.value)
    assert len(receiver.got) == 1, "tried once, not again"


@pytest.mark.parametrize(
    ("payload", "changes", "words"),
    [
        (EVENT, {"address": "ops"}, "no PagerDuty service 'ops' is set up; there are: cs"),
        ({"event_action": "resolve"}, {}, "needs the dedup_key"),
        ({"event_action": "shout"}, {}, "none of: trigger, acknowledge, resolve"),
        (trigger("x", source="y", severity="info", incident="k" * 256), {}, "1 to 255 characters"),
        (
            trigger("x", source="y", severity="info", details={"a": "b" * MAX_EVENT}),
            {},
            "more than PagerDuty's 500,000",
        ),
    ],
)
async def test_what_pagerduty_would_not_take_is_not_sent(
    receiver: Receiver, payload: Any, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(Rejected, match=words) as caught:
        await channel(receiver).send(message(payload, **changes))
    assert caught.value.kind is Refusal.PERMANENT
    assert receiver.got == []


async def test_no_answer_is_uncertain_and_no_server_is_not(receiver: Receiver) -> None:
    receiver.gate = asyncio.Event()
    with pytest.raises(Uncertain, match="did not answer"):
        await channel(receiver, timeout_seconds=0.2).send(message())
    receiver.gate.set()
    with pytest.raises(Rejected, match="cannot be reached"):
        await PagerDutyChannel({"cs": KEY}, base_url="http://127.0.0.1:1").send(message())


def test_the_key_is_shown_nowhere_and_a_summary_is_cut() -> None:
    assert repr(PagerDutyChannel({"cs": KEY})) == "PagerDutyChannel(https://events.pagerduty.com, cs)"
    assert len(trigger("x" * 2_000, source="y", severity="info")["payload"]["summary"]) == 1_024
