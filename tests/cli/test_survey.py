"""cshub survey, on a store with customers of whom some are due."""

import asyncio
import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub.clock import utc_now
from hub.lifecycle.advocacy import answer
from hub.store import Store
from hub.store.tables import audit_record, contact, customer, delivery, subscription, survey_invitation
from tests.cli.conftest import Cli
from tests.lifecycle.advocacy.conftest import SETTINGS, due_ids
from tests.schema.company import insert, record

HUB = """
company: Northbeam
url: http://hub.example
store: ${CSHUB_STORE}
secret: a secret of this test, long enough
mail: {host: 127.0.0.1, port: 1, starttls: false, sender: hub@cshub.example, customers: {sender: cs@cshub.example}}
"""


@pytest.fixture
def cli(cli: Cli) -> Cli:
    asyncio.run(fill(f"sqlite:///{cli.store}"))
    cli.write("hub.yaml", HUB)
    return cli


def ids() -> tuple[str, str]:
    """A customer that is due today, and one whose turn was long ago or is to come."""
    today = utc_now().date()
    return due_ids(1, day=min(today, _last_day(today)))[0], due_ids(1, day=_other_day(today))[0]


def _quarter(today: date) -> date:
    return date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)


def _last_day(today: date) -> date:
    return _quarter(today) + timedelta(days=69)


def _other_day(today: date) -> date:
    off = (today - _quarter(today)).days
    return _quarter(today) + timedelta(days=off + 1 if off < 69 else 0)


async def fill(url: str) -> None:
    now = utc_now()
    async with Store.open(url) as store:
        for id_, name in zip(ids(), ("Acme", "Bolt"), strict=True):
            profile = {"id": id_, "name": name, "csm_email": "ann@cs.example", "created_at": now, "updated_at": now}
            await insert(store, customer, [profile])
            terms = {"plan": "Pro", "mrr": 1.0, "currency": "USD", "auto_renew": True, "status": "active"}
            await insert(store, subscription, [record("erp", id_, id_, started_on=date(2020, 1, 1), **terms)])
            people = ("kim", "lee") if name == "Acme" else ("mo",)
            rows = [record("crm", f"{id_}{each}", id_, email=f"{each}@x.example", name=each.title()) for each in people]
            await insert(store, contact, rows)


def rows(cli: Cli, table: Any) -> list[Any]:
    async def read() -> list[Any]:
        async with Store.open(f"sqlite:///{cli.store}") as store, store.reading() as connection:
            return list((await connection.execute(select(table))).all())

    return asyncio.run(read())


def said(cli: Cli, *arguments: str) -> dict[str, Any]:
    result = cli("survey", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


def by_now(cli: Cli) -> bool:
    """Whether Acme is due today: in the last days of a quarter nobody is."""
    today: date = utc_now().date()
    return (today - min(today, _last_day(today))).days <= SETTINGS.survey.late_days


def test_due_and_dry_run_write_nothing(cli: Cli) -> None:
    due = said(cli, "due")
    assert [each["address"] for each in due["would_be_asked"]] == (
        ["kim@x.example", "lee@x.example"] if by_now(cli) else []
    )
    assert due["left_out"] == []
    shown = cli("survey", "send", "Bolt", "--dry-run").output
    assert "would be asked" in shown
    assert "mo@x.example" in shown
    assert (rows(cli, survey_invitation), rows(cli, delivery), rows(cli, audit_record)) == ([], [], [])


def test_send_and_results(cli: Cli) -> None:
    sent = said(cli, "send", "Acme", "--by", "ann")
    assert [each["address"] for each in sent["asked"]] == ["kim@x.example", "lee@x.example"]
    assert sorted(row.state for row in rows(cli, delivery)) == ["reserved", "reserved"]
    assert next((row.action, row.actor) for row in rows(cli, audit_record)) == ("surveyInvitationSend", "ann")
    again = said(cli, "send", "Acme", "--force")
    assert [(each["address"], each["reason"]) for each in again["left_out"]] == [
        ("kim@x.example", "asked 0 days ago, and rests for 90"),
        ("lee@x.example", "asked 0 days ago, and rests for 90"),
    ]
    assert (again["asked"], len(rows(cli, survey_invitation))) == ([], 2)
    kim = next(row for row in rows(cli, survey_invitation) if row.address == "kim@x.example")

    async def take(now: datetime) -> None:
        async with Store.open(f"sqlite:///{cli.store}") as store:
            await answer(store, SETTINGS, kim.id, score=10, comment="good", now=now)

    asyncio.run(take(utc_now()))
    found = said(cli, "results")
    assert {name: found[name] for name in ("asked", "promoters", "passives", "detractors", "nps")} == {
        "asked": 2, "promoters": 1, "passives": 0, "detractors": 0, "nps": 100,
    }  # fmt: skip
    assert sorted((each["address"], each["score"], each["comment"]) for each in found["invitations"]) == [
        ("kim@x.example", 10, "good"),
        ("lee@x.example", None, None),
    ]
    shown = cli("survey", "results").output
    assert "1 of 2 answered, 50 %: 1 promoters, 0 passives, 0 detractors." in shown
    assert "NPS of these answers: +100" in shown
    assert cli("survey", "results", "--customer", "Bolt").output == "Nobody was asked within 92 days.\n"


def test_refused(cli: Cli) -> None:
    assert cli("survey", "send", "--force").exit_code == 2
    nobody = cli("survey", "send", "Nobody")
    assert (nobody.exit_code, "Nobody" in nobody.output) == (1, True)
    cli.write("hub.yaml", HUB.replace("mail:", "# mail:"))
    refused = cli("survey", "send", "Acme")
    assert (refused.exit_code, "email is not set up" in refused.output) == (1, True)
    assert rows(cli, survey_invitation) == []
    assert "as things are set up nobody is asked: email is not set up" in cli("survey", "due").output
