"""Renewals through the API, over the real use cases: listed, forecast, stated by people; and what is refused."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from hub.compose.actions import HubActions
from hub.compose.hub import Hub
from hub.lifecycle.renewal import RenewalSettings, keep_renewals
from hub.model.actions import Role
from hub.store import Store
from hub.store.tables import audit_record, renewal_statement, subscription
from schema.nodes import global_id
from tests.schema.company import NOW, TODAY, insert, record, seed
from tests.schema.fakes import Ask, asking
from tests.schema.test_onboarding import Looks

SETTINGS = RenewalSettings(base_rate=0.8)
FIRST = global_id("customer", "c001")
LIST = """
query ($first: Int = 20, $after: String, $filter: RenewalFilter) {
  renewals(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { endCursor hasNextPage }
    nodes { id dueOn status computedStatus target expected probability probabilityBy auto noticeBy currency
            final reason statedBy customer { name } }
  }
}
"""
FORECAST = """
query ($period: String!) {
  renewalForecast(period: $period) {
    firstDay lastDay asOf currency count decided target upsell lost stillOpen byItself expected committed bestCase
    probabilities { source count } figures(basis: "renewals_due") { metric basis scenario value denominator formula }
    all: figures { basis }
  }
}
"""
UPDATE = """
mutation ($input: RenewalUpdateInput!) {
  renewalUpdate(input: $input) {
    renewal { status computedStatus final expected reason statedBy } errors { code message field }
  }
}
"""


class HubOf(Hub):
    """A hub that has a store and a configuration, and nothing that runs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.settings = cast("Any", SimpleNamespace(lifecycle=SimpleNamespace(renewal=SETTINGS)))
        self.playbooks = cast("Any", Looks())

    @staticmethod
    def clock() -> datetime:
        return NOW


@pytest.fixture
def hub(store: Store) -> HubOf:
    return HubOf(store)


@pytest.fixture
async def ask(store: Store, hub: HubOf) -> Ask:
    await seed(store, 3)
    terms = (
        ("c000", -5, False, 100.0),
        ("c001", 20, False, 100.0),
        ("c001", 40, True, 50.0),
        ("c002", 70, False, 10.0),
    )
    rows = [
        record(
            "erp", f"t{place}", customer, plan="Pro", mrr=mrr, currency="USD", started_on=TODAY + timedelta(due - 365),
            renews_on=TODAY + timedelta(due), ended_on=None, auto_renew=auto, status="active",
        )
        for place, (customer, due, auto, mrr) in enumerate(terms)
    ]  # fmt: skip
    await insert(store, subscription, rows)
    await keep_renewals(store, SETTINGS, now=NOW)
    return asking(store, cast("Any", HubActions(hub)))


def key(customer: str, due: int) -> str:
    return global_id("renewal", f"{customer}:{TODAY + timedelta(due)}:USD")


async def test_listed_by_day_and_page(ask: Ask) -> None:
    body = await ask(LIST, {"first": 3})
    page = body["data"]["renewals"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (4, True)
    assert [(row["customer"]["name"], row["status"], row["target"], row["expected"]) for row in page["nodes"]] == [
        ("Customer 000", "OVERDUE", 1200, 960),
        ("Customer 001", "DUE", 1200, 960),
        ("Customer 001", "UPCOMING", 600, 480),
    ]
    auto = page["nodes"][2]
    assert (auto["auto"], auto["noticeBy"], auto["probability"], auto["probabilityBy"]) == (
        True, "2026-11-11", 0.8, "ASSUMED",
    )  # fmt: skip
    rest = await ask(LIST, {"after": page["pageInfo"]["endCursor"]})
    assert [row["id"] for row in rest["data"]["renewals"]["nodes"]] == [key("c002", 70)]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"status": ["OVERDUE", "DUE"]}, [("c000", -5), ("c001", 20)]),
        ({"dueFrom": "2026-11-21", "dueTo": "2026-12-11"}, [("c001", 20), ("c001", 40)]),
        ({"auto": False, "customerId": FIRST}, [("c001", 20)]),
        ({"status": ["CHURNED"]}, []),
    ],
)
async def test_filtered(ask: Ask, given: dict[str, Any], found: list[tuple[str, int]]) -> None:
    body = await ask(LIST, {"filter": given})
    assert [row["id"] for row in body["data"]["renewals"]["nodes"]] == [key(*each) for each in found]


