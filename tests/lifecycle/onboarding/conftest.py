"""Customers at their beginning: a store, facts of theirs, terms, use of features, and a programme small enough to count."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.lifecycle.onboarding import Kept, keep_onboardings
from hub.lifecycle.onboarding.settings import OnboardingSettings
from hub.store import Store
from hub.store.lifecycle import find_lifecycles
from hub.store.onboarding import Onboarding, OnboardingStep, find_onboardings, find_steps
from hub.store.tables import customer, feature_usage_day, lifecycle_change, playbook_run, scorecard, subscription

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TODAY = NOW.date()
STEPS: dict[str, Any] = {
    "welcome": {"title": "Welcome", "ours": True, "due_days": 1, "evidence": {"playbook": "hello"}},
    "setup": {"title": "Set up", "due_days": 3, "evidence": {"mau": {"gte": 1}}},
    "team": {
        "title": "Invite",
        "when": {"not": {"seats_purchased": {"lte": 1}}},
        "evidence": [{"seat_utilisation": {"gte": 0.5}}, {"mau": {"gte": 3}}],
    },
    "tour": {"title": "Tour", "optional": True},
    "report": {"title": "First report", "after": ["setup"], "evidence": {"event": ["made", "imported"], "times": 3}},
    "alive": {"title": "In use", "after": ["team", "report"], "due_days": 5, "stalled_after_days": 6},
}
PROGRAMME: dict[str, Any] = {
    "title": "Getting started",
    "value": "report",
    "behind_after_days": 20,
    "stalled_after_days": 30,
    "fail_after_days": 40,
    "steps": STEPS,
}
SETTINGS = OnboardingSettings.model_validate({"programmes": {"default": PROGRAMME}})
_RECORD = {"source": "crm", "version": 1, "digest": 1, "learned_at": NOW, "synced_at": NOW}


@dataclass
class Book:
    """A store, and what the tests put there and look at."""

    store: Store
    keys: int = 0

    async def put(self, table: Any, **row: Any) -> None:
        async with self.store.transaction() as connection:
            await connection.execute(table.insert(), [row])

    async def customer(self, id_: str, *, became: date | None = None, **facts: Any) -> None:
        row = {"id": id_, "name": id_.title(), "became_customer_on": became, "created_at": NOW, "updated_at": NOW}
        await self.put(customer, **row)
        await self.facts(id_, **facts)

    async def facts(self, id_: str, **facts: Any) -> None:
        """A scorecard of its own, the newest."""
        self.keys += 1
        async with self.store.transaction() as connection:
            await connection.execute(update(scorecard).where(scorecard.c.customer_id == id_).values(latest=False))
        day = TODAY - timedelta(days=100 - self.keys)
        blank = {"coverage": 1.0, "readings": [], "definition_hash": "x", "computed_at": NOW, "latest": True}
        await self.put(scorecard, id=f"{id_}:{day}", customer_id=id_, as_of=day, facts=facts, **blank)

    async def term(self, id_: str, started_on: date, *, ended_on: date | None = None, mrr: float = 100.0) -> None:
        self.keys += 1
        own = {"plan": "pro", "mrr": mrr, "currency": "USD", "auto_renew": True, "status": "active"}
        key = {"id": f"crm:{self.keys}", "key": str(self.keys), "customer_id": id_, **_RECORD}
        await self.put(subscription, **key, **own, started_on=started_on, ended_on=ended_on)

    async def event(self, id_: str, feature: str, day: date, events: int = 1) -> None:
        self.keys += 1
        key = {"id": f"app:{self.keys}", "key": str(self.keys), "customer_id": id_, **_RECORD}
        await self.put(feature_usage_day, **key, feature=feature, day=day, events=events, users=1)

    async def run(self, id_: str, playbook: str, at: datetime, *, state: str = "done") -> None:
        self.keys += 1
        row = {"playbook_version": 1, "definition": {}, "cause": "change", "step": 1, "fence": 1, "facts": {}}
        finished = at if state == "done" else None
        times = {"started_at": at, "updated_at": at, "finished_at": finished}
        who = {"id": f"run{self.keys}", "customer_id": id_, "episode": str(self.keys)}
        await self.put(playbook_run, playbook=playbook, state=state, **row, **times, **who)

    async def keep(self, now: datetime = NOW, settings: OnboardingSettings = SETTINGS) -> Kept:
        return await keep_onboardings(self.store, settings, now=now)

    async def onboardings(self, id_: str) -> list[Onboarding]:
        """The newest attempt first."""
        async with self.store.reading() as connection:
            found = await find_onboardings(connection, customer_ids=[id_])
        return sorted(found, key=lambda each: -each.attempt)

    async def steps(self, id_: str) -> dict[str, OnboardingStep]:
        (newest, *_) = await self.onboardings(id_)
        async with self.store.reading() as connection:
            return {step.name: step for step in (await find_steps(connection, [newest.id]))[newest.id]}

    async def states(self, id_: str) -> dict[str, str]:
        return {name: step.state for name, step in (await self.steps(id_)).items()}

    async def stands(self, id_: str) -> tuple[Any, ...]:
        """state, pace, step, progress."""
        names = ("onboarding_state", "onboarding_pace", "onboarding_step", "onboarding_progress")
        async with self.store.reading() as connection:
            found = await find_lifecycles(connection, names, customer_ids=[id_])
        return tuple(found.get(id_, {}).get(name) for name in names)

    async def changes(self, id_: str, field: str) -> list[tuple[str | None, str | None]]:
        row = lifecycle_change.c
        statement = select(row.old, row.new).where(row.customer_id == id_, row.field == field).order_by(row.id)
        async with self.store.reading() as connection:
            return [(each.old, each.new) for each in await connection.execute(statement)]


@pytest.fixture
def book(store: Store) -> Book:
    """On each database in turn."""
    return Book(store)
