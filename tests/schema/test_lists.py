"""Lists of what there is, over all customers: what narrows them, who sees what of them, and at how many statements."""

from datetime import timedelta
from typing import Any

import pytest

from hub.model.actions import Role
from hub.store import Store, tables
from schema.nodes import global_id
from tests.schema.company import NOW, TODAY, customer_row, insert, record, scorecard_row, seed
from tests.schema.fakes import Ask
from tests.schema.test_everything import counting

ANN, BOB = "ann@cs.example", "bob@cs.example"


async def keys(ask: Ask, query: str, variables: dict[str, Any] | None = None, **who: Any) -> list[str]:
    """The keys of the rows of the one list a query asks for."""
    body = await ask(query, variables, **who)
    assert "errors" not in body, body
    (page,) = body["data"].values()
    return [each["key"] for each in page["nodes"]]


async def two_books(store: Store) -> None:
    """A customer of Ann's and one of Bob's, each with a record of every kind; and records nobody knows whose they are."""
    await insert(store, tables.customer, [customer_row(0), customer_row(1, csm_email=BOB)])
    everybody = [("ann", "c000"), ("bob", "c001"), ("who", None)]
    for source, table, columns in (
        ("crm", tables.contact, {"email": "{}@{}.example", "name": "Pat {}", "role": "champion", "created_at": NOW}),
        ("desk", tables.ticket, {"subject": "Of {}", "status": "open", "severity": "high", "created_at": NOW}),
        ("survey", tables.survey_response, {"type": "nps", "scale": "0-10", "score": 9.0, "responded_at": NOW}),
        (
            "bill",
            tables.subscription,
            {"plan": "Pro", "mrr": 1.0, "currency": "EUR", "started_on": TODAY, "status": "active"},
        ),
        ("bill", tables.invoice, {"amount": 1.0, "currency": "EUR", "issued_on": TODAY, "status": "open"}),
        (
            "crm",
            tables.opportunity,
            {"name": "Deal", "type": "new", "stage": "open", "currency": "EUR", "close_on": TODAY},
        ),
        ("crm", tables.external_id, {"name": "Company", "state": "matched"}),
    ):
        rows = []
        for key, customer in everybody:
            filled = {
                name: value.format(key, key) if isinstance(value, str) else value for name, value in columns.items()
            }
            rows.append(record(source, key, customer, **filled))
        await insert(store, table, rows)


LISTS = (
    "contacts",
    "tickets",
    "surveyResponses",
    "subscriptions",
    "invoices",
    "opportunities",
    "identities",
)


@pytest.mark.parametrize("name", LISTS)
async def test_a_book_holds_its_customers_records_and_counts_no_others(ask: Ask, store: Store, name: str) -> None:
    await two_books(store)
    query = f"{{ {name} {{ totalCount nodes {{ id customer {{ name }} }} }} }}"
    everything = (await ask(query))["data"][name]
    assert everything["totalCount"] == 3
    assert sorted(str(each["customer"] and each["customer"]["name"]) for each in everything["nodes"]) == [
        "Customer 000",
        "Customer 001",
        "None",
    ]
    mine = (await ask(query, book=ANN))["data"][name]
    assert mine["totalCount"] == 1
    assert [each["customer"]["name"] for each in mine["nodes"]] == ["Customer 000"]
    others = next(
        each for each in everything["nodes"] if each["customer"] and each["customer"]["name"] == "Customer 001"
    )
    found = await ask("query ($id: ID!) { node(id: $id) { id } }", {"id": others["id"]}, book=ANN)
    assert found["data"]["node"] is None


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_is_one_statement_and_one_a_relation_however_long(ask: Ask, store: Store, name: str) -> None:
    await seed(store, 25)
    counts = {}
    for first in (1, 100):
        with counting(store) as seen:
            body = await ask(
                f"query ($first: Int!) {{ {name}(first: $first) {{ totalCount nodes {{ id customer {{ name }} }} }} }}",
                {"first": first},
            )
        assert "errors" not in body
        counts[first] = len(seen)
    assert counts[1] == counts[100]


