"""cshub note and cshub assign, as a person uses them."""

import asyncio
import re

import pytest
from sqlalchemy import select

from hub.store import Store
from hub.store.tables import audit_record, customer, note
from tests.cli.conftest import Cli
from tests.schema.company import customer_row, insert


@pytest.fixture
def cli(cli: Cli) -> Cli:
    asyncio.run(fill(f"sqlite:///{cli.store}"))
    return cli


async def fill(url: str) -> None:
    async with Store.open(url) as store:
        await insert(store, customer, [customer_row(1, name="Acme"), customer_row(2, name="Bell")])


def column(cli: Cli, what: object) -> list[object]:
    async def read() -> list[object]:
        async with Store.open(f"sqlite:///{cli.store}") as store, store.reading() as connection:
            return list((await connection.execute(select(what))).scalars())  # type: ignore[call-overload]  # any column

    return asyncio.run(read())


def test_notes_are_written_listed_edited_and_deleted(cli: Cli) -> None:
    done = cli("note", "add", "acme", "They moved offices", "--by", "ann")
    assert done.exit_code == 0, done.output
    found = re.match(r"(note_\w+) is written on c001\n", done.output)
    assert found is not None
    assert "They moved offices" in cli("note", "list", "c1.example").output
    assert cli("note", "edit", found[1], "They did not", "--by", "bob").exit_code == 0
    shown = cli("note", "list", "acme").output
    assert "They did not" in shown
    assert "moved" not in shown
    assert cli("note", "delete", found[1], "--by", "bob").output == f"{found[1]} is deleted\n"
    assert cli("note", "list", "acme").output == "There is no note on Acme.\n"
    assert column(cli, note.c.body) == [""]
    gone = cli("note", "delete", found[1])
    assert gone.exit_code == 1
    assert f"there is no note '{found[1]}'" in gone.output
    actions = [each for each in column(cli, audit_record.c.action) if each]
    assert list(dict.fromkeys(actions)) == ["noteCreate", "noteUpdate", "noteDelete"]


def test_customers_are_assigned_and_given_back(cli: Cli) -> None:
    dry = cli("assign", "acme", "bell", "--to", "Zoe@cs.example", "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert dry.output.count("would change") == 2
    assert column(cli, customer.c.csm_email) == ["ann@cs.example"] * 2
    assert cli("assign", "acme", "bell", "--to", "Zoe@cs.example", "--reason", "leave").exit_code == 0
    assert column(cli, customer.c.csm_email) == ["zoe@cs.example"] * 2
    assert cli("assign", "bell", "--nobody").exit_code == 0
    assert set(column(cli, customer.c.csm_email)) == {"zoe@cs.example", None}
    assert cli("assign", "bell", "--nobody", "--back").exit_code == 2
    nowhere = cli("assign", "nobody-here", "--back")
    assert nowhere.exit_code == 1
    assert "no customer has the id" in nowhere.output
