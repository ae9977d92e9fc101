"""Pages of one customer: what is made of the API's answer, and that every side of it is drawn for whoever may see it."""

import re
from typing import Any

import pytest
from graphql import GraphQLEnumType

from hub.drawing.history import Day, Happening, Score, daily, score_history
from hub.model.actions import Role
from hub.store import tables
from hub.web.dashboard.pages.customer_doings import ABOUT, run
from hub.web.dashboard.pages.customer_head import TABS, yearly
from hub.web.dashboard.pages.customer_records import survey_tone
from hub.web.dashboard.pages.customer_why import changes, evidence, why
from hub.web.dashboard.serving import documents
from schema.api import SCHEMA
from tests.schema.company import TODAY, customer_row, insert
from tests.web.dashboard.conftest import Dashboard

FACTS = {"wau": {"meaning": "distinct users in 7 days", "unit": "users"}}


def part(measure: str, group: str, value: float | None, weight: float, **more: object) -> dict[str, object]:
    return {
        "measure": measure,
        "group": group,
        "value": value,
        "weight": weight,
        "contribution": (value or 0.0) * weight,
        "missing": None,
        "reason": f"{measure} says so",
        "facts": [],
        **more,
    }


def test_what_costs_most_comes_first_and_what_is_left_out_is_told_apart() -> None:
    parts = [
        part("tickets", "support", 0.75, 0.2),
        part("wau", "usage", 0.25, 0.4),
        part("stickiness", "usage", 0.5, 0.4),
        part("csat", "support", None, 0.0, missing="exclude"),
        part("nps", "feedback", 0.7, 0.0),
    ]
    made = why({"parts": parts}, FACTS)
    assert [(each["name"], round(each["lost"], 4), each["tone"]) for each in made["groups"]] == [
        ("Usage", 0.5, "warn"),
        ("Support", 0.05, "good"),
    ]
    assert [each["measure"] for each in made["groups"][0]["parts"]] == ["Weekly active users", "Stickiness"]
    assert [(each["measure"], round(each["lost"], 4)) for each in made["costly"]] == [
        ("Weekly active users", 0.3),
        ("Stickiness", 0.2),
        ("Tickets", 0.05),
    ]
    assert made["most"] == 0.4
    assert [each["measure"] for each in made["missing"]] == ["CSAT"]
    assert [each["measure"] for each in made["seen"]] == ["NPS"]


def test_records_that_several_facts_rest_on_are_shown_once() -> None:
    week: dict[str, Any] = {"kind": "activity", "since": "2026-11-17", "until": "2026-11-23", "total": 3, "records": []}
    nothing: dict[str, Any] = {"kind": "csat", "since": None, "until": "2026-11-23", "total": 0, "records": []}
    facts = [{"evidence": [week]}, {"evidence": [week, nothing]}]
    assert evidence(facts) == [{**week, "kind": "days of use"}]


def test_what_moved_a_score_says_which_facts_did() -> None:
    fact = {"name": "wau", "before": 8.0, "after": 3.0, "unit": "users", "evidence": []}
    still = {**fact, "before": 5.0, "after": 5.0}
    comparison = {
        "changes": [
            {
                "measure": "wau",
                "cause": "DATA",
                "amount": -0.04,
                "reweighting": 0.0,
                "override": None,
                "facts": [fact, still],
            },
            {
                "measure": "override",
                "cause": "OVERRIDE",
                "amount": 0.2,
                "reweighting": 0.0,
                "override": {"by": "ann"},
                "facts": [],
            },
        ]
    }
    first, second = changes(comparison, FACTS)
    assert (first["measure"], first["cause"], first["amount"]) == ("Weekly active users", "the data", -0.04)
    assert [(each["meaning"], each["before"], each["after"]) for each in first["facts"]] == [
        ("distinct users in 7 days", 8.0, 3.0)
    ]
    assert [each["small"] for each in (first, second)] == [False, False]
    assert (second["measure"], second["cause"], second["by"]) == ("Override", "a person's word", "ann")


def test_a_year_of_revenue() -> None:
    assert [yearly(100.0, None), yearly(None, {"mrr": 10.0}), yearly(None, None)] == [1200.0, 120.0, None]


def test_how_answers_are_meant_follows_their_scale() -> None:
    answers = (
        ("NPS", "0-10", 6.0),
        ("NPS", "0-10", 8.0),
        ("CSAT", "1-5", 5.0),
        ("CSAT", "1-5", 2.0),
        ("CSAT", "words", 1.0),
    )
    said = [survey_tone({"type": type_, "scale": scale, "score": score}) for type_, scale, score in answers]
    assert said == ["bad", "info", "good", "bad", "plain"]


