"""The page of one customer: how it is, why, since when, and what to do. The other sides of it are pages beside this one."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from hub.drawing.history import Happening, Score, score_history
from hub.web.dashboard import charts, words
from hub.web.dashboard.page import Data, Visit
from hub.web.dashboard.pages.customer_head import tab
from hub.web.dashboard.pages.customer_why import CAUSES, changes, why

SPANS = (("3 months", 91), ("6 months", 182), ("A year", 365), ("2 years", 730))
SPAN = 182
SINCE = (7, 30, 90)
ROWS: Mapping[str, str] = {
    "BAND_CHANGED": "band changed",
    "ALERT_OPENED": "alert",
    "NOTE_WRITTEN": "note",
    "RENEWAL_DUE": "renewal",
    "RENEWAL_DECIDED": "renewal",
    "OVERRIDE_STATED": "override",
    "OVERRIDE_WITHDRAWN": "override",
}
"""Kinds of the timeline that are marked below the score, and what their row is called; in this order."""
CONFIDENCE: Mapping[str, str] = {
    "low": "Rests on little data of this customer.",
    "prior": "The base rate of everybody: there is no model yet.",
    "noticed": "Has given notice: no prediction is needed.",
}


def span(visit: Visit) -> int:
    """Days of history that are looked at; ValueError where it is none of those offered."""
    days = int(visit.query.get("span", SPAN))
    if days not in [each for _, each in SPANS]:
        raise ValueError(f"span must be one of {', '.join(str(each) for _, each in SPANS)}")
    return days


def _variables(visit: Visit) -> Data:
    first = visit.now.date() - timedelta(days=span(visit))
    return {"from": first.isoformat(), "fromMoment": f"{first}T00:00:00Z"}


def _shape(data: Data, visit: Visit) -> Data:
    customer = data["customer"]
    facts = {each["name"]: each for each in data["settings"]["facts"]}
    explained = customer["explanation"]
    risk = customer["churnRisk"]
    return {
        "why": why(explained, facts) if explained else None,
        "reasons": [each for each in (risk or {}).get("reasons", ()) if each["direction"] != "lowers"],
        "against": [each for each in (risk or {}).get("reasons", ()) if each["direction"] == "lowers"],
        "confidence": CONFIDENCE.get((risk or {}).get("confidence") or ""),
        "horizons": [_horizon(each) for each in customer["churnRisks"]],
        "history": _history(customer, data, visit),
        "happenings": [
            {**each, "row": ROWS[each["kind"]]} for each in customer["marks"]["nodes"] if each["kind"] in ROWS
        ],
        "spans": [(title, days, days == span(visit)) for title, days in SPANS],
        "calls": customer["alerts"]["nodes"],
    }


def _horizon(risk: Data) -> dict[str, Any]:
    days = risk["horizonDays"]
    return {**risk, "within": f"{days} days" if days else "until the renewal"}


def _record(data: Data, _: Visit) -> Data:
    """How often customers in this band left, and how far that can be trusted."""
    explained = data["customer"]["explanation"]
    record = explained["trackRecord"] if explained else None
    band = (explained["band"] or "").lower() if explained else ""
    return {
        "record": record,
        "own": next((each for each in (record or {}).get("bands", ()) if each["name"] == band), None),
    }


def _history(customer: Data, data: Data, visit: Visit) -> Any:
    scores = [Score(date.fromisoformat(each["asOf"]), each["health"]) for each in customer["scores"]["nodes"]]
    if not any(each.value is not None for each in scores):
        return None
    order = {row: place for place, row in enumerate(dict.fromkeys(ROWS.values()))}
    marks = [
        Happening(date.fromisoformat(each["at"][:10]), ROWS[each["kind"]], f"{each['at'][:10]}: {each['title']}")
        for each in customer["marks"]["nodes"]
        if each["kind"] in ROWS
    ]
    last = visit.now.date()
    svg = score_history(
        scores,
        sorted(marks, key=lambda each: order[each.row]),
        bands=_bands(data),
        first=max(
            last - timedelta(days=span(visit)), min([each.day for each in scores] + [each.day for each in marks])
        ),
        last=last,
        title=f"Score of {customer['name']} over time",
    )
    newest, oldest = scores[0], scores[-1]
    label = f"Score from {words.points(oldest.value)} on {oldest.day} to {words.points(newest.value)} on {newest.day}"
    return charts.inline(svg, label=label)


def _bands(data: Data) -> Sequence[tuple[str, float]]:
    main = next(each for each in data["settings"]["healthDefinitions"] if each["role"] == "main")
    return [(each["band"].lower(), each["begins"]) for each in main["bands"]]


def since(visit: Visit) -> date:
    """The day a score is compared with: `since`, a day or so many days ago; ValueError where it is neither, or not past."""
    said = visit.query.get("since", "30")
    today = visit.now.date()
    day = today - timedelta(days=int(said)) if said.isdecimal() and len(said) < 5 else date.fromisoformat(said)
    if day >= today:
        raise ValueError(f"compare with a day before {today}")
    return day


def _compared(data: Data, visit: Visit) -> Data:
    explained = data["customer"]["explanation"]
    comparison = explained and explained["comparison"]
    facts = {each["name"]: each for each in data["settings"]["facts"]}
    moved = changes(comparison, facts) if comparison else []
    return {
        "asked": since(visit).isoformat(),
        "choices": [(days, since(visit) == visit.now.date() - timedelta(days=days)) for days in SINCE],
        "explained": explained,
        "comparison": comparison,
        "moved": moved,
        "few": [each for each in moved if each["small"]],
        "most": max((abs(each["amount"]) for each in moved), default=1.0),
        "causes": CAUSES,
        "yesterday": (visit.now.date() - timedelta(days=1)).isoformat(),
    }


def _lifted(data: Data, _: Visit) -> Data:
    facts = {each["name"]: each for each in data["settings"]["facts"]}
    lift = data["customer"]["lift"]
    moves = [
        {**each, "meaning": facts[each["fact"]]["meaning"] if each["fact"] in facts else each["fact"]}
        for each in (lift or {}).get("moves", ())
    ]
    return {"lift": lift, "moves": moves}


PAGE = tab("customer", "Customer", variables=_variables, shape=_shape)
CHANGES = tab(
    "customer_changes",
    "What moved the score",
    variables=lambda visit: {"since": since(visit).isoformat()},
    shape=_compared,
)
LIFT = tab("customer_lift", "What would lift the score", shape=_lifted)
RECORD = tab("customer_record", "How often the score is right", shape=_record)
