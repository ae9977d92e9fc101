"""One figure of retention down to the customers, deals or answers it is made of."""

from typing import Any

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.portfolio import GROUPS
from hub.web.dashboard.pages.portfolio_retention import figure, months

PAGE_SIZE = 100


def variables(visit: Visit) -> Data:
    first, last = months(visit.now.date())
    name = visit.query.get("name")
    if not name:
        raise ValueError("the address names no metric")
    return {
        "from": first,
        "to": last,
        "metrics": [name],
        "by": GROUPS.get(visit.query.get("by", "")),
        "skip": PAGE_SIZE * _page(visit),
    }


def shape(data: Data, visit: Visit) -> Data:
    asked = visit.query
    found: list[Any] = [
        figure(each)
        for each in data["analytics"]["values"]
        if all(asked.get(name) in (None, "", each[name]) for name in ("basis", "group", "currency"))
    ]
    return {"values": found[:1], "place": _page(visit), "size": PAGE_SIZE}


def _page(visit: Visit) -> int:
    asked = visit.query.get("page", "0")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0


PAGE = Page(
    name="portfolio_metric",
    path="/portfolio/metric",
    title="Made of",
    nav="portfolio",
    variables=variables,
    shape=shape,
)
