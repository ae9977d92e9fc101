"""One answer of a vendor, read defensively: error bodies may be JSON of any shape, plain text, HTML or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import orjson

from connectors.kit.errors import BrokenBodyError

SAID_KEYS = ("message", "description", "detail", "error_description", "error", "title", "errors")
SAID_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """status; headers (names lower case); body; where it came from, fit to show ("GET api.example.com/path")."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    place: str = ""

    def json(self) -> Any:
        """The body as JSON; BrokenBodyError where it is HTML, cut short, empty or anything else."""
        if not self.content.strip():
            raise BrokenBodyError(f"{self.place} answered {self.status} with an empty body", status=self.status)
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            kind = "HTML" if self.content.lstrip()[:1] == b"<" else "a body that is no JSON (cut short?)"
            raise BrokenBodyError(f"{self.place} answered {self.status} with {kind}", status=self.status) from None

    def parsed(self) -> Any:
        """The body as JSON, or None where it is none: for looking into error bodies."""
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            return None

    def said(self) -> str:
        """What the vendor says went wrong, one line of at most 200 characters; empty where it says nothing readable."""
        body = self.parsed()
        text = _said(body) if body is not None else ""
        if body is None and self.content.lstrip()[:1] != b"<":
            text = self.content[: 4 * SAID_LENGTH].decode("utf-8", "replace")
        return " ".join(text.split())[:SAID_LENGTH]


@dataclass(frozen=True, slots=True)
class Download:
    """A large body on disk (or in memory while small), positioned at its start; empty for a 304."""

    reply: Reply
    file: IO[bytes]


def _said(body: Any) -> str:
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return _said(body[0]) if body else ""
    if isinstance(body, Mapping):
        for key in SAID_KEYS:
            if body.get(key) and (text := _said(body[key])):
                return text
    return ""
