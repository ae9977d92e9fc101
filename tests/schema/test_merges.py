"""Merging customers and deciding identity in the API: what is answered, what is refused, and what stands on record."""

from datetime import datetime
from typing import Any

import pytest

from hub import identity
from hub.identity import Merged
from hub.model.actions import Role
from hub.store import Store
from schema.customers.asking import MergeRequest
from schema.nodes import global_id
from tests.schema.fakes import Ask, FakeActions, asking
from tests.test_identity import RULES, company, make_ticket, put
from tests.test_merging import ACME, BOLT, CORE, three

MERGE = """mutation ($input: CustomerMergeInput!) { customerMerge(input: $input) {
  merge { id by reason mergedName undoable customer { name } }
  customer { name tickets { totalCount } } merged { name } moved { kind count } cancelledRuns
  errors { code field message } } }"""
UNDO = """mutation ($input: CustomerMergeUndoInput!) { customerMergeUndo(input: $input) {
  merge { undoneBy undoable } customer { name } merged { name tickets { totalCount } } moved { kind count }
  errors { code field message } } }"""
DECIDE = """mutation ($input: IdentityDecideInput!) { identityDecide(input: $input) {
  identity { state method decidedBy customer { name } } movedRecords errors { code field message } } }"""
REOPEN = """mutation ($input: IdentityReopenInput!) { identityReopen(input: $input) {
  identity { state method customer { name } } errors { code field message } } }"""


