"""What the sources say of one customer: use, tickets, surveys, people, contract, and which of their rows are this customer."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from hub.drawing.history import Day, daily
from hub.web.dashboard import charts, words
from hub.web.dashboard.page import Data, Visit
from hub.web.dashboard.pages.customer_doings import after
from hub.web.dashboard.pages.customer_head import tab

DAYS = (28, 90, 365)
METHODS: Mapping[str, tuple[str, str]] = {
    "map": ("Certain: our own map says so", "good"),
    "person": ("Certain: one of us said so", "good"),
    "external": ("Sure: it carries the other system's key", "good"),
    "created": ("It made the customer", "good"),
    "domain": ("Likely: the same web domain", "info"),
    "merged": ("It came with a customer that was merged", "info"),
}
"""How sure a match is, by how it was found."""


def _span(visit: Visit) -> int:
    days = int(visit.query.get("days", 90))
    if days not in DAYS:
        raise ValueError(f"days must be one of {', '.join(str(each) for each in DAYS)}")
    return days


def _usage(data: Data, visit: Visit) -> Data:
    usage, span = data["customer"]["usage"], _span(visit)
    series = [Day(date.fromisoformat(each["day"]), each["users"]) for each in usage["series"]]
    chart = None
    if series:
        last = visit.now.date()
        svg = daily(series, first=last - timedelta(days=span - 1), last=last, title="Users a day", unit="users")
        most = max(series, key=lambda each: each.value)
        chart = charts.inline(svg, label=f"Users a day, at most {most.value} on {most.day}")
    most_events = max((each["events"] for each in usage["features"]), default=1)
    return {
        "chart": chart,
        "features": [
            {**each, "share": each["events"] / most_events, "name": each["feature"].replace("_", " ")}
            for each in usage["features"]
        ],
        "span": span,
        "spans": [(days, days == span) for days in DAYS],
        "totals": {name: sum(each[name] for each in usage["series"]) for name in ("events", "sessions")},
    }


def _tickets(data: Data, _: Visit) -> Data:
    def tone(status: str) -> str:
        return "plain" if status in ("SOLVED", "CLOSED") else "info"

    return {"tickets": [{**each, "tone": tone(each["status"])} for each in data["customer"]["tickets"]["nodes"]]}


def _surveys(data: Data, _: Visit) -> Data:
    return {"answers": [{**each, "tone": survey_tone(each)} for each in data["customer"]["surveys"]["nodes"]]}


def survey_tone(answer: Data) -> str:
    """NPS by its own bounds; anything else by where on its scale it lies."""
    low, _, high = answer["scale"].partition("-")
    if not (low.isdecimal() and high.isdecimal()) or int(high) == int(low):
        return "plain"
    if answer["type"] == "NPS":
        return "bad" if answer["score"] <= 6 else "info" if answer["score"] <= 8 else "good"
    share = (answer["score"] - int(low)) / (int(high) - int(low))
    return "bad" if share < 0.5 else "info" if share < 0.75 else "good"


def _contract(data: Data, _: Visit) -> Data:
    customer = data["customer"]
    bad = {"PAST_DUE", "CANCELLED", "FAILED", "CHURNED", "OVERDUE"}

    def toned(row: Data) -> dict[str, Any]:
        return {
            **row,
            "tone": "bad" if row["status"] in bad else "info" if row["status"] in ("OPEN", "DUE") else "plain",
        }

    return {
        "terms": [toned(each) for each in customer["terms"]["nodes"]],
        "renewals": [toned(each) for each in customer["renewals"]["nodes"]],
        "invoices": [toned(each) for each in customer["invoices"]["nodes"]],
    }


def _identity(data: Data, _: Visit) -> Data:
    rows = data["customer"]["identity"]
    return {
        "rows": [
            dict(
                zip(
                    ("sure", "tone"),
                    METHODS.get(each["method"] or "", (words.label(each["method"]), "plain")),
                    strict=True,
                ),
                **each,
            )
            for each in sorted(rows, key=lambda each: (each["source"], each["name"] or ""))
        ]
    }


PAGES = (
    tab("customer_usage", "Usage", variables=lambda visit: {"days": _span(visit)}, shape=_usage),
    tab("customer_tickets", "Tickets", variables=after, shape=_tickets),
    tab("customer_surveys", "Surveys", variables=after, shape=_surveys),
    tab("customer_contacts", "Contacts", variables=after),
    tab("customer_contract", "Contract", shape=_contract),
    tab("customer_identity", "Identity", shape=_identity),
)
