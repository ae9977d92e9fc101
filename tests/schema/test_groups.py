"""Groups: what they add up to, never across currencies, in the book, in one statement."""

from datetime import timedelta
from typing import Any

import pytest

from hub.store import Store, tables
from schema.nodes import global_id
from tests.schema.company import NOW, TODAY, customer_row, insert, record, scorecard_row
from tests.schema.fakes import Ask
from tests.schema.test_everything import counting

FULL = """query ($by: [CustomerGroupBy!]!, $filter: CustomerFilter, $order: CustomerGroupOrder) {
  customerGroups(by: $by, filter: $filter, orderBy: $order) {
    keys { by value } count unpriced revenue { currency customers mrr arr }
    health { count average minimum maximum median } churnRisk { count average }
  } }"""
SHORT = """query ($by: [CustomerGroupBy!]!, $order: CustomerGroupOrder) {
  customerGroups(by: $by, orderBy: $order) { keys { value } count } }"""


async def company(store: Store) -> None:
    """Six customers: health, MRR and currency of each as below; the last was merged away."""
    given = [
        ("smb", 0.1, 10.0, ["EUR"]),
        ("smb", 0.2, 20.0, ["EUR"]),
        ("smb", 0.9, 30.0, ["USD"]),
        ("enterprise", 0.5, None, ["EUR", "USD"]),
        (None, None, None, []),
        ("smb", 0.3, 99.0, ["EUR"]),
    ]
    await insert(
        store,
        tables.customer,
        [
            customer_row(
                number,
                segment=segment,
                csm_email="bob@cs.example" if number == 1 else "ann@cs.example",
                merged_into_id="c000" if number == 5 else None,
            )
            for number, (segment, *_) in enumerate(given)
        ],
    )
    cards = [
        scorecard_row(
            f"c00{number}",
            TODAY,
            health=health,
            band="critical" if health < 0.3 else "stable",
            facts={"mrr": mrr, "plan": "Pro"},
        )
        for number, (_, health, mrr, _) in enumerate(given)
        if health is not None
    ]
    old = scorecard_row("c000", TODAY - timedelta(days=1), health=1.0, latest=False)
    await insert(store, tables.scorecard, [*cards, old])
    terms = [
        record("bill", f"{number}{currency}", f"c00{number}", plan="Pro", mrr=1.0, currency=currency,
               started_on=TODAY - timedelta(days=9), ended_on=None, status="active")
        for number, (*_, currencies) in enumerate(given)
        for currency in currencies
    ]  # fmt: skip
    over = record(
        "bill", "over", "c000", plan="Old", mrr=1.0, currency="GBP",
        started_on=TODAY - timedelta(days=99), ended_on=TODAY, status="cancelled",
    )  # fmt: skip
    await insert(store, tables.subscription, [*terms, over])


async def test_groups_add_up_by_currency(ask: Ask, store: Store) -> None:
    await company(store)
    with counting(store) as seen:
        body = await ask(FULL, {"by": ["SEGMENT"]})
    assert len([each for each in seen if "SELECT" in each]) == 1
    smb, enterprise, none = body["data"]["customerGroups"]
    assert smb == {
        "keys": [{"by": "SEGMENT", "value": "smb"}],
        "count": 3,
        "unpriced": 0,
        "revenue": [
            {"currency": "EUR", "customers": 2, "mrr": 30.0, "arr": 360.0},
            {"currency": "USD", "customers": 1, "mrr": 30.0, "arr": 360.0},
        ],
        "health": {"count": 3, "average": pytest.approx(0.4), "minimum": 0.1, "maximum": 0.9, "median": 0.2},
        "churnRisk": {"count": 3, "average": pytest.approx(0.1)},
    }
    assert enterprise == {
        "keys": [{"by": "SEGMENT", "value": "enterprise"}],
        "count": 1,
        "unpriced": 1,
        "revenue": [],
        "health": {"count": 1, "average": 0.5, "minimum": 0.5, "maximum": 0.5, "median": 0.5},
        "churnRisk": {"count": 1, "average": pytest.approx(0.1)},
    }
    assert none == {
        "keys": [{"by": "SEGMENT", "value": None}],
        "count": 1,
        "unpriced": 1,
        "revenue": [],
        "health": {"count": 0, "average": None, "minimum": None, "maximum": None, "median": None},
        "churnRisk": {"count": 0, "average": None},
    }


