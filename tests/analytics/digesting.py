"""A handmade world a digest tells of: Acme fell (its exact reasons by tests.fakes.story), Bolt rose, Core came into warning.

Today is the day of the story. Ann has Acme, Bolt and Dent, who left; Bob has Core; Zed has Zero, with which nothing happens.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import update

from hub.attention import Rules
from hub.compose.hub import Hub
from hub.compose.reports import Reports
from hub.lifecycle.renewal import RenewalSettings, keep_renewals
from hub.model.team import Member, Team
from hub.playbooks import load_all
from hub.resources import TEMPLATES
from hub.settings.lifecycle import LifecycleFile
from hub.store import Store, tables
from scoring.churn_definition import ChurnDefinition
from tests.analytics.books import Books
from tests.fakes.clock import Clock
from tests.fakes.durable import FakeDurable
from tests.fakes.story import JUNE, MAY, NOW, tell
from tests.schema.company import insert, scorecard_row

ANN, BOB, ZED = "ann@example.com", "bob@example.com", "zed@example.com"
TODAY = JUNE
BEFORE = TODAY - timedelta(days=7)
SLACK = "U0ANN0001"
TEAM = Team(members={ANN: Member(email=ANN, name="Ann Archer", slack=SLACK)})
DAY = timedelta(days=1)


async def world(store: Store) -> Books:
    """Told on `NOW`."""
    await tell(store)
    books = Books(store)
    async with store.transaction() as connection:
        await connection.execute(update(tables.customer).values(csm_email="Ann@example.com"))  # as this CRM writes it
        twins = tables.customer.c.id.in_(["north", "south"])  # of the story, and none of ours
        await connection.execute(update(tables.customer).where(twins).values(merged_into_id="acme"))
        # the story's cards of May and June, a week apart
        await connection.execute(
            update(tables.scorecard).where(tables.scorecard.c.as_of == MAY).values(as_of=BEFORE, latest=False)
        )
    await books.customers(
        "bolt", "core", "dent", "zero", csm_email={"bolt": ANN, "core": BOB, "dent": ANN, "zero": ZED}
    )
    for name, before, now in (("bolt", 0.4, 0.6), ("core", 0.75, 0.45), ("zero", 0.8, 0.8)):
        for day, health in ((BEFORE, before), (TODAY, now)):
            await card(store, name, day, health)
    await card(store, "dent", BEFORE, 0.2, latest=False)
    begin = date(2025, 7, 15)
    for name, mrr in (("bolt", 100.0), ("core", 50.0), ("zero", 10.0)):
        plain: dict[str, Any] = {"auto_renew": False, "cancelled_at": None, "renews_on": None}
        due = {"renews_on": date(2026, 7, 15)} if name != "zero" else {}
        await books.term(name, mrr, begin, **{**plain, **due})
    await books.term("dent", 30, begin, TODAY - 3 * DAY, auto_renew=False, cancelled_at=None)
    await keep_renewals(store, RenewalSettings(base_rate=0.8), now=NOW)
    for number in range(8):
        await books.answer("bolt", 10, day=TODAY - 40 * DAY, of=f"{number}@bolt.example")
        await books.answer("bolt", 10 if number else 0, day=TODAY - 2 * DAY, of=f"{number}@bolt.example")
    await doings(store)
    return books


async def card(store: Store, customer: str, day: date, health: float, *, latest: bool | None = None) -> None:
    band = "critical" if health < 0.3 else "warning" if health < 0.5 else "stable" if health < 0.7 else "healthy"
    row = {"health": health, "computed_health": health, "band": band, "computed_band": band, "coverage": 0.5}
    mark = day == TODAY if latest is None else latest
    await insert(store, tables.scorecard, [scorecard_row(customer, day, **row, latest=mark)])


async def doings(store: Store) -> None:
    """Two runs of `save` for Bolt and one for Core, one held out; a call closed, one open and overdue; an approval; votes."""
    runs = [
        {
            "id": f"run{number}",
            "playbook": "save",
            "playbook_version": 1,
            "definition": {},
            "customer_id": customer,
            "episode": f"e{number}",
            "cause": "hand",
            "state": state,
            "step": 0,
            "fence": 0,
            "facts": {},
            "started_at": at,
            "updated_at": at,
        }
        for number, customer, state, at in (
            (1, "bolt", "done", NOW - 2 * DAY),
            (2, "bolt", "waiting", NOW - DAY),
            (3, "core", "held_out", NOW - DAY),
            (4, "core", "done", NOW - 20 * DAY),
        )
    ]
    await insert(store, tables.playbook_run, runs)
    calls = [
        {
            "id": f"call{number}",
            "customer_id": "bolt",
            "kind": "task",
            "title": "Call",
            "severity": "normal",
            "state": state,
            "outcome": outcome,
            "due_on": TODAY - DAY,
            "run_id": "run1",
            "dedup_key": f"call{number}",
            "opened_at": NOW - 2 * DAY,
            "updated_at": NOW - DAY,
            "closed_at": NOW - DAY if outcome else None,
        }
        for number, state, outcome in ((1, "closed", "success"), (2, "open", None))
    ]
    await insert(store, tables.alert, calls)
    await insert(
        store,
        tables.approval,
        [
            {
                "id": "run2:1",
                "run_id": "run2",
                "step": 1,
                "customer_id": "bolt",
                "question": "Offer Bolt 10 % off?",
                "state": "open",
                "asked_at": NOW - DAY,
            }
        ],
    )
    onboarding = {
        "id": "onb1",
        "customer_id": "bolt",
        "attempt": 1,
        "programme": "default",
        "state": "active",
        "pace": "stalled",
        "step": "first_action",
        "progress": 0.5,
        "cause": "hand",
        "started_at": NOW - 40 * DAY,
        "ended_at": None,
        "value_at": None,
    }
    await insert(store, tables.onboarding, [onboarding])
    vote = {
        "id": "vote1",
        "run_id": "run1",
        "playbook": "save",
        "voter": ANN,
        "useful": True,
        "note": None,
        "way": "mail",
        "voted_at": NOW - DAY,
    }
    await insert(store, tables.vote, [vote])


class HubOf(Hub):
    """A hub that has a store, a team and what ships, and an engine in memory; no channel is opened."""

    def __init__(self, store: Store, folder: Path, *, clock: Clock, lifecycle: dict[str, Any]) -> None:
        self.store, self.clock = store, clock
        self.durable = cast("Any", FakeDurable(clock=clock))
        (folder / "playbooks").mkdir(exist_ok=True)
        self.settings = cast(
            "Any",
            SimpleNamespace(
                playbooks=load_all(folder / "playbooks", templates=TEMPLATES),
                churn=ChurnDefinition(),
                lifecycle=LifecycleFile.model_validate(lifecycle),
                attention=Rules(),
                team=TEAM,
                sources={},
                hub=SimpleNamespace(timezone="UTC", url="https://hub.example/", company="Example Ltd"),
            ),
        )
        self.reports = Reports(self, channels=("email", "slack"))


def moment(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=NOW.tzinfo)
