"""Who moved between bands, whose score moved most in thirty days, and which measures moved it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.portfolio import BANDS, chosen

SPANS = (7, 30, 90)
REASONS_AT_MOST = 2
LEAST_CHANGE = 0.02
"""Of a measure's contribution, that is worth a word."""


def variables(visit: Visit) -> Data:
    filter_ = chosen(visit)
    return {
        "filter": filter_,
        "since": (visit.now.date() - timedelta(days=span(visit))).isoformat(),
        "monthAgo": (visit.now.date() - timedelta(days=30)).isoformat(),
        "fell": {"all": [filter_, {"healthChange30d": {"lt": -LEAST_CHANGE}}]},
        "rose": {"all": [filter_, {"healthChange30d": {"gt": LEAST_CHANGE}}]},
    }


def span(visit: Visit) -> int:
    """Days to look back; one of SPANS."""
    asked = visit.query.get("days", "")
    return int(asked) if asked in map(str, SPANS) else 30


def shape(data: Data, visit: Visit) -> Data:
    return {
        "moved": table(data["moved"]),
        "totals": totals(data["moved"]),
        "span": span(visit),
        "spans": SPANS,
        **{name: [mover(each) for each in data[name]["nodes"]] for name in ("fell", "rose")},
    }


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


def _tone(before: str | None, after: str | None) -> str:
    if before is None or after is None:
        return "none"
    change = BANDS.index(after) - BANDS.index(before)
    return "down" if change < 0 else "up" if change else "same"


def _upper(name: str | None) -> str | None:
    return name and name.upper()


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


PAGE = Page(
    name="portfolio_movers",
    path="/portfolio/movers",
    title="Moved most",
    nav="portfolio",
    later=True,
    variables=variables,
    shape=shape,
)
