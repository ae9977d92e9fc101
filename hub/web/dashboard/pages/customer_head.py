"""What stands at the top of every page about one customer: how it is, what it pays, whose it is, and what can be done."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from hub.model.actions import Role, Scope
from hub.web.dashboard.page import Data, Page, Visit

TABS = (
    ("customer", "", "Why"),
    ("customer_timeline", "/timeline", "Timeline"),
    ("customer_calls", "/alerts", "Alerts"),
    ("customer_runs", "/playbooks", "Playbooks"),
    ("customer_notes", "/notes", "Notes"),
    ("customer_usage", "/usage", "Usage"),
    ("customer_tickets", "/tickets", "Tickets"),
    ("customer_surveys", "/surveys", "Surveys"),
    ("customer_contacts", "/contacts", "Contacts"),
    ("customer_onboarding", "/onboarding", "Onboarding"),
    ("customer_contract", "/contract", "Contract"),
    ("customer_identity", "/identity", "Identity"),
)
"""(name of the page, what its path adds to the customer's, title)"""
REASONS = (
    ("*", "Anything"),
    ("health", "Health"),
    ("churn", "Churn risk"),
    ("renewal", "Renewal"),
    ("onboarding", "Onboarding"),
    ("expansion", "Expansion"),
    ("advocacy", "Advocacy"),
    ("nps", "NPS"),
)
MONTHS = 12
"""Of a month's revenue in a year's."""


def asked(visit: Visit) -> dict[str, Any]:
    """The variables every document about one customer has."""
    return {"id": visit.path["customer"], "personal": Scope.PERSONAL in visit.viewer.scopes}


def head(data: Data, visit: Visit) -> dict[str, Any]:
    """For parts/customer_layout.html."""
    customer = data["customer"]
    health, risk, facts = (customer[each] or {} for each in ("health", "churnRisk", "facts"))
    term, today = customer["subscription"], visit.now.date()
    base = f"/customers/{customer['id']}"
    return {
        "id": customer["id"],
        "base": base,
        "name": customer["name"],
        "tabs": [(base + path, title, visit.here == name) for name, path, title in TABS],
        "about": [each for each in (customer["segment"], customer["industry"], customer["country"]) if each],
        "since": customer["becameCustomerOn"],
        "parent": customer["parent"],
        "owner": customer["csm"]["name"] or customer["csm"]["email"],
        "owner_email": customer["csm"]["email"],
        "assigned": any(each["endedAt"] is None for each in customer["csmAssignments"]["nodes"]),
        "health": health,
        "risk": risk,
        "arr": yearly(facts.get("mrr"), term),
        "currency": term["currency"] if term else None,
        "plan": term["plan"] if term else None,
        **_renewal(term, customer["lifecycle"], today),
        "ended": term is None,
        "sentiment": customer["sentiment"],
        "snoozes": [
            {**each, "about": dict(REASONS).get(each["reasonKey"], each["reasonKey"])} for each in data["snoozes"]
        ],
        "may_act": visit.viewer.may(Role.CSM) and Scope.ACT in visit.viewer.scopes,
        "may_decide": visit.viewer.may(Role.MANAGER) and Scope.ACT in visit.viewer.scopes,
        "playbooks": [each for each in data["playbooks"] if each["enabled"]],
        "team": data["team"],
        "reasons": REASONS,
        "cuts": main_cuts(data["settings"]["healthDefinitions"]),
        "personal": Scope.PERSONAL in visit.viewer.scopes,
        "today": today.isoformat(),
        "in_a_month": (today + timedelta(days=30)).isoformat(),
        "in_half_a_year": (today + timedelta(days=180)).isoformat(),
        "in_a_year": (today + timedelta(days=365)).isoformat(),
    }


def _renewal(term: Data | None, lifecycle: Data | None, today: date) -> dict[str, Any]:
    """Of the term that brings the most; where that one does not end, of the customer's current renewal."""
    if term is not None and term["renewsOn"]:
        return {"renews_on": term["renewsOn"], "renews_itself": term["autoRenew"]}
    if lifecycle is None or lifecycle["renewalDays"] is None:
        return {"renews_on": None, "renews_itself": None}
    due = today + timedelta(days=round(lifecycle["renewalDays"]))
    return {"renews_on": due.isoformat(), "renews_itself": lifecycle["renewalAuto"] == "yes"}


def yearly(mrr: float | None, term: Data | None) -> float | None:
    """A year's revenue: of the newest scorecard's day, or of the running term where there is none yet."""
    if mrr is None and term is not None:
        mrr = term["mrr"]
    return None if mrr is None else mrr * MONTHS


def main_cuts(definitions: Sequence[Data]) -> Sequence[Data]:
    """Bands of the main definition, the worst first."""
    return next((each["bands"] for each in definitions if each["role"] == "main"), ())


def tab(
    name: str,
    title: str,
    *,
    shape: Callable[[Data, Visit], Data] = lambda data, visit: {},
    variables: Callable[[Visit], Data] = lambda visit: {},
) -> Page:
    """A page about one customer, with the head of all of them."""
    path = next((path for known, path, _ in TABS if known == name), "/" + name.removeprefix("customer_"))
    return Page(
        name=name,
        path="/customers/{customer}" + path,
        title=title,
        nav="customers",
        needs="customer",
        later=path not in {known for _, known, _ in TABS},
        variables=lambda visit: {**asked(visit), **variables(visit)},
        shape=lambda data, visit: {"head": head(data, visit), **shape(data, visit)},
    )
