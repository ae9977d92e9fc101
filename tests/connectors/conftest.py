"""What connector tests share: a sandbox served on loopback, a small handmade World, and a clock that sleeping moves."""

import asyncio
import shutil
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import uvicorn
from starlette.types import ASGIApp

from connectors.kit import registry
from connectors.kit.base import Bookmark, Connector, Page, Window, map_rows
from connectors.kit.sandbox import Faults
from connectors.kit.simulated import (
    Account,
    Deal,
    NpsAnswer,
    Person,
    ProductEvent,
    SupportTicket,
    Term,
    World,
)
from hub.model.records import Quarantined, Record
from hub.store import Store
from tests.fakes.serving import Server

Serve = Callable[[ASGIApp], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(app)` runs it on a loopback port of its own until the test ends, and gives its base URL."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(app: ASGIApp) -> str:
        # asyncio switches Nagle's algorithm off only where the socket says TCP: else each answer may wait 40 ms
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        server = Server(uvicorn.Config(app, lifespan="off", log_level="critical", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((server, thread))
        while not server.started:
            assert thread.is_alive(), "the sandbox did not start"
            time.sleep(0.005)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, _ in running:
        server.end()
    for _, thread in running:
        thread.join(timeout=10)
        assert not thread.is_alive(), "the sandbox did not stop"


@pytest.fixture
async def other_store(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """A second store, for the sync to compare with."""
    path = tmp_path / "other.db"
    shutil.copy(sqlite_template, path)
    async with Store.open(f"sqlite:///{path}") as opened:
        yield opened


class FakeTime:
    """A clock that only sleeping moves: `sleep`, `clock` and `monotonic` for a Client."""

    def __init__(self, now: datetime) -> None:
        self.start = now
        self.passed = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0)

    def clock(self) -> datetime:
        return self.start + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture
def small_world() -> World:
    """Three accounts (2 is a daughter of 1; 3 has churned), five people, some of everything, up to noon of a day."""
    until = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def ago(days: float, minutes: float = 0) -> datetime:
        return until - timedelta(days=days, minutes=minutes)

    def account(number: int, name: str, domain: str, **other: object) -> Account:
        values: dict[str, object] = {
            "parent": None, "segment": "smb", "industry": "software", "country": "DE", "employees": 40 * number,
            "csm_name": "Ada Palm", "csm_email": "ada@ourco.example", "signed_on": date(2025, number, 1),
            "updated_at": ago(10 * number), "churned_on": None,
        }  # fmt: skip
        return Account(number=number, name=name, domain=domain, **{**values, **other})

    def person(number: int, of: int, name: str, email: str, left_at: datetime | None = None) -> Person:
        return Person(
            number=number, account=of, name=name, email=email, title="Head of Things", role="champion",
            created_at=ago(300), updated_at=left_at or ago(number), left_at=left_at,
        )  # fmt: skip

    def ticket(number: int, of: int, asker: int, status: str, opened: float, csat: str | None = None) -> SupportTicket:
        done = status in ("solved", "closed")
        return SupportTicket(
            number=number, account=of, person=asker, subject=f"Trouble {number}", severity="normal", status=status,
            created_at=ago(opened), updated_at=ago(opened - 1), first_reply_minutes=30,
            solved_at=ago(opened - 1) if done else None, reopens=0, replies=2, csat=csat,
            csat_comment="thanks" if csat else None, csat_at=ago(opened - 1) if csat else None,
        )  # fmt: skip

    def term(number: int, of: int, start: date, end: date, updated: float, **other: object) -> Term:
        values: dict[str, object] = {
            "plan": "growth", "mrr": 500.0 * of, "currency": "EUR", "seats_purchased": 10 * of, "seats_used": 7 * of,
            "ended_on": None, "auto_renew": True, "cancelled_at": None, "cancellation_kind": None,
        }  # fmt: skip
        return Term(
            number=number, account=of, started_on=start, renews_on=end, updated_at=ago(updated), **{**values, **other}
        )

    def deal(number: int, of: int, kind: str, stage: str) -> Deal:
        return Deal(
            number=number, account=of, name=f"Deal {number}", kind=kind, stage=stage, amount=6000.0 * of,
            currency="EUR", close_on=date(2026, 12, number), created_at=ago(60), updated_at=ago(2 * number),
            owner_email="ada@ourco.example",
        )  # fmt: skip

    events = [
        ProductEvent(
            insert_id=f"ev-{n}", at=ago(6 - n // 4, 600 - 20 * (n % 4)), account=1 + n % 2, person=1 + n % 2,
            name=("report_viewed", "export_made", "login")[n % 3],
        )
        for n in range(24)
    ]  # fmt: skip
    return World(
        seed=1,
        started_on=date(2025, 1, 1),
        until=until,
        accounts=[
            account(1, "Acme GmbH", "acme.example"),
            account(2, "Acme Cloud", "cloud.acme.example", parent=1, segment="mid_market", country="US"),
            account(3, "Borealis", "borealis.example", churned_on=date(2026, 6, 1), segment="enterprise"),
        ],
        people=[
            person(1, 1, "Nia Bold", "nia@acme.example"),
            person(2, 2, "Tom Ash", "tom@cloud.acme.example"),
            person(3, 3, "Liv Orr", "liv@borealis.example"),
            person(4, 1, "Max Gone", "max@acme.example", left_at=ago(4)),
            person(5, 1, "Ida Lund", "ida@acme.example"),
        ],
        events=sorted(events, key=lambda event: event.at),
        tickets=[
            ticket(1, 1, 1, "open", 3),
            ticket(2, 2, 2, "solved", 9, "good"),
            ticket(3, 1, 5, "closed", 40, "bad"),
            ticket(4, 3, 3, "pending", 200),
        ],
        nps=[
            NpsAnswer(number=1, account=1, person=1, score=9, comment="Good, fast\nand friendly", at=ago(20)),
            NpsAnswer(number=2, account=2, person=2, score=3, comment='We miss "exports"', at=ago(15)),
            NpsAnswer(number=3, account=1, person=5, score=7, comment="", at=ago(1)),
        ],
        terms=[
            term(1, 1, date(2025, 1, 1), date(2026, 1, 1), 330, ended_on=date(2026, 1, 1)),
            term(2, 1, date(2026, 1, 1), date(2027, 1, 1), 320),
            term(3, 2, date(2026, 2, 1), date(2027, 2, 1), 290),
            term(
                4,
                3,
                date(2025, 6, 1),
                date(2026, 6, 1),
                170,
                ended_on=date(2026, 6, 1),
                auto_renew=False,
                cancelled_at=ago(200),
                cancellation_kind="voluntary",
            ),
        ],
        deals=[deal(1, 1, "renewal", "open"), deal(2, 2, "expansion", "won"), deal(3, 3, "renewal", "lost")],
    )


class Probe:
    """A sandbox served for one source of it; what a pull of it brought, and what it asked for.

    world    what the vendor serves; put another one in its place and it serves that
    asked    (path, query, body) of every request that arrived
    """

    def __init__(self, serve: Serve, fake_time: FakeTime, name: str, world: World, **options: Any) -> None:
        self.name, self.world, self.faults = name, world, Faults()
        self.asked = list[tuple[str, dict[str, list[str]], bytes]]()
        self._fake_time, self._options = fake_time, options
        inner = registry.sandbox(name)(lambda: self.world, token=TOKEN, faults=self.faults, **options)

        async def noted(scope: Any, receive: Any, send: Any) -> None:
            message = await receive()
            query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
            self.asked.append((scope["path"], query, message.get("body", b"")))
            first = [message]

            async def again() -> Any:
                return first.pop() if first else await receive()

            await inner(scope, again, send)

        self.url = serve(noted)

    def source(self, **settings: Any) -> Connector:
        return registry.build(self.name, {**registry.sandbox_settings(self.name, self.url, token=TOKEN), **settings})

    async def pull(
        self,
        stream: str,
        *,
        bookmark: Bookmark | None = None,
        started_at: datetime | None = None,
        **settings: Any,
    ) -> "Pulled":
        source = self.source(**settings)
        (pulling,) = (each for each in source.streams() if each.name == stream)
        del self.asked[:]
        async with source.client() as client:
            # waiting is faked, nothing else: retries and budgets are those the connector itself is made with
            client._sleep, client._monotonic = self._fake_time.sleep, self._fake_time.monotonic
            client._clock = self._fake_time.clock
            window = Window(bookmark=bookmark, started_at=started_at or self.world.until)
            pages = [page async for page in pulling.pull(client, window)]
        records, bad = map_rows(pulling, [row for page in pages for row in page.rows])
        return Pulled(pages, records, [*(fault for page in pages for fault in page.faults), *bad])


TOKEN = "t0ken-of-the-sandbox"


@dataclass(frozen=True)
class Pulled:
    """What a pull brought; `faults` are what it could not read and what its mapping refused."""

    pages: list[Page]
    records: list[Record]
    faults: list[Quarantined]

    @property
    def bookmark(self) -> Bookmark | None:
        return next((page.bookmark for page in reversed(self.pages) if page.bookmark is not None), None)

    @property
    def gone(self) -> set[str]:
        return {key for page in self.pages for key in page.gone}

    @property
    def keys(self) -> set[str]:
        return {record.key for record in self.records if not record.deleted} - self.gone


@pytest.fixture
def probe(serve: Serve, fake_time: FakeTime, small_world: World) -> Callable[..., Probe]:
    """`probe(name, **options of the sandbox)` serves it over the small World."""
    return lambda name, **options: Probe(serve, fake_time, name, options.pop("world", small_world), **options)
