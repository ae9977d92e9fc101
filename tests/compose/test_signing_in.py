"""Signing in as hub.yaml says, over a hub that is put together as `cshub serve` does it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from hub.access.tokens import create
from hub.compose import Hub
from hub.compose.admission import admission_of
from hub.compose.signing_in import sign_in_routes
from hub.model.actions import Role
from hub.resources import CONFIG
from hub.settings import load
from hub.store.privacy.keeping import count_due, due, sweep_batch
from hub.store.privacy.kinds import BY_NAME
from hub.store.tables import web_session
from tests.fakes.scored_company import Engine

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
OIDC = """
dashboard: {session_hours: 2}
access:
  csm: book
  oidc: {issuer: "https://login.invalid/r", client_id: dash, client_secret: hush, button: Example, roles: {a: csm}}
"""


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    shutil.copytree(CONFIG, tmp_path / "config")
    shutil.copy(sqlite_template, tmp_path / "hub.db")
    own = tmp_path / "config" / "hub.yaml"
    own.write_text(own.read_text("utf-8").replace("http://127.0.0.1:8000", "https://hub.example") + OIDC, "utf-8")
    return tmp_path


async def test_the_settings_reach_the_cookie_the_session_and_the_page(folder: Path) -> None:
    settings = load(folder / "config", environment={"CSHUB_STORE": f"sqlite:///{folder / 'hub.db'}"})

    async with Hub.open(settings, clock=lambda: NOW, engine=Engine(clock=lambda: NOW)) as hub:
        admission = admission_of(hub)
        assert admission.sessions is not None
        app = Starlette(routes=sign_in_routes(hub, admission))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://hub.example") as client:
            page = await client.get("/sign-in")
            assert "Sign in with Example" in page.text
            assert "hush" not in page.text
            assert "__Host-cshub_form" in client.cookies
        made = await create(hub.store, name="Ann", role=Role.CSM, csm_email="ann@cs.example", now=NOW)
        opened = await admission.sessions.open_by_token(made.token, made.secret, now=NOW)
        assert opened.expires_at == NOW + timedelta(hours=2)
        viewer = await admission.find_by_session(opened.cookie, now=NOW)
        assert viewer is not None
        assert viewer.book == "ann@cs.example"
        await admission.close()

        # what is over is deleted by the daily retention
        [sweep] = BY_NAME["sessions"].sweeps
        async with hub.store.transaction() as connection:
            assert await sweep_batch(connection, sweep, due(sweep, before=NOW.date()), most=10) == 0
            over = due(sweep, before=(NOW + timedelta(days=1)).date())
            assert await sweep_batch(connection, sweep, over, most=10) == 1
            assert await count_due(connection, web_session, web_session.c.id.is_not(None)) == 0
