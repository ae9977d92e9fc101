"""Portfolio: how all customers are, who moved between bands and why, and where the money at risk is.

What takes a look at years of terms, retention and the targets, is a page of its own (portfolio_retention), which this one loads
once it is there.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hub.drawing.map import Place, risk_map
from hub.web.dashboard import charts
from hub.web.dashboard.page import Data, Page, Visit

BANDS = ("critical", "warning", "stable", "healthy")
"""From the worst."""
RISKS = ("noticed", "high", "medium", "low", "minimal")
SPANS = (7, 30, 90)
GROUPS: Mapping[str, str] = {"segment": "SEGMENT", "csm": "CSM", "plan": "PLAN"}
REASONS_AT_MOST = 2
LEAST_CHANGE = 0.02
"""Of a measure's contribution, that is worth a word."""


def variables(visit: Visit) -> Data:
    filter_ = chosen(visit)
    return {
        "filter": filter_,
        "by": [GROUPS[grouping(visit)]],
        "since": (visit.now.date() - timedelta(days=span(visit))).isoformat(),
        "monthAgo": (visit.now.date() - timedelta(days=30)).isoformat(),
        "fell": {"all": [filter_, {"healthChange30d": {"lt": -LEAST_CHANGE}}]},
        "rose": {"all": [filter_, {"healthChange30d": {"gt": LEAST_CHANGE}}]},
    }


def chosen(visit: Visit) -> dict[str, Any]:
    """The customers that are spoken of: those who pay, of the segment, CSM and plan that were chosen."""
    found: dict[str, Any] = {"mrr": {"gt": 0}}
    for name, fact in (("segment", "segment"), ("csm", "csmEmail"), ("plan", "plan")):
        if value := visit.query.get(name):
            found[fact] = {"eq": value}
    return found


def span(visit: Visit) -> int:
    """Days to look back; one of SPANS."""
    asked = visit.query.get("days", "")
    return int(asked) if asked in map(str, SPANS) else 30


def grouping(visit: Visit) -> str:
    asked = visit.query.get("by", "")
    return asked if asked in GROUPS else "segment"


def shape(data: Data, visit: Visit) -> Data:
    names = {member["email"]: member["name"] or member["email"] for member in data["team"]}
    whole = data["whole"][0] if data["whole"] else None
    places = mapped([*data["largest"]["nodes"], *data["riskiest"]["nodes"]])
    currency = usual_currency(data["whole"])
    return {
        "filter": chosen(visit),
        "whole": whole,
        "currency": currency,
        "bands": shares(data["bands"], BANDS, currency),
        "risks": shares(data["risks"], RISKS, currency),
        "groups": [_group(each, names, currency) for each in data["groups"]],
        "moved": table(data["moved"]),
        "totals": totals(data["moved"]),
        "fell": [mover(each) for each in data["fell"]["nodes"]],
        "rose": [mover(each) for each in data["rose"]["nodes"]],
        "map": _map(places, currency),
        "worst": sorted(places, key=lambda place: -place["loss"])[:8],
        "span": span(visit),
        "spans": SPANS,
        "by": grouping(visit),
        "choices": {
            "segment": [(each["keys"][0]["value"],) * 2 for each in data["segments"] if each["keys"][0]["value"]],
            "csm": sorted(names.items(), key=lambda each: each[1]),
            "plan": [(each["keys"][0]["value"],) * 2 for each in data["plans"] if each["keys"][0]["value"]],
        },
    }


def usual_currency(groups: Sequence[Mapping[str, Any]]) -> str | None:
    """The currency that most customers pay in; amounts in others are never added to it."""
    money = [each for group in groups for each in group["revenue"]]
    return max(money, key=lambda each: (each["customers"], each["currency"]))["currency"] if money else None


def shares(groups: Sequence[Mapping[str, Any]], order: Sequence[str], currency: str | None) -> list[dict[str, Any]]:
    """Groups by one key in an order, those without it last: how many, their share, and what they pay a year."""
    known = {group["keys"][0]["value"]: group for group in groups}
    all_ = sum(group["count"] for group in groups) or 1
    return [
        {"name": name, "count": group["count"], "share": group["count"] / all_, "arr": _arr(group, currency)}
        for name in (*order, None)
        if (group := known.get(name))
    ]


def table(moved: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each band then, with how many are in each band now; `fell` and `rose` say where somebody moved to."""
    counts = {(each["before"], each["after"]): each["count"] for each in moved}
    rows = []
    for before in (*BANDS[::-1], None):
        cells = []
        for after in (*BANDS[::-1], None):
            count = counts.get((_upper(before), _upper(after)), 0)
            cells.append({"count": count, "tone": _tone(before, after)})
        if any(cell["count"] for cell in cells):
            rows.append({"before": before, "cells": cells})
    return rows


def totals(moved: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many fell, rose and stayed; who had no score then, or has none now, is none of them."""
    found = {"down": 0, "up": 0, "same": 0}
    for each in moved:
        tone = _tone(each["before"] and each["before"].lower(), each["after"] and each["after"].lower())
        if tone in found:
            found[tone] += each["count"]
    return found


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


def mapped(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Customers once each that have a risk and pay; what they pay a year, and what of it is likely to be lost."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        risk, term = row["churnRisk"], row["subscription"]
        if not risk or risk["probability"] is None or not term or not term["mrr"]:
            continue
        found[row["id"]] = {
            "id": row["id"],
            "name": row["name"],
            "band": row["health"]["band"].lower() if row["health"] and row["health"]["band"] else None,
            "risk": risk["probability"],
            "horizon": risk["horizon"],
            "arr": term["mrr"] * 12,
            "currency": term["currency"],
            "loss": risk["probability"] * term["mrr"] * 12,
        }
    return list(found.values())


def _map(places: Sequence[Mapping[str, Any]], currency: str | None) -> Any:
    shown = [
        Place(
            name=place["name"],
            risk=place["risk"],
            amount=place["arr"],
            band=place["band"],
            href=f"/customers/{place['id']}",
        )
        for place in places
        if place["currency"] == currency
    ]
    if not shown:
        return None
    horizon = str(places[0]["horizon"]).replace("d", " days")
    drawn = risk_map(shown, title="Churn risk and revenue of customers", unit=f"{currency} a year", horizon=horizon)
    return charts.inline(
        drawn, label=f"{len(shown)} customers by churn risk and revenue; the table beside names the worst"
    )


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


def _tone(before: str | None, after: str | None) -> str:
    if before is None or after is None:
        return "none"
    change = BANDS.index(after) - BANDS.index(before)
    return "down" if change < 0 else "up" if change else "same"


def _upper(name: str | None) -> str | None:
    return name and name.upper()


PAGE = Page(name="portfolio", path="/portfolio", title="Portfolio", nav="portfolio", variables=variables, shape=shape)
