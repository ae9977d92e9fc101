"""Retention of the last twelve months by segment, CSM or plan, and month by month."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hub.drawing.pictures import Point, line
from hub.web.dashboard import charts
from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.portfolio import GROUPS, grouping
from hub.web.dashboard.pages.portfolio_retention import figure, months

GROUPED = ("nrr", "grr", "logo_churn")


def variables(visit: Visit) -> Data:
    first, last = months(visit.now.date())
    return {"from": first, "to": last, "by": GROUPS[grouping(visit)]}


def shape(data: Data, visit: Visit) -> Data:
    return {
        "groups": by_group(data["grouped"]["values"]),
        "grouped": GROUPED,
        "by": grouping(visit),
        "churn": _line(data["monthly"]["values"], "logo_churn", "Logo churn, % a month", scale=100.0),
        "nps": _line(data["monthly"]["values"], "nps", "NPS, points"),
    }


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
    name="portfolio_retention_by",
    path="/portfolio/retention/by",
    title="Retention by group",
    nav="portfolio",
    later=True,
    variables=variables,
    shape=shape,
)
