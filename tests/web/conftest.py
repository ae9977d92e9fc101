"""The web application on a real server, on loopback."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import pytest

from hub.access.tokens import create
from hub.asgi import app
from hub.model.actions import Role
from hub.store import Store
from schema.context import PlaybookDefinition, SourceDefinition
from tests.fakes.serving import serving as running
from tests.schema.company import NOW
from tests.schema.fakes import PLAYBOOKS, SOURCES, FakeActions


@dataclass
class FakeHub:
    """What the application needs of a hub, over the store of the test."""

    store: Store
    actions: FakeActions = field(default_factory=FakeActions)
    clock: Callable[[], datetime] = lambda: NOW
    told: list[str] = field(default_factory=list)

    def playbooks(self) -> Sequence[PlaybookDefinition]:
        return PLAYBOOKS

    def sources(self) -> Sequence[SourceDefinition]:
        return SOURCES

    async def start(self) -> None:
        self.told.append("start")

    async def stop(self) -> None:
        self.told.append("stop")


@asynccontextmanager
async def serving(hub: FakeHub, **given: Any) -> AsyncIterator[str]:
    """The base URL of the application, served. `given`: what `app` takes beside the hub."""
    async with running(app(hub, **given), lifespan="on", ws="none") as url:
        yield url


@pytest.fixture
def hub(sqlite_store: Store) -> FakeHub:
    return FakeHub(sqlite_store)


@pytest.fixture
async def client(hub: FakeHub) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with serving(hub) as url, httpx.AsyncClient(base_url=url) as opened:
        yield opened


@pytest.fixture
def bearer(hub: FakeHub) -> Callable[[Role], object]:
    """Headers with a token of a role."""

    async def bearer(role: Role = Role.VIEWER) -> dict[str, str]:
        new = await create(hub.store, name=f"a {role.value}", role=role, now=NOW)
        return {"authorization": f"Bearer {new.secret}"}

    return bearer
