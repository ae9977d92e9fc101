"""Today: who is called first, with all its calls and why."""

from datetime import UTC, date, datetime
from typing import Any

from hub.access import Viewer
from hub.model.actions import Role
from hub.web.dashboard.page import Visit
from hub.web.dashboard.pages import today
from tests.web.dashboard.conftest import Dashboard

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def visit(csm_email: str | None = None, **query: str) -> Visit:
    viewer = Viewer(token_id="t", name="Ann", role=Role.CSM, csm_email=csm_email)
    return Visit(viewer=viewer, now=NOW, here="today", query=query)


def call(number: int, customer: str, **given: Any) -> dict[str, Any]:
    reasons = [
        {
            "text": "MRR: 9, where the median customer has 3; customers like this leave more often (context).",
            "effect": 0.9,
        },
        {"text": "logins: 0.6 on a day; customers like this leave more often.", "effect": 0.4},
        {"text": "NPS 9", "effect": -0.2},
    ]
    about = {
        "id": customer,
        "churnRisk": {"probability": 0.5, "reasons": reasons},
        "subscription": {"mrr": 10.0, "currency": "EUR"},
    }
    return {"id": f"a{number}", "state": "OPEN", "dueOn": None, "customer": about, **given}


def test_a_customer_stands_where_its_first_call_stands_with_all_of_them() -> None:
    calls = [
        call(1, "acme", state="IN_PROGRESS", dueOn="2026-11-22"),
        call(2, "zeta"),
        call(3, "acme", dueOn="2026-11-23"),
        call(4, "beta", state="IN_PROGRESS"),
    ]
    first, second, third = today.ranked(calls, today=date(2026, 11, 23))
    assert [each["customer"]["id"] for each in (first, second, third)] == ["acme", "zeta", "beta"]
    assert (first["ids"], second["ids"]) == (["a1", "a3"], ["a2"])
    assert [each["late"] for each in first["calls"]] == [True, False]
    assert [each["taken"] for each in (first, second, third)] == [False, False, True]
    assert (first["arr"], first["at_stake"], first["currency"]) == (120.0, 60.0, "EUR")


def test_why_says_what_raises_the_risk_and_what_nobody_can_change_last() -> None:
    assert today.why(call(1, "acme")["customer"]) == [
        "logins: 0.6 on a day",
        "MRR: 9, where the median customer has 3",
    ]
    assert today.why({"churnRisk": None}) == []
    assert today.stake({"churnRisk": None, "subscription": None}) == {"arr": None, "currency": None, "at_stake": None}


def test_whose_day_it_is() -> None:
    assert today.whose(visit()) is None
    assert today.whose(visit("ann@cs.example")) == "ann@cs.example"
    assert today.whose(visit("ann@cs.example", csm="all")) is None
    asked = today.variables(visit(csm="bob@cs.example"))
    assert asked["scored"] == {"all": [{"csmEmail": {"eq": "bob@cs.example"}}, {"coverage": {"exists": True}}]}
    moved = today.changed_variables(visit())["worse"]["all"][0]["any"]
    assert moved[0] == {"band": {"eq": "CRITICAL"}, "previousBand": {"in": ["WARNING", "STABLE", "HEALTHY"]}}


async def test_the_page_says_whom_to_call_first(dashboard: Dashboard) -> None:
    page = await dashboard.get("/")
    assert "Call first" in page
    assert 'data-action="alerts-update"' in page
    await dashboard.as_(Role.CSM, csm_email="nobody@cs.example")
    assert "Nobody needs you right now" in await dashboard.get("/")
    assert "Call first" in await dashboard.get("/?csm=all")
    assert "Changed since yesterday" in await dashboard.get("/today/changed")
    await dashboard.as_(Role.VIEWER)
    assert 'data-action="alerts-update"' not in await dashboard.get("/")
