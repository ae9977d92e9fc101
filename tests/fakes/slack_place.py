"""A whole Slack on loopback around a store: the demo's workspace, the hub's receiver, and the durable engine in memory.

async with slack_place(store, tmp_path) as place:
    await place.customer("acme"); await place.fire("acme")
    await place.press("ann", "cshub.acknowledge", await place.message())
    await place.settle()
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from starlette.applications import Starlette

from hub.compose.slack import AttentionOpinions, SlackPlace, connected, slack_routes
from hub.delivery.slack import SlackChannel
from hub.demo import slack as sandbox
from hub.demo.outbox import Arrival, Outbox
from hub.demo.workspace import user_id
from hub.model.actions import Alert, Delivery, Role
from hub.model.team import Member, Team
from hub.playbooks import Playbooks, load_all
from hub.settings.access import Access
from hub.settings.files import Slack
from hub.store import Store, alerts, audit, deliveries
from hub.store.tables import customer, scorecard
from tests.fakes.clock import Clock
from tests.fakes.durable import FakeDurable
from tests.fakes.serving import serving

SECRET = "a-signing-secret-of-slack"
TOKEN = "xoxb-place"
PEOPLE = {
    "ann@example.com": "Ann Archer",
    "bob@example.com": "Bob Baker",
    "vic@example.com": "Vic Viewer",
    "mia@example.com": "Mia Mail",
    "nob@example.com": "Nob Nobody",
}
MEMBERS = {
    "ann@example.com": (Role.CSM, True),
    "bob@example.com": (Role.ADMIN, True),
    "vic@example.com": (Role.VIEWER, True),
    "mia@example.com": (Role.CSM, False),  # without her Slack user: known by her address
}
TODAY = date(2026, 11, 1)
SAVE = """
playbook: save
version: 1
title: Save a customer
when: {health: {lt: 0.5}}
rest: 1 days
do:
  - alert: {title: "{{ customer.name }} is at risk", severity: high, owner: csm}
  - slack: {channel: "#alerts", template: note}
examples: [{facts: {health: 0.4}, fires: true}, {facts: {health: 0.9}, fires: false}]
"""
ASK = """
playbook: offer
version: 1
title: Offer a discount
when: {health: {lt: 0.1}}
rest: 1 days
do:
  - slack: {channel: "#alerts", template: note}
  - approve: {ask: "Offer {{ customer.name }} a discount?", within: 2 days, declined: stop}
  - task: {title: "Send the offer"}
examples: [{facts: {health: 0.05}, fires: true}, {facts: {health: 0.9}, fires: false}]
"""
PLAIN = """
playbook: tell
version: 1
title: Tell the team
when: {health: {lt: 0.2}}
rest: 1 days
do:
  - slack: {channel: "#alerts", template: note}
examples: [{facts: {health: 0.1}, fires: true}, {facts: {health: 0.9}, fires: false}]
"""
BURN = """
playbook: burn
version: 1
title: It burns
when: {health: {lt: 0.01}}
rest: 1 days
do:
  - alert: {title: "{{ customer.name }} burns", severity: urgent, owner: csm}
  - slack: {channel: "#alerts", template: note}
examples: [{facts: {health: 0.001}, fires: true}, {facts: {health: 0.9}, fires: false}]
"""
NOTE = """
text: "{{ customer.name }}: {{ health }}"
buttons: [acknowledge, snooze, assign, fire, open, approve, decline, not_useful]
blocks:
  - {type: section, text: {type: mrkdwn, text: "{{ customer.name }} is at {{ health }}"}}
