"""Saved segments in the API: who sees and changes them, what filters make of them, and what is counted when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from hub import segments
from hub.model.actions import Role
from hub.segments import Editor, SavedSegment, Wanted
from hub.store import Store, tables
from tests.schema.company import TODAY, customer_row, insert, scorecard_row
from tests.schema.fakes import Ask, FakeActions, asking
from tests.schema.test_everything import counting

CREATE = """mutation ($input: SegmentCreateInput!) { segmentCreate(input: $input) {
  segment { id name description filter owner shared mayChange problems usedBy customerCount }
  errors { code field message } } }"""
UPDATE = """mutation ($input: SegmentUpdateInput!) { segmentUpdate(input: $input) {
  segment { name filter shared } errors { code field message } } }"""
DELETE = "mutation ($input: SegmentDeleteInput!) { segmentDelete(input: $input) { deletedId errors { code message } } }"
LIST = "{ segments { name owner shared mayChange } }"
USES = {"save": frozenset({"used"})}


class SegmentActions(FakeActions):
    """The use cases themselves, over the store of the test."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store

    async def segments(self, editor: Editor) -> Sequence[SavedSegment]:
        return await segments.list_segments(self.store, editor)

    async def create_segment(self, editor: Editor, wanted: Wanted, *, now: datetime) -> SavedSegment:
        return await segments.create_segment(self.store, editor, wanted, now=now)

    async def update_segment(self, editor: Editor, text: str, wanted: Wanted, *, now: datetime) -> SavedSegment:
        return await segments.change_segment(self.store, editor, text, wanted, uses=USES, now=now)

    async def delete_segment(self, editor: Editor, text: str) -> SavedSegment:
        return await segments.remove_segment(self.store, editor, text, uses=USES)

    def segment_uses(self, name: str) -> Sequence[str]:
        return [playbook for playbook, names in USES.items() if name in names]


@pytest.fixture
def ask(store: Store) -> Ask:
    return asking(store, SegmentActions(store))


async def company(store: Store) -> None:
    await insert(
        store,
        tables.customer,
        [
            customer_row(1, name="Acme Süd", country="DE"),
            customer_row(2, name="Bell", country="AT", csm_email="bob@cs.example"),
            customer_row(3, name="Core", country="DE"),
        ],
    )
    await insert(store, tables.scorecard, [scorecard_row(f"c00{n}", TODAY, health=n / 10) for n in (1, 2, 3)])


async def create(ask: Ask, name: str, filter_: Any, *, who: str = "ann@cs.example", **more: Any) -> Any:
    given = {"name": name, "filter": filter_, **more}
    return (await ask(CREATE, {"input": given}, csm_email=who))["data"]["segmentCreate"]


async def test_a_segment_is_saved_in_the_words_of_playbooks_and_used_in_filters(ask: Ask, store: Store) -> None:
    await company(store)
    filter_ = {"health": {"lt": 0.25}, "not": {"country": {"in": ["AT"]}}, "createdAt": {"within": "last 30 days"}}
    made = await create(ask, "low", filter_, description="Weekly", shared=True)
    assert made["errors"] == []
    assert made["segment"]["id"].startswith("seg_")
    assert {**made["segment"], "id": None} == {
        "id": None,
        "name": "low",
        "description": "Weekly",
        "filter": {
            "not": {"country": {"in": ["AT"]}},
            "health": {"lt": 0.25},
            "created_at": {"within": "last 30 days"},
        },
        "owner": "ann@cs.example",
        "shared": True,
        "mayChange": True,
        "problems": [],
        "usedBy": [],
        "customerCount": 1,
    }
    query = "query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount nodes { name } } }"
    inside = await ask(query, {"filter": {"inSegment": "low"}})
    assert inside["data"]["customers"] == {"totalCount": 1, "nodes": [{"name": "Acme Süd"}]}
    outside = await ask(query, {"filter": {"not": {"inSegment": "low"}, "search": "COR"}})
    assert outside["data"]["customers"] == {"totalCount": 1, "nodes": [{"name": "Core"}]}
    unknown = await ask(query, {"filter": {"inSegment": "gone"}})
    assert unknown["errors"][0]["message"] == "in_segment: there is no saved segment 'gone' (choices: low)"
    assert unknown["errors"][0]["extensions"] == {"code": "BAD_INPUT"}