async def test_without_by_all_are_one_and_filters_and_books_narrow(ask: Ask, store: Store) -> None:
    await company(store)
    query = """query ($filter: CustomerFilter) {
      customerGroups(by: [], filter: $filter) { count keys { by } health { median } } }"""
    for filter_, book, count, median in (
        (None, None, 5, 0.35),
        ({"health": {"lt": 0.3}}, None, 2, pytest.approx(0.15)),
        (None, "bob@cs.example", 1, 0.2),
        ({"search": "customer 000"}, None, 1, 0.1),
    ):
        body = await ask(query, {"filter": filter_}, book=book)
        assert body["data"]["customerGroups"] == [{"count": count, "keys": [], "health": {"median": median}}]
    assert (await ask(query, book="eve@cs.example"))["data"]["customerGroups"] == []


@pytest.mark.parametrize(
    ("by", "order", "found"),
    [
        (["BAND", "CSM"], None, [["critical", "ann@cs.example"], ["critical", "bob@cs.example"]]),
        (["SEGMENT"], {"field": "KEY", "direction": "ASC"}, [["enterprise"], ["smb"], [None]]),
        (["SEGMENT"], {"field": "AVERAGE_HEALTH"}, [["enterprise"], ["smb"], [None]]),
        (["SEGMENT"], {"field": "AVERAGE_HEALTH", "direction": "ASC"}, [["smb"], ["enterprise"], [None]]),
        (["CSM"], {"field": "MRR", "direction": "ASC"}, [["ann@cs.example"], ["bob@cs.example"]]),
        (["PLAN"], {"field": "COUNT"}, [["Pro"], [None]]),
        (["RENEWAL_STATUS"], None, [[None]]),
    ],
)
async def test_orders_of_groups(
    ask: Ask, store: Store, by: list[str], order: Any, found: list[list[str | None]]
) -> None:
    await company(store)
    body = await ask(SHORT, {"by": by, "order": order})
    groups = [[key["value"] for key in each["keys"]] for each in body["data"]["customerGroups"]]
    if by == ["BAND", "CSM"]:
        assert groups[0] == ["stable", "ann@cs.example"]
        groups = groups[1:3]
    assert groups == found


async def test_bounds(ask_sqlite: Ask) -> None:
    for arguments, message in (
        ("by: [BAND, BAND]", "by must have at most 3 fields, each once"),
        ("by: [BAND, CSM, PLAN, COUNTRY]", "by must have at most 3 fields, each once"),
        ("by: [BAND], first: 1001", "first must be 1 to 1,000, not 1001"),
        ("by: [BAND], first: 0", "first must be 1 to 1,000, not 0"),
    ):
        body = await ask_sqlite(f"{{ customerGroups({arguments}) {{ count }} }}")
        assert body["errors"][0]["message"] == message


async def test_bands_then_and_now(ask: Ask, store: Store) -> None:
    await company(store)
    before = scorecard_row("c001", TODAY - timedelta(days=31), health=0.9, band="healthy", latest=False)
    older = scorecard_row("c001", TODAY - timedelta(days=40), health=0.1, band="critical", latest=False)
    later = scorecard_row("c003", TODAY - timedelta(days=5), health=0.1, band="warning", latest=False)
    await insert(store, tables.scorecard, [before, older, later])
    query = f"""query ($filter: CustomerFilter) {{
      bandMovements(since: "{TODAY - timedelta(days=30)}", filter: $filter) {{ before after count }} }}"""
    with counting(store) as seen:
        body = await ask(query)
    assert len([each for each in seen if "SELECT" in each]) == 1
    assert body["data"]["bandMovements"] == [
        {"before": None, "after": "STABLE", "count": 2},
        {"before": None, "after": "CRITICAL", "count": 1},
        {"before": "HEALTHY", "after": "CRITICAL", "count": 1},
    ]
    moved = [{"before": "HEALTHY", "after": "CRITICAL", "count": 1}]
    assert (await ask(query, book="bob@cs.example"))["data"]["bandMovements"] == moved
    assert (await ask(query, {"filter": {"search": "customer 001"}}))["data"]["bandMovements"] == moved


