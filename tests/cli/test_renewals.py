"""cshub renewals and cshub expansion, on a store with a few of each."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub.clock import utc_now
from hub.lifecycle.expansion import ExpansionSettings, keep_expansion
from hub.lifecycle.renewal import RenewalSettings, keep_renewals
from hub.store import Store
from hub.store.audit import ASKED
from hub.store.tables import audit_record, customer, playbook_run, scorecard, subscription
from tests.cli.conftest import Cli
from tests.lifecycle.expansion.conftest import FULL, SETTINGS
from tests.schema.company import insert, record, scorecard_row


def begun(cli: Cli) -> list[tuple[Any, ...]]:
    async def read() -> list[tuple[Any, ...]]:
        async with Store.open(f"sqlite:///{cli.store}") as store, store.reading() as connection:
            chosen = select(playbook_run.c.playbook, playbook_run.c.customer_id)
            return sorted(tuple(row) for row in await connection.execute(chosen))

    return asyncio.run(read())


@pytest.fixture
def cli(cli: Cli) -> Cli:
    asyncio.run(fill(f"sqlite:///{cli.store}"))
    return cli


async def fill(url: str) -> None:
    now = utc_now()
    today = now.date()
    async with Store.open(url) as store:
        names = ("acme", "bolt")
        await insert(
            store, customer, [{"id": id_, "name": id_.title(), "created_at": now, "updated_at": now} for id_ in names]
        )
        rows = [
            record(
                "erp", id_, id_, plan="Pro", mrr=100.0, currency="USD", started_on=today + timedelta(due - 365),
                renews_on=today + timedelta(due), ended_on=None, auto_renew=id_ == "bolt", status="active",
            )
            for id_, due in (("acme", -3), ("bolt", 40))
        ]  # fmt: skip
        await insert(store, subscription, rows)
        await insert(store, scorecard, [scorecard_row("acme", today, facts=FULL, band="healthy")])
        await keep_renewals(store, RenewalSettings(), now=now)
        await keep_expansion(store, ExpansionSettings.model_validate(SETTINGS), now=now)


def due(off: int) -> str:
    return str(utc_now().date() + timedelta(days=off))


def audited(cli: Cli) -> list[tuple[Any, ...]]:
    async def read() -> list[tuple[Any, ...]]:
        async with Store.open(f"sqlite:///{cli.store}") as store, store.reading() as connection:
            asked = select(audit_record.c.action, audit_record.c.subject).where(audit_record.c.kind == ASKED)
            found = await connection.execute(asked)
            return [tuple(row) for row in found]

    return asyncio.run(read())


def test_list(cli: Cli) -> None:
    shown = cli("renewals", "list").output
    assert "1,200" in shown
    assert "upcoming by itself" in shown
    rows = json.loads(cli("renewals", "list", "--json").output)
    assert [(row["customer"], row["status"], row["due_on"], row["expected"]) for row in rows] == [
        ("Acme", "overdue", due(-3), 1020),
        ("Bolt", "upcoming", due(40), 1020),
    ]
    overdue = json.loads(cli("renewals", "list", "--status", "overdue", "--json").output)
    assert [row["id"] for row in overdue] == [f"acme:{due(-3)}:USD"]
    assert cli("renewals", "list", "--from", "2020-01-01", "--to", "2020-02-01").output.startswith("Nothing falls due")


def test_forecast(cli: Cli) -> None:
    (usd,) = json.loads(cli("renewals", "forecast", "--period", due(40)[:7], "--json").output)
    by = {(each["metric"], each["basis"], each["scenario"]): each["value"] for each in usd["figures"]}
    in_it = sum(each[:7] == due(40)[:7] for each in (due(-3), due(40)))
    assert (usd["count"], usd["target"]) == (in_it, 1200 * in_it)
    assert by["grr", "renewals_due", "expected"] == 0.85
    shown = cli("renewals", "forecast").output
    assert "cohort" in shown
    assert "renewals_due" in shown
    refused = cli("renewals", "forecast", "--period", "soon")
    assert (refused.exit_code, "2026-Q4" in refused.output) == (1, True)


def test_what_is_said_sets_off_playbooks_at_once(cli: Cli) -> None:
    rows = json.loads(cli("renewals", "list", "--json").stdout)
    id_ = next(row["id"] for row in rows if row["customer_id"] == "acme")
    assert begun(cli) == []
    assert cli("renewals", "update", id_, "--churned", "--reason", "went elsewhere").exit_code == 0
    assert begun(cli) == [("expansion_offer", "acme"), ("renewal_churned", "acme")], "what stood there already as well"


def test_update(cli: Cli) -> None:
    id_ = f"acme:{due(-3)}:USD"
    said = cli("renewals", "update", id_, "--renewed", "--amount", "1500", "--reason", "paper", "--by", "ann").output
    assert said == f"{id_} is renewed, 1,500 USD a year: paper (by the records: overdue)\n"
    back = cli("renewals", "update", id_, "--by-records").output
    assert back.startswith(f"{id_} is overdue: fell due on")
    assert audited(cli) == [("renewalUpdate", id_)] * 2
    assert cli("renewals", "update", id_).exit_code == 2
    refused = cli("renewals", "update", "nothing", "--churned", "--reason", "x")
    assert (refused.exit_code, "no renewal 'nothing'" in refused.output) == (1, True)


def test_expansion(cli: Cli) -> None:
    assert "seat_utilisation 0.95" in cli("expansion", "list").output
    (row,) = json.loads(cli("expansion", "list", "--json").output)
    assert (row["customer"], row["rule"], row["expected"], row["evidence"]["mau"]) == ("Acme", "seats_full", 840, 95)
    said = cli("expansion", "update", row["id"], "won", "--amount", "900").output
    assert said == "More seats for acme is won at 900 a year\n"
    assert cli("expansion", "list").output == "No rule has found anything, or nothing of that kind.\n"
    assert [each["state"] for each in json.loads(cli("expansion", "list", "--state", "won", "--json").output)] == [
        "won"
    ]
    assert audited(cli) == [("expansionOpportunityUpdate", row["id"])]
    assert cli("expansion", "update", row["id"], "lost", "--reason", "x").exit_code == 1
