"""The hub's own channels against the demo's receiving side: what arrives is what the ledger will say."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hub.delivery.base import Message, Rejected, Uncertain
from hub.delivery.mail import MailChannel
from hub.delivery.slack import SlackChannel
from hub.demo.sandboxes import Sandboxes, token

UNTIL = datetime(2026, 10, 15, 9, tzinfo=UTC)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Sandboxes]:
    started_on = date(2026, 10, 1)
    async with Sandboxes(folder=tmp_path, started_on=started_on, until=UNTIL, customers=12, months=1) as sandboxes:
        yield sandboxes


def message(address: str, **payload: object) -> Message:
    return Message(dedup_key="run:1:2", address=address, subject="At risk", payload=payload, at=UNTIL)


async def test_slack(running: Sandboxes) -> None:
    channel = SlackChannel(token("slack"), base_url=f"{running.url}/slack/api/")
    post = message("#customer-success", text="At risk", blocks=[{"type": "divider"}])
    receipt = await channel.send(post)
    [arrival] = running.outbox.arrivals()
    assert (arrival.address, arrival.body["ts"]) == (receipt["channel"], receipt["ts"])
    assert arrival.dedup == "run:1:2"
    running.slack_faults.dropped_answers = 1
    with pytest.raises(Uncertain):
        await channel.send(post)
    running.slack_faults.fatal_errors = 1
    with pytest.raises(Uncertain):
        await channel.send(post)
    running.slack_faults.rate_limited, running.slack_faults.retry_after = 1, 9
    with pytest.raises(Rejected) as refused:
        await channel.send(post)
    assert refused.value.retry_after is not None
    assert refused.value.retry_after.total_seconds() == 9
    assert [arrival.answered for arrival in running.outbox.arrivals()] == [False, False, True]
    assert running.outbox.duplicates()[0].count == 3


async def test_mail(running: Sandboxes) -> None:
    channel = MailChannel(host="127.0.0.1", port=running.smtp_port, sender="cs@northbeam.example")
    post = message("ines@northbeam.example", text="Plain", html="<p>Rich</p>")
    receipt = await channel.send(post)
    [arrival] = running.outbox.arrivals()
    assert arrival.dedup == receipt["message_id"]
    running.mail.faults.dropped = 1
    with pytest.raises(Uncertain):
        await channel.send(post)
    running.mail.faults.try_later = 1
    with pytest.raises(Rejected):
        await channel.send(post)
    assert [arrival.answered for arrival in running.outbox.arrivals()] == [False, True]
