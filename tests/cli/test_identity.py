"""cshub identity merge, unmerge, decide --new and reopen, as a person uses them."""

import asyncio
import re

import pytest
from sqlalchemy import select

from hub.store import Store
from hub.store.tables import audit_record, scorecard, ticket
from tests.cli.conftest import Cli
from tests.test_identity import company, make_ticket, put
from tests.test_merging import ACME, BOLT, three


@pytest.fixture
def cli(cli: Cli) -> Cli:
    asyncio.run(fill(f"sqlite:///{cli.store}"))
    return cli


async def fill(url: str) -> None:
    async with Store.open(url) as store:
        await three(store)
        async with store.transaction() as connection:  # which are too plain to go on from
            await connection.execute(scorecard.delete())
        await put(store, "desk", company("o9", domains=("nowhere.example",)), make_ticket("t9", "o9"))


def owner(cli: Cli, id_: str) -> str | None:
    async def read() -> str | None:
        async with Store.open(f"sqlite:///{cli.store}") as store, store.reading() as connection:
            found: str | None = (
                await connection.execute(select(ticket.c.customer_id).where(ticket.c.id == id_))
            ).scalar_one()
            return found

    return asyncio.run(read())


def actions(cli: Cli) -> list[str]:
    async def read() -> list[str]:
        async with Store.open(f"sqlite:///{cli.store}") as store, store.reading() as connection:
            return list((await connection.execute(select(audit_record.c.action))).scalars())

    return list(dict.fromkeys(each for each in asyncio.run(read()) if each))


def test_customers_are_merged_and_parted(cli: Cli) -> None:
    words = ("identity", "merge", "Acme", "bolt", "--reason", "one contract", "--by", "ann")
    dry = cli(*words, "--dry-run")
    assert (dry.exit_code, dry.output.splitlines()[0]) == (0, f"{BOLT} would become part of {ACME}")
    assert owner(cli, "desk:t2") == BOLT
    done = cli(*words)
    assert done.exit_code == 0, done.output
    found = re.search(rf"{BOLT} is part of {ACME}: (mrg_\w+)", done.output)
    assert found is not None
    assert owner(cli, "desk:t2") == ACME
    again = cli(*words)
    assert again.exit_code == 1
    assert "into itself" in again.output  # by its name it is found as what it is part of
    undone = cli("identity", "unmerge", found[1], "--by", "ann")
    assert undone.exit_code == 0, undone.output
    assert owner(cli, "desk:t2") == BOLT
    assert cli("identity", "unmerge", found[1], "--by", "ann").exit_code == 1
    assert actions(cli) == ["customerMerge", "customerMergeUndo"]


def test_a_company_becomes_a_customer_or_is_opened_again(cli: Cli) -> None:
    assert cli("identity", "decide", "desk:o9", ACME, "--by", "ann").exit_code == 0
    assert owner(cli, "desk:t9") == ACME
    opened = cli("identity", "reopen", "desk:o9", "--by", "ann")
    assert opened.exit_code == 0, opened.output
    assert owner(cli, "desk:t9") is None
    assert cli("identity", "decide", "desk:o9", "--new", "--nobody", "--by", "ann").exit_code == 2
    made = cli("identity", "decide", "desk:o9", "--new", "--by", "ann")
    assert made.output == "desk:o9 is a new customer; 1 records moved\n"
    assert owner(cli, "desk:t9") not in (None, ACME, BOLT)
    assert actions(cli) == ["identityDecide", "identityReopen"]
