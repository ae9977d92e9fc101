"""The table of customers: what it asks, how filters are said and translated, and that it is drawn."""

import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType

from hub.access import Viewer
from hub.model.actions import Role
from hub.model.conditions import parse
from hub.segments import VOCABULARY
from hub.web.dashboard.page import Visit
from hub.web.dashboard.pages import customers
from hub.web.dashboard.pages.customers_fields import OTHERS, every, value
from hub.web.dashboard.pages.customers_filter import as_asked, plain, read, said, split, together
from schema.api import SCHEMA
from scoring.facts import CATALOGUE
from tests.web.dashboard.conftest import Dashboard

FIELDS = every(
    {
        "name": fact.name,
        "field": "".join(word if not at else word.capitalize() for at, word in enumerate(fact.name.split("_"))),
        "kind": fact.kind,
        "unit": fact.unit,
        "meaning": fact.meaning,
        "group": fact.group,
    }
    for fact in CATALOGUE
)


def looking(**query: str) -> Visit:
    viewer = Viewer(token_id="t", name="Dana", role=Role.VIEWER)
    return Visit(viewer=viewer, now=datetime(2026, 11, 23, tzinfo=UTC), here="customers", query=query)


def asked(**query: str) -> dict[str, object]:
    return dict(customers.PAGE.variables(looking(**query)))


def test_every_filter_and_every_order_of_the_api_is_here() -> None:
    filters, orders = (SCHEMA._schema.type_map[name] for name in ("CustomerFilter", "CustomerOrderField"))
    assert isinstance(filters, GraphQLInputObjectType)
    assert isinstance(orders, GraphQLEnumType)
    assert set(filters.fields) - set(FIELDS) == {"all", "any", "not", "custom", "search", "inSegment"}
    assert set(FIELDS) <= set(filters.fields)
    assert {customers._order(key) for key in FIELDS} == set(orders.values) - {"UPDATED_AT"}
    for field in FIELDS.values():
        kind = {"choice": "Band", "number": "Number", "text": "Text", "date": "Date"}[field.kind]
        assert kind in str(filters.fields[field.key].type), field.key


def test_choices_are_those_of_the_vocabulary() -> None:
    for field in OTHERS:
        if field.kind == "choice":
            parse({field.name: {"in": [each.lower() for each in field.choices]}}, VOCABULARY)


def test_a_view_asks_for_its_page_alone() -> None:
    first = asked()
    assert first == {
        "first": 50,
        "after": None,
        "filter": None,
        "order": {"field": "HEALTH", "direction": "ASC"},
        "count": False,
        "every": False,
        "lifecycle": False,
    }
    later = asked(
        search=" acme ", filter='{"mrr":{"gte":100}}', order="tickets90d", direction="DESC", after="x", count="1"
    )
    assert later["filter"] == {"all": [{"mrr": {"gte": 100}}, {"search": "acme"}]}
    assert (later["order"], later["after"], later["count"]) == (
        {"field": "TICKETS_90D", "direction": "DESC"},
        "x",
        True,
    )
    chosen = asked(columns="band,mau,renewalDays", segment="big")
    assert (chosen["every"], chosen["lifecycle"], chosen["filter"]) == (True, True, {"inSegment": "big"})


@pytest.mark.parametrize("query", [{"filter": "{"}, {"filter": "[1]"}, {"direction": "UP"}, {"order": "a b"}])
def test_an_address_that_says_nothing_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"filter|direction|order"):
        asked(**query)


def test_filters_are_saved_and_exported_in_the_vocabulary_and_come_back() -> None:
    condition = {
        "all": [
            {"band": {"in": ["CRITICAL", "WARNING"]}},
            {"usageTrend": {"lt": -0.2}},
            {"not": {"plan": {"startsWith": "Pro"}}},
            {"any": [{"churnBand": {"notIn": ["LOW"]}}, {"inSegment": "big"}]},
            {"search": "acme"},
        ]
    }
    saved = plain(condition, FIELDS)
    assert saved == {
        "all": [
            {"band": {"in": ["critical", "warning"]}},
            {"usage_trend": {"lt": -0.2}},
            {"not": {"plan": {"starts_with": "Pro"}}},
            {"any": [{"churn_band": {"not_in": ["low"]}}, {"in_segment": "big"}]},
            {"search": "acme"},
        ]
    }
    parse(saved, VOCABULARY)  # it is one
    assert as_asked(saved, FIELDS) == condition
    custom = {"custom": [{"name": "tier", "eq": "Gold"}]}
    assert plain(custom, FIELDS) == {"all": [{"custom.tier": {"eq": "Gold"}}]}
    assert as_asked({"custom.tier": {"eq": "Gold"}}, FIELDS) == custom


