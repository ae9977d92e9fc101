"""What customers pay, all together and by segment, CSM or plan, beside how they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.portfolio import GROUPS, chosen, grouping


def variables(visit: Visit) -> Data:
    return {"filter": chosen(visit), "by": [GROUPS[grouping(visit)]]}


def shape(data: Data, visit: Visit) -> Data:
    names = {member["email"]: member["name"] or member["email"] for member in data["team"]}
    currency = usual_currency(data["groups"])
    return {
        "whole": together(data["groups"]),
        "currency": currency,
        "groups": [_group(each, names, currency) for each in data["groups"]],
        "by": grouping(visit),
    }


def together(groups: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """All groups as one: sums by currency, means weighted by how many have a value; None where there is none."""
    if not groups:
        return None
    revenue: dict[str, dict[str, Any]] = {}
    for each in (money for group in groups for money in group["revenue"]):
        sum_ = revenue.setdefault(each["currency"], {"currency": each["currency"], "customers": 0, "arr": 0.0})
        sum_["customers"] += each["customers"]
        sum_["arr"] += each["arr"]
    return {
        "count": sum(group["count"] for group in groups),
        "unpriced": sum(group["unpriced"] for group in groups),
        "revenue": sorted(revenue.values(), key=lambda each: -each["customers"]),
        "health": _mean([group["health"] for group in groups]),
        "churnRisk": _mean([group["churnRisk"] for group in groups]),
    }


def _mean(spreads: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    count = sum(each["count"] for each in spreads)
    sum_ = sum(each["average"] * each["count"] for each in spreads if each["count"])
    return {"count": count, "average": sum_ / count if count else None}


def usual_currency(groups: Sequence[Mapping[str, Any]]) -> str | None:
    """The currency that most customers pay in; amounts in others are never added to it."""
    money = [each for group in groups for each in group["revenue"]]
    return max(money, key=lambda each: (each["customers"], each["currency"]))["currency"] if money else None


def _group(group: Mapping[str, Any], names: Mapping[str, str], currency: str | None) -> dict[str, Any]:
    value = group["keys"][0]["value"]
    return {
        "value": value,
        "name": names.get(value, value),
        "count": group["count"],
        "arr": _arr(group, currency),
        "health": group["health"]["average"],
        "risk": group["churnRisk"]["average"],
    }


def _arr(group: Mapping[str, Any], currency: str | None) -> float | None:
    return next((each["arr"] for each in group["revenue"] if each["currency"] == currency), None)


PAGE = Page(
    name="portfolio_money",
    path="/portfolio/money",
    title="Revenue",
    nav="portfolio",
    later=True,
    variables=variables,
    shape=shape,
)
