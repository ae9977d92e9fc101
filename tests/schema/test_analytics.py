"""Figures through the API: values with their definitions, rows with their total, refusals."""

import pytest

from hub.store import Store
from schema.nodes import global_id
from tests.analytics.books import Books
from tests.schema.fakes import Ask

VALUES = """
query ($metrics: [String!], $first: Int! = 20) {
  analytics(from: "2026-10", to: "2026-10", metrics: $metrics) {
    firstDay lastDay
    values {
      metric basis version title unit formula drillDown higherIsBetter given firstDay lastDay group currency scale
      value reason n components { name amount } rows(first: $first) { id customerId customerName numerator denominator note }
    }
  }
}
"""


async def test_a_value_comes_with_its_definition_and_its_rows(ask: Ask, store: Store) -> None:
    await Books(store).moves(a=(100, 120), b=(100, 70), c=(100, 0), d=(0, 50))
    body = await ask(VALUES, {"metrics": ["grr"], "first": 2})
    assert "errors" not in body
    analytics = body["data"]["analytics"]
    assert (analytics["firstDay"], analytics["lastDay"]) == ("2026-10-01", "2026-10-31")
    grr, renewals = analytics["values"]
    rows, components = grr.pop("rows"), grr.pop("components")
    assert grr == {
        "metric": "grr",
        "basis": "cohort",
        "version": 1,
        "title": "Gross revenue retention",
        "unit": "share",
        "formula": "sum of each customer's smaller of ARR at the end and ARR at the start / ARR at the start; per currency",
        "drillDown": "sum of the rows' numerators / sum of their denominators",
        "higherIsBetter": True,
        "given": None,
        "firstDay": "2026-10-01",
        "lastDay": "2026-10-31",
        "group": None,
        "currency": "USD",
        "scale": None,
        "value": 170 / 300,
        "reason": None,
        "n": 3,
    }
    assert rows == [
        {
            "id": name,
            "customerId": global_id("customer", name),
            "customerName": name.upper(),
            "numerator": kept,
            "denominator": 100.0,
            "note": note,
        }
        for name, kept, note in (("c", 0.0, "churned"), ("b", 70.0, "contracted"))
    ]
    assert {"name": "churn", "amount": 100.0} in components
    assert (renewals["basis"], renewals["value"], renewals["n"]) == ("renewals_due", None, 0)
    assert renewals["reason"] == "no renewal deal with an amount closes in 2026-10"


async def test_by_segment_month_by_month(ask: Ask, store: Store) -> None:
    books = Books(store)
    await books.moves(a=(100, 120), b=(100, 70))
    body = await ask(
        '{ analytics(from: "2026-09", to: "2026-10", monthly: true, metrics: ["arr"], by: SEGMENT)'
        " { values { firstDay group value } } }"
    )
    assert body["data"]["analytics"]["values"] == [
        {"firstDay": "2026-09-01", "group": None, "value": 2400.0},
        {"firstDay": "2026-09-01", "group": "(none)", "value": 2400.0},
        {"firstDay": "2026-10-01", "group": None, "value": 2280.0},
        {"firstDay": "2026-10-01", "group": "(none)", "value": 2280.0},
    ]


async def test_both_counts_of_churn(ask: Ask, store: Store) -> None:
    await Books(store).moves(a=(100, 0), b=(100, 70))
    body = await ask(
        '{ analytics(from: "2026-10", to: "2026-10") { churnAgreement'
        " { cohort events graceDays totalDifferences differences { customerName case surplus why } } } }"
    )
    # today is the 1st of November: who left on the 10th of October may still return
    assert body["data"]["analytics"]["churnAgreement"] == [
        {
            "cohort": 1,
            "events": 0,
            "graceDays": 30,
            "totalDifferences": 1,
            "differences": [
                {
                    "customerName": "A",
                    "case": "grace_running",
                    "surplus": -1,
                    "why": "gone at the end, but may still return within the grace",
                }
            ],
        }
    ]


async def test_every_definition_can_be_read(ask_sqlite: Ask) -> None:
    body = await ask_sqlite("{ metricDefinitions { name basis version formula unit drillDown higherIsBetter title } }")
    found = {(each["name"], each["basis"]) for each in body["data"]["metricDefinitions"]}
    assert {("nrr", "cohort"), ("nrr", "renewals_due"), ("ltv", "closing"), ("time_to_value", "starters")} <= found
    assert all(each["formula"] and each["drillDown"] for each in body["data"]["metricDefinitions"])


async def test_all_rows_come_page_by_page_and_add_up(ask_sqlite: Ask, sqlite_store: Store) -> None:
    await Books(sqlite_store).moves(**{f"c{place:02}": (100.0, 100.0 - place % 7) for place in range(25)})
    ask_for = (
        '{ analytics(from: "2026-10", to: "2026-10", metrics: ["grr"]) '
        "{ values { basis value n rows(first: 10, skip: %d) { id numerator denominator } } } }"
    )
    pages = []
    for skip in (0, 10, 20, 30):
        body = await ask_sqlite(ask_for % skip)
        (grr,) = [each for each in body["data"]["analytics"]["values"] if each["basis"] == "cohort"]
        pages.append(grr["rows"])
    rows = [row for page in pages for row in page]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert len({row["id"] for row in rows}) == grr["n"] == 25
    assert sum(row["numerator"] for row in rows) / sum(row["denominator"] for row in rows) == pytest.approx(
        grr["value"]
    )
    refused = await ask_sqlite(ask_for % -1)
    assert refused["errors"][0]["message"] == "skip must be 0 or more, not -1"


async def test_what_cannot_be_asked(ask_sqlite: Ask) -> None:
    async def refusal(query: str) -> tuple[str, str]:
        (error,) = (await ask_sqlite(query))["errors"]
        return error["extensions"]["code"], error["message"]

    ask_for = '{ analytics(from: "%s", to: "%s"%s) { values { value rows(first: %d) { id } } } }'
    assert await refusal(ask_for % ("October", "2026-10", "", 1)) == (
        "REFUSED",
        "'October' is no month; write it as 2026-10",
    )
    code, message = await refusal(ask_for % ("2026-10", "2026-10", ', metrics: ["arpu"]', 1))
    assert (code, message[:31]) == ("NOT_FOUND", "no metric 'arpu'; there are nrr")
    assert await refusal(ask_for % ("2026-10", "2027-01", "", 1)) == (
        "REFUSED",
        "2027-01 is still to come; the newest month is 2026-11",
    )
    first = await ask_sqlite(ask_for % ("2026-10", "2026-10", ', metrics: ["nps"]', 101))
    assert [error["message"] for error in first["errors"]] == ["first must be 1 to 100, not 101"]
    many = await ask_sqlite(ask_for % ("2022-01", "2026-10", ", monthly: true", 100))
    assert "the limit is 50,000" in many["errors"][0]["message"]