async def test_of_a_customer_and_by_id(ask: Ask) -> None:
    body = await ask(
        f'{{ customer(id: "{FIRST}") {{ renewals(status: [DUE]) {{ totalCount nodes {{ dueOn }} }} }} '
        f'node(id: "{key("c001", 20)}") {{ ... on Renewal {{ target }} }} }}'
    )
    assert body["data"] == {
        "customer": {"renewals": {"totalCount": 1, "nodes": [{"dueOn": "2026-11-21"}]}},
        "node": {"target": 1200},
    }


async def test_forecast(ask: Ask) -> None:
    body = await ask(FORECAST, {"period": "2026-11"})
    usd = next(each for each in body["data"]["renewalForecast"] if each["currency"] == "USD")
    assert (usd["firstDay"], usd["lastDay"], usd["asOf"]) == ("2026-11-01", "2026-11-30", date(2026, 11, 1).isoformat())
    assert (usd["count"], usd["target"], usd["expected"], usd["committed"]) == (1, 1200, 960, 0)
    assert usd["probabilities"] == [{"source": "ASSUMED", "count": 1}]
    assert {each["basis"] for each in usd["figures"]} == {"renewals_due"}
    assert [each["value"] for each in usd["figures"] if each["scenario"] == "expected"] == [0.8, 0.8]
    assert {each["basis"] for each in usd["all"]} == {"renewals_due", "cohort"}
    body = await ask(FORECAST, {"period": "soon"})
    assert body["errors"][0]["extensions"]["code"] == "REFUSED"


async def test_stated_and_taken_back(ask: Ask, store: Store, hub: HubOf) -> None:
    async def say(**given: Any) -> Any:
        body = await ask(UPDATE, {"input": {"id": key("c000", -5), **given}}, role=Role.CSM)
        return body["data"]["renewalUpdate"]

    done = await say(status="RENEWED", amount=1500, reason="signed on paper", idempotencyKey="k")
    assert done == {
        "renewal": {
            "status": "RENEWED", "computedStatus": "OVERDUE", "final": 1500, "expected": 1200,
            "reason": "signed on paper", "statedBy": "a csm",
        },
        "errors": [],
    }  # fmt: skip
    assert await say(status="RENEWED", amount=1500, reason="signed on paper", idempotencyKey="k") == done
    assert hub.playbooks.count == 1  # type: ignore[attr-defined]  # a fake
    back = await say(status="BY_RECORDS")
    assert (back["renewal"]["status"], back["renewal"]["statedBy"]) == ("OVERDUE", None)
    async with store.reading() as connection:
        asked = await connection.execute(select(audit_record.c.action, audit_record.c.actor))
        assert {tuple(row) for row in asked} == {("renewalUpdate", "a csm"), ("personalRead", "a csm")}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"status": "RENEWED"}, "REFUSED"),
        ({"status": "CHURNED", "reason": "x", "amount": 5}, "REFUSED"),
        ({"status": "BY_RECORDS"}, "REFUSED"),
        ({"status": "BY_RECORDS", "reason": "x"}, "BAD_INPUT"),
        ({"status": "CHURNED", "reason": "x", "id": key("c009", 1)}, "NOT_FOUND"),
        ({"status": "CHURNED", "reason": "x", "id": FIRST}, "BAD_INPUT"),
    ],
)
async def test_refused(ask: Ask, store: Store, given: dict[str, Any], code: str) -> None:
    body = await ask(UPDATE, {"input": {"id": key("c000", -5), **given}}, role=Role.CSM)
    answer = body["data"]["renewalUpdate"]
    assert (answer["renewal"], answer["errors"][0]["code"]) == (None, code)
    async with store.reading() as connection:
        assert (await connection.execute(select(renewal_statement.c.id))).all() == []


async def test_a_viewer_may_not(ask: Ask) -> None:
    body = await ask(UPDATE, {"input": {"id": key("c000", -5), "status": "CHURNED", "reason": "x"}}, role=Role.VIEWER)
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
