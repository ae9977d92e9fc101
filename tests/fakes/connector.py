"""A connector whose pages, errors and moments of death are what the test says; no network."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace, TracebackType
from typing import Any, Self

from connectors.kit.base import BadRowError, Page, Raw, Stream, Window
from connectors.kit.budget import Quota
from hub.model.records import Company, Record, Ticket, TicketStatus
from hub.sync import Source
from tests.fakes.clock import START


class NoClient:
    """Asks nobody. `quotas`: what its connector says of the vendor's limits."""

    def __init__(self, quotas: Sequence[Quota] = ()) -> None:
        self.quotas = quotas

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def ticket(raw: Raw) -> Iterable[Record]:
    if raw.get("status") not in set(TicketStatus):
        raise BadRowError(f"status {raw.get('status')!r} is unknown", field="status")
    yield Ticket(
        key=str(raw["id"]),
        version=raw["version"],
        company_key=raw.get("company"),
        subject=raw.get("subject", f"Version {raw['version']}"),
        status=TicketStatus(raw["status"]),
        created_at=START,
    )


def company(raw: Raw) -> Iterable[Record]:
    yield Company(key=raw["id"], version=1, company_key=raw["id"], name=raw["name"], domains=(raw["domain"],))


Script = Sequence[Page | Exception]


@dataclass
class FakeConnector:
    """scripts: per stream, the pages of a pull and the error that ends it; `asked` records the windows."""

    scripts: dict[str, Script]
    asked: list[tuple[str, Window]] = field(default_factory=list)
    manifest: Any = field(
        default_factory=lambda: SimpleNamespace(lag_seconds=0, receives_only=False, refusal=lambda _, error: str(error))
    )
    quotas: Sequence[Quota] = ()

    def client(self) -> Any:
        return NoClient(self.quotas)

    def streams(self) -> tuple[Stream, ...]:
        return tuple(
            Stream(
                name=name,
                makes=(Company,) if name == "companies" else (Ticket,),
                pull=lambda _client, window, name=name: self._pull(name, window),
                records=company if name == "companies" else ticket,
            )
            for name in self.scripts
        )

    async def _pull(self, name: str, window: Window) -> AsyncIterator[Page]:
        self.asked.append((name, window))
        for step in self.scripts[name]:
            await asyncio.sleep(0)
            if isinstance(step, Exception):
                raise step
            yield step

    def source(self, name: str = "desk") -> Source:
        return Source(name=name, connector=self, connector_name="fake")


def rows(*ids: int, version: int = 1, status: str = "open", company: str | None = None) -> list[dict[str, Any]]:
    return [{"id": n, "version": version, "status": status, "company": company} for n in ids]