class IdentityActions(FakeActions):
    """The use cases themselves, over the store of the test."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store

    async def merge_customers(self, request: MergeRequest, *, now: datetime) -> Merged:
        return await identity.merge(
            self.store,
            request.keep_id,
            request.merge_id,
            reason=request.reason,
            by=request.by,
            now=now,
            dry_run=request.dry_run,
        )

    async def undo_merge(self, merge_id: str, *, by: str, dry_run: bool, now: datetime) -> Merged:
        return await identity.undo_merge(self.store, merge_id, RULES, by=by, now=now, dry_run=dry_run)

    async def decide_identity(
        self, evidence_id: str, customer_id: str | None, *, new: bool, by: str, now: datetime
    ) -> int:
        return await identity.decide_by_hand(self.store, evidence_id, customer_id, by=by, now=now, new=new)

    async def reopen_identity(self, evidence_id: str, *, now: datetime) -> None:
        await identity.reopen(self.store, RULES, evidence_id, now=now)


@pytest.fixture
def ask(store: Store) -> Ask:
    return asking(store, IdentityActions(store))


def customer(key: str) -> str:
    return global_id("customer", key)


async def do(ask: Ask, query: str, **given: Any) -> Any:
    body = await ask(query, {"input": given}, role=Role.MANAGER, csm_email="eve@cs.example")
    (answer,) = body["data"].values()
    return answer


async def test_customers_are_merged_looked_at_and_parted_again(ask: Ask, store: Store) -> None:
    await three(store)
    both = {"keepId": customer(ACME), "mergeId": customer(BOLT), "reason": "one contract"}
    moved = [{"kind": "evidence", "count": 2}, *({"kind": kind, "count": 1} for kind in ("notes", "alerts", "ticket"))]
    dry = await do(ask, MERGE, **both, dryRun=True)
    assert dry == {
        "merge": None,
        "customer": {"name": "Acme", "tickets": {"totalCount": 1}},
        "merged": {"name": "Bolt"},
        "moved": moved,
        "cancelledRuns": 0,
        "errors": [],
    }
    made = await do(ask, MERGE, **both, idempotencyKey="k")
    id_ = made["merge"].pop("id")
    assert made == {
        "merge": {
            "by": "eve@cs.example",
            "reason": "one contract",
            "mergedName": "Bolt",
            "undoable": True,
            "customer": {"name": "Acme"},
        },
        "customer": {"name": "Acme", "tickets": {"totalCount": 2}},
        "merged": None,
        "moved": moved,
        "cancelledRuns": 0,
        "errors": [],
    }
    again = await do(ask, MERGE, **both, idempotencyKey="k")
    assert (again["merge"]["id"], again["errors"]) == (id_, [])
    twice = await do(ask, MERGE, **both, idempotencyKey="l")
    assert [each["code"] for each in twice["errors"]] == ["REFUSED"]
    listed = (await ask("{ customers { totalCount } customerMerges(undone: false) { totalCount } }"))["data"]
    assert listed == {"customers": {"totalCount": 2}, "customerMerges": {"totalCount": 1}}

    undone = await do(ask, UNDO, id=id_)
    assert undone == {
        "merge": {"undoneBy": "eve@cs.example", "undoable": False},
        "customer": {"name": "Acme"},
        "merged": {"name": "Bolt", "tickets": {"totalCount": 1}},
        "moved": moved,
        "errors": [],
    }
    assert [each["code"] for each in (await do(ask, UNDO, id=id_))["errors"]] == ["REFUSED"]


async def test_what_cannot_be_merged_is_answered_with_its_path(ask: Ask, store: Store) -> None:
    await three(store)
    for keep, gone, reason, code, field in (
        (customer(ACME), customer(ACME), "x", "BAD_INPUT", "mergeId"),
        (customer(ACME), "nonsense", "x", "BAD_INPUT", "mergeId"),
        (global_id("ticket", "desk:t1"), customer(ACME), "x", "BAD_INPUT", "keepId"),
        (customer(ACME), customer("cus_nope"), "x", "NOT_FOUND", None),
        (customer(ACME), customer(BOLT), " ", "REFUSED", None),
    ):
        (error,) = (await do(ask, MERGE, keepId=keep, mergeId=gone, reason=reason))["errors"]
        assert (error["code"], error["field"]) == (code, field), error
    (error,) = (await do(ask, UNDO, id=global_id("customer_merge", "mrg_nope")))["errors"]
    assert error["code"] == "NOT_FOUND"
    body = await ask(MERGE, {"input": {"keepId": customer(ACME), "mergeId": customer(BOLT), "reason": "x"}})
    assert body["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
    assert (await ask("{ customers { totalCount } }"))["data"] == {"customers": {"totalCount": 3}}


async def test_a_person_decides_and_takes_it_back(ask: Ask, store: Store) -> None:
    await three(store)
    await put(store, "desk", company("o9", domains=("nowhere.example",)), make_ticket("t9", "o9"))
    id_ = global_id("external_id", "desk:o9")
    for given in ({}, {"customerId": customer(CORE), "nobody": True}, {"newCustomer": True, "nobody": True}):
        (error,) = (await do(ask, DECIDE, id=id_, **given))["errors"]
        assert (error["code"], error["field"]) == ("BAD_INPUT", "customerId")
    made = await do(ask, DECIDE, id=id_, customerId=customer(CORE))
    assert made == {
        "identity": {
            "state": "MATCHED",
            "method": "person",
            "decidedBy": "eve@cs.example",
            "customer": {"name": "Core"},
        },
        "movedRecords": 1,
        "errors": [],
    }
    opened = await do(ask, REOPEN, id=id_)
    assert opened == {"identity": {"state": "UNMATCHED", "method": None, "customer": None}, "errors": []}
    nobody = await do(ask, DECIDE, id=id_, nobody=True)
    assert (nobody["identity"]["state"], nobody["identity"]["customer"]) == ("UNMATCHED", None)
    new = await do(ask, DECIDE, id=id_, newCustomer=True)
    assert (new["identity"]["method"], new["movedRecords"], new["errors"]) == ("created", 1, [])
    (error,) = (await do(ask, REOPEN, id=id_))["errors"]
    assert (error["code"], "merge that customer" in error["message"]) == ("REFUSED", True)
    (error,) = (await do(ask, DECIDE, id=global_id("external_id", "desk:none"), nobody=True))["errors"]
    assert error["code"] == "NOT_FOUND"
