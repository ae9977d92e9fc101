"""Model: its figures in words, its post-mortems, and a definition that is tried on the past."""

from typing import Any

from hub.web.dashboard.pages import model, model_backtest
from tests.web.dashboard.conftest import Dashboard


def test_figures_stand_in_order_of_their_use() -> None:
    metrics = [
        {"name": name, "value": 1.0, "low": 0.5, "high": 2.0} for name in ("brier", "lift", "unknown", "roc_auc")
    ]
    assert [(each["name"], each["times"]) for each in model.figures(metrics)] == [
        ("roc_auc", False),
        ("lift", True),
        ("brier", False),
    ]
    judged: list[dict[str, Any]] = [{"metrics": metrics, "churned": 3, "customers": 20}]
    assert model.verdict(judged) == (
        "Among the tenth it calls riskiest, 1.0 times as many left as among all (0.5 to 2.0; 3 of 20 customers left)."
    )
    assert model.verdict([]) is None
    assert [
        each["share"] for each in model.importance([{"feature": "a", "effect": 0.8}, {"feature": "b", "effect": 0.2}])
    ] == [
        1.0,
        0.25,
    ]


async def test_the_text_of_the_live_definition_is_one_that_can_be_tried(dashboard: Dashboard) -> None:
    asked = {"query": "{ healthDefinitions(first: 1) { nodes { content } } }"}
    answer = (await dashboard.client.post("/graphql", json=asked)).json()
    text = model_backtest.written(answer["data"]["healthDefinitions"]["nodes"][0]["content"])
    assert '  warning: {"from": 0.3, "below": 0.5}' in text
    run = "mutation ($input: BacktestRunInput!) { backtestRun(input: $input) { errors { message } } }"
    tried = {"query": run, "variables": {"input": {"definition": text, "months": 1}}}
    assert (await dashboard.client.post("/graphql", json=tried)).json()["data"]["backtestRun"]["errors"] == []


async def test_the_pages_are_drawn(dashboard: Dashboard) -> None:
    assert "No model for this horizon" in await dashboard.get("/model")
    assert "Nobody left" in await dashboard.get("/model/postmortems/found?days=90")
    page = await dashboard.get("/model/backtest")
    assert "coverage_floor: 0.5" in page
    assert 'data-action="backtest-run"' in page