async def test_members_are_counted_in_one_statement_and_only_if_asked_for(ask: Ask, store: Store) -> None:
    await company(store)
    for number in range(5):
        await create(ask, f"s{number}", {"health": {"lte": number / 10}}, shared=True)
    with counting(store) as plain:
        await ask(LIST)
    with counting(store) as counted:
        body = await ask("{ segments { ...Counted } } fragment Counted on Segment { name customerCount }")
    assert [each["customerCount"] for each in body["data"]["segments"]] == [0, 1, 2, 3, 3]
    assert len([each for each in plain if "count(" in each.lower()]) == 0
    assert len([each for each in counted if "count(" in each.lower()]) == 1
    body = await ask("{ segments { customerCount } }", book="bob@cs.example")
    assert [each["customerCount"] for each in body["data"]["segments"]] == [0, 0, 1, 1, 1]


async def test_private_ones_are_their_owners_and_shared_ones_stewards_change(ask: Ask, store: Store) -> None:
    mine = (await create(ask, "mine", {"health": {"lt": 0.5}}))["segment"]["id"]
    ours = (await create(ask, "ours", {"health": {"lt": 0.4}}, shared=True))["segment"]["id"]
    seen = (await ask(LIST, csm_email="bob@cs.example"))["data"]["segments"]
    assert seen == [{"name": "ours", "owner": "ann@cs.example", "shared": True, "mayChange": False}]
    for id_ in (mine, ours):
        body = await ask(UPDATE, {"input": {"id": id_, "description": "x"}}, csm_email="bob@cs.example")
        (error,) = body["data"]["segmentUpdate"]["errors"]
        assert error["code"] == ("NOT_FOUND" if id_ == mine else "REFUSED")
    for given in ({"id": mine}, {"name": "mine"}):
        arguments = ", ".join(f'{name}: "{value}"' for name, value in given.items())
        assert (await ask(f"{{ segment({arguments}) {{ name }} }}", csm_email="bob@cs.example"))["data"] == {
            "segment": None
        }
    body = await ask(
        UPDATE,
        {"input": {"id": ours, "filter": {"health": {"lt": 0.3}}}},
        role=Role.MANAGER,
        csm_email="eve@cs.example",
    )
    assert body["data"]["segmentUpdate"] == {
        "segment": {"name": "ours", "filter": {"health": {"lt": 0.3}}, "shared": True},
        "errors": [],
    }


async def test_what_a_playbook_uses_is_not_deleted(ask: Ask, store: Store) -> None:
    used = (await create(ask, "used", {"health": {"lt": 0.5}}, shared=True))["segment"]
    assert used["usedBy"] == ["save"]
    body = await ask(DELETE, {"input": {"id": used["id"]}}, csm_email="ann@cs.example")
    (error,) = body["data"]["segmentDelete"]["errors"]
    assert error["message"] == "used stays: it is used by playbook save"
    assert body["data"]["segmentDelete"]["deletedId"] is None
    free = (await create(ask, "free", {"health": {"lt": 0.5}}, shared=True))["segment"]["id"]
    body = await ask(DELETE, {"input": {"id": free}}, csm_email="ann@cs.example")
    assert body["data"]["segmentDelete"] == {"deletedId": free, "errors": []}
    assert [each["name"] for each in (await ask(LIST))["data"]["segments"]] == ["used"]


async def test_the_same_key_saves_once(ask: Ask, store: Store) -> None:
    first = await create(ask, "low", {"health": {"lt": 0.5}}, idempotencyKey="k")
    again = await create(ask, "low", {"health": {"lt": 0.5}}, idempotencyKey="k")
    assert first == again
    other = await create(ask, "low", {"health": {"lt": 0.4}}, idempotencyKey="k")
    assert other["errors"][0]["code"] == "IDEMPOTENCY_CONFLICT"
    assert len((await ask(LIST, csm_email="ann@cs.example"))["data"]["segments"]) == 1


async def test_what_is_no_condition_is_told_by_its_place(ask: Ask, store: Store) -> None:
    made = await create(ask, "low", {"createdAt": {"within": "the other day"}})
    assert made["segment"] is None
    assert made["errors"][0]["message"] == (
        "filter.createdAt.within 'the other day' is no span of days; spans are such as last 30 days, next 2 weeks, "
        "this month, last quarter, next year"
    )
    assert (await create(ask, "L O W", {"health": {"lt": 0.5}}))["errors"][0]["field"] == "name"
    viewer = await ask(CREATE, {"input": {"name": "low", "filter": {"health": {"lt": 0.5}}}}, role=Role.VIEWER)
    assert viewer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await ask(LIST, csm_email="ann@cs.example"))["data"]["segments"] == []
