"""A real hub over a store of the test: the configuration that ships, its engine in memory, mail and Slack on loopback."""

import html
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from hub.asgi import app
from hub.cli.serve import Served
from hub.compose import Hub
from hub.compose.advocacy import SurveyDesk
from hub.compose.web import routes_of
from hub.lifecycle.advocacy.choosing import day_of
from hub.lifecycle.advocacy.settings import AdvocacySettings, SurveySettings
from hub.resources import CONFIG
from hub.settings import load
from hub.store import Store
from hub.store.lifecycle import find_lifecycles
from hub.store.tables import contact, customer, delivery, subscription, survey_invitation, survey_response
from tests.fakes.clock import Clock
from tests.fakes.durable import FakeDurable
from tests.fakes.serving import serving
from tests.fakes.slack import FakeSlack, serving_slack
from tests.fakes.smtp import FakeSmtp, serving_smtp
from tests.schema.company import insert, record

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)  # a Tuesday
TODAY = NOW.date()
SURVEY = SurveySettings(enabled=True)
SETTINGS = AdvocacySettings(survey=SURVEY)


class Engine(FakeDurable):
    executor = "here"


@dataclass
class Place:
    """A hub, its clock, what it mailed, and where its pages are."""

    hub: Hub
    clock: Clock
    durable: Engine
    smtp: FakeSmtp
    slack: FakeSlack
    url: str

    @property
    def store(self) -> Store:
        return self.hub.store

    @property
    def desk(self) -> SurveyDesk:
        return SurveyDesk(self.hub)

    async def customer(self, id_: str, *people: str, since: date = date(2025, 1, 1), **columns: Any) -> None:
        """A customer with a subscription, and contacts as name or name:role."""
        row = {"id": id_, "name": id_.title(), "csm_email": "ann@cs.example", "csm_name": "Ann", **columns}
        await insert(self.store, customer, [{**row, "created_at": NOW, "updated_at": NOW}])
        terms = {
            "plan": "Pro",
            "mrr": 100.0,
            "currency": "USD",
            "started_on": since,
            "auto_renew": True,
            "status": "active",
        }
        await insert(self.store, subscription, [record("erp", id_, id_, **terms)])
        for each in people:
            name, _, role = each.partition(":")
            await self.contact(id_, name, role or None)

    async def contact(self, id_: str, name: str, role: str | None = None, *, address: str | None = None) -> None:
        email = address or f"{name}@{id_}.example"
        await insert(
            self.store, contact, [record("crm", f"{id_}-{name}", id_, email=email, name=name.title(), role=role)]
        )

    async def answered(self, id_: str, score: float, *, days: float = 0, by: str | None = None, **columns: Any) -> None:
        """An answer of another survey tool."""
        at = self.clock() - timedelta(days=days)
        email = None if by is None else f"{by}@{id_}.example"
        given = {
            "type": "nps",
            "scale": "0-10",
            "score": score,
            "respondent_email": email,
            "responded_at": at,
            **columns,
        }
        await insert(self.store, survey_response, [record("tool", f"{id_}-{by}-{days}-{score}", id_, **given)])

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        async with self.store.reading() as connection:
            return [dict(each._mapping) for each in await connection.execute(select(table).order_by(table.c.id))]

    async def invitations(self) -> list[dict[str, Any]]:
        return sorted(await self.rows(survey_invitation), key=lambda row: (row["asked_at"], row["address"]))

    async def mails(self) -> list[dict[str, Any]]:
        """Of the ledger."""
        return [row for row in await self.rows(delivery) if row["channel"] == "email"]

    async def stands(self, id_: str) -> tuple[Any, ...]:
        names = ("advocacy", "advocacy_score", "survey_asked_days")
        async with self.store.reading() as connection:
            found = await find_lifecycles(connection, names, customer_ids=[id_])
        return tuple(found[id_][name] for name in names) if id_ in found else (None, None, None)

    async def settle(self, seconds: int = 40) -> None:
        for _ in range(seconds):
            await self.durable.run()
            self.clock.move(seconds=1)

    def links(self, to: str) -> list[str]:
        """The links to the page in the newest mail to somebody, in their order."""
        mail = [each for each in self.smtp.taken if to in str(each["To"])][-1]
        body = mail.get_body(("html",))
        assert body is not None
        found = re.findall(r'href="([^"]*/survey/[^"]*)"', body.get_content())
        return [html.unescape(each).replace("http://hub.example", self.url) for each in found]


@pytest.fixture
async def place(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    """On each database in turn."""
    clock = Clock(NOW)
    durable = Engine(clock=clock)
    monkeypatch.setattr("hub.compose.hub.DbosDurable", lambda store, clock, work: durable)
    async with serving_smtp() as smtp, serving_slack() as slack:
        folder = tmp_path / "config"
        shutil.copytree(CONFIG, folder)
        settings = {
            "company": "Northbeam",
            "url": "http://hub.example",
            "store": store_url,
            "secret": "a secret of this test, long enough",
            "mail": {
                "host": "127.0.0.1",
                "port": smtp.port,
                "starttls": False,
                "sender": "hub@cshub.example",
                "customers": {"sender": "Success <success@cshub.example>"},
            },
            "slack": {"token": "xoxb-test", "base_url": slack.url},
        }
        (folder / "hub.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        loaded = load(folder, environment={})
        async with (
            Hub.open(loaded, clock=clock) as hub,
            hub.working(),
            serving(app(Served(hub, None), routes=routes_of(hub))) as url,
        ):
            yield Place(hub, clock, durable, smtp, slack, url)


def due_ids(count: int, *, day: date = TODAY, survey: SurveySettings = SURVEY) -> list[str]:
    """So many ids of customers whose day it is."""
    found = (f"cus{number}" for number in range(100_000))
    return [
        id_ for id_, _ in zip((id_ for id_ in found if day_of(id_, survey, day) == day), range(count), strict=False)
    ]
