"""kpiTargets, digestPreview and digestSend through the API, over the real use cases on the handmade world."""

from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from hub.compose.actions import HubActions
from hub.model.actions import Role
from hub.playbooks.jobs import SEND
from hub.store import Store
from hub.store.tables import audit_record, delivery
from tests.analytics.digesting import ANN, HubOf, world
from tests.fakes.clock import Clock
from tests.fakes.story import NOW
from tests.schema.fakes import Ask, asking

SEND_NOW = """
mutation ($csm: String) { digestSend(input: {digest: WEEKLY, csmEmail: $csm, idempotencyKey: "k"}) {
  messages errors { code message } } }
"""


@pytest.fixture
async def ask(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setattr("tests.schema.fakes.NOW", NOW)
    await world(sqlite_store)
    hub = HubOf(sqlite_store, tmp_path, clock=Clock(NOW), lifecycle={})
    engine: Any = hub.durable

    async def send(_: Any) -> None:
        return

    engine.register(SEND, send)
    await engine.start()
    return asking(sqlite_store, cast("Any", HubActions(hub)))


async def test_targets_are_for_everybody(ask: Ask) -> None:
    body = await ask(
        "{ kpiTargets { name metric basis goal actual status why trend n above below asOf firstDay coverage before"
        " components { name amount } } }"
    )
    assert "errors" not in body, body
    found = {each["name"]: each for each in body["data"]["kpiTargets"]}
    assert list(found) == ["onboarding_completion", "time_to_value", "health", "churn", "nps", "renewal_rate"]
    health = found["health"]
    assert (health["metric"], health["basis"], health["goal"], health["above"]) == (
        "mean_health",
        "scored",
        "> 70 of 100",
        0.7,
    )
    # Acme 32.5, Bolt 60, Core 45, Zero 80
    assert (health["actual"], health["status"], health["n"]) == ("54 of 100", "MISSED", 4)
    assert (health["asOf"], health["firstDay"]) == ("2026-06-30", "2026-06-01")
    assert (found["renewal_rate"]["status"], found["renewal_rate"]["actual"]) == ("NOT_KNOWN", None)
    assert found["renewal_rate"]["why"].startswith("no renewal deal with an amount closes in")


async def test_digests_are_looked_at_by_admins(ask: Ask, sqlite_store: Store) -> None:
    query = "query ($csm: String) { digestPreview(digest: WEEKLY, csmEmail: $csm) { subject text html charts } }"
    refused = await ask(query, role=Role.CSM)
    assert "needs the role admin" in refused["errors"][0]["message"]
    body = await ask(query, {"csm": ANN}, role=Role.ADMIN)
    assert (
        body["data"]["digestPreview"]["subject"]
        == "Week to 30 June 2026: 1 customer fell, 1 new at risk, 1 renewal within 30 days"
    )
    assert len(body["data"]["digestPreview"]["charts"]) == 4
    async with sqlite_store.reading() as connection:
        assert (await connection.execute(select(delivery.c.id))).all() == []


async def test_digests_are_sent_by_admins_and_noted(ask: Ask, sqlite_store: Store) -> None:
    refused = await ask(SEND_NOW, role=Role.CSM)
    assert "needs the role admin" in refused["errors"][0]["message"]
    body = await ask(SEND_NOW, {"csm": "eve@example.com"}, role=Role.ADMIN)
    assert body["data"]["digestSend"]["errors"][0]["code"] == "NOT_FOUND"
    for _ in range(2):  # the second is the same request once more
        body = await ask(SEND_NOW.replace('"k"', '"l"'), {"csm": ANN}, role=Role.ADMIN)
        assert body["data"]["digestSend"] == {"messages": 2, "errors": []}
    async with sqlite_store.reading() as connection:
        sent = (await connection.execute(select(delivery.c.channel, delivery.c.owner_email))).all()
        noted = set((await connection.execute(select(audit_record.c.action))).scalars())
    assert sorted(map(tuple, sent)) == [("email", ANN), ("slack", ANN)]
    assert "digestSend" in noted
