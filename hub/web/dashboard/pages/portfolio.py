"""Portfolio: how all customers are, and who moved between bands.

What takes a moment with very many customers is a page of its own, which this one loads once it is there: revenue
(portfolio_money), who moved most and why (portfolio_movers), where the money at risk is (portfolio_map), and retention and the
targets (portfolio_retention).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from hub.web.dashboard.page import Data, Page, Visit

BANDS = ("critical", "warning", "stable", "healthy")
"""From the worst."""
RISKS = ("noticed", "high", "medium", "low", "minimal")
GROUPS: Mapping[str, str] = {"segment": "SEGMENT", "csm": "CSM", "plan": "PLAN"}


def variables(visit: Visit) -> Data:
    return {"filter": chosen(visit)}


def chosen(visit: Visit) -> dict[str, Any]:
    """The customers that are spoken of: those with a scorecard, of the segment, CSM and plan that were chosen."""
    found: dict[str, Any] = {"coverage": {"exists": True}}
    for name, fact in (("segment", "segment"), ("csm", "csmEmail"), ("plan", "plan")):
        if value := visit.query.get(name):
            found[fact] = {"eq": value}
    return found


def grouping(visit: Visit) -> str:
    asked = visit.query.get("by", "")
    return asked if asked in GROUPS else "segment"


def asked(visit: Visit) -> str:
    """What was chosen, as the end of an address."""
    kept = {name: visit.query[name] for name in ("segment", "csm", "plan", "by", "days") if visit.query.get(name)}
    return f"?{urlencode(kept)}" if kept else ""


def shape(data: Data, visit: Visit) -> Data:
    names = {member["email"]: member["name"] or member["email"] for member in data["team"]}
    return {
        "filter": chosen(visit),
        "asked": asked(visit),
        "count": sum(group["count"] for group in data["bands"]),
        "bands": shares(data["bands"], BANDS, place=0),
        "risks": shares(data["bands"], RISKS, place=1),
        "choices": {
            "segment": [(each["keys"][0]["value"],) * 2 for each in data["segments"] if each["keys"][0]["value"]],
            "csm": sorted(names.items(), key=lambda each: each[1]),
        },
    }


def shares(groups: Sequence[Mapping[str, Any]], order: Sequence[str], *, place: int) -> list[dict[str, Any]]:
    """Groups by the key at `place`, in an order, those without it last: how many, and their share of all."""
    counts: dict[str | None, int] = {}
    for group in groups:
        name = group["keys"][place]["value"]
        counts[name] = counts.get(name, 0) + group["count"]
    all_ = sum(counts.values()) or 1
    return [
        {"name": name, "count": counts[name], "share": counts[name] / all_} for name in (*order, None) if name in counts
    ]


PAGE = Page(name="portfolio", path="/portfolio", title="Portfolio", nav="portfolio", variables=variables, shape=shape)
