"""Onboardings through the API, over the real use cases: begun, advanced, skipped, called off, listed; and what is refused."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from hub.compose.actions import HubActions
from hub.compose.hub import Hub
from hub.lifecycle.onboarding.settings import OnboardingSettings
from hub.model.actions import Role
from hub.store import Store
from hub.store.audit import ASKED
from hub.store.tables import audit_record, onboarding
from schema.nodes import global_id
from tests.schema.company import NOW, seed
from tests.schema.fakes import Ask, asking

FIRST, SECOND = (global_id("customer", f"c00{number}") for number in (1, 2))
SETTINGS = OnboardingSettings.model_validate(
    {
        "programmes": {
            "default": {
                "steps": {
                    "welcome": {"title": "Welcome", "ours": True, "due_days": 2},
                    "setup": {"title": "Set up"},
                    "tour": {"title": "Tour", "optional": True},
                    "alive": {"title": "In use"},
                }
            }
        }
    }
)
PAYLOAD = """{
  onboarding { id attempt state pace step progress startedBy endedWhy steps { name state allowed doneBy note dueOn } }
  errors { code message field }
}"""
START = f"mutation ($input: OnboardingStartInput!) {{ done: onboardingStart(input: $input) {PAYLOAD} }}"
COMPLETE = (
    f"mutation ($input: OnboardingStepCompleteInput!) {{ done: onboardingStepComplete(input: $input) {PAYLOAD} }}"
)
SKIP = f"mutation ($input: OnboardingStepSkipInput!) {{ done: onboardingStepSkip(input: $input) {PAYLOAD} }}"
CANCEL = f"mutation ($input: OnboardingCancelInput!) {{ done: onboardingCancel(input: $input) {PAYLOAD} }}"


class Looks:
    """Playbooks that note when they are told that somebody stands elsewhere."""

    def __init__(self) -> None:
        self.count = 0

    async def fire_changes(self, *, now: datetime) -> None:
        self.count += 1


class HubOf(Hub):
    """A hub that has a store and a configuration, and nothing that runs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.settings = cast("Any", SimpleNamespace(lifecycle=SimpleNamespace(onboarding=SETTINGS)))
        self.playbooks = cast("Any", Looks())

    @staticmethod
    def clock() -> datetime:
        return NOW


@pytest.fixture
def hub(store: Store) -> HubOf:
    return HubOf(store)


@pytest.fixture
def ask(store: Store, hub: HubOf) -> Ask:
    return asking(store, cast("Any", HubActions(hub)))


async def act(ask: Ask, mutation: str, customer: str = FIRST, **given: Any) -> Mapping[str, Any]:
    body = await ask(mutation, {"input": {"customerId": customer, **given}}, role=Role.CSM)
    assert "errors" not in body, body
    return cast("Mapping[str, Any]", body["data"]["done"])


async def test_from_start_to_end(ask: Ask, store: Store, hub: HubOf) -> None:
    await seed(store, 3)
    started = await act(ask, START)
    assert started["errors"] == []
    made = started["onboarding"]
    assert (made["attempt"], made["state"], made["pace"], made["step"], made["progress"], made["startedBy"]) == (
        1, "ACTIVE", "ON_TRACK", "welcome", 0.0, "a csm",
    )  # fmt: skip
    assert made["steps"][0] == {
        "name": "welcome",
        "state": "OPEN",
        "allowed": True,
        "doneBy": None,
        "note": None,
        "dueOn": (NOW + timedelta(days=2)).date().isoformat(),
    }
    assert [step["allowed"] for step in made["steps"]] == [True, False, False, False]
    await act(ask, COMPLETE, note="by hand")  # the current one
    skipped = await act(ask, COMPLETE, step="setup")
    assert [step["allowed"] for step in skipped["onboarding"]["steps"]] == [False, False, True, True]
    after = (await act(ask, SKIP, step="tour"))["onboarding"]
    assert [(step["state"], step["doneBy"], step["note"]) for step in after["steps"]] == [
        ("DONE", "a csm", "by hand"), ("DONE", "a csm", None), ("SKIPPED", "a csm", None), ("OPEN", None, None),
    ]  # fmt: skip
    over = (await act(ask, COMPLETE, step="alive"))["onboarding"]
    assert (over["state"], over["pace"], over["step"], over["progress"]) == ("COMPLETED", None, None, 1.0)
    assert hub.playbooks.count == 5  # type: ignore[attr-defined]  # a fake of this test


