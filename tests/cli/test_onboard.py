"""`cshub onboard` over a store of its own, with the programmes that ship; what is refused names what goes, and exits 1."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.store import Store
from hub.store.tables import customer
from tests.cli.conftest import Cli

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def acme(cli: Cli) -> Cli:
    async def fill() -> None:
        rows = [
            {"id": "cus_1", "name": "Acme", "domain": "acme.example", "created_at": CREATED, "updated_at": CREATED},
            {"id": "cus_2", "name": "Bolt", "domain": None, "created_at": CREATED, "updated_at": CREATED},
        ]
        async with Store.open(f"sqlite:///{cli.store}") as store, store.transaction() as connection:
            await connection.execute(customer.insert(), rows)

    asyncio.run(fill())
    cli.write("sources.yaml", "sources: {}\n")
    return cli


def rows(cli: Cli, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(cli.store)) as connection:
        return list(connection.execute(statement))


def test_an_onboarding_from_its_start_to_its_end(acme: Cli) -> None:
    started = acme("onboard", "start", "acme.example", "--by", "ann@example.com")
    assert started.exit_code == 0, started.output
    assert "Acme (cus_1): active, on track, 0% done" in started.output
    assert re.search(r"→ +welcome +Welcome +may be done now", started.output)
    assert rows(acme, "SELECT playbook, customer_id FROM playbook_run ORDER BY 1") == [
        ("onboarding_reminders", "cus_1"),
        ("onboarding_welcome", "cus_1"),
    ]
    refused = acme("onboard", "done", "acme.example", "activation")
    assert refused.exit_code == 1
    assert refused.stderr == ("activation comes after team_invitation, first_action; what can be done now: welcome\n")
    for step in ("welcome", "account_setup", "team_invitation"):
        assert acme("onboard", "done", "Acme", step).exit_code == 0
    assert acme("onboard", "skip", "Acme", "product_tour", "--note", "known").exit_code == 0
    shown = acme("onboard", "show", "acme.example").output
    assert "Acme (cus_1): active, on track, 50% done" in shown
    assert "Take the tour of the product (optional)" in shown
    assert "by command line: known" in shown
    plain = json.loads(acme("onboard", "show", "acme.example", "--json").output)
    assert [(each["name"], each["state"]) for each in plain[0]["steps"]] == [
        ("welcome", "done"), ("account_setup", "done"), ("team_invitation", "done"), ("product_tour", "skipped"),
        ("first_action", "open"), ("activation", "open"),
    ]  # fmt: skip
    for step in ("first_action", "activation"):
        done = acme("onboard", "done", "cus_1", step)
    assert "Acme (cus_1): completed, 100% done" in done.output
    twice = acme("onboard", "done", "cus_1", "activation")
    assert (twice.exit_code, "begin another first" in twice.stderr) == (1, True)
    asked = rows(acme, "SELECT action, actor, subject FROM audit_record ORDER BY at LIMIT 1")
    assert asked == [("onboardingStart", "ann@example.com", "acme.example")]


def test_list_and_cancel_and_start_again(acme: Cli) -> None:
    assert "There are none." in acme("onboard", "list").output
    assert "cshub onboard start Bolt begins one" in acme("onboard", "show", "Bolt").output
    for name in ("Acme", "Bolt"):
        assert acme("onboard", "start", name).exit_code == 0
    assert acme("onboard", "list", "--pace", "stalled").output == "There are none.\n"
    listed = acme("onboard", "list", "--limit", "1").output
    assert "Bolt" in listed
    assert "Acme" not in listed
    assert "--limit shows more" in listed
    again = acme("onboard", "start", "Bolt")
    assert again.exit_code == 1
    assert "Bolt is being onboarded since" in again.stderr
    called_off = acme("onboard", "cancel", "Bolt", "--reason", "a mistake")
    assert "by command line: a mistake" in called_off.output
    assert "attempt 2" in acme("onboard", "start", "Bolt").output
    assert "Attempts before: 1 cancelled" in acme("onboard", "show", "Bolt").output
    assert rows(acme, "SELECT attempt, state FROM onboarding WHERE customer_id = 'cus_2' ORDER BY 1") == [
        (1, "cancelled"),
        (2, "active"),
    ]


def test_check_looks_at_all_of_them(acme: Cli) -> None:
    assert "0 begun, 0 completed, 0 failed, 0 called off." in acme("onboard", "check").output


def test_a_customer_nobody_knows_is_refused(acme: Cli) -> None:
    refused = acme("onboard", "start", "nobody.example")
    assert refused.exit_code == 1
    assert "nobody.example" in refused.stderr
    assert rows(acme, "SELECT count(*) FROM onboarding") == [(0,)]
