"""What subscriptions tell of each kind of event, to whom, and with how many statements."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event

from hub.access import Viewer
from hub.access.reading import Reads
from hub.events import Broadcast
from hub.model.actions import Role, SyncState
from hub.store import Store, alerts, runs, scorecards, syncs, tables
from schema.answering import Answer
from schema.context import Context
from schema.errors import BadInputError
from schema.nodes import global_id
from schema.subscriptions.cursors import event_cursor, event_number
from schema.subscriptions.opening import Opened, open_stream
from tests.schema.company import NOW, customer_row, insert
from tests.schema.fakes import PLAYBOOKS, SOURCES, FakeActions

ANN = Viewer(token_id="tok_ann", name="ann", role=Role.CSM, csm_email="ann@cs.example", book="ann@cs.example")
BOB = Viewer(token_id="tok_bob", name="bob", role=Role.CSM, csm_email="bob@cs.example", book="bob@cs.example")
MANAGER = Viewer(token_id="tok_m", name="m", role=Role.MANAGER)
TITLES = "subscription { alertChanged(after: %s) { alert { title customer { name } } } }"


@pytest.fixture
async def broadcast(store: Store) -> AsyncIterator[Broadcast]:
    made = Broadcast(store)
    yield made
    await made.close()


async def open_(broadcast: Broadcast, store: Store, viewer: Viewer, query: str, **given: Any) -> Opened | Answer:
    context = Context(
        store=store,
        reads=Reads(store),
        viewer=viewer,
        now=NOW,
        actions=FakeActions(),
        playbooks=lambda: PLAYBOOKS,
        sources=lambda: SOURCES,
    )
    return await open_stream(broadcast, context, query, given, clock=lambda: NOW)


async def stream(broadcast: Broadcast, store: Store, viewer: Viewer, query: str) -> Any:
    opened = await open_(broadcast, store, viewer, query)
    assert isinstance(opened, Opened), opened
    return opened.parcels


async def told(parcels: Any, count: int) -> list[Any]:
    """The data of the next events."""
    found = []
    for _ in range(count):
        body = json.loads((await asyncio.wait_for(anext(parcels), 20)).body)
        assert "errors" not in body, body
        [data] = body["data"].values()
        found.append(data)
    return found


async def standing(broadcast: Broadcast, count: int) -> None:
    """Wait until so many subscribers are there."""
    while broadcast.subscribers < count:  # noqa: ASYNC110 - nobody is told of a subscriber
        await asyncio.sleep(0.01)


async def company(store: Store) -> None:
    """One customer of Ann, and one of Bob."""
    rows = [customer_row(1), customer_row(2, csm_email="bob@cs.example")]
    await insert(store, tables.customer, rows)


async def open_alert(store: Store, id_: str, customer: str) -> None:
    row = {"id": id_, "customer_id": customer, "kind": "alert", "title": id_, "severity": "high", "state": "open"}
    async with store.transaction() as connection:
        await alerts.open_alerts(connection, [{**row, "dedup_key": id_, "opened_at": NOW, "updated_at": NOW}])


async def test_a_book_is_told_of_its_own_customers_only_live_and_from_the_log(
    store: Store, broadcast: Broadcast
) -> None:
    await company(store)
    await open_alert(store, "of ann before", "c001")
    await open_alert(store, "of bob before", "c002")
    start = json.dumps(event_cursor(0))
    streams = {who.name: await stream(broadcast, store, who, TITLES % start) for who in (ANN, BOB, MANAGER)}
    log = {
        name: [each["alert"]["title"] for each in await told(one, 2 if name == "m" else 1)]
        for name, one in streams.items()
    }
    assert log == {"ann": ["of ann before"], "bob": ["of bob before"], "m": ["of ann before", "of bob before"]}

    taking = {name: asyncio.create_task(told(one, 2 if name == "m" else 1)) for name, one in streams.items()}
    await standing(broadcast, 3)
    await open_alert(store, "of bob live", "c002")
    await open_alert(store, "of ann live", "c001")
    live = {name: [each["alert"]["title"] for each in await task] for name, task in taking.items()}
    assert live == {"ann": ["of ann live"], "bob": ["of bob live"], "m": ["of bob live", "of ann live"]}


async def test_a_variable_may_say_whether_a_field_is_told(store: Store, broadcast: Broadcast) -> None:
    await company(store)
    await open_alert(store, "a", "c001")
    query = (
        "subscription ($after: String, $named: Boolean!)"
        " { alertChanged(after: $after) { alert { title customer @include(if: $named) { name } } } }"
    )
    found = []
    for named in (False, True):
        opened = await open_(broadcast, store, MANAGER, query, named=named, after=event_cursor(0))
        assert isinstance(opened, Opened), opened
        found += await told(opened.parcels, 1)
    assert found == [{"alert": {"title": "a"}}, {"alert": {"title": "a", "customer": {"name": "Customer 001"}}}]


async def test_asking_for_a_customer_outside_the_book_is_as_asking_for_none(store: Store, broadcast: Broadcast) -> None:
    await company(store)
    await open_alert(store, "of bob", "c002")
    await open_alert(store, "of ann", "c001")
    for id_ in (global_id("customer", name) for name in ("c002", "none")):
        query = f'subscription {{ alertChanged(customerId: "{id_}", after: "{event_cursor(0)}") {{ cursor }} }}'
        parcels = await stream(broadcast, store, ANN, query)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(parcels), 0.3)


async def test_bands_runs_and_syncs_are_told_with_what_they_are_about(store: Store, broadcast: Broadcast) -> None:
    await company(store)
    card = dict.fromkeys(
        ("override_id", "reason", "previous_band", "churn_risk", "churn_annualised", "churn_band", "health")
    )
    card |= {"customer_id": "c001", "computed_health": None, "computed_band": None, "coverage": 1.0, "facts": {}}
    card |= {
        "readings": [],
        "definition": "main",
        "definition_hash": "h",
        "computed_at": NOW,
        "latest": True,
        "as_of": NOW.date(),
    }
    run = {
        "id": "r",
        "playbook": "save",
        "playbook_version": 1,
        "definition": {},
        "customer_id": "c001",
        "episode": "e",
    }
    run |= {
        "cause": "hand",
        "state": "running",
        "step": 0,
        "fence": 0,
        "facts": {},
        "started_at": NOW,
        "updated_at": NOW,
    }
    async with store.transaction() as connection:
        for band in ("healthy", "critical"):
            await scorecards.put(connection, [{**card, "band": band}], [], as_of=NOW.date(), replace=True)
        await runs.insert(connection, [run])
        await runs.move(
            connection, [{"id": "r", "step": 1, "state": "waiting", "awaits": "approval", "updated_at": NOW}]
        )
        await syncs.start_run(connection, "s", "crm", now=NOW)
        await syncs.save_run(connection, "s", streams={}, state=SyncState.SUCCEEDED, finished_at=NOW)

    start = event_cursor(0)
    bands = await stream(
        broadcast,
        store,
        ANN,
        f'subscription {{ bandChanged(after: "{start}", band: [CRITICAL]) '
        "{ change before band customer { name } scorecard { band asOf } } }",
    )
    assert await told(bands, 1) == [
        {
            "change": "DOWN",
            "before": "HEALTHY",
            "band": "CRITICAL",
            "customer": {"name": "Customer 001"},
            "scorecard": {"band": "CRITICAL", "asOf": str(NOW.date())},
        }
    ]
    playbooks = await stream(
        broadcast,
        store,
        ANN,
        f'subscription {{ playbookRunUpdated(after: "{start}", playbook: "save") '
        "{ change playbook run { state awaits } customer { name } } }",
    )
    run_now = {
        "playbook": "save",
        "run": {"state": "WAITING", "awaits": "approval"},
        "customer": {"name": "Customer 001"},
    }
    assert await told(playbooks, 2) == [{"change": "STARTED", **run_now}, {"change": "AWAITS_APPROVAL", **run_now}]
    going = await stream(
        broadcast,
        store,
        MANAGER,
        f'subscription {{ syncProgress(after: "{start}", source: "crm") {{ change source run {{ state }} }} }}',
    )
    assert await told(going, 2) == [
        {"change": change, "source": "crm", "run": {"state": "SUCCEEDED"}} for change in ("STARTED", "ENDED")
    ]


async def test_statements_do_not_depend_on_events_or_subscribers(sqlite_store: Store) -> None:
    store = sqlite_store
    await company(store)
    seen: list[str] = []
    event.listen(
        store._reader.sync_engine, "before_cursor_execute", lambda *args: seen.append(args[2])
    )  # private: to count what is asked of it
    counts = []
    for subscribers, events in ((1, 1), (20, 10)):
        broadcast = Broadcast(store)
        query = "subscription { alertChanged { alert { title customer { name } } } }"
        streams = [await stream(broadcast, store, MANAGER, query) for _ in range(subscribers)]
        taking = [asyncio.create_task(told(one, events)) for one in streams]
        await standing(broadcast, subscribers)
        seen.clear()
        row = {"customer_id": "c001", "kind": "alert", "title": "t", "severity": "high", "state": "open"}
        ids = [f"{subscribers}.{number}" for number in range(events)]
        rows = [{**row, "id": id_, "dedup_key": id_, "opened_at": NOW, "updated_at": NOW} for id_ in ids]
        async with store.transaction() as connection:
            await alerts.open_alerts(connection, rows)
        await asyncio.gather(*taking)
        # of the events wanted, of their alerts, of the alerts' customers
        counts.append([sum(f"FROM {what}" in each for each in seen) for what in ("alert", "customer")])
        await broadcast.close()
    assert counts[0] == counts[1]
    assert sum(counts[0]) >= 1


async def test_what_lacks_a_right_or_costs_too_much_is_not_begun(store: Store, broadcast: Broadcast) -> None:
    viewer = Viewer(token_id="tok_v", name="v", role=Role.VIEWER)
    personal = "subscription { alertChanged { alert { customer { contacts { nodes { email } } } } } }"
    refused = await open_(broadcast, store, viewer, personal)
    assert isinstance(refused, Answer)
    assert (refused.status, json.loads(refused.encoded())["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    inner = "name"
    for _ in range(3):
        inner = f"children(first: 100) {{ nodes {{ {inner} }} }}"
    costly = await open_(broadcast, store, MANAGER, f"subscription {{ bandChanged {{ customer {{ {inner} }} }} }}")
    assert isinstance(costly, Answer)
    assert json.loads(costly.encoded())["errors"][0]["extensions"]["code"] == "TOO_COSTLY"
    assert broadcast.subscribers == 0


async def test_those_who_differ_in_rights_or_variables_are_told_apart(store: Store, broadcast: Broadcast) -> None:
    await company(store)
    arguments = "(after: $after, severity: $severity)"
    query = f"subscription ($after: String, $severity: [Severity!]) {{ alertChanged{arguments} {{ cursor }} }}"
    opened = [
        await open_(broadcast, store, MANAGER, query),
        await open_(broadcast, store, MANAGER, query, after=event_cursor(0)),
        await open_(broadcast, store, ANN, query),
        await open_(broadcast, store, MANAGER, query, severity=["HIGH"]),
    ]
    taking = []
    for each in opened:
        assert isinstance(each, Opened)
        taking.append(asyncio.create_task(told(each.parcels, 1)))
    await standing(broadcast, 4)
    assert (broadcast.subscribers, broadcast.audiences) == (4, 3)
    await open_alert(store, "a", "c001")
    assert await asyncio.gather(*taking) == [[{"cursor": event_cursor(1)}]] * 4


@pytest.mark.parametrize("text", ["", "x", "ZXZlbnQ6MQ", "é", "A" * 200])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="not a cursor of events"):
        event_number(text)


def test_a_cursor_that_was_altered_is_refused() -> None:
    cursor = event_cursor(7)
    assert event_number(cursor) == 7
    for place, letter in enumerate(cursor):
        with pytest.raises(BadInputError, match="not a cursor of events"):
            event_number(f"{cursor[:place]}{'A' if letter != 'A' else 'B'}{cursor[place + 1 :]}")
