"""One query over every kind of thing a customer has: right values, and as many statements for fifty customers as for five."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from hub.store import Store, tables
from schema.answering import READER
from tests.schema.company import TODAY, customer_row, insert, record, seed
from tests.schema.everything import EVERYTHING
from tests.schema.fakes import Ask


@contextmanager
def listening(store: Store, moment: str, note: Callable[..., None]) -> Iterator[None]:
    """The ordinary path answers everything meanwhile, and `note` is told of what it reads at this event of SQLAlchemy's."""
    engine = store._reader.sync_engine
    event.listen(engine, moment, note)
    READER.enabled = False
    try:
        yield
    finally:
        READER.enabled = True
        event.remove(engine, moment, note)


@contextmanager
def counting(store: Store) -> Iterator[list[str]]:
    """The statements that the ordinary path executes meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    with listening(store, "before_cursor_execute", note):
        yield seen


async def test_every_relation_comes_back_with_its_own_rows(ask: Ask, store: Store) -> None:
    await seed(store, 3)
    body = await ask(EVERYTHING, {"first": 2})
    assert "errors" not in body
    page = body["data"]["customers"]
    assert page["totalCount"] == 3
    assert page["pageInfo"]["hasNextPage"] is True
    first, second = (edge["node"] for edge in page["edges"])
    assert [first["name"], second["name"]] == ["Customer 002", "Customer 001"]
    assert first["csm"] == {"name": "Ann", "email": "ann@cs.example"}
    assert first["facts"] == {"mrr": 100.0, "plan": "Pro", "dau": None}
    assert first["health"]["score"] == 0.5
    assert first["health"]["change30d"] == -0.25
    assert first["health"]["readings"][0]["measure"] == "adoption"
    assert first["churnRisk"]["band"] == "LOW"
    assert first["churnRisk"]["reasons"][0]["text"] == "Usage fell"
    assert [(day["day"], day["users"], day["events"]) for day in first["usage"]["series"]] == [
        ("2026-10-29", 2, 20),
        ("2026-10-30", 1, 10),
        ("2026-10-31", 2, 20),
        ("2026-11-01", 1, 10),
    ]
    assert first["usage"]["features"] == [{"feature": "export", "events": 12, "days": 4, "lastDay": "2026-11-01"}]
    assert [contact["name"] for contact in second["contacts"]["nodes"]] == ["Person 0", "Person 1"]
    assert second["contacts"]["pageInfo"]["hasNextPage"] is True
    assert second["tickets"]["totalCount"] == 3
    assert [edge["node"]["subject"] for edge in second["tickets"]["edges"]] == ["Ticket 1", "Ticket 2", "Ticket 3"]
    assert {ticket["key"] for ticket in second["tickets"]["nodes"]} == {"c001-1", "c001-2", "c001-3"}
    assert second["subscription"]["plan"] == "new"
    assert second["subscription"]["mrr"] == 101.0
    assert len(second["scoreHistory"]["nodes"]) == 2
    assert second["alerts"]["nodes"][0]["snoozed"] is True
    assert second["alerts"]["nodes"][0]["run"] == {"playbook": "save"}
    run = second["playbookRuns"]["nodes"][0]
    assert run["steps"][0]["action"] == "notify"
    assert run["deliveries"][0]["payload"] == {"text": "Call"}
    assert second["identity"][0]["domains"] == ["a.example"]


async def test_statements_do_not_grow_with_rows(ask: Ask, store: Store) -> None:
    await seed(store, 50)
    counts = {}
    for first in (5, 50):
        with counting(store) as seen:
            body = await ask(EVERYTHING, {"first": first})
        assert "errors" not in body
        assert len(body["data"]["customers"]["edges"]) == first
        counts[first] = len(seen)
    assert counts[5] == counts[50]
    assert counts[50] < 50


async def test_a_list_with_health_and_facts_is_one_statement(ask: Ask, store: Store) -> None:
    await seed(store, 5)
    with counting(store) as seen:
        body = await ask(
            "{ customers { nodes { name csm { name } health { score band } facts { mrr } usage { mau } } } }"
        )
    assert len(body["data"]["customers"]["nodes"]) == 5
    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) == 1


async def test_only_the_columns_asked_for_are_read(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    with counting(store) as seen:
        await ask("{ customers { nodes { name } } }")
    (statement,) = [statement for statement in seen if not statement.startswith("BEGIN")]
    assert "scorecard" not in statement
    assert "customer.domain" not in statement


async def test_aliases_fragments_and_directives_each_get_their_own_rows(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    body = await ask(
        """
        query ($deep: Boolean!, $few: Int! = 1) {
          customers(first: 1) {
            edges { node { ...Tickets } }
            nodes {
              ...Tickets
              all: tickets(first: 4) { nodes { subject } }
              tickets(first: $few) { nodes { status } }
              surveys @include(if: $deep) { nodes { score } }
            }
          }
        }
        fragment Tickets on Customer { tickets(first: $few) { nodes { subject } } }
        """,
        {"deep": False},
    )
    assert body == {
        "data": {
            "customers": {
                "edges": [{"node": {"tickets": {"nodes": [{"subject": "Ticket 0"}]}}}],
                "nodes": [
                    {
                        "tickets": {"nodes": [{"subject": "Ticket 0", "status": "CLOSED"}]},
                        "all": {"nodes": [{"subject": f"Ticket {number}"} for number in range(4)]},
                    }
                ],
            }
        }
    }


async def test_deleted_records_and_merged_customers_do_not_show(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    async with store.transaction() as connection:
        await connection.execute(tables.ticket.update().where(tables.ticket.c.key == "c000-0").values(deleted=True))
        await connection.execute(
            tables.customer.update().where(tables.customer.c.id == "c001").values(merged_into_id="c000")
        )
    body = await ask("{ customers { totalCount nodes { name tickets { totalCount nodes { subject } } } } }")
    assert body["data"]["customers"] == {
        "totalCount": 1,
        "nodes": [
            {
                "name": "Customer 000",
                "tickets": {"totalCount": 3, "nodes": [{"subject": f"Ticket {number}"} for number in (1, 2, 3)]},
            }
        ],
    }


async def test_a_subscription_runs_from_its_first_day_to_before_its_end(ask: Ask, store: Store) -> None:
    terms = {
        "over": (TODAY - timedelta(days=9), TODAY, 900.0),
        "booked": (TODAY + timedelta(days=1), None, 800.0),
        "ending": (TODAY, TODAY + timedelta(days=1), 70.0),
        "open": (TODAY - timedelta(days=9), None, 60.0),
    }
    await insert(store, tables.customer, [customer_row(1)])
    rows = [
        record(
            "bill", plan, "c001", plan=plan, mrr=mrr, currency="EUR", started_on=first, ended_on=end, status="active"
        )
        for plan, (first, end, mrr) in terms.items()
    ]
    await insert(store, tables.subscription, rows)
    body = await ask("{ customers { nodes { subscription { plan } } } }")
    assert body["data"]["customers"]["nodes"] == [{"subscription": {"plan": "ending"}}]


async def test_a_customer_without_anything_has_nulls_and_empty_lists(ask: Ask, store: Store) -> None:
    await insert(store, tables.customer, [customer_row(1)])
    body = await ask(
        "{ customers { nodes { health { score } churnRisk { band } facts { mrr } subscription { plan }"
        " usage { mau series { day } } tickets { totalCount nodes { subject } pageInfo { hasNextPage endCursor } }"
        " identity { key } } } }"
    )
    assert body["data"]["customers"]["nodes"] == [
        {
            "health": None,
            "churnRisk": None,
            "facts": None,
            "subscription": None,
            "usage": {"mau": None, "series": []},
            "tickets": {"totalCount": 0, "nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}},
            "identity": [],
        }
    ]
