"""The operations of the examples: each fits the schema as it is, costs what may be, and can be a trusted document."""

from pathlib import Path

import pytest
import yaml

from hub.resources import CONFIG
from hub.settings import load
from schema.examining import examine
from tests.cli.conftest import Cli
from tests.example.serving import ROOT

FILES = sorted(each for each in (ROOT / "examples").rglob("*.graphql") if "node_modules" not in each.parts)
MOST = 5_000  # points of one operation: a page may be asked for some sixty times a minute


def test_there_are_some() -> None:
    assert {"Portfolio", "Customer", "Alerts", "AlertChanges", "AlertTake"} <= {each.stem for each in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_fits_the_schema(file: Path) -> None:
    examined = examine(file.read_text("utf-8"))
    assert examined.errors == ()
    assert [each.name for each in examined.operations] == [file.stem], (
        "named as its file, so that logs say which it was"
    )
    assert all(each.cost <= MOST for each in examined.operations)


def test_a_hub_trusts_them(empty: Cli) -> None:
    folder = empty.config / "documents"
    folder.mkdir()
    given = yaml.safe_load((CONFIG / "hub.yaml").read_text("utf-8"))
    graphql = {"documents": "documents", "only_trusted": True}
    (empty.config / "hub.yaml").write_text(yaml.safe_dump({**given, "graphql": graphql}), "utf-8")
    added = empty("documents", "add", *map(str, FILES))
    assert added.exit_code == 0
    assert [line.split()[1] for line in added.stdout.splitlines()] == [each.stem for each in FILES]
    assert f"{len(FILES)} documents, nothing is wrong" in empty("documents", "check").stdout
    documents = load(empty.config, environment={}).documents
    assert all(documents.trusts(each.read_text("utf-8")) for each in FILES)


def test_what_no_longer_fits_is_found(tmp_path: Path) -> None:
    (file,) = (each for each in FILES if each.stem == "Viewer")
    assert examine(file.read_text("utf-8").replace("expiresAt", "expires")).errors
