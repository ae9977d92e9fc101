"""A helpdesk in memory that can be listed and asked for single rows, and what its webhooks are."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import orjson

from connectors.kit.base import BadRowError, Id, Page, Stream, Window
from connectors.kit.errors import ConnectorError
from connectors.kit.signing import Hint, header, hmac_hex, require
from hub.model.records import Ticket
from hub.sync import Source
from tests.fakes.connector import NoClient, ticket

SECRET = "s3cret-of-the-desk"


@dataclass
class Desk:
    """rows: {key: raw} the vendor has; `fails` is raised by the next fetches, `unlisted` is left out of listings."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    can_fetch: bool = True
    lists_ids: bool = True
    whole: bool = False
    unlisted: set[str] = field(default_factory=set)
    fails: list[ConnectorError] = field(default_factory=list)
    fetched: list[list[str]] = field(default_factory=list)
    pulls: int = 0
    manifest: Any = field(default_factory=lambda: SimpleNamespace(lag_seconds=0, receives_only=False))

    def put(self, *ids: int, version: int = 1, status: str = "open", **more: Any) -> None:
        for number in ids:
            self.rows[str(number)] = {"id": number, "version": version, "status": status, **more}

    def client(self) -> Any:
        return NoClient()

    def streams(self) -> tuple[Stream, ...]:
        return (
            Stream(
                name="tickets",
                makes=(Ticket,),
                pull=self._pull,
                records=ticket,
                fetch=self._fetch if self.can_fetch else None,
                ids=self._ids if self.lists_ids else None,
                whole=self.whole,
            ),
        )

    async def _pull(self, _client: Any, window: Window) -> AsyncIterator[Page]:
        self.pulls += 1
        if self.fails:
            raise self.fails.pop(0)
        seen = (window.bookmark or {}).get("version", 0)
        fresh = [row for key, row in self.rows.items() if row["version"] > seen and key not in self.unlisted]
        newest = max([seen, *(row["version"] for row in fresh)])
        yield Page(rows=fresh, bookmark={"version": newest})

    async def _fetch(self, _client: Any, keys: Sequence[str]) -> AsyncIterator[Page]:
        self.fetched.append(list(keys))
        if self.fails:
            raise self.fails.pop(0)
        yield Page(
            rows=[self.rows[key] for key in keys if key in self.rows],
            gone=[key for key in keys if key not in self.rows],
        )

    async def _ids(self, _client: Any, _window: Window) -> AsyncIterator[Sequence[Id]]:
        listed = [Id(key, row["version"]) for key, row in self.rows.items() if key not in self.unlisted]
        for start in range(0, len(listed), 3):
            yield listed[start : start + 3]

    def source(self, name: str = "desk", **more: Any) -> Source:
        return Source(name=name, connector=self, connector_name="fake", **more)


class DeskWebhook:
    """What webhook.py of its folder would be."""

    @staticmethod
    def verified(
        headers: Mapping[str, str], body: bytes, *, settings: Any, method: str, url: str, now: datetime
    ) -> None:
        require(header(headers, "x-desk-signature"), hmac_hex(settings, f"{method} {url} ".encode() + body))

    @staticmethod
    def hints(headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        try:
            events = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise BadRowError("no JSON") from None
        return [
            Hint(event_id=str(each["event"]), stream=each.get("stream", "tickets"), key=each.get("ticket"))
            for each in events
            if each.get("type") != "ping"
        ]


def signed(body: bytes, *, url: str, method: str = "POST", secret: str = SECRET) -> dict[str, str]:
    return {"x-desk-signature": hmac_hex(secret, f"{method} {url} ".encode() + body)}
