"""Whose score moved most in thirty days, and which measures moved it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.portfolio import chosen

REASONS_AT_MOST = 2
LEAST_CHANGE = 0.02
"""Of a measure's contribution, that is worth a word."""


def variables(visit: Visit) -> Data:
    filter_ = chosen(visit)
    return {
        "monthAgo": (visit.now.date() - timedelta(days=30)).isoformat(),
        "fell": {"all": [filter_, {"healthChange30d": {"lt": -LEAST_CHANGE}}]},
        "rose": {"all": [filter_, {"healthChange30d": {"gt": LEAST_CHANGE}}]},
    }


def shape(data: Data, _: Visit) -> Data:
    return {name: [mover(each) for each in data[name]["nodes"]] for name in ("fell", "rose")}


def mover(row: Mapping[str, Any]) -> dict[str, Any]:
    """A customer whose score moved, with the measures that moved it most, in words."""
    before = row["before"]
    then = {each["measure"]: each["contribution"] or 0.0 for each in before["readings"]} if before else {}
    changes = [
        (each["contribution"] - then[each["measure"]], each)
        for each in row["health"]["readings"]
        if each["contribution"] is not None and each["measure"] in then
    ]
    falling = (row["health"]["change30d"] or 0) < 0
    alike = [each for each in changes if (each[0] < 0) == falling and abs(each[0]) >= LEAST_CHANGE / 2]
    alike.sort(key=lambda each: -abs(each[0]))
    return {
        "id": row["id"],
        "name": row["name"],
        "score": row["health"]["score"],
        "band": row["health"]["band"],
        "before": before["band"] if before else None,
        "change": row["health"]["change30d"],
        "why": [
            {"change": change, "text": each["reason"] or each["measure"]} for change, each in alike[:REASONS_AT_MOST]
        ],
    }


PAGE = Page(
    name="portfolio_movers",
    path="/portfolio/movers",
    title="Moved most",
    nav="portfolio",
    variables=variables,
    shape=shape,
)
