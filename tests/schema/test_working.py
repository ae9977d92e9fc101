"""Tasks by hand, runs that are cancelled, trainings: over the use cases, on both databases."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from hub.model.actions import Alert, Role
from hub.playbooks.alerts import open_alert
from hub.playbooks.stopping import cancel_run
from hub.store import Store, tables
from schema.nodes import global_id
from schema.playbooks.asking import TaskRequest
from tests.schema.company import insert, seed
from tests.schema.fakes import Ask, FakeActions, asking

TASK = """mutation ($input: TaskCreateInput!) { taskCreate(input: $input) {
  task { id kind title state severity ownerEmail dueOn customer { name } } errors { code field message } } }"""
CANCEL = """mutation ($input: PlaybookRunCancelInput!) { playbookRunCancel(input: $input) {
  run { state error } withdrawn errors { code field message } } }"""
TRAIN = "mutation ($input: ModelTrainInput!) { modelTrain(input: $input) { asked errors { code } } }"
RUN = {"playbook": "save", "playbook_version": 1, "definition": {}, "cause": "hand", "facts": {}, "customer_id": "c000"}
ANN = "ann@cs.example"


class WorkActions(FakeActions):
    """The use cases themselves, over the store of the test; trainings are noted."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store

    async def open_task(self, request: TaskRequest, *, now: datetime) -> Alert:
        return await open_alert(
            self.store,
            request.customer_id,
            title=request.title,
            key=request.key,
            kind="task",
            severity=request.severity,
            owner_email=request.owner_email,
            due_on=request.due_on,
            now=now,
        )

    async def cancel_run(self, run_id: str, *, by: str, reason: str, now: datetime) -> int:
        return await cancel_run(self.store, run_id, by=by, reason=reason, now=now)

    async def train_model(self, *, by: str) -> None:
        self._note(("train", by))


@pytest.fixture
def work(store: Store) -> WorkActions:
    return WorkActions(store)


@pytest.fixture
def ask(store: Store, work: WorkActions) -> Ask:
    return asking(store, work)


async def do(ask: Ask, query: str, role: Role = Role.CSM, **given: Any) -> Any:
    body = await ask(query, {"input": given}, role=role, csm_email=ANN)
    (answer,) = body["data"].values()
    return answer


async def test_a_task_is_made_once_for_a_key(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    given: dict[str, Any] = {"customerId": global_id("customer", "c000"), "title": " Call Eve ", "dueOn": "2026-11-05"}
    made = await do(ask, TASK, **given, severity="HIGH", idempotencyKey="k")
    id_ = made["task"].pop("id")
    assert made == {
        "task": {
            "kind": "task",
            "title": "Call Eve",
            "state": "OPEN",
            "severity": "HIGH",
            "ownerEmail": ANN,
            "dueOn": "2026-11-05",
            "customer": {"name": "Customer 000"},
        },
        "errors": [],
    }
    again = await do(ask, TASK, **given, severity="HIGH", idempotencyKey="k")
    assert again["task"]["id"] == id_
    (error,) = (await do(ask, TASK, **given, idempotencyKey="k"))["errors"]
    assert error["code"] == "IDEMPOTENCY_CONFLICT"
    cases: tuple[tuple[dict[str, Any], str, str | None], ...] = (
        ({"title": "  "}, "REFUSED", None),
        ({"ownerEmail": "nobody"}, "BAD_INPUT", "ownerEmail"),
        ({"customerId": global_id("customer", "c404")}, "NOT_FOUND", "customerId"),
        ({"customerId": global_id("ticket", "x")}, "BAD_INPUT", "customerId"),
    )
    for changed, code, field in cases:
        (error,) = (await do(ask, TASK, **(given | changed)))["errors"]
        assert (error["code"], error["field"]) == (code, field), error
    async with store.reading() as connection:
        tasks = select(tables.alert.c.id).where(tables.alert.c.kind == "task")
        assert len((await connection.execute(tasks)).all()) == 1
        told = select(tables.event.c.kind, tables.event.c.change)
        assert [tuple(row) for row in await connection.execute(told)] == [("alert", "opened")]


async def test_one_run_is_cancelled_with_what_it_waits_to_send(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    states = {"r1": "waiting", "r2": "waiting", "r3": "done"}
    rows = [{**RUN, "id": id_, "episode": id_, "state": state} for id_, state in states.items()]
    await insert(store, tables.playbook_run, rows)
    sent = {"channel": "slack", "address": "#a", "payload": {}, "attempts": 0, "customer_id": "c000"}
    messages = [("d1", "r1", "reserved"), ("d2", "r1", "sent"), ("d3", "r2", "reserved")]
    made = [{**sent, "id": id_, "dedup_key": id_, "run_id": of, "state": state} for id_, of, state in messages]
    await insert(store, tables.delivery, made)
    run = global_id("playbook_run", "r1")
    done = await do(ask, CANCEL, id=run, reason="wrong customer")
    assert done == {
        "run": {"state": "CANCELLED", "error": f"cancelled by {ANN}: wrong customer"},
        "withdrawn": 1,
        "errors": [],
    }
    for id_, reason, code in ((run, "x", "REFUSED"), (global_id("playbook_run", "r3"), "x", "REFUSED")):
        assert [each["code"] for each in (await do(ask, CANCEL, id=id_, reason=reason))["errors"]] == [code]
    for id_, reason, code in (
        (global_id("playbook_run", "nope"), "x", "NOT_FOUND"),
        (global_id("playbook_run", "r2"), " ", "REFUSED"),
    ):
        assert [each["code"] for each in (await do(ask, CANCEL, id=id_, reason=reason))["errors"]] == [code]
    async with store.reading() as connection:
        row = tables.delivery.c
        left = dict(
            map(tuple, await connection.execute(select(row.id, row.state).where(row.id.in_(["d1", "d2", "d3"]))))
        )
        assert left == {"d1": "suppressed", "d2": "sent", "d3": "reserved"}
        run_ = tables.playbook_run.c
        assert (await connection.execute(select(run_.state).where(run_.id == "r2"))).scalar() == "waiting"


async def test_a_training_is_asked_for_once_a_key_and_by_admins(ask: Ask, work: WorkActions) -> None:
    for _ in range(2):
        assert await do(ask, TRAIN, Role.ADMIN, idempotencyKey="k") == {"asked": True, "errors": []}
    assert work.calls == [("train", ANN)]
    body = await ask(TRAIN, {"input": {}}, role=Role.MANAGER)
    assert body["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
    assert len(work.calls) == 1
