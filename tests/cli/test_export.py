"""cshub export: what there is, files that are whole or not there, and the audit log."""

import asyncio
import json

import polars
import pytest

from hub.store import Store
from tests.cli.conftest import Cli
from tests.schema.company import seed


@pytest.fixture
def cli(cli: Cli) -> Cli:
    async def fill() -> None:
        async with Store.open(f"sqlite:///{cli.store}") as store:
            await seed(store, 2)

    asyncio.run(fill())
    return cli


def test_it_lists_what_there_is(cli: Cli) -> None:
    done = cli("export")
    assert done.exit_code == 0
    assert "One row a customer and day that was scored." in done.output


def test_a_file_has_the_format_of_its_ending(cli: Cli) -> None:
    out = cli.store.with_name("customers.parquet")
    done = cli("export", "customers", "--out", str(out), "--columns", "id, name")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, f"2 rows in {out}")
    assert polars.read_parquet(out).rows() == [("c000", "Customer 000"), ("c001", "Customer 001")]
    assert [path.name for path in out.parent.glob("*.part")] == []
    assert "export" in cli("audit", "list").output


def test_standard_output_is_the_rows_alone(cli: Cli) -> None:
    done = cli("export", "customers", "--format", "jsonl", "--where", "{name: {eq: Customer 001}}", "--columns", "id")
    assert done.exit_code == 0
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"id": "c001"}]
    assert "email" not in cli("export", "contacts", "--no-personal").stdout.splitlines()[0]


def test_what_is_wrong_is_named_and_nothing_is_written(cli: Cli) -> None:
    out = cli.store.with_name("x.xls")
    for arguments, words in (
        (("nothing",), "there are: customers"),
        (("customers", "--columns", "nmae"), "it has: id, name"),
        (("customers", "--out", str(out)), "there are: csv, jsonl, parquet"),
        (("customers", "--where", "[1]"), "--where is a mapping"),
        (("customers", "--where", "{helth: {lt: 1}}"), "helth"),
    ):
        done = cli("export", *arguments)
        assert (done.exit_code, words in done.output) == (1, True), done.output
    assert not out.exists()
