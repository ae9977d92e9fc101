"""The demo from end to end: sandboxes in a process of their own, a configuration, and a hub on top.

    async with Demo.open(folder, …) as demo:
        await demo.hub.sync_all(demo.sources) …          the same use cases as anybody's hub

The folder keeps the store, what Slack and the mailboxes received, and when the company was founded, so that a second run
goes on where the first one ended: what is new since then is pulled, and nothing is sent twice.
"""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hub.access import tokens
from hub.compose import Hub, Scored
from hub.compose.jobs import score_and_check
from hub.demo.configuration import Places, write
from hub.demo.sandboxes import token
from hub.demo.workspace import user_id
from hub.errors import CshubError
from hub.model.actions import Delivery, DeliveryState, Role, RunState
from hub.settings import load
from hub.store.deliveries import find_deliveries
from hub.store.tally import Tally, tally

COMPANY = "company.json"
"""What makes a folder a demo's."""
DAYS_PER_MONTH = 30.4375
READY_WITHIN = 120.0
SETTLED_WITHIN = 180.0


class DemoError(CshubError):
    """The demo could not be brought up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Which simulated company: its seed, size, and first day."""

    seed: int
    customers: int
    months: int
    started_on: date

    @classmethod
    def of(cls, folder: Path, *, seed: int, customers: int, months: int, today: date) -> "Company":
        """The company of this folder, founded `months` ago where there is none yet."""
        path = folder / COMPANY
        if path.exists():
            known = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**known, "started_on": date.fromisoformat(known["started_on"])})
        started_on = today - timedelta(days=round(months * DAYS_PER_MONTH))
        made = cls(seed=seed, customers=customers, months=months, started_on=started_on)
        values = {"seed": seed, "customers": customers, "months": months, "started_on": started_on.isoformat()}
        new = path.with_suffix(".new")
        new.write_text(json.dumps(values), encoding="utf-8")
        new.replace(path)  # whole or not at all: a demo may be killed at any moment
        return made


class Demo:
    """A hub over the sandboxes. `sandbox_url`: where they are; `outbox_url`: what they received."""

    def __init__(self, hub: Hub, company: Company, folder: Path, sandbox_url: str) -> None:
        self.hub = hub
        self.company = company
        self.folder = folder
        self.sandbox_url = sandbox_url
        self.outbox_url = f"{sandbox_url}/outbox"

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        *,
        fresh: bool,
        port: int,
        seed: int,
        customers: int,
        months: int,
        clock: Callable[[], datetime],
    ) -> AsyncIterator["Demo"]:
        """Start the sandboxes, write the configuration, bring the store up to date. `fresh`: forget what was before."""
        folder = _prepared(folder, fresh=fresh)
        company = Company.of(folder, seed=seed, customers=customers, months=months, today=clock().date())
        async with _sandboxes(folder, company, hub_url=f"http://127.0.0.1:{port}") as ready:
            places = Places(
                folder=folder,
                port=port,
                sandbox=urlsplit(ready["url"]).port or 0,
                smtp=ready["smtp_port"],
                history_days=(clock().date() - company.started_on).days + 1,
            )
            names = ("hubspot", "zendesk", "mixpanel", "csvfile", "slack", "slack_signing", "pagerduty", "hooks")
            staff = {email: (name, user_id(email)) for email, name in ready["staff"].items()}
            settings = load(write(places, tokens={name: token(name) for name in names}, staff=staff))
            async with Hub.open(settings, clock=clock, migrate=True) as hub:
                yield cls(hub, company, folder, ready["url"])

    def month_starts(self, today: date) -> list[date]:
        """The firsts of months since the company began, before today."""
        days = []
        day = self.company.started_on.replace(day=1)
        while day < today:
            if day > self.company.started_on:
                days.append(day)
            day = (day + timedelta(days=32)).replace(day=1)
        return days

    async def score(self) -> Scored:
        """What the score job of every hub does."""
        return await score_and_check(self.hub)

    async def settle(self) -> bool:
        """Wait until every run waits or is done and every message has left; False where that takes too long."""
        async with asyncio.timeout(SETTLED_WITHIN) as limit:
            try:
                while True:
                    counts = await self.tally()
                    moving = counts.runs.get(RunState.RUNNING, 0)
                    leaving = sum(
                        counts.deliveries.get(state, 0) for state in (DeliveryState.RESERVED, DeliveryState.SENT)
                    )
                    if not moving and not leaving:
                        return True
                    await asyncio.sleep(0.25)
            except TimeoutError:
                if not limit.expired():
                    raise
        return False

    async def tally(self) -> Tally:
        async with self.hub.store.reading() as connection:
            return await tally(connection)

    async def unconfirmed(self) -> list[Delivery]:
        """Messages of which nobody can say that they arrived."""
        left = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.RESERVED, DeliveryState.SENT)
        async with self.hub.store.reading() as connection:
            return await find_deliveries(connection, states=left)

    async def token(self) -> str:
        """A token for the admin of the demo: the one of the last run, while it is valid."""
        path = self.folder / "token"
        now = self.hub.clock()
        if path.exists():
            known = path.read_text(encoding="utf-8").strip()
            if await tokens.find_viewer(self.hub.store, known, now=now):
                return known
        made = await tokens.create(
            self.hub.store, name="demo", role=Role.ADMIN, now=now, expires_at=now + timedelta(days=30)
        )
        path.touch(mode=0o600)
        path.write_text(made.secret, encoding="utf-8")
        return made.secret


def _prepared(folder: Path, *, fresh: bool) -> Path:
    if fresh and folder.exists() and any(folder.iterdir()):
        if not (folder / COMPANY).exists():
            raise DemoError(f"{folder} holds no demo; it is not emptied. Choose another --folder, or empty it yourself")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@asynccontextmanager
async def _sandboxes(folder: Path, company: Company, *, hub_url: str) -> AsyncIterator[dict[str, Any]]:
    """The sandboxes' process, from ready to gone."""
    arguments = {
        "folder": folder,
        "seed": company.seed,
        "customers": company.customers,
        "months": company.months,
        "started-on": company.started_on,
        "hub-url": hub_url,
    }
    # the launcher for its path alone: the command line imports the whole hub, which they need nothing of
    command = [sys.executable, "-c", "import cshub; from hub.demo.sandboxes import main; main()"]
    process = await asyncio.create_subprocess_exec(
        *command, *(f"--{name}={value}" for name, value in arguments.items()), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(READY_WITHIN):
            line = await process.stdout.readline()
        if not line:
            raise DemoError(f"the sandboxes ended with {await process.wait()} before they were ready")
        yield json.loads(line)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
