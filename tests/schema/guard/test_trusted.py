"""Trusted documents: read from a folder or a file, found by their SHA-256."""

import hashlib
import json
from pathlib import Path

import pytest

from hub.errors import ConfigError
from schema.guard.trusted import Documents

ME = "{ viewer { name } }"
ID = hashlib.sha256(ME.encode()).hexdigest()


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "portal").mkdir()
    (tmp_path / "portal" / "me.graphql").write_text(f"\n{ME}\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no document", encoding="utf-8")
    documents = Documents.read(tmp_path)
    assert [(each.name, each.id) for each in documents] == [("portal/me", ID)]
    assert documents.find(ID) == ME
    assert documents.find(f"sha256:{ID.upper()}") == ME
    assert documents.find(hashlib.sha256(f"{ME}\n".encode()).hexdigest()) == f"{ME}\n"
    for other in ("", "me", "portal/me", ID[:-1], f"md5:{ID}", "0" * 64):
        assert documents.find(other) is None
    assert documents.trusts(ME)
    assert not documents.trusts(f"{ME} ")


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "documents.json"
    path.write_text(json.dumps({f"sha256:{ID}": ME}), encoding="utf-8")
    assert Documents.read(path).find(ID) == ME


@pytest.mark.parametrize(
    ("text", "said"),
    [("[]", "must be one JSON object"), ("{", "is no JSON file"), (json.dumps({"0" * 64: ME}), "is not the SHA-256")],
)
def test_a_file_that_is_wrong_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "documents.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        Documents.read(path)


def test_what_is_not_there_or_empty_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder or file"):
        Documents.read(tmp_path / "nowhere")
    (tmp_path / "empty.graphql").write_text(" \n", encoding="utf-8")
    with pytest.raises(ConfigError, match="is empty"):
        Documents.read(tmp_path)


def test_none_trust_nothing() -> None:
    assert not Documents().trusts(ME)
    assert Documents().find(ID) is None