"""


@dataclass
class Place:
    store: Store
    clock: Clock
    durable: FakeDurable
    playbooks: Playbooks
    outbox: Outbox
    slack: SlackPlace
    sandbox: httpx.AsyncClient
    hub_url: str
    faults: sandbox.SlackFaults
    ledger: dict[str, Any] = field(default_factory=dict)

    async def customer(self, id_: str, **values: Any) -> None:
        profile = {"id": id_, "name": id_.title(), "csm_email": "ann@example.com"}
        profile |= {name: values.pop(name) for name in list(values) if name in customer.c}
        card = {"health": 0.3, "band": "warning", "churn_annualised": 0.6, "churn_band": "medium"}
        card |= {name: values.pop(name) for name in list(values) if name in scorecard.c}
        blank = {"coverage": 1.0, "facts": values, "readings": [], "definition_hash": "x", "computed_at": self.clock()}
        row = {**blank, **card, "id": f"{id_}:{TODAY}", "customer_id": id_, "as_of": TODAY, "latest": True}
        async with self.store.transaction() as connection:
            now = self.clock()
            await connection.execute(customer.insert(), [{**profile, "created_at": now, "updated_at": now}])
            await connection.execute(scorecard.insert(), [row])

    async def fire(self, *ids: str, playbook: str = "save", key: str = "k") -> str:
        """Fire by hand and let the messages out; the run of the first customer."""
        fired = await self.playbooks.fire(playbook, ids, by="test", key=key, now=self.clock())
        await self.settle()
        return str(fired[0].run_id)

    async def settle(self, seconds: int = 6) -> None:
        for _ in range(seconds):
            await self.durable.run()
            self.clock.move(seconds=1)

    def message(self, number: int = 0) -> Arrival:
        """The newest message of a channel as it is seen, or an earlier one."""
        return [each for each in self.outbox.messages() if each.kind == "slack"][number]

    def answers(self) -> list[Mapping[str, Any]]:
        """What people were told alone, the newest first."""
        return [each.body for each in self.outbox.arrivals() if each.kind == "slack_answer"]

    async def press(self, who: str, button: str, at: Arrival, **more: Any) -> int:
        """Press, and the status the hub answers with; nothing is done yet."""
        where: dict[str, Any] = {"channel": at.address, "ts": at.body.get("ts")}
        if at.kind == "slack_answer":
            where = {"answer": at.number}
        if at.kind == "slack_home":
            where = {"home": True}
        body = {"user": user(who), "action_id": f"cshub.{button}", **where, **more}
        return await self.do("/press", body)

    async def do(self, path: str, body: Mapping[str, Any]) -> int:
        response = await self.sandbox.post(path, json=body)
        assert response.status_code == 200, response.text
        return int(response.json()["status"])

    async def command(self, who: str, text: str) -> Mapping[str, Any]:
        """/cshub text; the answer."""
        assert await self.do("/command", {"user": user(who), "text": text}) == 200
        await self.settle(1)
        return self.answers()[0]

    async def alerts(self) -> list[Alert]:
        async with self.store.reading() as connection:
            return await alerts.find_alerts(connection)

    async def deliveries(self, channel: str) -> list[Delivery]:
        async with self.store.reading() as connection:
            return await deliveries.find_deliveries(connection, channels=[channel])

    async def audited(self) -> list[tuple[str, str, str]]:
        """(who, what, outcome), the oldest first."""
        async with self.store.reading() as connection:
            found = await audit.find_latest(connection)
        return [(each.actor, each.action, each.detail["outcome"]) for each in reversed(found)]


def user(name: str) -> str:
    return user_id(f"{name}@example.com")


def shown(arrival: Arrival | Mapping[str, Any]) -> str:
    """All texts of a message, in order."""
    blocks = (arrival.body if isinstance(arrival, Arrival) else arrival)["blocks"]
    return " | ".join(_texts(blocks))


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        own = [value["text"]] if isinstance(value.get("text"), str) and value.get("type") != "x" else []
        return own + [each for name, inner in value.items() if name != "value" for each in _texts(inner)]
    return [each for inner in value for each in _texts(inner)] if isinstance(value, list) else []


def buttons(arrival: Arrival | Mapping[str, Any]) -> list[str]:
    blocks = (arrival.body if isinstance(arrival, Arrival) else arrival)["blocks"]
    return [
        each["action_id"].removeprefix("cshub.")
        for block in blocks
        for each in block.get("elements", ())
        if "action_id" in each
    ]


@asynccontextmanager
async def slack_place(store: Store, folder: Path, *, books: bool = False, **options: Any) -> AsyncIterator[Place]:
    for path, text in {
        "playbooks/save.yaml": SAVE,
        "playbooks/offer.yaml": ASK,
        "playbooks/burn.yaml": BURN,
        "playbooks/tell.yaml": PLAIN,
        "templates/slack/note.yaml": NOTE,
    }.items():
        target = folder / "config" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    clock, outbox, faults = Clock(), Outbox(folder / "outbox.db"), sandbox.SlackFaults()
    durable, hub_app = FakeDurable(clock=clock), Starlette()
    async with serving(hub_app) as hub_url:
        app = sandbox.app(
            outbox,
            token=TOKEN,
            people=lambda: PEOPLE,
            faults=faults,
            per_second=1_000,
            clock=clock,
            hub_url=hub_url,
            signing_secret=SECRET,
        )
        async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
            loaded = load_all(folder / "config" / "playbooks", templates=folder / "config" / "templates")
            members = {
                email: Member(email=email, name=PEOPLE[email], role=role, slack=user_id(email) if known else None)
                for email, (role, known) in MEMBERS.items()
            }
            slack = Slack(token=TOKEN, signing_secret=SECRET, base_url=f"{url}/api/", **options)  # type: ignore[arg-type]  # pydantic makes secrets of texts
            settings: Any = SimpleNamespace(
                hub=SimpleNamespace(
                    slack=slack, url="https://hub.example", access=Access(csm="book" if books else "all")
                ),
                team=Team(members=members),
                playbooks=loaded,
                folder=folder / "config",
            )
            way = SlackChannel(TOKEN, base_url=slack.base_url)
            ways = connected({"slack": way}, settings, store, clock=clock)
            playbooks = Playbooks(
                store, loaded, ways, durable, executor="here", clock=clock, hub_url="https://hub.example"
            )
            hub: Any = SimpleNamespace(
                settings=settings, store=store, durable=durable, playbooks=playbooks, clock=clock
            )
            hub.slack = SlackPlace(hub, way, opinions=AttentionOpinions(store))
            playbooks.register()
            hub.slack.register(cron="* * * * *")
            hub_app.router.routes.extend(slack_routes(hub))
            await durable.start()
            yield Place(store, clock, durable, playbooks, outbox, hub.slack, client, hub_url, faults)
    outbox.close()
