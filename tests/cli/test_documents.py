"""`cshub documents`: what there is, what is wrong with it, and more of them."""

import hashlib
from pathlib import Path

import pytest
import yaml

from hub.resources import CONFIG
from tests.cli.conftest import Cli

ME = "query Me { viewer { name } }"
ID = hashlib.sha256(ME.encode()).hexdigest()
PAGE = "query Page($n: Int!) { customers(first: $n) { nodes { id } } }"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with a folder of documents."""
    made = tmp_path / "own"
    (made / "documents").mkdir(parents=True)
    given = yaml.safe_load((CONFIG / "hub.yaml").read_text("utf-8"))
    graphql = {"documents": "documents", "only_trusted": True}
    (made / "hub.yaml").write_text(yaml.safe_dump({**given, "graphql": graphql}), "utf-8")
    (made / "documents" / "me.graphql").write_text(f"{ME}\n", "utf-8")
    return made


def test_they_are_listed_with_what_they_cost(cli: Cli, folder: Path) -> None:
    (folder / "documents" / "page.graphql").write_text(PAGE, "utf-8")
    shown = cli("--config", str(folder), "documents", "list")
    assert shown.exit_code == 0
    assert f"{ID}  me" in shown.stdout
    assert "query Me, up to 1 points" in shown.stdout
    assert "query Page, up to 1,000 points" in shown.stdout
    assert "no others are answered, but to admins" in shown.stdout


def test_pages_may_be_chosen_too_large_but_must_have_a_size_that_is_answered(cli: Cli, folder: Path) -> None:
    deep = "{ customers(first: $n) { nodes { tickets(first: %s) { nodes { id } } } } }"
    (folder / "documents" / "deep.graphql").write_text(f"query Deep($n: Int!) {deep % 60}", "utf-8")
    shown = cli("--config", str(folder), "documents", "list")
    assert "query Deep, up to 61,000 points (50,000 at once: with smaller pages)" in " ".join(shown.stdout.split())
    assert cli("--config", str(folder), "documents", "check").exit_code == 0
    deeper = deep.replace("$n", "60") % 1000
    (folder / "documents" / "deep.graphql").write_text(f"query Deep {deeper}", "utf-8")
    wrong = cli("--config", str(folder), "documents", "check")
    assert wrong.exit_code == 2
    assert "costs 60,060 points or more; the limit is 50,000" in wrong.stderr


def test_what_is_wrong_is_told_with_its_place(cli: Cli, folder: Path) -> None:
    assert "1 documents, nothing is wrong" in cli("--config", str(folder), "documents", "check").stdout
    (folder / "documents" / "old.graphql").write_text("{ viewer { nme } }", "utf-8")
    wrong = cli("--config", str(folder), "documents", "check")
    assert wrong.exit_code == 2
    assert "old.graphql" in wrong.stderr
    assert "Cannot query field 'nme' on type 'Viewer'. Did you mean 'name'? (line 1, column 12)" in wrong.stderr


def test_they_are_added_where_they_are_right(cli: Cli, folder: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "page.graphql", tmp_path / "bad.graphql"
    good.write_text(f"{PAGE}\n", "utf-8")
    bad.write_text("{ nothing }", "utf-8")
    refused = cli("--config", str(folder), "documents", "add", str(good), str(bad))
    assert refused.exit_code == 2
    assert not (folder / "documents" / "page.graphql").exists()
    added = cli("--config", str(folder), "documents", "add", str(good))
    assert added.stdout.split() == [hashlib.sha256(PAGE.encode()).hexdigest(), "page"]
    assert (folder / "documents" / "page.graphql").read_text("utf-8") == f"{PAGE}\n"
    good.write_text(PAGE.replace("id", "name"), "utf-8")
    other = cli("--config", str(folder), "documents", "add", str(good))
    assert other.exit_code == 1
    assert "with another text" in other.stderr


def test_a_wrong_setting_is_told(cli: Cli, folder: Path) -> None:
    given = yaml.safe_load((folder / "hub.yaml").read_text("utf-8"))
    for graphql, said in (
        ({"documents": "nowhere"}, "no such folder or file of documents"),
        ({"only_trusted": True}, "only_trusted needs documents"),
        ({"introspection": "some"}, "is none of the valid choices"),
        ({"origins": ["https://app.example.com/path"]}, "is no origin"),
        ({"cost": {"query": 1000, "minute": 500}}, "is less than one query may cost"),
    ):
        (folder / "hub.yaml").write_text(yaml.safe_dump({**given, "graphql": graphql}), "utf-8")
        checked = cli("--config", str(folder), "check")
        assert checked.exit_code == 2
        assert said in checked.stderr