async def test_records_are_counted_by_what_they_have_in_common(ask: Ask, store: Store) -> None:
    await company(store)
    await insert(
        store,
        tables.playbook_run,
        [{"id": "r1", "playbook": "save", "customer_id": "c000", "state": "completed", "episode": "e"}],
    )
    alerts = [
        ("a1", "c000", "open", "urgent", "r1"),
        ("a2", "c001", "open", "urgent", None),
        ("a3", "c002", "open", "low", None),
        ("a4", "c003", "closed", "low", None),
    ]
    await insert(
        store,
        tables.alert,
        [
            {
                "id": id_,
                "dedup_key": id_,
                "customer_id": customer,
                "state": state,
                "severity": severity,
                "run_id": run,
                "opened_at": NOW,
            }
            for id_, customer, state, severity, run in alerts
        ],
    )
    query = """query ($by: [AlertGroupBy!]!, $state: [AlertState!], $filter: AlertFilter) {
      alertGroups(by: $by, state: $state, filter: $filter) { keys { by value } count } }"""

    async def groups(by: list[str], **more: Any) -> list[tuple[Any, ...]]:
        book = more.pop("book", None)
        with counting(store) as seen:
            body = await ask(query, {"by": by, **more}, book=book)
        assert len([each for each in seen if "SELECT" in each]) == 1
        return [(*(key["value"] for key in each["keys"]), each["count"]) for each in body["data"]["alertGroups"]]

    assert await groups(["STATE"]) == [("open", 3), ("closed", 1)]
    assert await groups(["SEVERITY"], state=["OPEN"]) == [("urgent", 2), ("low", 1)]
    assert await groups(["STATE", "SEVERITY"]) == [("open", "urgent", 2), ("closed", "low", 1), ("open", "low", 1)]
    assert await groups(["PLAYBOOK"]) == [(None, 3), ("save", 1)]
    assert await groups(["STATE"], book="bob@cs.example") == [("open", 1)]
    assert await groups(["STATE"], book="eve@cs.example") == []
    assert await groups(["STATE"], filter={"severity": ["LOW"]}) == [("closed", 1), ("open", 1)]
    assert await groups(["SEVERITY"], filter={"owned": True}) == []
    assert await groups(["PLAYBOOK"], filter={"runId": global_id("playbook_run", "r1")}) == [("save", 1)]
    body = await ask("""{
      playbookRunGroups(by: [PLAYBOOK, STATE]) { keys { by value } count }
      deliveryGroups(by: [CHANNEL]) { count } ticketGroups(by: [STATUS]) { count } }""")
    assert body["data"] == {
        "playbookRunGroups": [
            {"keys": [{"by": "PLAYBOOK", "value": "save"}, {"by": "STATE", "value": "completed"}], "count": 1}
        ],
        "deliveryGroups": [],
        "ticketGroups": [],
    }
    tickets = [
        record("desk", f"t{number}", "c000", status=status, severity="normal", created_at=NOW - timedelta(days=number))
        for number, status in enumerate(("open", "open", "solved"))
    ]
    await insert(store, tables.ticket, tickets)
    body = await ask(
        """query ($since: DateTime!, $id: ID!, $other: ID!) {
          ticketGroups(by: [STATUS], filter: {createdFrom: $since}) { keys { value } count }
          of: playbookRunGroups(by: [STATE], customerId: $id) { count }
          ofNobody: playbookRunGroups(by: [STATE], customerId: $other) { count } }""",
        {
            "since": (NOW - timedelta(days=1)).isoformat(),
            "id": global_id("customer", "c000"),
            "other": global_id("customer", "c001"),
        },
    )
    assert body["data"] == {
        "ticketGroups": [{"keys": [{"value": "open"}], "count": 2}], "of": [{"count": 1}], "ofNobody": [],
    }  # fmt: skip
