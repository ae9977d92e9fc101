"""`cshub attention`: rules and precision, the inbox, what was held, snoozes, votes, digests."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub.clock import utc_now
from hub.store import Store, alerts, audit, deliveries, runs
from hub.store.tables import customer
from tests.cli.conftest import Cli


def within(cli: Cli, work: Any) -> Any:
    async def run() -> Any:
        async with Store.open(f"sqlite:///{cli.store}") as store, store.transaction() as connection:
            return await work(connection)

    return asyncio.run(run())


@pytest.fixture
def desk(cli: Cli) -> Cli:
    """A customer of Ann's with a run, an open alert and a message that waits for the digest."""
    now = utc_now() - timedelta(hours=1)

    async def make(connection: Any) -> None:
        row = {"id": "acme", "name": "Acme", "csm_email": "ann@x.example", "created_at": now, "updated_at": now}
        await connection.execute(customer.insert(), [row])
        run = {
            "id": "run_1",
            "playbook": "churn_save",
            "playbook_version": 1,
            "definition": {},
            "customer_id": "acme",
            "episode": "x",
            "cause": "hand",
            "state": "done",
            "step": 0,
            "fence": 0,
            "facts": {},
            "started_at": now,
            "updated_at": now,
        }
        await runs.insert(connection, [run])
        call = {
            "id": "alert_1",
            "customer_id": "acme",
            "kind": "alert",
            "title": "Call Acme",
            "severity": "high",
            "state": "open",
            "owner_email": "ann@x.example",
            "run_id": "run_1",
            "reason_key": "churn",
            "dedup_key": "k",
            "opened_at": now,
            "updated_at": now,
        }
        await alerts.open_alerts(connection, [call])
        held = {
            "id": "del_1",
            "dedup_key": "d",
            "run_id": "run_1",
            "customer_id": "acme",
            "channel": "email",
            "address": "ann@x.example",
            "subject": "Acme is at risk",
            "payload": {"text": "x"},
            "state": "held",
            "attempts": 0,
            "reserved_at": now,
            "not_before": now,
            "audience": "csm",
            "owner_email": "ann@x.example",
            "severity": "low",
            "reason_key": "churn",
            "held": "digest",
            "error": "of low severity: it waits for the digest",
        }
        await deliveries.reserve(connection, [held])

    within(cli, make)
    return cli


def test_the_inbox_and_what_was_held(desk: Cli) -> None:
    shown = desk("attention", "inbox", "--of", "Ann@x.example").output
    assert "alert_1" in shown
    assert "Call Acme" in shown
    assert "nothing is open" in desk("attention", "inbox", "--of", "bo@x.example").output
    held = desk("attention", "held").output
    assert "del_1" in held
    assert "of low severity: it waits for the digest" in held


def test_snooze_list_and_unsnooze(desk: Cli) -> None:
    made = desk("attention", "snooze", "Acme", "churn", "--for", "2 weeks", "--note", "talks", "--by", "ann")
    assert made.exit_code == 0, made.output
    id_ = made.output.partition(":")[0]
    assert "nothing new about Acme for churn until" in made.output
    listed = desk("attention", "snooze").output
    assert id_ in listed
    assert "talks" in listed
    assert desk("attention", "unsnooze", id_).output == "Acme comes up again for churn\n"
    assert "nothing is snoozed" in desk("attention", "snooze").output
    again = desk("attention", "unsnooze", id_)
    assert again.exit_code == 1
    assert "is over already" in again.output
    entries = within(desk, audit.find_latest)
    assert {each.action for each in entries} == {"customerSnooze", "snoozeLift"}
    assert desk("attention", "snooze", "Acme", "churn").exit_code == 2
    assert desk("attention", "snooze", "Acme", "churn", "--for", "soon").exit_code == 2
    misspelt = desk("attention", "snooze", "Acme", "chrun", "--for", "2 weeks")
    assert misspelt.exit_code == 1
    assert "no playbook speaks about 'chrun'; they speak about " in misspelt.output
    assert "nothing is snoozed" in desk("attention", "snooze").output


def test_votes_and_precision(desk: Cli) -> None:
    rated = desk("attention", "rate", "alert_1", "--not-useful", "--by", "ann@x.example")
    assert rated.output == "churn_save: not useful, says ann@x.example\n"
    assert desk("attention", "rate", "del_1", "--useful", "--by", "ann@x.example").output == (
        "churn_save: useful, says ann@x.example\n"
    )
    assert desk("attention", "rate", "run_2", "--useful").exit_code == 1
    shown = desk("attention", "show").output
    (line,) = [each for each in shown.splitlines() if each.startswith("churn_save ")]
    assert line.split()[:6] == ["churn_save", "1", "too", "few", "to", "tell"]
    assert "at most 10 a day" in shown
    desk.write("attention.yaml", "precision: {fewest: 1}\ncsm: {a_day: null}\n")
    shown = desk("attention", "show").output
    (line,) = [each for each in shown.splitlines() if each.startswith("churn_save ")]
    assert line.split()[:6] == ["churn_save", "1", "100%", "21%", "to", "100%"]
    assert "as many as there are" in shown


def test_a_digest_is_shown_without_being_made_and_made_once(desk: Cli) -> None:
    shown = desk("attention", "digest", "--dry-run").output
    assert "To ann@x.example: 1 update about 1 of your customers" in shown
    assert "Acme is at risk" in shown
    assert len(within(desk, deliveries.find_deliveries)) == 1
    assert desk("attention", "digest").output.startswith("1 made")
    assert desk("attention", "digest").output.startswith("0 made")
    made = [each for each in within(desk, deliveries.find_deliveries) if each.run_id is None]
    assert [each.address for each in made] == ["ann@x.example"]
    assert "/rate/" in str(made[0].payload["text"])
    assert desk("attention", "digest", "--of", "ann@x.example").exit_code == 2


def test_faults_of_the_file_are_named(cli: Cli) -> None:
    cli.write("attention.yaml", "digest: {at: [soon], severities: [urgent]}\ncsm: {a_day: 0}\n")
    shown = cli("attention", "show")
    assert shown.exit_code == 2
    assert "'soon' is no time of day" in shown.output
    assert "urgent messages never wait for a digest" in shown.output
    assert "attention.yaml:2: csm.a_day" in shown.output
