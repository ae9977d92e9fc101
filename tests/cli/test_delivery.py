"""`cshub delivery`: the ledger as people see it, and sending once more, which asks first."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from hub.clock import utc_now
from hub.delivery.webhook import key_of
from hub.model.actions import Delivery, DeliveryState
from hub.store import Store, audit, deliveries, endpoints
from schema.nodes import global_id
from tests.cli.conftest import Cli


def within(cli: Cli, work: Any) -> Any:
    async def run() -> Any:
        async with Store.open(f"sqlite:///{cli.store}") as store, store.transaction() as connection:
            return await work(connection)

    return asyncio.run(run())


@pytest.fixture
def ledger(cli: Cli) -> Cli:
    """Four messages: one that arrived, one that did not, one nobody knows of, an event to a webhook."""
    now = utc_now() - timedelta(hours=1)
    common = {"channel": "slack", "address": "#cs", "attempts": 1, "reserved_at": now, "sent_at": now}
    blank = {"receipt": None, "error": None, "confirmed_at": None}
    rows = [
        {"id": "del_a", "state": "confirmed", **blank, "receipt": {"ts": "1.5"}, "confirmed_at": now, **common},
        {"id": "del_b", "state": "failed", **blank, "error": "no such channel", **common},
        {"id": "del_c", "state": "unknown", **blank, "error": "Slack did not answer", **common},
        {"id": "del_d", "state": "unknown", **blank, "error": "500", **common, "channel": "webhook", "address": "crm"},
    ]
    made = [{**row, "dedup_key": f"save.1.0.{row['id']}", "payload": {"text": f"About {row['id']}"}} for row in rows]
    within(cli, lambda connection: deliveries.reserve(connection, made))
    return cli


def states(cli: Cli) -> dict[str, DeliveryState]:
    found: list[Delivery] = within(cli, deliveries.find_deliveries)
    return {each.id: each.state for each in found}


def test_the_list_and_its_filters(ledger: Cli) -> None:
    shown = ledger("delivery", "list")
    assert shown.exit_code == 0, shown.output
    assert re.findall(r"del_\w", shown.output)[::2] == ["del_d", "del_c", "del_b", "del_a"], "the newest first"
    assert "Slack did not answer" in shown.output
    unknown = ledger("delivery", "list", "--state", "unknown").output
    assert re.findall(r"^del_\w", unknown, re.MULTILINE) == ["del_d", "del_c"]
    both = ledger("delivery", "list", "--state", "unknown", "--state", "failed", "--channel", "slack").output
    assert re.findall(r"^del_\w", both, re.MULTILINE) == ["del_c", "del_b"]
    assert "the newest 1; more with --limit" in ledger("delivery", "list", "--limit", "1").output
    assert ledger("delivery", "list", "--state", "lost").exit_code == 2


def test_one_message_in_full(ledger: Cli) -> None:
    shown = ledger("delivery", "show", global_id("delivery", "del_a")).output
    assert re.search(r"^state +confirmed$", shown, re.MULTILINE)
    assert re.search(r'^receipt +\{"ts": "1.5"\}$', shown, re.MULTILINE)
    assert '"text": "About del_a"' in shown
    missing = ledger("delivery", "show", "del_z")
    assert (missing.exit_code, "no message 'del_z'" in missing.output) == (1, True)


def test_it_asks_before_it_sends_once_more(ledger: Cli) -> None:
    before = states(ledger)
    asked = ledger("delivery", "resend", "del_b", "del_c", "del_d")
    assert "del_b failed, slack to #cs: it surely never arrived" in asked.output
    assert "del_c unknown, slack to #cs: it may have arrived: people at #cs may get it twice" in asked.output
    assert asked.exit_code == 1, "nobody answered"
    assert states(ledger) == before
    refused = ledger("delivery", "resend", "--yes", "del_b", "del_a")
    assert refused.exit_code == 1
    assert "del_a is confirmed (it has arrived); only failed and unknown messages" in refused.output
    assert states(ledger) == before, "all or none"
    done = ledger("delivery", "resend", "--yes", "--by", "eve@example.com", "del_b", "del_c")
    assert done.exit_code == 0, done.output
    assert "2 to be sent" in done.output
    assert states(ledger) == before | {"del_b": DeliveryState.RESERVED, "del_c": DeliveryState.RESERVED}
    [entry] = within(ledger, audit.find_latest)
    assert (entry.actor, entry.action, entry.detail["outcome"]) == ("eve@example.com", "deliveryResend", "done")


def test_an_endpoint_is_enabled(ledger: Cli) -> None:
    assert "none has ever failed" in ledger("delivery", "endpoints").output

    async def disable(connection: Any) -> None:
        made = await endpoints.note_failure(connection, "webhook", "crm", error="refuses us (404)", now=utc_now())
        await endpoints.disable(connection, made.id, now=utc_now())

    within(ledger, disable)
    assert re.search(r"^crm +disabled +1 .*refuses us \(404\)", ledger("delivery", "endpoints").output, re.MULTILINE)
    assert "crm is enabled" in ledger("delivery", "enable", "crm").output
    again = ledger("delivery", "enable", "crm")
    assert (again.exit_code, "webhook crm is not disabled" in again.output) == (1, True)


def test_a_secret_is_made(cli: Cli) -> None:
    first, second = (cli("delivery", "secret").output.strip() for _ in range(2))
    assert len(key_of(first)) == len(key_of(second)) == 32
    assert first != second
