"""Today, the page people open in the morning: whom to call first and why, and what changed since yesterday.

Calls come from the API in the order of their priority: the most urgent first, then by churn risk times a year's revenue. A
customer stands where its first call stands, with all its calls, so that one word about it settles them together.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from hub.web.dashboard.page import Data, Page, Visit

BANDS = ("critical", "warning", "stable", "healthy")
"""From the worst."""
EVERYBODY = "all"
CUSTOMERS_AT_MOST = 12
REASONS_AT_MOST = 3
CONTEXT = "(context)."
"""How the reasons end that speak of what nobody can change."""
RENEWAL_DAYS = 90
SNOOZES = ((1, "until tomorrow"), (7, "for a week"), (30, "for 30 days"))


def variables(visit: Visit) -> Data:
    owner = whose(visit)
    mine: dict[str, Any] | None = {"csmEmail": {"eq": owner}} if owner else None
    return {
        "owner": owner,
        "scored": _all(mine, {"coverage": {"exists": True}}),
        "renewing": _all(
            mine,
            {"renewalDays": {"between": [-30, RENEWAL_DAYS]}, "renewalStatus": {"in": ["upcoming", "due", "overdue"]}},
        ),
        "yesterday": (visit.now.date() - timedelta(days=1)).isoformat(),
    }


def whose(visit: Visit) -> str | None:
    """Whose day it is: the one chosen, else the viewer's own; None: everybody's."""
    chosen = visit.query.get("csm") or visit.viewer.csm_email or EVERYBODY
    return None if chosen == EVERYBODY else chosen


def shape(data: Data, visit: Visit) -> Data:
    people = ranked(data["calls"]["nodes"], today=visit.now.date())
    since = visit.now - timedelta(hours=24)
    return {
        "owner": whose(visit),
        "people": people[:CUSTOMERS_AT_MOST],
        "first": people[0] if people else None,
        "more_people": len(people) > CUSTOMERS_AT_MOST or data["calls"]["pageInfo"]["hasNextPage"],
        "bands": counts(data["bands"]),
        "fresh": [each for each in data["fresh"]["nodes"] if each["openedAt"] >= since.isoformat()][:6],
        "overdue": data["due"]["totalCount"],
        "snoozes": SNOOZES,
    }


def ranked(calls: Sequence[Mapping[str, Any]], *, today: date) -> list[dict[str, Any]]:
    """Customers in the order of their first call, each with all its calls, why, and what is at stake."""
    found: dict[str, dict[str, Any]] = {}
    for call in calls:
        customer = call["customer"]
        entry = found.setdefault(customer["id"], {"customer": customer, "calls": [], **stake(customer)})
        entry["calls"].append({**call, "late": call["dueOn"] is not None and call["dueOn"] < today.isoformat()})
    for entry in found.values():
        entry["ids"] = [call["id"] for call in entry["calls"]]
        entry["taken"] = all(call["state"] == "IN_PROGRESS" for call in entry["calls"])
        entry["why"] = why(entry["customer"])
    return list(found.values())


def stake(customer: Mapping[str, Any]) -> dict[str, Any]:
    """A year's revenue, its currency, and the part of it that is likely to be lost; None where it is not known."""
    term, risk = customer["subscription"], customer["churnRisk"]
    arr = term["mrr"] * 12 if term else None
    probability = risk["probability"] if risk else None
    return {
        "arr": arr,
        "currency": term["currency"] if term else None,
        "at_stake": arr * probability if arr is not None and probability is not None else None,
    }


def why(customer: Mapping[str, Any]) -> list[str]:
    """What raises its risk most, in words; the strongest first, and what nobody can change (context) last."""
    raising = [each["text"] for each in (customer["churnRisk"] or {}).get("reasons") or () if (each["effect"] or 0) > 0]
    raising.sort(key=lambda text: text.endswith(CONTEXT))
    return [short(text) for text in raising[:REASONS_AT_MOST]]


def short(reason: str) -> str:
    """What was seen, without what the model makes of it: under "why" that goes without saying."""
    return reason.removesuffix(CONTEXT).partition("; customers like this")[0].rstrip(". ")


def counts(groups: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many customers are in each band, the worst first, those without a score last."""
    by_band = {group["keys"][0]["value"]: group["count"] for group in groups}
    return {band: by_band.get(band, 0) for band in BANDS} | {"no score": by_band.get(None, 0)}


def _moved(band: str, before: Sequence[str]) -> dict[str, Any]:
    return {"band": {"eq": band.upper()}, "previousBand": {"in": [each.upper() for each in before]}}


def _all(*filters: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"all": [each for each in filters if each]}


def changed_variables(visit: Visit) -> Data:
    owner = whose(visit)
    mine = {"csmEmail": {"eq": owner}} if owner else None
    return {
        "worse": _all(mine, {"any": [_moved(band, BANDS[place + 1 :]) for place, band in enumerate(BANDS[:-1])]}),
        "better": _all(mine, {"any": [_moved(band, BANDS[:place]) for place, band in enumerate(BANDS) if place]}),
        "quiet": _all(mine, {"band": {"in": ["HEALTHY", "STABLE"]}, "churnBand": {"in": ["HIGH", "MEDIUM"]}}),
    }


def changed_shape(data: Data, visit: Visit) -> Data:
    found = [{**row, "why": (why(row) or ["no single reason stands out"])[0]} for row in data["quiet"]["nodes"]]
    return {"owner": whose(visit), "quiet": found}


PAGE = Page(name="today", path="/", title="Today", nav="today", variables=variables, shape=shape)
CHANGED = Page(
    name="today_changed",
    path="/today/changed",
    title="Changed since yesterday",
    nav="today",
    later=True,
    variables=changed_variables,
    shape=changed_shape,
)
"""Looks through everybody's bands: with very many customers that takes a moment, so it comes after the first view."""
