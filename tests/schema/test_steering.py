"""Approving what a run asks, and the kill switch, by mutation."""

from typing import Any

import pytest

from hub.errors import RefusedError
from hub.model.actions import Role
from hub.store import Store, audit
from schema.nodes import global_id
from tests.schema.company import seed
from tests.schema.fakes import Ask, FakeActions

RUN = global_id("playbook_run", "run-c000-0")
APPROVE = """
mutation ($input: PlaybookApproveInput!) {
  playbookApprove(input: $input) { run { id awaits since approvals { question } } errors { code message field } }
}
"""
STOP = """
mutation ($input: PlaybookStopInput!) {
  playbookStop(input: $input) {
    stopped { playbook reason stoppedBy stoppedAt } cancelledRuns withdrawnMessages errors { code message }
  }
}
"""
START = 'mutation { playbookStart(input: {playbook: "*"}) { stopped { playbook } errors { message } } }'
HELD = {"playbook": "save", "reason": "wrong", "stoppedBy": "ann", "stoppedAt": "2026-11-01T12:00:00+00:00"}


async def outcomes(store: Store) -> list[tuple[str, str, str]]:
    async with store.reading() as connection:
        entries = await audit.find_latest(connection)
    asked = [entry for entry in entries if entry.action != "personalRead"]
    return [(entry.action, entry.subject, entry.detail["outcome"]) for entry in asked]


async def test_an_answer_is_given_with_a_name(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 1)
    given = {"runId": RUN, "approved": True, "note": "do", "step": 2}
    body = await ask(APPROVE, {"input": given}, role=Role.CSM)
    assert body["data"]["playbookApprove"] == {
        "run": {"id": RUN, "awaits": None, "since": None, "approvals": []},
        "errors": [],
    }
    assert actions.calls == [("approve", "run-c000-0", True, "a csm", "do", 2)]
    assert await outcomes(store) == [("playbookApprove", "run-c000-0", "done")]


async def test_a_refused_answer_says_why(ask: Ask, actions: FakeActions) -> None:
    actions.refuse = RefusedError("it was answered already")
    body = await ask(APPROVE, {"input": {"runId": RUN, "approved": False}}, role=Role.CSM)
    assert body["data"]["playbookApprove"] == {
        "run": None,
        "errors": [{"code": "REFUSED", "message": "it was answered already", "field": None}],
    }
    assert actions.calls == []


async def test_stop_and_start(ask: Ask, store: Store, actions: FakeActions) -> None:
    stop = {"playbook": "save", "reason": "wrong", "cancel": True}
    body = await ask(STOP, {"input": stop}, role=Role.ADMIN)
    assert body["data"]["playbookStop"] == {
        "stopped": [HELD],
        "cancelledRuns": 2,
        "withdrawnMessages": 3,
        "errors": [],
    }
    body = await ask(START, role=Role.ADMIN)
    assert body["data"]["playbookStart"] == {"stopped": [{"playbook": "save"}], "errors": []}
    assert actions.calls == [("stop", "save", "a admin", "wrong", True), ("start", "*", "a admin")]
    assert sorted(await outcomes(store)) == [("playbookStart", "*", "done"), ("playbookStop", "save", "done")]


@pytest.mark.parametrize(("query", "role"), [(STOP, Role.CSM), (START, Role.CSM), (APPROVE, Role.VIEWER)])
async def test_not_everybody_may(ask_sqlite: Ask, actions: FakeActions, query: str, role: Role) -> None:
    given: dict[str, Any] = {"playbook": "save", "reason": "x"}
    if query == APPROVE:
        given = {"runId": RUN, "approved": True}
    body = await ask_sqlite(query, {"input": given}, role=role)
    assert body.get("data") is None
    assert "needs the role" in body["errors"][0]["message"]
    assert actions.calls == []


async def test_who_reads_sees_what_is_stopped(ask_sqlite: Ask) -> None:
    body = await ask_sqlite("{ playbookStops { playbook reason stoppedBy stoppedAt } }")
    assert body["data"]["playbookStops"] == [HELD]
    body = await ask_sqlite("{ playbooks { name stopped { reason stoppedBy } } }")
    assert body["data"]["playbooks"] == [{"name": "save", "stopped": {"reason": "wrong", "stoppedBy": "ann"}}]
