"""cshub segment: save, list, show, use and delete, as a person does it."""

import asyncio
import json
from datetime import timedelta

import pytest

from hub.clock import utc_now
from hub.store import Store
from hub.store.tables import customer, scorecard
from tests.cli.conftest import Cli
from tests.schema.company import customer_row, insert, scorecard_row


@pytest.fixture
def cli(cli: Cli) -> Cli:
    asyncio.run(fill(f"sqlite:///{cli.store}"))
    return cli


async def fill(url: str) -> None:
    now = utc_now()
    async with Store.open(url) as store:
        rows = [
            customer_row(1, name="Acme Süd", created_at=now, country="DE"),
            customer_row(2, name="Bell", created_at=now - timedelta(days=200), country="DE"),
            customer_row(3, name="Core", created_at=now, country="AT"),
        ]
        await insert(store, customer, rows)
        cards = [scorecard_row(f"c00{n}", now.date(), health=n / 10, facts={"mrr": 100.0 * n}) for n in (1, 2, 3)]
        await insert(store, scorecard, cards)


def names(cli: Cli, *arguments: str) -> list[str]:
    done = cli("segment", "customers", "--json", *arguments)
    assert done.exit_code == 0, done.output
    return [json.loads(line)["name"] for line in done.output.splitlines()]


def test_a_segment_is_saved_used_and_deleted(cli: Cli) -> None:
    done = cli("segment", "save", "new", "--where", "{created_at: {within: last 30 days}}", "--about", "Weekly")
    assert (done.exit_code, done.output) == (0, "new is saved; 2 customers are in it.\n")
    assert cli("segment", "save", "new-de", "--where", "{in_segment: new, country: {eq: DE}}").exit_code == 0
    assert names(cli, "new") == ["Acme Süd", "Core"]
    assert names(cli, "new", "--order", "-mrr") == ["Core", "Acme Süd"]
    assert names(cli, "new-de") == ["Acme Süd"]
    assert names(cli, "--where", "{not: {in_segment: new}}") == ["Bell"]
    assert names(cli, "new", "--where", "{search: SÜD}") == ["Acme Süd"]
    shown = json.loads(cli("segment", "show", "new").output)
    assert (shown["filter"], shown["customers"], shown["about"]) == (
        {"created_at": {"within": "last 30 days"}},
        2,
        "Weekly",
    )
    listed = json.loads(cli("segment", "list", "--json").output)
    assert [(each["name"], each["customers"], each["problems"]) for each in listed] == [
        ("new", 2, []),
        ("new-de", 1, []),
    ]
    refused = cli("segment", "delete", "new")
    assert (refused.exit_code, refused.output.strip()) == (1, "new stays: it is used by segment new-de")
    assert cli("segment", "delete", "new-de").exit_code == 0
    assert cli("segment", "delete", "new").exit_code == 0
    assert json.loads(cli("segment", "list", "--json").output or "[]") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("save", "x"), "--where: is needed for a new segment"),
        (("save", "x", "--where", "{healt: {lt: 1}}"), "healt: is no fact (choices: health"),
        (
            ("save", "x", "--where", "{created_at: {after: soon}}"),
            "'soon' is no day; days are such as 2026-11-22, today",
        ),
        (("customers", "gone"), "there is no saved segment 'gone'; there are: none"),
        (("customers", "--order", "colour"), "'colour' is no field and no fact"),
    ],
)
def test_what_is_wrong_is_told(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    done = cli("segment", *arguments)
    assert done.exit_code in (1, 2)
    assert message in done.output
