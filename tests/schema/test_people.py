"""Notes and assignments in the API: who writes, edits and deletes, and whose a customer is at once, later and in the past."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub import people
from hub.model.actions import Role
from hub.people import Assigned, Writer
from hub.store import Store, tables
from hub.store.facts.table import find_facts
from hub.store.identity import refresh_profiles
from hub.store.notes import Note
from schema.nodes import global_id
from schema.people.asking import AssignRequest
from tests.schema.company import NOW, customer_row, insert, record, seed
from tests.schema.fakes import Ask, FakeActions, asking
from tests.schema.test_everything import counting

CREATE = """mutation ($input: NoteCreateInput!) { noteCreate(input: $input) {
  note { id body by at editedAt editedBy customer { name } } errors { code field message } } }"""
UPDATE = """mutation ($input: NoteUpdateInput!) { noteUpdate(input: $input) {
  note { body by editedBy } errors { code field message } } }"""
DELETE = """mutation ($input: NoteDeleteInput!) { noteDelete(input: $input) {
  deletedId customer { name notes { totalCount } } errors { code field message } } }"""
ASSIGN = """mutation ($input: CustomerAssignInput!) { customerAssign(input: $input) {
  changes { name before after changed } customers { csm { name email } } errors { code field message } } }"""
UNASSIGN = """mutation ($input: CustomerUnassignInput!) { customerUnassign(input: $input) {
  changes { name before after changed } customers { csm { name email } } errors { code field message } } }"""
ANN, BOB, ZOE = "ann@cs.example", "bob@cs.example", "zoe@cs.example"


class PeopleActions(FakeActions):
    """The use cases themselves, over the store of the test."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store

    async def write_note(self, customer_id: str, body: str, *, by: str, now: datetime) -> Note:
        return await people.write_note(self.store, customer_id, body, by=by, now=now)

    async def edit_note(self, note_id: str, body: str, *, writer: Writer, now: datetime) -> Note:
        return await people.edit_note(self.store, note_id, body, writer=writer, now=now)

    async def delete_note(self, note_id: str, *, writer: Writer, now: datetime) -> Note:
        return await people.delete_note(self.store, note_id, writer=writer, now=now)

    async def assign(self, request: AssignRequest, *, now: datetime) -> Sequence[Assigned]:
        return await people.assign(
            self.store,
            request.customer_ids,
            request.csm_email,
            reason=request.reason,
            by=request.by,
            now=now,
            dry_run=request.dry_run,
        )

    async def unassign(
        self, customer_ids: Sequence[str], *, by: str, dry_run: bool, now: datetime
    ) -> Sequence[Assigned]:
        return await people.unassign(self.store, customer_ids, by=by, now=now, dry_run=dry_run)


@pytest.fixture
def ask(store: Store) -> Ask:
    return asking(store, PeopleActions(store))


def customer(number: int) -> str:
    return global_id("customer", f"c{number:03}")


async def rows(store: Store, table: Any) -> list[dict[str, Any]]:
    async with store.reading() as connection:
        return [dict(row) for row in (await connection.execute(select(table).order_by(table.c.id))).mappings()]


async def test_a_note_is_written_edited_and_deleted_with_what_it_said(ask: Ask, store: Store) -> None:
    await insert(store, tables.customer, [customer_row(1)])
    given = {"customerId": customer(1), "body": " Renewal is **safe**, says Eve. ", "idempotencyKey": "k"}
    made = (await ask(CREATE, {"input": given}, csm_email=ANN))["data"]["noteCreate"]
    assert made["errors"] == []
    assert made["note"] | {"id": "", "at": ""} == {
        "id": "",
        "body": "Renewal is **safe**, says Eve.",
        "by": ANN,
        "at": "",
        "editedAt": None,
        "editedBy": None,
        "customer": {"name": "Customer 001"},
    }
    id_ = made["note"]["id"]
    again = (await ask(CREATE, {"input": given}, csm_email=ANN))["data"]["noteCreate"]
    assert (again["note"]["id"], len(await rows(store, tables.note))) == (id_, 1)

    node = "query ($id: ID!) { node(id: $id) { ... on Note { body customer { id } } } }"
    assert (await ask(node, {"id": id_}))["data"]["node"]["body"] == "Renewal is **safe**, says Eve."
    body = await ask(UPDATE, {"input": {"id": id_, "body": "Not safe."}}, csm_email=BOB)
    (error,) = body["data"]["noteUpdate"]["errors"]
    assert error["code"] == "REFUSED"
    assert error["message"] == f"{ANN} wrote this note: that person, a manager or an admin may edit it"
    body = await ask(UPDATE, {"input": {"id": id_, "body": "Not safe."}}, csm_email=BOB, role=Role.MANAGER)
    assert body["data"]["noteUpdate"] == {"note": {"body": "Not safe.", "by": ANN, "editedBy": BOB}, "errors": []}
    for bad in ("  ", "x" * 10_001):
        body = await ask(UPDATE, {"input": {"id": id_, "body": bad}}, csm_email=ANN)
        assert body["data"]["noteUpdate"]["errors"][0]["code"] == "REFUSED"

    timeline = """query ($id: ID!) { customer(id: $id) { timeline(kinds: [NOTE_WRITTEN]) {
      nodes { title actor text subjectId } } notes { totalCount nodes { body } } } }"""
    seen = (await ask(timeline, {"id": customer(1)}))["data"]["customer"]
    assert seen["notes"] == {"totalCount": 1, "nodes": [{"body": "Not safe."}]}
    assert seen["timeline"]["nodes"] == [
        {"title": "A note was written", "actor": ANN, "text": "Not safe.", "subjectId": id_}
    ]

    body = await ask(DELETE, {"input": {"id": id_}}, csm_email=ANN)
    assert body["data"]["noteDelete"] == {
        "deletedId": id_,
        "customer": {"name": "Customer 001", "notes": {"totalCount": 0}},
        "errors": [],
    }
    (left,) = await rows(store, tables.note)
    assert (left["body"], left["deleted_by"], left["deleted_at"]) == ("", ANN, NOW)
    assert (await ask(node, {"id": id_}))["data"] == {"node": None}
    assert (await ask(timeline, {"id": customer(1)}))["data"]["customer"]["timeline"] == {"nodes": []}
    for query, more in ((UPDATE, {"body": "x"}), (DELETE, {})):
        body = await ask(query, {"input": {"id": id_, **more}}, csm_email=ANN)
        (answer,) = body["data"].values()
        assert [each["code"] for each in answer["errors"]] == ["NOT_FOUND"]


