"""Portfolio: shares, movements and why, the map; and figures down to their customers."""

from datetime import date
from typing import Any

from hub.drawing.map import Place, risk_map
from hub.web.dashboard.pages import portfolio, portfolio_money, portfolio_movers, portfolio_retention
from tests.web.dashboard.conftest import Dashboard


def group(value: str | None, count: int, arr: float = 0.0, currency: str = "EUR") -> dict[str, Any]:
    return {
        "keys": [{"value": value}],
        "count": count,
        "revenue": [{"currency": currency, "arr": arr, "customers": count}],
    }


def test_shares_stand_in_their_order_and_add_up_to_all() -> None:
    both = [
        {"keys": [{"value": band}, {"value": risk}], "count": count}
        for band, risk, count in (
            ("healthy", "low", 4),
            ("healthy", "high", 2),
            (None, "low", 1),
            ("critical", None, 1),
        )
    ]
    assert [
        (each["name"], each["count"], each["share"]) for each in portfolio.shares(both, portfolio.BANDS, place=0)
    ] == [
        ("critical", 1, 0.125),
        ("healthy", 6, 0.75),
        (None, 1, 0.125),
    ]
    assert [each["name"] for each in portfolio.shares(both, portfolio.RISKS, place=1)] == ["high", "low", None]


def test_money_is_added_up_by_currency_and_means_are_weighted() -> None:
    none = {"count": 0, "average": None}
    groups = [
        group("a", 2, 10.0) | {"unpriced": 0, "health": {"count": 2, "average": 0.4}, "churnRisk": none},
        group("b", 3, 5.0, "USD") | {"unpriced": 1, "health": {"count": 1, "average": 0.7}, "churnRisk": none},
    ]
    found = portfolio_money.together(groups)
    assert found is not None
    assert (found["count"], found["unpriced"], found["churnRisk"]) == (5, 1, none)
    assert [(each["currency"], each["arr"]) for each in found["revenue"]] == [("USD", 5.0), ("EUR", 10.0)]
    assert round(found["health"]["average"], 6) == 0.5
    assert portfolio_money.together([]) is None
    assert portfolio_money.usual_currency(groups) == "USD"


def test_who_fell_rose_and_stayed() -> None:
    moved: list[dict[str, Any]] = [
        {"before": "HEALTHY", "after": "HEALTHY", "count": 5},
        {"before": "HEALTHY", "after": "CRITICAL", "count": 2},
        {"before": "WARNING", "after": "STABLE", "count": 1},
        {"before": None, "after": "STABLE", "count": 4},
    ]
    assert portfolio_movers.totals(moved) == {"down": 2, "up": 1, "same": 5}
    rows = portfolio_movers.table(moved)
    assert [row["before"] for row in rows] == ["healthy", "warning", None]
    assert [(cell["count"], cell["tone"]) for cell in rows[0]["cells"]] == [
        (5, "same"),
        (0, "down"),
        (0, "down"),
        (2, "down"),
        (0, "none"),
    ]


def test_why_a_score_moved_is_told_by_the_measures_that_moved_it_that_way() -> None:
    def reading(measure: str, contribution: float) -> dict[str, Any]:
        return {"measure": measure, "contribution": contribution, "reason": f"{measure} changed"}

    row = {
        "id": "c1",
        "name": "Acme",
        "health": {
            "score": 0.4,
            "band": "WARNING",
            "change30d": -0.2,
            "readings": [reading("usage", 0.1), reading("nps", 0.15), reading("tickets", 0.2), reading("seats", 0.05)],
        },
        "before": {
            "band": "HEALTHY",
            "readings": [reading("usage", 0.3), reading("nps", 0.1), reading("tickets", 0.24), reading("seats", 0.052)],
        },
    }
    found = portfolio_movers.mover(row)
    assert [each["text"] for each in found["why"]] == ["usage changed", "tickets changed"]
    assert [round(each["change"], 3) for each in found["why"]] == [-0.2, -0.04]
    assert portfolio_movers.mover({**row, "before": None})["why"] == []


def test_the_map_links_each_customer_and_names_the_costliest() -> None:
    places = [
        Place(name=f"A&B {n}", risk=0.1 * n, amount=10.0**n, band="critical", href=f"/c/{n}") for n in range(1, 6)
    ]
    drawn = risk_map(
        [*places, Place(name="free", risk=0.5, amount=0.0)], title="Map", unit="EUR a year", horizon="90 days"
    )
    assert drawn.count("<circle") == 5  # who pays nothing has no place on a logarithmic axis
    assert 'href="/c/3"' in drawn
    assert ">A&amp;B 5</text>" in drawn
    assert "style" not in drawn
    assert risk_map([], title="Map", unit="EUR", horizon="90 days").count("<circle") == 0


def test_figures_in_their_units() -> None:
    assert portfolio_retention.months(date(2026, 2, 3)) == ("2025-03", "2026-02")
    assert portfolio_retention.said(0.8315, "share", "USD") == "83.2 %"
    assert portfolio_retention.said(98_113.4, "money", "USD") == "USD 98.1 k"
    assert portfolio_retention.said(10.2, "points", None) == "10"
    assert portfolio_retention.said(26.0, "days", None) == "26.0 days"


async def test_the_pages_are_drawn(dashboard: Dashboard) -> None:
    assert "Health today" in await dashboard.get("/portfolio")
    assert "Moved in 90 days" in await dashboard.get("/portfolio/movers?days=90")
    assert "Retention by CSM" in await dashboard.get("/portfolio/retention/by?by=csm")
    assert "Targets" in await dashboard.get("/portfolio/targets")
    assert "Nobody is here" in await dashboard.get("/portfolio?segment=none+such")
    assert "By CSM" in await dashboard.get("/portfolio/money?by=csm")
    assert "Fell most, and why" in await dashboard.get("/portfolio/movers")
    assert "Where the money at risk is" in await dashboard.get("/portfolio/map")
    assert "Net revenue retention" in await dashboard.get("/portfolio/retention")
    assert "What it is made of" in await dashboard.get("/portfolio/metric?name=nrr&basis=cohort")
    assert "No such figure" in await dashboard.get("/portfolio/metric?name=nrr&basis=other")
    assert "Not there" in await dashboard.get("/portfolio/metric", status=404)
