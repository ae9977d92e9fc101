"""Retention: what the last twelve months come to; each figure opens the customers it is made of."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from hub.web.dashboard import words
from hub.web.dashboard.page import Data, Page, Visit

SHOWN = ("nrr", "grr", "logo_churn", "arr", "nps", "csat", "ltv", "time_to_value")
MONTHS = 12


def variables(visit: Visit) -> Data:
    first, last = months(visit.now.date())
    return {"from": first, "to": last}


def months(today: date) -> tuple[str, str]:
    """The first and last of the last twelve, the present one among them."""
    number = today.year * 12 + today.month - 1
    first = number - MONTHS + 1
    return f"{first // 12}-{first % 12 + 1:02}", f"{today.year}-{today.month:02}"


def shape(data: Data, _: Visit) -> Data:
    values = data["analytics"]["values"]
    return {"figures": [figure(each) for name in SHOWN for each in values if each["metric"] == name]}


def figure(value: Mapping[str, Any]) -> dict[str, Any]:
    """A metric's value with its words."""
    return {**value, "said": said(value["value"], value["unit"], value["currency"])}


def said(value: float | None, unit: str, currency: str | None) -> str:
    """A value in its unit."""
    match unit:
        case "share":
            return words.percent(value, 1)
        case "money":
            return words.money(value, currency)
        case "points":
            return words.decimal(value, 0)
        case _:
            return f"{words.decimal(value, 1)} {unit}" if unit == "days" and value is not None else words.whole(value)


PAGE = Page(
    name="portfolio_retention",
    path="/portfolio/retention",
    title="Retention",
    nav="portfolio",
    later=True,
    variables=variables,
    shape=shape,
)