async def test_refusals_are_errors_of_the_payload_and_change_nothing(ask: Ask, store: Store, hub: HubOf) -> None:
    await seed(store, 2)
    none = await act(ask, COMPLETE, step="alive")
    assert none["onboarding"] is None
    assert [(error["code"], error["message"]) for error in none["errors"]] == [
        ("NOT_FOUND", "Customer 001 has no onboarding; begin one first")
    ]
    await act(ask, START)
    looked = hub.playbooks.count  # type: ignore[attr-defined]  # a fake of this test
    for mutation, given, message in (
        (COMPLETE, {"step": "alive"}, "alive comes after setup; what can be done now: welcome"),
        (SKIP, {"step": "setup"}, "setup is not optional; what can be skipped: tour"),
        (CANCEL, {"reason": "  "}, "calling an onboarding off needs a reason"),
        (START, {}, "only with `restart` that one is called off and another begun"),
    ):
        refused = await act(ask, mutation, **given)
        assert refused["onboarding"] is None
        (error,) = refused["errors"]
        assert error["code"] == "REFUSED"
        assert message in error["message"]
    wrong = await act(ask, START, customer="bm9wZQ")
    assert (wrong["errors"][0]["code"], wrong["errors"][0]["field"]) == ("BAD_INPUT", "customerId")
    assert hub.playbooks.count == looked  # type: ignore[attr-defined]  # a fake of this test
    async with store.reading() as connection:
        assert len((await connection.execute(select(onboarding.c.id))).all()) == 1


async def test_the_same_key_does_it_once(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    first = await act(ask, START, idempotencyKey="one")
    again = await act(ask, START, idempotencyKey="one")
    assert again["errors"] == []
    assert again["onboarding"]["id"] == first["onboarding"]["id"]
    other = await act(ask, START, customer=SECOND, idempotencyKey="one")
    assert other["errors"][0]["code"] == "IDEMPOTENCY_CONFLICT"
    async with store.reading() as connection:
        deeds = select(audit_record.c.action, audit_record.c.actor, audit_record.c.subject)
        asked = await connection.execute(deeds.where(audit_record.c.kind == ASKED))
        assert {tuple(row) for row in asked} == {("onboardingStart", "a csm", "c001")}


async def test_call_off_and_restart(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    await act(ask, START)
    restarted = (await act(ask, START, restart=True))["onboarding"]
    assert (restarted["attempt"], restarted["state"]) == (2, "ACTIVE")
    over = (await act(ask, CANCEL, reason="they left"))["onboarding"]
    assert (over["attempt"], over["state"], over["endedWhy"]) == (2, "CANCELLED", "they left")


async def test_a_viewer_reads_and_does_nothing(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    body = await ask(START, {"input": {"customerId": FIRST}}, role=Role.VIEWER)
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    async with store.reading() as connection:
        assert (await connection.execute(select(onboarding.c.id))).all() == []


async def test_lists_are_filtered_and_paged(ask: Ask, store: Store) -> None:
    await seed(store, 3)
    for customer in (FIRST, SECOND):
        await act(ask, START, customer=customer)
    await act(ask, CANCEL, customer=SECOND, reason="no")
    await act(ask, START, customer=SECOND)
    query = """query ($first: Int!, $state: [OnboardingState!], $pace: [OnboardingPace!], $customer: ID, $after: String) {
      onboardings(first: $first, state: $state, pace: $pace, customerId: $customer, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { attempt state customer { name } }
      }
    }"""

    async def listed(**given: Any) -> Any:
        body = await ask(query, {"first": 10, **given})
        return body["data"]["onboardings"]

    assert (await listed())["totalCount"] == 3
    found = await listed(state=["ACTIVE"], pace=["ON_TRACK", "BEHIND"])
    assert sorted((node["customer"]["name"], node["attempt"]) for node in found["nodes"]) == [
        ("Customer 001", 1),
        ("Customer 002", 2),
    ]
    assert (await listed(pace=["STALLED"]))["nodes"] == []
    one = await listed(first=1, customer=SECOND)
    assert (one["totalCount"], one["pageInfo"]["hasNextPage"]) == (2, True)
    rest = await listed(first=1, customer=SECOND, after=one["pageInfo"]["endCursor"])
    assert len(rest["nodes"]) == 1
    assert rest["pageInfo"]["hasNextPage"] is False
    customer = await ask(f'{{ customer(id: "{SECOND}") {{ onboarding {{ attempt }} onboardings {{ totalCount }} }} }}')
    assert customer["data"]["customer"] == {"onboarding": {"attempt": 2}, "onboardings": {"totalCount": 2}}
