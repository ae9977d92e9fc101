"""A small world to fire playbooks in: a store, a clock, the durable engine in memory, a Slack and a mail server on loopback."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from hub.delivery import Channel
from hub.delivery.mail import MailChannel
from hub.delivery.slack import SlackChannel
from hub.model.actions import Alert, Delivery, Run, Step
from hub.playbooks import PlaybookFolder, Playbooks, load_all
from hub.store import Store, alerts, deliveries, runs
from hub.store.tables import customer, executor, scorecard
from tests.fakes.clock import Clock
from tests.fakes.durable import FakeDurable
from tests.fakes.slack import FakeSlack, serving_slack
from tests.fakes.smtp import FakeSmtp, serving_smtp

TODAY = date(2026, 11, 1)
SAVE = """
playbook: save
version: 1
title: Save
when: {health: {lt: 0.5}}
rest: 30 days
do:
  - slack: {channel: "#alerts", template: note}
  - email: {to: csm, template: note}
  - wait: 3 days
  - task: {title: "Call {{ customer.name }}", severity: high, due: 2 days, unless: {health: {rises_by: 0.05}}}
examples:
  - {facts: {health: 0.4}, fires: true}
  - {facts: {health: 0.5}, fires: false}
"""
NOTE = """
text: "{{ customer.name }}: {{ health }}"
blocks:
  - {type: section, text: {type: mrkdwn, text: "{{ customer.name }} is at {{ health }}, {{ link }}"}}
"""


@dataclass
class Folder:
    """A configuration folder to write into."""

    root: Path

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def playbook(self, text: str, name: str = "save") -> None:
        self.write(f"playbooks/{name}.yaml", text)

    def load(self) -> PlaybookFolder:
        return load_all(self.root / "playbooks", templates=self.root / "templates")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "config")
    made.playbook(SAVE)
    made.write("templates/slack/note.yaml", NOTE)
    made.write(
        "templates/email/note.md",
        "subject: {{ customer.name }} needs you\n---\nHealth {{ health }}, was {{ health_then }}\n",
    )
    return made


@dataclass
class World:
    store: Store
    clock: Clock
    durable: FakeDurable
    slack: FakeSlack
    smtp: FakeSmtp
    playbooks: Playbooks
    channels: dict[str, Channel]

    async def customer(self, id_: str, **values: Any) -> None:
        """A customer with a scorecard of today; `values` are columns of either, the rest are facts."""
        own = {name: values.pop(name) for name in list(values) if name in customer.c}
        day = values.pop("day", TODAY)
        card = {name: values.pop(name) for name in list(values) if name in scorecard.c}
        profile = {"id": id_, "name": id_.title(), "csm_email": "ann@example.com", **own}
        async with self.store.transaction() as connection:
            now = self.clock()
            await connection.execute(customer.insert(), [{**profile, "created_at": now, "updated_at": now}])
        await self.scorecard(id_, day, facts=values, **card)

    async def scorecard(self, id_: str, day: date = TODAY, **values: Any) -> None:
        blank = {"coverage": 1.0, "facts": {}, "readings": [], "definition_hash": "x", "computed_at": self.clock()}
        row = {**blank, **values, "id": f"{id_}:{day}", "customer_id": id_, "as_of": day, "latest": True}
        async with self.store.transaction() as connection:
            await connection.execute(update(scorecard).where(scorecard.c.customer_id == id_).values(latest=False))
            await connection.execute(scorecard.insert(), [row])

    async def alive(self, *ids: str) -> None:
        """Processes that beat just now."""
        async with self.store.transaction() as connection:
            await connection.execute(executor.delete())
            rows = [{"id": id_, "started_at": self.clock(), "beat_at": self.clock()} for id_ in ids]
            await connection.execute(executor.insert(), rows)

    async def runs(self) -> list[Run]:
        async with self.store.reading() as connection:
            return await runs.find_runs(connection)

    async def steps(self, run_id: str) -> list[Step]:
        async with self.store.reading() as connection:
            return await runs.find_steps(connection, [run_id])

    async def deliveries(self) -> list[Delivery]:
        async with self.store.reading() as connection:
            return await deliveries.find_deliveries(connection)

    async def alerts(self) -> list[Alert]:
        async with self.store.reading() as connection:
            return await alerts.find_alerts(connection)

    async def settle(self, seconds: int = 30) -> None:
        """Let every job run that is due, second by second, as channels are given one message a second."""
        for _ in range(seconds):
            await self.durable.run()
            self.clock.move(seconds=1)


Entering = Callable[..., Any]


@asynccontextmanager
async def entered(
    store: Store, folder: Folder, *, channels: Mapping[str, Channel] | None = None, **options: Any
) -> AsyncIterator[World]:
    """`channels`: more of them, or others."""
    async with serving_slack() as slack, serving_smtp() as smtp:
        clock = Clock()
        durable = FakeDurable(clock=clock)
        ways: dict[str, Channel] = {
            "slack": SlackChannel("xoxb-test", base_url=slack.url),
            "email": MailChannel(host="127.0.0.1", port=smtp.port, sender="hub@cshub.example"),
            **(channels or {}),
        }
        playbooks = Playbooks(
            store,
            folder.load(),
            ways,
            durable,
            executor="here",
            clock=clock,
            hub_url="https://hub.example",
            **options,
        )
        playbooks.register()
        await durable.start()
        yield World(store, clock, durable, slack, smtp, playbooks, ways)


@pytest.fixture
async def world(sqlite_store: Store, folder: Folder) -> AsyncIterator[World]:
    """On SQLite, for what is not about the database."""
    async with entered(sqlite_store, folder) as made:
        yield made


@pytest.fixture
async def each_world(store: Store, folder: Folder) -> AsyncIterator[World]:
    """On each database in turn."""
    async with entered(store, folder) as made:
        yield made