def test_a_run_says_what_it_waits_for_and_what_it_asks() -> None:
    question = {"state": "open", "step": 2}
    each = {
        "playbook": "save",
        "state": "WAITING",
        "awaits": "approval",
        "approvals": [{"state": "declined", "step": 0}, question],
        "deliveries": [{"state": "CONFIRMED"}, {"state": "FAILED"}],
    }
    made = run(each, {"save": "Save a customer"})
    assert (made["title"], made["waits"], made["sent"], made["question"], made["active"]) == (
        "Save a customer",
        "waits for a person's word",
        1,
        question,
        True,
    )
    assert [message["tone"] for message in made["deliveries"]] == ["good", "bad"]


def test_every_kind_of_the_timeline_can_be_looked_at() -> None:
    there = SCHEMA._schema.type_map["TimelineKind"]
    assert isinstance(there, GraphQLEnumType)
    assert {kind for _, kinds in ABOUT.values() for kind in kinds} == set(there.values)


def test_all_pages_of_a_customer_ask_for_the_same_head() -> None:
    texts = documents()
    for name, _, _ in TABS:
        assert "health { score band coverage reason change30d asOf override { score by expiresOn } }" in texts[name]
        assert "snoozes(customerId: $id) { id reasonKey until madeBy }" in texts[name]


def test_a_history_breaks_where_nothing_was_known_and_marks_what_happened() -> None:
    bands = (("critical", 0.0), ("warning", 0.3), ("stable", 0.5), ("healthy", 0.7))
    days = [TODAY.replace(day=1, month=month) for month in (1, 2, 6, 7)]
    scores = [Score(day, value) for day, value in zip(days, (0.4, 0.5, 0.6, None), strict=True)]
    happened = [Happening(days[1], "alert", "2026-02-01: <Fell>")]
    svg = score_history(scores, happened, bands=bands, first=days[0], last=days[3], title="Score of A & B")
    assert svg.count("<polyline") == 1  # February and June are too far apart to be joined
    assert svg.count('fill-opacity="0.16"') == 4
    assert "<title>Score of A &amp; B</title>" in svg
    assert "<title>2026-02-01: &lt;Fell&gt;</title>" in svg
    bars = daily([Day(days[0], 4), Day(days[1], 2)], first=days[0], last=days[1], title="Users", unit="users")
    assert ("2026-01-01: 4 users" in bars, bars.count("<rect")) == (True, 2)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CSM])
async def test_every_side_of_a_customer_is_drawn_and_personal_data_for_who_may(
    dashboard: Dashboard, role: Role
) -> None:
    await dashboard.as_(role, csm_email="ann@cs.example" if role is Role.CSM else None)
    pages = {path: await dashboard.get(f"/customers/c002{path}") for _, path, _ in TABS}
    for page in pages.values():
        assert "<h1>Customer 002</h1>" in page
        assert ('id="fire-dialog"' in page) is (role is Role.CSM)
    assert ("Ticket 2" in pages["/tickets"]) is (role is Role.CSM)
    assert ("p1@c002.example" in pages["/contacts"]) is (role is Role.CSM)
    assert ("“Good”" in pages["/surveys"]) is (role is Role.CSM)
    assert ("ann@cs.example: Call" in pages["/playbooks"]) is (role is Role.CSM)
    assert "Health fell" in pages["/alerts"]
    assert "Likely: the same web domain" in pages["/identity"]
    assert "in 50 days" in pages["/contract"]


async def test_a_score_is_explained_down_to_its_records(dashboard: Dashboard) -> None:
    page = await dashboard.get("/customers/c002")
    assert re.search(r"Why \d+ of 100", page)
    assert "What costs most:" in page
    assert 'id="part-mau"' in page
    assert "of the weight is backed by live data" in page
    assert '<figure class="chart" aria-label="Score from ' in page
    moved = await dashboard.get("/customers/c002/changes?since=2026-10-25")
    assert "What moved the score since <time" in moved
    assert 'id="moved-1"' in moved or "Nothing moved by a point" in moved
    assert "left within 90 days" in await dashboard.get("/customers/c002/record")
    assert "What would lift it" in await dashboard.get("/customers/c002/lift")


async def test_who_is_not_scored_has_a_page_that_says_so(dashboard: Dashboard) -> None:
    await insert(dashboard.hub.store, tables.customer, [{**customer_row(900), "id": "new", "name": "Newcomer"}])
    page = await dashboard.get("/customers/new/usage")
    assert "<h1>Newcomer</h1>" in page
    assert "not scored yet" in page
    assert "no running subscription" in page


async def test_what_is_not_asked_rightly_is_no_page(dashboard: Dashboard) -> None:
    for path in ("?span=12", "/timeline?about=weather", "/changes?since=2030-01-01", "/usage?days=x"):
        assert "Not there" in await dashboard.get(f"/customers/c002{path}", status=404)