def test_filters_in_words() -> None:
    tests = (
        {"band": {"in": ["CRITICAL", "WARNING"]}},
        {"churnAnnualised": {"gte": 0.4}},
        {"mrr": {"between": [1000, 2000.5]}},
        {"health": {"lt": 0.3}},
        {"becameCustomerOn": {"within": "last 30 days"}},
        {"plan": {"exists": False}},
        {"not": {"country": {"eq": "France"}}},
        {"custom": [{"name": "tier", "eq": "Gold"}]},
    )
    assert [said(each, FIELDS) for each in tests] == [
        "Band is critical or warning",
        "Churn risk a year at least 40 %",
        "Revenue between 1,000 per month to 2,000.5 per month",
        "Health below 30 of 100",
        "Customer since within last 30 days",
        "Plan is not known",
        "not: Country is France",
        '{"custom": [{"name": "tier", "eq": "Gold"}]}',
    ]


def test_tests_can_be_taken_apart_and_put_together() -> None:
    one, two = {"mrr": {"gt": 1}}, {"plan": {"eq": "Pro"}}
    assert split({"any": [one, two]}) == ("any", [one, two])
    assert split({**one, **two}) == ("all", [one, two])
    assert split({}) == ("all", [])
    assert [together(), together({}, one), together(one, two)] == [None, one, {"all": [one, two]}]
    assert read(None) == {}


def test_a_cell_says_its_number_with_its_unit() -> None:
    row = {
        "csm": {"name": None, "email": "ann@cs.example"},
        "subscription": {"currency": "EUR"},
        "health": {"score": 0.474, "band": "WARNING", "coverage": 0.9},
        "churnRisk": None,
        "facts": {"mrr": 484.5, "usageTrend": -0.77, "ticketsOpen": None},
        "lifecycle": {"renewalAmount": 12_000.0, "watchLevel": "clear"},
    }
    keys = (
        "band",
        "coverage",
        "churnRisk",
        "mrr",
        "usageTrend",
        "ticketsOpen",
        "renewalAmount",
        "watchLevel",
        "csmEmail",
    )
    assert [customers._said(row, FIELDS[key]) for key in keys] == [
        "47",
        "90 %",
        "&ndash;",
        "EUR 5,814",
        "-77 %",
        "&ndash;",
        "12 k",
        "Clear",
        "ann@cs.example",
    ]
    assert value(row, FIELDS["churnAnnualised"]) is None


def test_pages_before_are_found_by_the_cursors_one_came_by() -> None:
    info = {"hasNextPage": True, "endCursor": "c"}
    first = customers._links(looking(order="mrr"), info)
    assert (first["first"], first["previous"]) == (None, None)
    assert parse_qs(urlsplit(first["next"] or "").query) == {"order": ["mrr"], "after": ["c"], "trail": ["-"]}
    third = customers._links(looking(after="b", trail="-,a"), info)
    assert parse_qs(urlsplit(third["previous"] or "").query) == {"after": ["a"], "trail": ["-"]}
    assert parse_qs(urlsplit(third["next"] or "").query) == {"after": ["c"], "trail": ["-,a,b"]}
    assert customers._links(looking(after="a", trail="-"), info)["previous"] == "/customers"


async def test_the_table_is_chosen_ordered_and_exported_by_who_may(dashboard: Dashboard) -> None:
    page = await dashboard.get("/customers?columns=band,mau,renewalStatus&order=name&direction=DESC")
    names = re.findall(r'<a class="customer"[^>]*>([^<]+)</a>', page)
    assert names == [f"Customer 00{number}" for number in range(5, -1, -1)]
    assert '<th scope="col" aria-sort="descending">' in page
    assert "<strong>6 customers</strong> in all" in page
    one = await dashboard.get(f"/customers?filter={json.dumps({'name': {'eq': 'Customer 003'}})}")
    assert re.findall(r'<a class="customer"[^>]*>([^<]+)</a>', one) == ["Customer 003"]
    assert "/export/customers.csv?where=%7B%22name%22" in one
    assert 'id="bulk"' in one
    assert "Nobody fits" in await dashboard.get("/customers?search=nobody")
    assert "Not there" in await dashboard.get('/customers?filter={"colour":{"eq":1}}', status=404)
    await dashboard.as_(Role.VIEWER)
    seen = await dashboard.get("/customers?search=customer+003")
    assert "Customer 003" in seen
    assert "/export/" not in seen
    assert 'id="bulk"' not in seen
