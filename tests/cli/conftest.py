"""The command line, run in this process on a configuration folder and a store of the test's own; and vendors to pull from."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.demo.configuration import Places, write
from hub.demo.sandboxes import Sandboxes, token

STARTED_ON = date(2026, 5, 1)
NAMES = ("hubspot", "zendesk", "mixpanel", "csvfile", "slack", "slack_signing", "pagerduty", "hooks")


@dataclass
class Cli:
    """`cli("token", "list")` runs `cshub --config FOLDER token list`; a traceback fails the test."""

    config: Path
    store: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str) -> Result:
        environment = {"CSHUB_STORE": f"sqlite:///{self.store}", "COLUMNS": "200", **self.environment}
        return CliRunner(env=environment).invoke(
            main, ["--config", str(self.config), *arguments], catch_exceptions=False
        )

    def write(self, name: str, text: str) -> None:
        path = self.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def empty(tmp_path: Path) -> Cli:
    """A configuration that is what ships, and no store yet."""
    made = Cli(tmp_path / "config", tmp_path / "cshub.db")
    made.config.mkdir()
    return made


@pytest.fixture
def cli(empty: Cli, sqlite_template: Path) -> Cli:
    """The same with a store of this version, empty."""
    shutil.copy(sqlite_template, empty.store)
    return empty


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxes]:
    """The simulated company of 12 customers behind its vendors' sandboxes, in an event loop beside the tests'."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    folder = tmp_path_factory.mktemp("vendors")

    async def start() -> Sandboxes:
        made = Sandboxes(folder=folder, started_on=STARTED_ON, customers=12, months=6)
        await made.start()
        return made

    try:
        made = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
        yield made
        asyncio.run_coroutine_threadsafe(made.stop(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def company(cli: Cli, vendors: Sandboxes, tmp_path: Path) -> Cli:
    """A hub of that company that has pulled nothing yet."""
    places = Places(folder=tmp_path, port=8000, sandbox=vendors.port, smtp=vendors.smtp_port, history_days=250)
    assert write(places, tokens={name: token(name) for name in NAMES}) == cli.config
    return cli