async def test_what_a_note_says_is_personal(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    body = await ask("{ customers { nodes { notes { nodes { body } } } } }", role=Role.VIEWER)
    assert "Note.body" in body["errors"][0]["message"]
    assert body["errors"][0]["extensions"] == {"code": "FORBIDDEN"}


async def owned(store: Store, ids: Sequence[int] = (1, 2)) -> None:
    """Customers that the CRM made, and says are Ann's; each with an alert of hers and a task of Bob's."""
    made = [customer_row(number, csm_email=ANN, csm_name="Ann") for number in ids]
    await insert(store, tables.customer, made)
    company = {"method": "created", "state": "matched", "csm_email": "Ann@cs.example", "csm_name": "Ann"}
    await insert(
        store,
        tables.external_id,
        [
            record("crm", f"c{number:03}", f"c{number:03}", name=f"Customer {number:03}", **company, decided_at=NOW)
            for number in ids
        ],
    )
    calls = [(number, kind, who) for number in ids for kind, who in (("alert", "Ann@cs.example"), ("task", BOB))]
    await insert(
        store,
        tables.alert,
        [
            {
                "id": f"{kind}{number}",
                "dedup_key": f"{kind}{number}",
                "customer_id": f"c{number:03}",
                "kind": kind,
                "title": "t",
                "severity": "high",
                "state": "open",
                "owner_email": who,
            }
            for number, kind, who in calls
        ],
    )


async def sync(store: Store, *, now: datetime = NOW) -> None:
    """What the end of each sync does to profiles."""
    async with store.transaction() as connection:
        await refresh_profiles(connection, "crm", now=now)


async def test_our_own_word_counts_at_once_and_survives_syncs_until_it_is_given_back(ask: Ask, store: Store) -> None:
    await owned(store)
    given = {"customerIds": [customer(1), customer(2)], "csmEmail": "Zoe@CS.example", "reason": "territories"}
    dry = (await ask(ASSIGN, {"input": {**given, "dryRun": True}}, role=Role.MANAGER))["data"]["customerAssign"]
    change = [{"name": f"Customer 00{n}", "before": ANN, "after": ZOE, "changed": True} for n in (1, 2)]
    assert (dry["changes"], dry["customers"][0]["csm"]["email"]) == (change, ANN)
    assert await rows(store, tables.csm_assignment) == []

    mine = "{ customers { totalCount } alerts { totalCount } }"
    assert (await ask(mine, book=ZOE))["data"] == {"customers": {"totalCount": 0}, "alerts": {"totalCount": 0}}
    body = (await ask(ASSIGN, {"input": given}, role=Role.MANAGER))["data"]["customerAssign"]
    assert (body["errors"], body["changes"]) == ([], change)
    assert body["customers"] == [{"csm": {"name": None, "email": ZOE}}] * 2
    assert (await ask(mine, book=ZOE))["data"] == {"customers": {"totalCount": 2}, "alerts": {"totalCount": 4}}
    assert (await ask(mine, book=ANN))["data"] == {"customers": {"totalCount": 0}, "alerts": {"totalCount": 0}}
    owners = {row["id"]: row["owner_email"] for row in await rows(store, tables.alert)}
    assert owners == {"alert1": ZOE, "alert2": ZOE, "task1": BOB, "task2": BOB}
    told = [(row["kind"], row["change"], row["subject"]) for row in await rows(store, tables.event)]
    assert told == [("alert", "changed", "alert1"), ("alert", "changed", "alert2")]

    async with store.transaction() as connection:  # the source goes on talking
        await connection.execute(tables.external_id.update().values(csm_email="eve@cs.example", csm_name="Eve"))
    await sync(store)
    assert [row["csm_email"] for row in await rows(store, tables.customer)] == [ZOE, ZOE]
    again = (await ask(ASSIGN, {"input": given}, role=Role.MANAGER))["data"]["customerAssign"]
    assert [each["changed"] for each in again["changes"]] == [False, False]
    assert len(await rows(store, tables.csm_assignment)) == 2

    back = {"customerIds": [customer(1)]}
    body = (await ask(UNASSIGN, {"input": back}, role=Role.MANAGER))["data"]["customerUnassign"]
    assert body == {
        "changes": [{"name": "Customer 001", "before": ZOE, "after": "eve@cs.example", "changed": True}],
        "customers": [{"csm": {"name": "Eve", "email": "eve@cs.example"}}],
        "errors": [],
    }
    await sync(store)
    assert [row["csm_email"] for row in await rows(store, tables.customer)] == ["eve@cs.example", ZOE]
    nothing = (await ask(UNASSIGN, {"input": back}, role=Role.MANAGER))["data"]["customerUnassign"]
    assert nothing["changes"][0] == {
        "name": "Customer 001",
        "before": "eve@cs.example",
        "after": "eve@cs.example",
        "changed": False,
    }


async def test_past_days_and_the_timeline_know_whose_a_customer_was(ask: Ask, store: Store) -> None:
    await owned(store, [1])
    first, second, third = (NOW - timedelta(days=days) for days in (20, 10, 5))
    async with store.transaction() as connection:
        await connection.execute(tables.customer.update().values(created_at=NOW - timedelta(days=100)))
    await people.assign(store, ["c001"], ZOE, reason="leave", by="eve", now=first)
    await people.assign(store, ["c001"], None, reason=None, by="eve", now=second)
    await people.unassign(store, ["c001"], by="eve", now=third)
    for at, csm in (
        (first - timedelta(days=1), ANN),
        (first, ZOE),
        (second - timedelta(days=1), ZOE),
        (second, None),
        (third, ANN),
        (NOW, ANN),
    ):
        async with store.reading() as connection:
            facts = await find_facts(connection, as_of=at.date())
        assert list(facts["csm_email"]) == [csm], at
    query = """query ($id: ID!) { customer(id: $id) {
      timeline(kinds: [CSM_ASSIGNED, CSM_GIVEN_BACK, CSM_CHANGED]) { nodes { title actor text } }
      csmAssignments { nodes { csmEmail reason by endedBy } } } }"""
    seen = (await ask(query, {"id": customer(1)}))["data"]["customer"]
    assert seen["timeline"]["nodes"] == [
        {"title": "It is no longer nobody's by our own word: the source's counts", "actor": "eve", "text": None},
        {"title": "It was given to nobody", "actor": "eve", "text": None},
        {"title": f"It was given to {ZOE}", "actor": "eve", "text": "leave"},
    ]
    assert seen["csmAssignments"]["nodes"] == [
        {"csmEmail": None, "reason": None, "by": "eve", "endedBy": "eve"},
        {"csmEmail": ZOE, "reason": "leave", "by": "eve", "endedBy": "eve"},
    ]


async def test_all_customers_are_assigned_or_none(ask: Ask, store: Store) -> None:
    await owned(store)
    for given, code, field in (
        ({"customerIds": [customer(1), customer(404)], "csmEmail": ZOE}, "NOT_FOUND", "customerIds"),
        ({"customerIds": [customer(1)], "csmEmail": "Zoe"}, "REFUSED", "csmEmail"),
        ({"customerIds": [], "csmEmail": ZOE}, "BAD_INPUT", "customerIds"),
        ({"customerIds": [customer(1)] * 1_001, "csmEmail": ZOE}, "BAD_INPUT", "customerIds"),
        ({"customerIds": [customer(1), "x"], "csmEmail": ZOE}, "BAD_INPUT", "customerIds.1"),
    ):
        body = await ask(ASSIGN, {"input": given}, role=Role.MANAGER)
        (error,) = body["data"]["customerAssign"]["errors"]
        assert (error["code"], error["field"]) == (code, field), error
    assert await rows(store, tables.csm_assignment) == []
    body = await ask(ASSIGN, {"input": {"customerIds": [customer(1)], "csmEmail": ZOE}}, role=Role.CSM)
    assert body["errors"][0]["extensions"] == {"code": "FORBIDDEN"}


async def test_a_hundred_are_assigned_with_as_many_statements_as_two(store: Store) -> None:
    await owned(store, range(1, 101))
    counts = []
    for ids in (["c001", "c002"], [f"c{number:03}" for number in range(3, 101)]):
        with counting(store) as statements:
            await people.assign(store, ids, ZOE, reason=None, by="eve", now=NOW)
        counts.append(len(statements))
    assert counts[0] == counts[1]
