"""Pages of the dashboard drawn in process: the whole application over a real hub with a scored company, without a server."""

from collections.abc import AsyncIterator
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
from tests.fakes.scored_company import opened
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


@pytest.fixture
async def dashboard(scored_company: Path, tmp_path: Path) -> AsyncIterator[Dashboard]:
    """As an admin, until told otherwise."""
    async with opened(scored_company, tmp_path / "hub") as hub:
        transport = httpx.ASGITransport(app(Served(hub, None), routes=routes_of(hub), guard=guard_of(hub.settings)))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
            yield await Dashboard(hub, client).as_(Role.ADMIN)
