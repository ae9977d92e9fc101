"""Pages of the dashboard drawn in process: the whole application over a real hub with a scored company, without a server."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from hub.access.tokens import create
from hub.asgi import app
from hub.cli.serve import Served
from hub.compose import Hub
from hub.compose.graphql import guard_of
from hub.compose.web import routes_of
from hub.model.actions import Role
from hub.resources import CONFIG
from hub.settings import load
from tests.fakes.scored_company import Engine, company
from tests.schema.company import NOW


class Dashboard:
    """Looks at pages as somebody; `hub` is the real one, at the moment tests.schema.company.NOW."""

    def __init__(self, hub: Hub, client: httpx.AsyncClient) -> None:
        self.hub = hub
        self.client = client

    async def as_(self, role: Role, *, csm_email: str | None = None) -> "Dashboard":
        """From now on as a new token of that role."""
        new = await create(self.hub.store, name=f"a {role.value}", role=role, csm_email=csm_email, now=NOW)
        self.client.headers["authorization"] = f"Bearer {new.secret}"
        return self

    async def get(self, path: str, *, status: int = 200) -> str:
        """The page's HTML."""
        answer = await self.client.get(path)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src")
        assert " style=" not in answer.text
        assert "<style" not in answer.text
        assert "Part of this page is missing" not in answer.text
        return answer.text


def _opened(folder: Path, *, migrate: bool = False) -> AbstractAsyncContextManager[Hub]:
    settings = load(folder / "config", environment={"CSHUB_STORE": f"sqlite:///{folder / 'cshub.db'}"})
    return Hub.open(settings, clock=lambda: NOW, migrate=migrate, work=False, engine=Engine(clock=lambda: NOW))


@pytest.fixture(scope="session")
def scored_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the configuration that ships and a store with a company in it; made once, to be copied."""
    folder = tmp_path_factory.mktemp("company")
    shutil.copytree(CONFIG, folder / "config")
    team = folder / "config" / "team.yaml"
    team.write_text(team.read_text("utf-8").replace("members: {}", "members: {ann@cs.example: {name: Ann}}"), "utf-8")

    async def make() -> None:
        async with _opened(folder, migrate=True) as hub:
            await company(hub)

    asyncio.run(make())
    return folder


@pytest.fixture
async def dashboard(scored_company: Path, tmp_path: Path) -> AsyncIterator[Dashboard]:
    """As an admin, until told otherwise."""
    folder = tmp_path / "hub"
    shutil.copytree(scored_company, folder)
    async with _opened(folder) as hub:
        transport = httpx.ASGITransport(app(Served(hub, None), routes=routes_of(hub), guard=guard_of(hub.settings)))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
            yield await Dashboard(hub, client).as_(Role.ADMIN)
