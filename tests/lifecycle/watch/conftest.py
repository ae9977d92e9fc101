"""Customers that are scored day by day, watched, and acted on by the playbooks that ship, over HTTP and SMTP on loopback."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.compose.watching import scales_of
from hub.delivery import Channel
from hub.delivery.mail import MailChannel
from hub.delivery.pagerduty import PagerDutyChannel
from hub.delivery.slack import SlackChannel
from hub.demo import pagerduty
from hub.demo.outbox import Outbox
from hub.lifecycle.watch import Scales, keep
from hub.model.actions import Alert, Run, RunState
from hub.playbooks import Playbooks
from hub.resources import CONFIG, TEMPLATES
from hub.settings import load
from hub.store import Store
from hub.store.tables import contact
from tests.fakes.clock import START, Clock
from tests.fakes.durable import FakeDurable
from tests.fakes.serving import serving
from tests.fakes.slack import serving_slack
from tests.fakes.smtp import serving_smtp
from tests.playbooks.conftest import Folder, World

OURS = ("churn_engagement", "churn_medium", "churn_offer", "churn_save", "health_critical", "health_warning")
KEY = "k" * 32


@dataclass
class WatchedWorld(World):
    """The world of playbooks, with a PagerDuty, in which scores come and are kept an eye on."""

    outbox: Outbox = field(kw_only=True)
    scales: Scales = field(kw_only=True)
    days: int = 0

    async def score(self, scores: Mapping[str, float | None], **columns: Any) -> None:
        """The next day: everybody gets this health (and these columns); levels and playbooks follow."""
        self.clock.now = START + timedelta(days=self.days)
        self.days += 1
        day = self.clock().date()
        for id_, value in scores.items():
            await self.scorecard(id_, day, **{"health": value, **columns})
        await keep(self.store, self.scales, look_back=timedelta(0), now=self.clock())
        await self.playbooks.fire_due(as_of=day, now=self.clock())
        await self.settle(8)

    async def contact(self, customer_id: str, email: str) -> None:
        row = {
            "id": f"crm:{email}",
            "source": "crm",
            "key": email,
            "company_key": customer_id,
            "customer_id": customer_id,
            "version": 1,
            "digest": 0,
            "learned_at": self.clock(),
            "synced_at": self.clock(),
            "email": email,
        }
        async with self.store.transaction() as connection:
            await connection.execute(contact.insert(), [row])

    def incidents(self) -> list[tuple[str, str]]:
        """(key, what was done) of everything that changed an incident, oldest first."""
        found = [each for each in self.outbox.arrivals(limit=-1) if each.kind == "pagerduty"]
        return [(each.body["dedup_key"], each.body["event_action"]) for each in reversed(found)]

    def said(self) -> list[str]:
        """The texts of Slack messages, in order."""
        return [str(each["text"]) for each in self.slack.received]

    def mailed(self) -> list[str]:
        """Recipients of mails, in order."""
        return [recipient for _, recipients in self.smtp.envelopes for recipient in recipients]

    async def open_calls(self) -> list[str]:
        return sorted(f"{each.kind} {each.title}" for each in await self.alerts() if each.state != "closed")

    async def called(self, title: str) -> Alert:
        (found,) = [each for each in await self.alerts() if each.title == title]
        return found

    async def run_of(self, playbook: str) -> Run:
        (found,) = [each for each in await self.runs() if each.playbook == playbook]
        return found

    async def going(self) -> list[str]:
        """The playbooks that have a run in the middle."""
        return sorted(each.playbook for each in await self.runs() if each.state in (RunState.WAITING, RunState.RUNNING))


@pytest.fixture
def shipped(tmp_path: Path) -> Folder:
    """The playbooks of the watch as they ship, to be changed by a test."""
    folder = Folder(tmp_path / "config")
    (folder.root / "playbooks").mkdir(parents=True)
    for name in OURS:
        shutil.copy(CONFIG / "playbooks" / f"{name}.yaml", folder.root / "playbooks")
    shutil.copytree(TEMPLATES, folder.root / "templates")
    return folder


@asynccontextmanager
async def watching(store: Store, folder: Folder, tmp_path: Path, *, pager: bool = True) -> AsyncIterator[WatchedWorld]:
    outbox = Outbox(tmp_path / "outbox.jsonl")
    clock = Clock()
    sandbox = pagerduty.app(outbox, services={"cs": KEY}, clock=clock)
    async with serving_slack() as slack, serving_smtp() as smtp, serving(sandbox) as url:
        durable = FakeDurable(clock=clock)
        channels: dict[str, Channel] = {
            "slack": SlackChannel("xoxb-test", base_url=slack.url),
            "email": MailChannel(host="127.0.0.1", port=smtp.port, sender="hub@cshub.example"),
        }
        if pager:
            channels["pagerduty"] = PagerDutyChannel({"cs": KEY}, base_url=url)
        playbooks = Playbooks(
            store, folder.load(), channels, durable, executor="here", clock=clock, hub_url="https://hub.example"
        )
        playbooks.register()
        await durable.start()
        yield WatchedWorld(
            store, clock, durable, slack, smtp, playbooks, channels, outbox=outbox, scales=scales_of(load(CONFIG))
        )
    outbox.close()


@pytest.fixture
async def watched(store: Store, shipped: Folder, tmp_path: Path) -> AsyncIterator[WatchedWorld]:
    """On each database in turn."""
    async with watching(store, shipped, tmp_path) as made:
        yield made
