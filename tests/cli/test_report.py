"""cshub report: targets, digests looked at, and sent into the ledger."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.store import Store
from hub.store.tables import audit_record, delivery
from tests.analytics.digesting import ANN, world
from tests.cli.conftest import Cli
from tests.fakes.story import NOW

HUB = """
store: ${CSHUB_STORE}
url: https://hub.example
mail: {host: 127.0.0.1, port: 1, sender: hub@example.com}
"""


@pytest.fixture
def cli(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    async def fill() -> None:
        async with Store.open(f"sqlite:///{cli.store}") as store:
            await world(store)

    asyncio.run(fill())
    monkeypatch.setattr("hub.cli.report.utc_now", lambda: NOW)
    cli.write("hub.yaml", HUB)
    return cli


def rows(cli: Cli, *columns: Any) -> list[tuple[Any, ...]]:
    async def read() -> list[tuple[Any, ...]]:
        async with Store.open(f"sqlite:///{cli.store}") as store, store.reading() as connection:
            return [tuple(row) for row in await connection.execute(select(*columns))]

    return asyncio.run(read())


def test_targets(cli: Cli) -> None:
    found = {each["target"]: each for each in json.loads(cli("report", "targets", "--json").output)}
    assert found["health"]["status"] == "missed"
    assert (found["health"]["n"], found["health"]["metric"], found["health"]["above"]) == (4, "mean_health", 0.7)
    assert found["renewal_rate"]["value"] is None
    shown = cli("report", "targets").output
    assert "54 of 100" in shown
    assert "Renewal rate is not known: no renewal deal" in shown


def test_a_digest_is_looked_at_and_nothing_is_sent(cli: Cli, tmp_path: Path) -> None:
    text = cli("report", "digest", "weekly", "--of", ANN).output
    assert text.startswith("Subject: Week to 30 June 2026: 1 customer fell, 1 new at risk, 1 renewal within 30 days")
    assert "Acme" in text
    assert "CORE" not in text
    page, folder = tmp_path / "digest.html", tmp_path / "pictures"
    said = cli("report", "digest", "weekly", "--html", str(page), "--png", str(folder)).output
    assert "Customers by health from" in said
    html = page.read_text()
    assert html.count("data:image/png;base64,") == 4
    assert "cid:" not in html
    assert sorted(each.name for each in folder.iterdir()) == ["arr.png", "bands.png", "movers.png", "nps.png"]
    assert rows(cli, delivery.c.id) == []


def test_a_digest_is_sent_to_one(cli: Cli) -> None:
    said = cli("report", "digest", "monthly", "--of", ANN, "--send", "--by", "Bea").output
    assert "1 messages are in the ledger" in said
    assert rows(cli, delivery.c.channel, delivery.c.address, delivery.c.state) == [("email", ANN, "reserved")]
    assert ("digestSend", "monthly") in rows(cli, audit_record.c.action, audit_record.c.subject)


def test_who_has_no_customers_is_told(cli: Cli) -> None:
    result = cli("report", "digest", "weekly", "--of", "eve@example.com")
    assert result.exit_code == 1
    assert "no customer has the CSM 'eve@example.com'; there are: ann@example.com, bob@example.com" in result.stderr


def test_a_target_of_nothing_is_a_fault_of_the_file(cli: Cli) -> None:
    cli.write("lifecycle.yaml", "targets: {joy: {metric: joy, above: 1}}\nreports: {weekly: {schedule: x, days: 7}}\n")
    result = cli("report", "targets")
    assert result.exit_code == 2
    assert "there is no metric 'joy'" in result.stderr
    assert "'x' is no cron schedule" in result.stderr
