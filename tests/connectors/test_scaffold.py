"""A connector written from the scaffold keeps all rules at once, before its author has touched it, in every style of paging."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import connectors
from connectors.kit import registry
from connectors.kit.scaffold import PAGINGS, RECORDS, files
from hub.errors import RefusedError
from hub.store import Store
from tests.connectors.hostile import changing, troubled
from tests.connectors.rules_paper import PAPER, Folder
from tests.connectors.rules_use import USE
from tests.connectors.suite import Vendor, emptied
from tests.connectors.trial import Trial

SHOWN = {"token": "ticket", "keyset": "survey_response", "number": "company", "window": "opportunity"}
"""A kind of record for each style of paging."""


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which connectors are found."""
    folder = tmp_path / "more"
    folder.mkdir()
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(folder)])
    yield folder
    for name in [name for name in sys.modules if name.startswith("connectors.scaffolded_")]:
        del sys.modules[name]


def write(parent: Path, name: str, *, record: str, paging: str) -> Path:
    for path, content in files(name, record=record, paging=paging).items():
        (parent / name / path).parent.mkdir(parents=True, exist_ok=True)
        (parent / name / path).write_text(content)
    return parent / name


@pytest.mark.long
@pytest.mark.parametrize("paging", PAGINGS)
async def test_it_keeps_every_rule_and_survives_everything(
    paging: str,
    parent: Path,
    serve: Any,
    sqlite_store: Store,
    other_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = f"scaffolded_{paging}"
    write(parent, name, record=SHOWN[paging], paging=paging)
    for rule in PAPER:
        rule(Folder(name))
    assert dict(registry.manifest(name).exempt) == {}
    vendor = Vendor(name, serve, monkeypatch)
    trial = Trial(vendor, sqlite_store, lambda: caplog.text, monkeypatch)
    for each in USE:
        await each(trial)
    trial.calm()
    assert await troubled(vendor, await emptied(sqlite_store), monkeypatch) == []
    trial.calm()
    assert await changing(vendor, await emptied(sqlite_store), other_store) == []


def test_every_kind_of_record_is_complete_and_in_the_form_of_the_house(parent: Path) -> None:
    for record in RECORDS:
        name = f"scaffolded_{record}"
        folder = write(parent, name, record=record, paging="token")
        for rule in PAPER:
            rule(Folder(name))
        assert json.loads((folder / "fixtures" / f"{RECORDS[record].stream}.json").read_text())["records"]
    for paging in PAGINGS:
        write(parent, f"scaffolded_{paging}", record="company", paging=paging)
    root = Path(connectors.__file__).parents[1]
    ours = "lint.isort.known-first-party = ['connectors', 'hub']"  # it looks for files, and these are elsewhere
    for how in (["check", "--quiet", "--output-format=concise"], ["format", "--check"]):
        command = [
            sys.executable,
            "-m",
            "ruff",
            *how,
            "--config",
            str(root / "pyproject.toml"),
            "--config",
            ours,
            str(parent),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["Acme", "acme-desk", "kit", "2acme", "_acme", "a b", "class"])
def test_a_name_that_can_be_no_folders_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="one is like acme"):
        files(name, record="ticket", paging="token")
