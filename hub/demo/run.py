"""The demo from end to end: sandboxes in a process of their own, a configuration, and a hub on top.

    async with Demo.open(folder, …) as demo:
        await demo.hub.sync_all(demo.sources) …          the same use cases as anybody's hub

The folder keeps the store, what Slack and the mailboxes received, and when the company was founded, so that a second run
goes on where the first one ended: what is new since then is pulled, and nothing is sent twice.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hub.clock import utc_now
from hub.compose import Hub, Scored
from hub.compose.jobs import score_and_check
from hub.demo.configuration import BOUNCES, Places, write
from hub.demo.founding import COMPANY, Company, DemoError, prepared
from hub.demo.month.account import COUNTED, check, rows, waits
from hub.demo.month.calls import Caller
from hub.demo.month.cast import Cast
from hub.demo.month.clock import MovedClock
from hub.demo.month.diary import Diary
from hub.demo.month.play import OWN, Month, live_on
from hub.demo.month.stepping import SteppedDurable
from hub.demo.outbox import Outbox
from hub.demo.sandboxes import token
from hub.demo.visitors import visitors
from hub.demo.workspace import user_id
from hub.model.actions import Delivery, DeliveryState, RunState
from hub.playbooks.jobs import ADVANCE
from hub.settings import Settings, load
from hub.store.approvals import find_approvals
from hub.store.deliveries import find_deliveries
from hub.store.happenings import find_standing
from hub.store.slack import find_calls
from hub.store.tally import Tally, tally
from hub.web.dashboard.signin import DemoToken

READY_WITHIN = 120.0
SETTLED_WITHIN = 180.0


class Demo:
    """A hub over the sandboxes, which are at `sandbox_url`; `outbox_url`: what they received.

    async with demo.past(hub_url) as month: …      only while demo.diary.over is not yet so
    async with demo.present(): demo.hub …
    """

    hub: Hub

    def __init__(
        self, settings: Settings, company: Company, diary: Diary, clock: MovedClock, ready: Mapping[str, Any]
    ) -> None:
        self.settings, self.company, self.diary, self.clock = settings, company, diary, clock
        self.folder = diary.folder
        self.sandbox_url = str(ready["url"])
        self.outbox_url = f"{self.sandbox_url}/outbox"
        self._staff = [user_id(email) for email in ready["staff"]]
        self._names: dict[str, str] = {email.lower(): name for email, name in ready["staff"].items()}

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
        days: int = 0,
        served_at: int | None = None,
        clock: Callable[[], datetime],
    ) -> AsyncIterator["Demo"]:
        """Start the sandboxes and write the configuration. `fresh`: forget what was before.

        days       the last ones of the company, which the hub lives through; a demo that has begun keeps its own
        port, served_at   what links in messages say, and where the hub listens: None for the same
        """
        folder = prepared(folder, fresh=fresh)
        new = not (folder / COMPANY).exists()
        today = clock().date()
        company = Company.of(folder, seed=seed, customers=customers, months=months, days=days, today=today)
        diary = Diary.of(folder, days=days, today=today, new=new)
        moved = MovedClock(folder / "clock")
        if diary.over:
            moved.release()
        hub_url = f"http://127.0.0.1:{served_at or port}"
        async with _sandboxes(folder, company, until=None if diary.over else diary.first, hub_url=hub_url) as ready:
            places = Places(
                folder=folder,
                port=port,
                sandbox=urlsplit(ready["url"]).port or 0,
                smtp=ready["smtp_port"],
                history_days=(today - company.started_on).days + 1,
            )
            names = ("hubspot", "zendesk", "mixpanel", "csvfile", "slack", "slack_signing", "pagerduty", "hooks")
            staff = {email: (name, user_id(email)) for email, name in ready["staff"].items()}
            tokens = {name: token(name) for name in names}
            settings = load(write(places, tokens=tokens, staff=staff, lively=diary.days > 0))
            try:
                yield cls(settings, company, diary, moved, ready)
            finally:
                moved.close()

    @asynccontextmanager
    async def past(self, *, hub_url: str) -> AsyncIterator[Month]:
        """The hub as it was on the first day of the diary. Its pages must be served at `hub_url` while days are played."""
        sandbox, diary = Caller(self.sandbox_url), self.diary
        self.clock.move(max(diary.first, self.clock.moved_to or diary.first))
        await live_on(sandbox, until=self.clock().replace(hour=0, minute=0, second=0, microsecond=0))
        durable, outbox = (
            SteppedDurable(self.clock, left=OWN, together={ADVANCE: "runs"}),
            Outbox(self.folder / "outbox.db"),
        )
        try:
            async with Hub.open(self.settings, clock=self.clock, migrate=True, engine=durable) as hub:
                self.hub = hub
                cast = Cast(
                    outbox,
                    seed=self.company.seed,
                    staff=self._staff,
                    owner=self._owner,
                    sandbox=sandbox,
                    hub=Caller(hub_url),
                    bounce_secret=BOUNCES,
                )
                yield Month(hub, durable, self.clock, diary, sandbox=sandbox, cast=cast)
        finally:
            outbox.close()

    @asynccontextmanager
    async def present(self) -> AsyncIterator[None]:
        """The hub as it is, on the durable engine of every hub. The company lives by itself."""
        if self.clock.moved_to is not None:
            self.diary = self.diary.noted(steps=self.diary.steps, over=True)
            self.clock.release()
            await live_on(Caller(self.sandbox_url), until=None)
        async with Hub.open(self.settings, clock=self.clock, migrate=True) as hub:
            self.hub = hub
            yield

    async def _owner(self, run_id: str) -> str | None:
        """Who is asked, or has the task; somebody of ours, or None."""
        async with self.hub.store.reading() as connection:
            asked = [each.asked_of for each in await find_approvals(connection, run_ids=[run_id])]
            calls = [each.owner_email for each in (await find_calls(connection, [run_id]))[run_id]]
        return next((each for each in (*asked, *calls) if each and user_id(each) in self._staff), None)

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
        """Wait until every run waits or is done and every message has left whose hour has come; False where that takes
        too long."""
        async with asyncio.timeout(SETTLED_WITHIN) as limit:
            try:
                while True:
                    counts = await self.tally()
                    moving = counts.runs.get(RunState.RUNNING, 0)
                    jobs = await self.hub.durable.inspect()  # runs that waited and were woken are among these
                    if not (moving or jobs.queued or jobs.running or await self.leaving()):
                        return True
                    await asyncio.sleep(0.25)
            except TimeoutError:
                if not limit.expired():
                    raise
        return False

    async def tally(self) -> Tally:
        async with self.hub.store.reading() as connection:
            return await tally(connection)

    async def leaving(self) -> list[Delivery]:
        """Messages that are on their way."""
        now = self.hub.clock()
        async with self.hub.store.reading() as connection:
            found = await find_deliveries(connection, states=(DeliveryState.RESERVED, DeliveryState.SENT))
        return [each for each in found if not waits(each, now=now)]

    async def unconfirmed(self) -> list[Delivery]:
        """Messages of which nobody can say that they arrived, and that do not only wait for their hour."""
        async with self.hub.store.reading() as connection:
            found = await find_deliveries(connection, states=(DeliveryState.FAILED, DeliveryState.UNKNOWN))
        # what came back was sent all right: its contact is gone
        return [each for each in found if "bounce" not in (each.receipt or {})] + await self.leaving()

    async def account(self) -> list[str]:
        """What is wrong with the messages: lost, doubled, or nobody's."""
        async with self.hub.store.reading() as connection:
            found = await find_deliveries(connection)
        with closing(Outbox(self.folder / "outbox.db")) as outbox:
            return check(found, outbox)

    async def came_to(self, did: Mapping[str, int]) -> Sequence[tuple[str, object]]:
        """How things stand after the month. `did`: what people did in it."""
        async with self.hub.store.reading() as connection:
            standing = await find_standing(connection)
        with closing(Outbox(self.folder / "outbox.db")) as outbox:
            counts = outbox.counts()
        arrived = sum(counts[kind] for kind in COUNTED)
        return rows(standing, did=did, arrived=arrived)

    async def visitors(self) -> Sequence[DemoToken]:
        """As whom one may look at it: an admin, and a CSM."""
        return await visitors(self.hub.store, self.folder, names=self._names, now=self.hub.clock())


@asynccontextmanager
async def _sandboxes(
    folder: Path, company: Company, *, until: datetime | None, hub_url: str
) -> AsyncIterator[dict[str, Any]]:
    """The sandboxes' process, from ready to gone."""
    arguments = {
        "folder": folder,
        "seed": company.seed,
        "customers": company.customers,
        "months": company.months,
        "started-on": company.started_on,
        "hub-url": hub_url,
        "newcomers": company.newcomers,
        "clock": folder / "clock",
    }
    if until is not None:
        arguments["until"] = until.isoformat()
        arguments["through"] = utc_now().isoformat()
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