async def test_contacts_are_chosen_by_their_address_in_either_case(ask: Ask, store: Store) -> None:
    await two_books(store)
    query = "query ($by: ContactFilter) { contacts(filter: $by) { nodes { key } } }"
    assert await keys(ask, query, {"by": {"email": "ANN@ann.example"}}) == ["ann"]
    assert await keys(ask, query, {"by": {"emailDomain": "@Bob.Example"}}) == ["bob"]
    assert await keys(ask, query, {"by": {"emailDomain": "example"}}) == [], "a domain is whole"
    assert await keys(ask, query, {"by": {"emailDomain": "%"}}) == []
    assert await keys(ask, query, {"by": {"nameContains": "T BO"}}) == ["bob"]
    assert await keys(ask, query, {"by": {"role": ["champion"], "customerId": global_id("customer", "c000")}}) == [
        "ann"
    ]
    assert await keys(ask, query, {"by": {"role": ["boss"]}}) == []


@pytest.mark.parametrize(
    ("name", "kind", "by"),
    [
        ("contacts", "ContactFilter", {"emailDomain": "ann.example"}),
        ("contacts", "ContactFilter", {"email": "ann@ann.example"}),
        ("tickets", "TicketFilter", {"subjectContains": "ann"}),
        ("tickets", "TicketFilter", {"requesterEmail": "ann@ann.example"}),
        ("surveyResponses", "SurveyFilter", {"commentContains": "bad"}),
    ],
)
async def test_who_may_not_see_personal_data_may_not_choose_by_it(
    ask: Ask, store: Store, name: str, kind: str, by: dict[str, str]
) -> None:
    await two_books(store)
    with counting(store) as seen:
        body = await ask(
            f"query ($by: {kind}) {{ {name}(filter: $by) {{ totalCount }} }}", {"by": by}, role=Role.VIEWER
        )
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert not body.get("data")
    assert seen == []


async def test_tickets_are_chosen_by_what_they_are(ask: Ask, store: Store) -> None:
    await insert(store, tables.customer, [customer_row(0)])
    ticket = {"requester_email": "Pat@C.example", "solved_at": None}
    rows = [
        {
            **ticket,
            "status": "open",
            "severity": "urgent",
            "subject": "Ärger 100%",
            "created_at": NOW - timedelta(days=3),
        },
        {
            **ticket,
            "status": "solved",
            "severity": "low",
            "subject": "Fine",
            "created_at": NOW - timedelta(days=2),
            "solved_at": NOW,
        },
        {**ticket, "status": "open", "severity": "low", "subject": "Other", "created_at": NOW - timedelta(days=1)},
    ]
    await insert(store, tables.ticket, [record("desk", str(number), "c000", **row) for number, row in enumerate(rows)])
    query = (
        "query ($by: TicketFilter, $way: Direction! = DESC) { tickets(filter: $by, direction: $way) { nodes { key } } }"
    )
    assert await keys(ask, query) == ["2", "1", "0"]
    assert await keys(ask, query, {"way": "ASC"}) == ["0", "1", "2"]
    assert await keys(ask, query, {"by": {"status": ["OPEN"], "severity": ["URGENT", "HIGH"]}}) == ["0"]
    assert await keys(ask, query, {"by": {"solved": True}}) == ["1"]
    assert await keys(ask, query, {"by": {"solved": False}}) == ["2", "0"]
    day = (NOW - timedelta(days=2)).isoformat()
    assert await keys(ask, query, {"by": {"createdFrom": day}}) == ["2", "1"]
    assert await keys(ask, query, {"by": {"createdTo": day}}) == ["1", "0"]
    assert await keys(ask, query, {"by": {"subjectContains": "äRGER"}}) == ["0"]
    assert await keys(ask, query, {"by": {"subjectContains": "0%"}}) == ["0"]
    assert await keys(ask, query, {"by": {"subjectContains": "_"}}) == []
    assert await keys(ask, query, {"by": {"requesterEmail": "pat@c.example"}}) == ["2", "1", "0"]
    empty = await ask(query, {"by": {"subjectContains": " "}})
    assert empty["errors"][0]["message"] == "subjectContains must hold something to look for"


