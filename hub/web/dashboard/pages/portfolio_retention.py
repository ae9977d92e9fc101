"""Retention and the targets: what the last twelve months come to, by segment, CSM or plan; each figure opens its customers."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hub.drawing.pictures import Point, line
from hub.web.dashboard import charts, words
from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.portfolio import GROUPS, grouping

SHOWN = ("nrr", "grr", "logo_churn", "arr", "nps", "csat", "ltv", "time_to_value")
GROUPED = ("nrr", "grr", "logo_churn")
MONTHS = 12


def variables(visit: Visit) -> Data:
    first, last = months(visit.now.date())
    return {"from": first, "to": last, "by": GROUPS[grouping(visit)]}


def months(today: date) -> tuple[str, str]:
    """The first and last of the last twelve, the present one among them."""
    number = today.year * 12 + today.month - 1
    first = number - MONTHS + 1
    return f"{first // 12}-{first % 12 + 1:02}", f"{today.year}-{today.month:02}"


def shape(data: Data, visit: Visit) -> Data:
    values = data["analytics"]["values"]
    return {
        "figures": [figure(each) for name in SHOWN for each in values if each["metric"] == name],
        "groups": by_group(data["grouped"]["values"]),
        "grouped": GROUPED,
        "by": grouping(visit),
        "churn": _line(data["monthly"]["values"], "logo_churn", "Logo churn, % a month", scale=100.0),
        "nps": _line(data["monthly"]["values"], "nps", "NPS, points"),
    }


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


def by_group(values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a group, a figure a metric, on the basis of cohorts; the groups in order of their names."""
    found: dict[tuple[str | None, str], dict[str, Any]] = {}
    for each in values:
        if each["basis"] != "cohort":
            continue
        if each["metric"] == "logo_churn":  # which is of no currency
            for (group, _), row in found.items():
                if group == each["group"]:
                    row[each["metric"]] = figure(each)
            continue
        row = found.setdefault(
            (each["group"], each["currency"] or ""), {"group": each["group"], "currency": each["currency"]}
        )
        row[each["metric"]] = figure(each)
    return [found[place] for place in sorted(found, key=lambda each: (each[0] is None, each[0] or "", each[1]))]


def _line(values: Sequence[Mapping[str, Any]], metric: str, title: str, *, scale: float = 1.0) -> Any:
    """A chart of a metric month by month; None where no month has a value."""
    of = [each for each in values if each["metric"] == metric]
    basis = of[0]["basis"] if of else None
    points = [
        Point(f"{date.fromisoformat(each['firstDay']):%b}", None if each["value"] is None else each["value"] * scale)
        for each in of
        if each["basis"] == basis
    ]
    if all(point.value is None for point in points):
        return None
    told = ", ".join(f"{point.label} {'unknown' if point.value is None else f'{point.value:.1f}'}" for point in points)
    return charts.inline(line(points, title=title, sign=False), label=f"{title}: {told}")


PAGE = Page(
    name="portfolio_retention",
    path="/portfolio/retention",
    title="Retention and targets",
    nav="portfolio",
    variables=variables,
    shape=shape,
)
