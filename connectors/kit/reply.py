"""One answer of a vendor, read defensively: error bodies may be JSON of any shape, plain text, HTML or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import httpx
import orjson

from connectors.kit.errors import BrokenBodyError, ContractError

SAID_KEYS = ("message", "description", "detail", "error_description", "error", "title", "errors")
SAID_LENGTH = 200
CHUNK_BYTES = 1 << 16
MOST_BYTES = 256 << 20
"""Of one answer that is held in memory, as it is unpacked: a page of a vendor's has a few MB, and a bomb has no end."""


async def whole_body(response: httpx.Response, *, most: int, place: str) -> bytes:
    """The body, unpacked; ContractError for one that is larger, of which no more is read."""
    body = bytearray()
    async for piece in response.aiter_bytes(CHUNK_BYTES):
        body += piece
        if len(body) > most:
            raise ContractError(f"{place} sent more than {most:,} bytes at once", status=response.status_code)
    return bytes(body)


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