async def test_terms_invoices_answers_and_deals_are_chosen(ask: Ask, store: Store) -> None:
    await insert(store, tables.customer, [customer_row(0)])
    day = timedelta(days=1)
    bill = {"amount": 10.0, "currency": "EUR", "attempts": 1, "issued_on": TODAY - 40 * day}
    bills = [
        {**bill, "status": "open", "due_on": TODAY - day, "paid_at": None, "failed_at": None},
        {**bill, "status": "paid", "due_on": TODAY - day, "paid_at": NOW, "failed_at": NOW},
        {**bill, "status": "failed", "due_on": TODAY, "paid_at": None, "failed_at": NOW},
    ]
    await insert(store, tables.invoice, [record("bill", str(n), "c000", **row) for n, row in enumerate(bills)])
    query = "query ($by: InvoiceFilter) { invoices(filter: $by, direction: ASC) { nodes { key overdue } } }"
    assert await keys(ask, query, {"by": {"status": ["OPEN", "FAILED"]}}) == ["0", "2"]
    assert await keys(ask, query, {"by": {"paid": True}}) == ["1"]
    assert await keys(ask, query, {"by": {"failed": True, "paid": False}}) == ["2"]
    assert await keys(ask, query, {"by": {"dueTo": str(TODAY - day)}}) == ["0", "1"]
    body = await ask(query)
    assert [each["overdue"] for each in body["data"]["invoices"]["nodes"]] == [True, False, False]
    answer = {"scale": "0-10", "responded_at": NOW, "comment": None}
    answers = [{**answer, "type": "nps", "score": 3.0, "comment": "Bad"}, {**answer, "type": "csat", "score": 9.0}]
    await insert(store, tables.survey_response, [record("s", str(n), "c000", **row) for n, row in enumerate(answers)])
    query = "query ($by: SurveyFilter) { surveyResponses(filter: $by) { nodes { key } } }"
    assert await keys(ask, query, {"by": {"type": "NPS"}}) == ["0"]
    assert await keys(ask, query, {"by": {"scoreFrom": 3.5}}) == ["1"]
    assert await keys(ask, query, {"by": {"scoreTo": 3}}) == ["0"]
    assert await keys(ask, query, {"by": {"commented": False}}) == ["1"]


async def test_the_queue_of_companies_a_person_is_to_decide(ask: Ask, store: Store) -> None:
    await insert(store, tables.customer, [customer_row(0), customer_row(1), customer_row(2, csm_email=BOB)])
    await insert(
        store,
        tables.external_id,
        [
            record("crm", "a", "c000", state="matched", method="domain", candidates=None, domains=["a.example"]),
            record("crm", "b", None, state="ambiguous", method=None, candidates=["c000", "c002"], domains=None),
            record("desk", "c", None, state="unmatched", method=None, candidates=None, domains=[]),
            record("desk", "d", None, state="ambiguous", method=None, candidates=["c002", "gone"], domains=[]),
        ],
    )
    query = """
      query ($state: [IdentityState!], $source: String) {
        identities(state: $state, source: $source) {
          totalCount nodes { key state domains candidates { customerId customer { name } } }
        }
      }
    """
    with counting(store) as seen:
        body = await ask(query, {"state": ["AMBIGUOUS", "UNMATCHED"]})
    # the key is personal: that it is read is noted before, by three statements or, on PostgreSQL, with its lock, four
    read = [each for each in seen if not each.startswith("BEGIN") and "audit" not in each and "advisory" not in each]
    assert len(read) <= 4
    found = body["data"]["identities"]
    assert (found["totalCount"], [(each["key"], each["state"], each["domains"]) for each in found["nodes"]]) == (
        3,
        [("b", "AMBIGUOUS", []), ("c", "UNMATCHED", []), ("d", "AMBIGUOUS", [])],
    )
    assert [each["candidates"] for each in found["nodes"]] == [
        [
            {"customerId": global_id("customer", "c000"), "customer": {"name": "Customer 000"}},
            {"customerId": global_id("customer", "c002"), "customer": {"name": "Customer 002"}},
        ],
        [],
        [
            {"customerId": global_id("customer", "c002"), "customer": {"name": "Customer 002"}},
            {"customerId": global_id("customer", "gone"), "customer": None},
        ],
    ]
    assert await keys(ask, query, {"source": "desk"}) == ["c", "d"]
    mine = (await ask(query, book=ANN))["data"]["identities"]
    assert (mine["totalCount"], [each["key"] for each in mine["nodes"]]) == (1, ["a"])


