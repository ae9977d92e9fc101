"""The simulated company of twelve customers behind real vendors' sandboxes, and a hub that has pulled all of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hub.compose import Hub
from hub.demo.configuration import Places, write
from hub.demo.sandboxes import Sandboxes, token
from hub.settings import load

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)
NAMES = ("hubspot", "zendesk", "mixpanel", "csvfile", "slack", "slack_signing", "pagerduty", "hooks")


@pytest.fixture
async def vendors(tmp_path: Path) -> AsyncIterator[Sandboxes]:
    made = Sandboxes(folder=tmp_path, started_on=date(2026, 6, 1), customers=12, months=3, until=NOW)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def opened(vendors: Sandboxes, tmp_path: Path, store_url: str) -> Callable[[], AbstractAsyncContextManager[Hub]]:
    """A hub of that company, not yet entered; it has pulled nothing."""
    places = Places(folder=tmp_path, port=8000, sandbox=vendors.port, smtp=vendors.smtp_port, history_days=150)
    folder = write(places, tokens={name: token(name) for name in NAMES})
    settings = load(folder, environment={"CSHUB_STORE": store_url})
    return lambda: Hub.open(settings, clock=lambda: NOW)


@pytest.fixture
async def hub(opened: Callable[[], AbstractAsyncContextManager[Hub]]) -> AsyncIterator[Hub]:
    async with opened() as made:
        reports = await made.sync_all(list(made.settings.sources))
        assert {report.error for report in reports} == {None}
        yield made
