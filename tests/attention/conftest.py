"""Rows to plan, in a store with customers and runs; Friday 18:00 in Berlin is after work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.attention import Attention, Concern, Made, Rules
from hub.attention.budget import Kept
from hub.model.actions import Delivery
from hub.model.team import Member, Team
from hub.store import Store, alerts, deliveries, runs
from hub.store.attention import keep_withheld
from hub.store.tables import customer

FRIDAY = datetime(2026, 11, 20, 17, tzinfo=UTC)  # 18:00 in Berlin
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)  # 9:00 there
WORKING = datetime(2026, 11, 24, 10, tzinfo=UTC)  # a Tuesday
BERLIN = ZoneInfo("Europe/Berlin")
ANN = "ann@example.com"
TEAM = Team(members={ANN: Member(email=ANN, name="Ann Archer", zone=BERLIN)})


@dataclass
class Desk:
    """Says things of customers, as runs of playbooks would."""

    store: Store
    attention: Attention
    numbers: int = 0

    async def customers(self, *ids: str) -> None:
        rows = [
            {"id": id_, "name": id_.title(), "csm_email": ANN, "created_at": FRIDAY, "updated_at": FRIDAY}
            for id_ in ids
        ]
        async with self.store.transaction() as connection:
            await connection.execute(customer.insert(), rows)

    async def say(
        self, customer_id: str, *, playbook: str = "save", reason: str | None = None, now: datetime, **options: Any
    ) -> tuple[Kept, Delivery | None]:
        """One run's mail to the CSM (or what `options` say); what became of it."""
        made = await self.made(customer_id, playbook=playbook, reason=reason, now=now, **options)
        kept = await self.plan([made], now=now)
        ids = [row["id"] for row in made.deliveries]
        return kept, next(iter(await self.deliveries(*ids)), None) if ids else None

    async def made(
        self,
        customer_id: str,
        *,
        playbook: str = "save",
        reason: str | None = None,
        severity: str = "normal",
        rank: float = 0.0,
        channel: str = "email",
        address: str = ANN,
        payload: dict[str, Any] | None = None,
        call: str | None = None,
        mail: bool = True,
        own: bool = False,
        now: datetime,
    ) -> Made:
        self.numbers += 1
        run_id = f"run_{self.numbers:03}"
        row = {
            "id": run_id,
            "playbook": playbook,
            "playbook_version": 1,
            "definition": {},
            "customer_id": customer_id,
            "episode": run_id,
            "cause": "hand",
            "state": "done",
            "step": 0,
            "fence": 0,
            "facts": {},
            "started_at": now,
            "updated_at": now,
        }
        async with self.store.transaction() as connection:
            await runs.insert(connection, [row])
        concern = Concern(
            run_id=run_id,
            playbook=playbook,
            customer_id=customer_id,
            reason=reason or playbook,
            severity=severity,
            rank=rank,
            csm_email=ANN,
        )
        key = f"{playbook}.1.0.{run_id}"
        message = {
            "id": f"del_{run_id}",
            "dedup_key": key,
            "run_id": run_id,
            "step": 0,
            "customer_id": customer_id,
            "channel": channel,
            "address": address,
            "subject": f"{playbook} about {customer_id}",
            "payload": payload or {"text": "Look.", "html": "<body>Look.</body>"},
            "state": "reserved",
            "error": None,
            "attempts": 0,
            "reserved_at": now,
        }
        task = {
            "id": f"alert_{run_id}",
            "customer_id": customer_id,
            "kind": call,
            "title": f"Call {customer_id}",
            "reason": None,
            "severity": severity,
            "state": "open",
            "owner_email": ANN,
            "run_id": run_id,
            "dedup_key": f"call.{key}",
            "opened_at": now,
            "updated_at": now,
        }
        return Made(
            concern=concern,
            deliveries=[message] if mail else [],
            alerts=[task] if call else [],
            own={str(task["dedup_key"])} if own else (),
        )

    async def plan(self, made: Sequence[Made], *, now: datetime) -> Kept:
        """As hub.playbooks.advance does it."""
        async with self.store.transaction() as connection:
            kept = await self.attention.plan(connection, made, now=now)
            await deliveries.reserve(connection, [row for each in made for row in each.deliveries])
            opened = [row for each in made for row in each.alerts if row["dedup_key"] not in kept.withheld]
            await alerts.open_alerts(connection, opened)
            await keep_withheld(connection, kept.rows)
        return kept

    async def deliveries(self, *ids: str) -> list[Delivery]:
        async with self.store.reading() as connection:
            return await deliveries.find_deliveries(connection, ids=ids or None)

    async def states(self) -> dict[str, tuple[str, str | None]]:
        """{what a message is about: its state, and why it was held}."""
        return {str(each.subject): (each.state.value, each.held) for each in await self.deliveries()}


@pytest.fixture
def rules() -> Rules:
    return Rules()


@pytest.fixture
async def desk(store: Store, rules: Rules) -> Desk:
    """On each database in turn."""
    made = Desk(store, Attention(rules, TEAM))
    await made.customers("acme", "bolt", "core", "dune", "echo", "flux")
    return made