async def test_merges_say_what_it_takes_to_undo_them(ask: Ask, store: Store) -> None:
    await insert(
        store,
        tables.customer,
        [customer_row(0), customer_row(1, merged_into_id="c000"), customer_row(2), customer_row(3, csm_email=BOB)],
    )
    merge = {"by": ANN, "reason": "Same company", "undone_at": None, "undone_by": None}
    await insert(
        store,
        tables.customer_merge,
        [
            {**merge, "id": "m1", "kept_id": "c000", "merged_id": "c001", "at": NOW, "evidence": ["crm:k1"]},
            {
                **merge,
                "id": "m2",
                "kept_id": "c003",
                "merged_id": "c002",
                "at": NOW - timedelta(days=1),
                "evidence": [],
                "undone_at": NOW,
                "undone_by": BOB,
            },
        ],
    )
    fields = "at by reason mergedId mergedName evidenceIds undoneAt undoneBy undoable customer { name }"
    query = f"query ($undone: Boolean) {{ customerMerges(undone: $undone) {{ totalCount nodes {{ {fields} }} }} }}"
    found = (await ask(query))["data"]["customerMerges"]
    assert found["totalCount"] == 2
    assert found["nodes"][0] == {
        "at": "2026-11-01T12:00:00+00:00",
        "by": ANN,
        "reason": "Same company",
        "mergedId": global_id("customer", "c001"),
        "mergedName": "Customer 001",
        "evidenceIds": [global_id("external_id", "crm:k1")],
        "undoneAt": None,
        "undoneBy": None,
        "undoable": True,
        "customer": {"name": "Customer 000"},
    }
    assert (found["nodes"][1]["undoable"], found["nodes"][1]["undoneBy"]) == (False, BOB)
    assert (await ask(query, {"undone": True}))["data"]["customerMerges"]["totalCount"] == 1
    assert (await ask(query, book=BOB))["data"]["customerMerges"]["nodes"][0]["mergedName"] == "Customer 002"
    own = await ask(
        "query ($id: ID!) { customer(id: $id) { merges { nodes { mergedName } } } }",
        {"id": global_id("customer", "c000")},
    )
    assert own["data"]["customer"]["merges"]["nodes"] == [{"mergedName": "Customer 001"}]


async def test_facts_and_scorecards_of_any_day(ask: Ask, store: Store) -> None:
    await insert(store, tables.customer, [customer_row(0)])
    days = {0: 300.0, 5: 200.0, 10: 100.0}
    cards = [
        scorecard_row("c000", TODAY - timedelta(days=ago), latest=ago == 0, facts={"mrr": mrr, "plan": f"P{ago}"})
        for ago, mrr in days.items()
    ]
    await insert(store, tables.scorecard, cards)
    query = """
      query ($day: Date, $from: Date) {
        customers {
          nodes {
            factsAt(asOf: $day) { mrr plan dau }
            scorecard(asOf: $day) { asOf }
            factHistory(first: 2, from: $from) { totalCount nodes { asOf facts { mrr } } pageInfo { hasNextPage } }
          }
        }
      }
    """

    async def on(ago: int) -> Any:
        variables = {"day": str(TODAY - timedelta(days=ago)), "from": str(TODAY - timedelta(days=5))}
        return (await ask(query, variables))["data"]["customers"]["nodes"][0]

    assert (await on(7))["factsAt"] == {"mrr": 100.0, "plan": "P10", "dau": None}
    assert (await on(7))["scorecard"] == {"asOf": str(TODAY - timedelta(days=10))}
    assert (await on(5))["factsAt"]["mrr"] == 200.0
    assert (await on(11))["factsAt"] is None
    assert (await on(0))["factHistory"] == {
        "totalCount": 2,
        "nodes": [
            {"asOf": str(TODAY), "facts": {"mrr": 300.0}},
            {"asOf": str(TODAY - timedelta(days=5)), "facts": {"mrr": 200.0}},
        ],
        "pageInfo": {"hasNextPage": False},
    }
