"""The rows of one list: those since the bookmark, by limit and offset.

    GET /accounts?updated_at_gte=…&limit=100&offset=99
    GET /health?score_updated_at_gte=…

Nothing says in which order rows come, nor how many there are: pages overlap (`kit.offsets`), and one that is not full is the
last. `_eq` and `_ne` forget the time of day, so the others are used.

    since   changes up to then have been handed on (milliseconds); each pull begins ten minutes before it
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from connectors.kit.base import Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.offsets import Answer, steady
from connectors.kit.values import version

OVERLAP_MS = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPull:
    """`Stream.pull` of one list, and `.fetch` where single rows can be asked for."""

    path: str
    filter: str
    key: Callable[[Raw], str]
    page_size: int
    lag_seconds: int

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        since, pulled = (window.bookmark or {}).get("since"), 0

        async def ask(offset: int) -> Answer:
            asked = {
                "limit": self.page_size,
                "offset": offset or None,
                self.filter: None if since is None else _iso(since - OVERLAP_MS),
            }
            rows = self._data(await client.get_json(self.path, params=asked), list)
            if not all(isinstance(row, Mapping) for row in rows):
                raise ContractError(f"Catalyst {self.path}: an answer whose data are no rows")
            return Answer(rows=rows, more=len(rows) >= self.page_size)

        async for rows in steady(f"Catalyst {self.path}", ask, key=self.key):
            yield Page(rows=rows)
            pulled += len(rows)
            if window.limit is not None and pulled >= window.limit:
                return
        until = version(window.started_at) - self.lag_seconds * 1000
        yield Page(rows=(), bookmark={"since": max(since or 0, until)})

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        """One request each: the API knows no other way."""
        for key in dict.fromkeys(keys):
            try:
                row = self._data(await client.get_json(f"{self.path}/{quote(key, safe='')}"), dict)
            except ContractError as error:
                if error.status != 404:
                    raise
                yield Page(rows=(), gone=(key,))
                continue
            if self.key(row) != key:
                raise ContractError(f"Catalyst {self.path}: asked for a row, and got another")
            yield Page(rows=(row,))

    def _data(self, answer: Any, shape: type) -> Any:
        data = answer.get("data") if isinstance(answer, Mapping) else None
        if not isinstance(data, shape):
            raise ContractError(f"Catalyst {self.path}: an answer without data")
        return data


def _iso(milliseconds: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
