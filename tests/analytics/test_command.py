"""`cshub metrics` over a store of its own: the table, the rows, the JSON."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli.app import main
from hub.cli.metrics import _months
from hub.store import Store
from tests.analytics.books import Books

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
async def books(sqlite_store: Store) -> Books:
    books = Books(sqlite_store)
    await books.moves(a=(100, 120), b=(100, 70), c=(100, 0), d=(0, 50))
    return books


@pytest.fixture
async def folder(sqlite_store: Store, books: Books, tmp_path: Path) -> Path:
    config = tmp_path / "config"
    shutil.copytree(CONFIG, config)
    text = (config / "hub.yaml").read_text()
    (config / "hub.yaml").write_text(
        text.replace("${CSHUB_STORE:-sqlite:///.data/cshub.db}", f"sqlite:///{sqlite_store.description}")
    )
    return config


def run(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(main, ["--config", str(folder), "metrics", *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


ONE = ("--from", "2026-10", "--to", "2026-10")


def test_json_has_values_definitions_rows_and_both_counts(folder: Path) -> None:
    text = run(folder, *ONE, "--metric", "nrr", "--metric", "logo_churn", "--rows", "--agreement", "--json")
    found = json.loads(text)
    nrr = found["values"][0]
    assert (nrr["metric"], nrr["basis"], nrr["version"], nrr["value"]) == ("nrr", "cohort", 1, 190 / 300)
    assert [row["customer"] for row in nrr["rows"]] == ["C", "B", "A"]
    assert found["values"][-1]["value"] == 1 / 3
    assert [(each["cohort"], each["from"]) for each in found["agreement"]] == [(1, "2026-10-01")]


def test_the_months_asked_for() -> None:
    first, last = _months("2025-01", "2025-06")
    assert (str(first), str(last)) == ("2025-01", "2025-06")
    first, last = _months(None, "2025-06")
    assert (str(first), str(last)) == ("2024-07", "2025-06")
    first, last = _months(None, None)
    assert first.to(last) == 11


def test_what_cannot_be_asked_is_a_line(folder: Path) -> None:
    done = CliRunner().invoke(main, ["--config", str(folder), "metrics", "--from", "October"])
    assert done.exit_code == 1
    assert "'October' is no month; write it as 2026-10" in done.stderr


def test_the_table_shows_the_basis_of_every_value_and_why_there_is_none(folder: Path) -> None:
    lines = run(folder, *ONE, "--metric", "grr", "--metric", "nps", "--rows", "--by", "plan").splitlines()
    cells = [line.split() for line in lines]
    assert ["2026-10", "Gross", "revenue", "retention", "cohort", "v1", "everybody", "USD", "56.67", "%", "3"] in cells
    assert ["2026-10", "Gross", "revenue", "retention", "cohort", "v1", "Pro", "USD", "56.67", "%", "3"] in cells
    (nps,) = [line.rstrip() for line in lines if line.startswith("2026-10") and "NPS" in line]
    assert nps.endswith("nobody answered in 2026-10")
    assert any(line.startswith("NPS (nps, answers v1): 100 x (promoters 9-10 less detractors 0-6)") for line in lines)
    assert ["B", "b", "70.0", "100.0", "contracted"] in cells


@pytest.fixture
async def many(books: Books) -> int:
    await books.moves(**{f"x{place:03}": (10, 10) for place in range(130)})
    return 130 + 3  # who pays in the end


def test_json_has_every_row(folder: Path, many: int) -> None:
    found = json.loads(run(folder, *ONE, "--metric", "mrr", "--rows", "--json"))["values"]
    (mrr,) = [value for value in found if value["currency"] == "USD"]
    assert len(mrr["rows"]) == mrr["n"] == many
    assert sum(row["numerator"] for row in mrr["rows"]) == pytest.approx(mrr["value"])
