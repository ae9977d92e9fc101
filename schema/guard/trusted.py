"""Trusted documents: operations known beforehand, named by the SHA-256 of their text. They can be made the only ones.

    documents = Documents.read(Path("documents"))        a folder of *.graphql, or a JSON file {sha256: text}
    documents.find("sha256:9f86…")                       the text, or None

A document's id is the SHA-256 of its text in UTF-8, in hex, with or without "sha256:" before it; a request sends it as
`documentId`, or as Apollo's clients do as `extensions.persistedQuery.sha256Hash`. White space at the ends of a file does not
count. Nothing is ever registered by a request.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import orjson

from hub.errors import ConfigError, Fault

_ID = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.IGNORECASE)
_KEY = "graphql.documents"


def document_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Document:
    """name: of its file, or of its place in the list; where: the file it stands in."""

    name: str
    text: str
    where: Path

    @property
    def id(self) -> str:
        return document_id(self.text)


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a hub; none by default."""

    all: tuple[Document, ...] = ()
    _texts: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """All of a folder or a file; ConfigError with every fault."""
        if path.is_dir():
            found, faults = _folder(path)
        elif path.is_file():
            found, faults = _file(path)
        else:
            found, faults = [], [Fault("no such folder or file of documents", where=str(path), key=_KEY)]
        if faults:
            raise ConfigError(faults)
        return cls.of(found)

    @classmethod
    def of(cls, documents: list[Document]) -> Self:
        texts = {document_id(each.text): each.text for each in documents}
        # a client sends the digest of the text it holds, which may end as the file does
        texts |= {document_id(each.text.strip()): each.text.strip() for each in documents}
        texts |= {document_id(each.text.strip() + "\n"): each.text.strip() + "\n" for each in documents}
        return cls(tuple(documents), texts)

    def find(self, id_: str) -> str | None:
        """The text of a document; None where there is none of this id."""
        match = _ID.fullmatch(id_)
        return self._texts.get(match[1].lower()) if match else None

    def trusts(self, text: str) -> bool:
        """Whether a text that came as it is, is one of these."""
        return bool(self._texts) and document_id(text) in self._texts

    def __iter__(self) -> Iterator[Document]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)


def _folder(path: Path) -> tuple[list[Document], list[Fault]]:
    found, faults = [], []
    for each in sorted(path.rglob("*.graphql")):
        try:
            text = each.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault(f"cannot be read: {error}", where=str(each), key=_KEY))
            continue
        if text:
            found.append(Document(each.relative_to(path).with_suffix("").as_posix(), text, each))
        else:
            faults.append(Fault("is empty", where=str(each), key=_KEY))
    return found, faults


def _file(path: Path) -> tuple[list[Document], list[Fault]]:
    try:
        listed = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        return [], [Fault(f"is no JSON file: {error}", where=str(path), key=_KEY)]
    if not isinstance(listed, dict) or not all(isinstance(each, str) for each in listed.values()):
        return [], [Fault("must be one JSON object of documents by their SHA-256", where=str(path), key=_KEY)]
    faults = [
        Fault(f"{id_!r} is not the SHA-256 of its document, which is {document_id(text)}", where=str(path), key=_KEY)
        for id_, text in listed.items()
        if not (match := _ID.fullmatch(id_)) or match[1].lower() != document_id(text)
    ]
    return [Document(id_, text, path) for id_, text in listed.items()], faults
