"""`cshub demo --once` as a person runs it: what it says, what it does twice, and how it fails."""

import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from hub.demo.outbox import Outbox
from hub.store import Store
from hub.store.tally import tally
from tests.fakes.hub import Ended, add_playbooks, rows, run

WITHIN = 240


async def demo(folder: Path, *, customers: int, months: int, **environment: str) -> Ended:
    size = (f"--customers={customers}", f"--months={months}", "--days=0")
    return await run("demo", "--once", "--folder", folder, *size, within=WITHIN, environment=environment)


def summary(ended: Ended) -> dict[str, str]:
    """{what: how many} of the table at the end."""
    assert "\nSummary" in ended.said, ended
    lines = ended.said.partition("\nSummary")[2].splitlines()
    parts = (re.split(r" {2,}", line.strip(), maxsplit=1) for line in lines)
    return {part[0]: part[1] for part in parts if len(part) == 2}


def number(told: str) -> int:
    return int(told.replace(",", ""))


def counts(folder: Path) -> dict[str, int]:
    outbox = Outbox(folder / "outbox.db")
    assert outbox.duplicates() == []
    counted = outbox.counts()
    outbox.close()
    return counted


def check_summary(told: dict[str, str], *, customers: int) -> None:
    """Everything that a first look wants to know is there, and adds up."""
    assert told["customers"] == str(customers)
    assert number(told["companies matched"]) >= 3 * customers  # of six sources, most
    for stream in ("crm companies", "crm contacts", "crm deals", "helpdesk organizations", "helpdesk users",
                   "helpdesk tickets", "helpdesk csat", "usage groups", "usage usage", "billing rows", "invoices rows",
                   "nps rows"):  # fmt: skip
        assert number(told[f"records: {stream}"]) > 0, stream
    for kind in ("company", "contact", "user_activity_day", "feature_usage_day", "ticket", "survey_response",
                 "subscription", "invoice", "opportunity"):  # fmt: skip
        assert number(told[f"stored: {kind}"]) > 0, kind
    assert told["in quarantine"] == "0"
    bands = [number(told[f"health: {band}"]) for band in ("critical", "warning", "stable", "healthy")]
    risks = [number(told[f"churn risk: {band}"]) for band in ("high", "medium", "low", "minimal")]
    assert 0 < sum(bands) <= sum(risks) <= customers
    fired = [number(many) for what, many in told.items() if re.fullmatch(r"playbook \w+: runs", what)]
    assert sum(fired) > 0
    assert number(told["deliveries confirmed"]) >= sum(fired)
    assert not {what for what in told if what.startswith("deliveries ")} - {"deliveries confirmed"}


async def test_a_demo_does_everything_once(tmp_path: Path) -> None:
    add_playbooks(tmp_path, "enterprise")
    first = await demo(tmp_path, customers=24, months=5)
    assert (first.code, first.complained) == (0, "")
    told = summary(first)
    check_summary(told, customers=24)
    assert number(told["playbook greet_enterprise: runs"]) > 0
    assert told["churn model"].startswith("none: ")
    assert "are needed to learn from" in first.said
    assert number(told["… of them fired in this run"]) > 0
    sent = counts(tmp_path)
    assert sum(sent.values()) == number(told["deliveries confirmed"])


@pytest.mark.long
async def test_a_slack_that_refuses_the_token_is_said_and_is_no_success(tmp_path: Path) -> None:
    add_playbooks(tmp_path, "enterprise")
    ended = await demo(tmp_path, customers=16, months=3, SLACK_TOKEN="xoxb-wrong")
    assert ended.code == 1
    failed = {id_: row for id_, row in rows(tmp_path / "cshub.db", "delivery").items() if row["state"] == "failed"}
    assert failed
    assert {row["channel"] for row in failed.values()} == {"slack"}
    assert counts(tmp_path)["slack"] == 0
    assert counts(tmp_path)["email"] > 0
    lines = [line for line in ended.complained.splitlines() if line.startswith("failed: delivery ")]
    assert len(lines) == len(failed)
    for id_, row in failed.items():
        [line] = [line for line in lines if id_ in line]
        assert "invalid_auth" in line
        assert row["address"] in line
    assert number(summary(ended)["deliveries failed"]) == len(failed)
    assert "xoxb-wrong" not in ended.said + ended.complained
    assert "Traceback" not in ended.complained


@pytest.mark.long
async def test_sources_that_refuse_the_credential_are_named(tmp_path: Path) -> None:
    wrong = {"ZENDESK_TOKEN": "surely-wrong", "MIXPANEL_SECRET": "surely-wrong"}
    ended = await demo(tmp_path, customers=12, months=3, **wrong)
    assert ended.code == 1
    failed = [line for line in ended.complained.splitlines() if line.startswith("failed: ")]
    assert [line.split(":")[1].strip() for line in failed] == ["helpdesk", "usage"]
    assert "does not accept email and token" in failed[0]
    assert "does not accept user and secret" in failed[1]
    assert "the past is not scored, because not all is here of: helpdesk, usage\n" in ended.complained
    assert "Traceback" not in ended.said + ended.complained
    assert "surely-wrong" not in ended.said + ended.complained
    # scorecards of past days stay as they are written, so there must be none yet
    assert len({row["as_of"] for row in rows(tmp_path / "cshub.db", "scorecard").values()}) == 1


@pytest.mark.long
async def test_a_crm_that_refuses_the_token_is_named(tmp_path: Path) -> None:
    ended = await demo(tmp_path, customers=12, months=3, HUBSPOT_TOKEN="surely-wrong")
    assert ended.code == 1
    assert "\nfailed: crm: " in ended.complained
    assert "Traceback" not in ended.said + ended.complained
    assert rows(tmp_path / "cshub.db", "customer") == rows(tmp_path / "cshub.db", "delivery") == {}


@pytest.fixture
async def database(postgresql_server: str) -> AsyncIterator[str]:
    """The URL of an empty PostgreSQL database."""
    url, name = make_url(postgresql_server), f"demo_{uuid.uuid4().hex[:12]}"
    engine = create_async_engine(url.set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await engine.dispose()


@pytest.mark.long
async def test_the_whole_hub_works_on_postgresql(tmp_path: Path, database: str) -> None:
    add_playbooks(tmp_path, "enterprise")
    ended = await demo(tmp_path, customers=24, months=4, CSHUB_STORE=database)
    assert (ended.code, ended.complained) == (0, "")
    told = summary(ended)
    check_summary(told, customers=24)
    assert not (tmp_path / "cshub.db").exists()
    assert urlsplit(database).path.removeprefix("/") in ended.said
    async with Store.open(database) as store, store.reading() as connection:
        stored = await tally(connection)
    assert stored.customers == 24
    assert stored.deliveries == {"confirmed": number(told["deliveries confirmed"])}
    assert stored.deliveries["confirmed"] == sum(counts(tmp_path).values())
