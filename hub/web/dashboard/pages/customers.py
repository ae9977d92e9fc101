"""The table of customers: searched, chosen, ordered, page by page. A link is a view, for all of it is in the address."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from hub.model.actions import Scope
from hub.web.dashboard import words
from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.customer_head import MONTHS
from hub.web.dashboard.pages.customers_fields import DEFAULT, MOST_COLUMNS, OTHERS, Field, every, value
from hub.web.dashboard.pages.customers_filter import as_asked, plain, read, said, split, together

SIZE = 50
MOST_TRAIL = 12
"""Cursors of pages before that an address carries."""
ORDER, DIRECTION = "health", "ASC"
KEPT = ("search", "filter", "segment", "order", "direction", "columns", "count")
"""What of an address says which view it is."""
SORTED_AS: Mapping[str, str] = {"band": "health"}
HEADINGS: Mapping[str, str] = {"band": "Health"}
"""The column of the band shows the score, too."""
EXPORTS = ("csv", "jsonl", "parquet")
ASKED = frozenset({"mrr", "segment", "daysToRenewal", "csmEmail", *(each.key for each in OTHERS)})
"""Columns for which no other fact has to be asked for."""


def columns_of(visit: Visit) -> tuple[str, ...]:
    """Keys of the columns that are asked for, the name aside."""
    asked = visit.query.get("columns")
    return DEFAULT if asked is None else tuple(dict.fromkeys(each for each in asked.split(",") if each))[:MOST_COLUMNS]


def condition_of(visit: Visit) -> dict[str, Any]:
    """The filter of the address, or else the saved segment it names."""
    condition = read(visit.query.get("filter"))
    if not condition and "filter" not in visit.query and (segment := visit.query.get("segment")):
        return {"inSegment": segment}
    return condition


def _variables(visit: Visit) -> Data:
    search = visit.query.get("search", "").strip()
    direction = visit.query.get("direction", DIRECTION)
    if direction not in ("ASC", "DESC"):
        raise ValueError("direction is ASC or DESC")
    order = visit.query.get("order", ORDER)
    if not order.replace("_", "").isalnum():
        raise ValueError("there is no such order")
    shown = columns_of(visit)
    return {
        "first": SIZE,
        "after": visit.query.get("after") or None,
        "filter": together(condition_of(visit), {"search": search} if search else {}),
        "order": {"field": _order(order), "direction": direction},
        "count": visit.query.get("count") == "1",
        "every": not ASKED.issuperset(shown),
        "lifecycle": any(each.key in shown for each in OTHERS if each.path and each.path[0] == "lifecycle"),
    }


def _order(key: str) -> str:
    """The API's name of an order by a field: renewalDays and tickets90d as RENEWAL_DAYS and TICKETS_90D."""
    known = next((each for each in OTHERS if each.key == key), None)
    if known is not None:
        return known.order
    before, made = "", ""
    for letter in key:
        if letter.isupper() or (letter.isdecimal() and before and not before.isdecimal()):
            made += "_"
        made, before = made + letter.upper(), letter
    return made


def _shape(data: Data, visit: Visit) -> Data:
    fields = every(data["settings"]["facts"])
    page, condition = data["customers"], condition_of(visit)
    segment = next((each for each in data["segments"] if each["name"] == visit.query.get("segment")), None)
    if segment is not None and set(condition) == {"inSegment"}:
        condition = as_asked(segment["filter"], fields)
    joined, tests = split(condition)
    search = visit.query.get("search", "").strip()
    shown = [fields[key] for key in columns_of(visit) if key in fields and fields[key].path]
    order, direction = visit.query.get("order", ORDER), visit.query.get("direction", DIRECTION)
    return {
        "columns": [_column(each, order, direction, visit) for each in shown],
        "by_name": _column(fields["name"], order, direction, visit),
        "rows": [_row(each, shown) for each in page["nodes"]],
        "search": search,
        "tests": [
            {"said": said(each, fields), "without": _without(visit, joined, tests, at)} for at, each in enumerate(tests)
        ],
        "joined": joined,
        "tests_json": _written({"tests": tests}),
        "flipped": address(visit, filter=_written({"any" if joined == "all" else "all": tests}))
        if len(tests) > 1
        else None,
        "wanted": together(condition, {"search": search} if search else {}),
        "changed": segment is not None and condition != as_asked(segment["filter"], fields),
        "columns_asked": ",".join(columns_of(visit)),
        "untouched": "columns" not in visit.query,
        "condition": condition,
        "groups": _groups(fields),
        "chosen": {each.key for each in shown},
        "segments": data["segments"],
        "segment": segment,
        "order": {"key": order, "title": fields[order].title if order in fields else order, "direction": direction},
        "total": _total(page, visit),
        "as_of": max((each["health"]["asOf"] for each in page["nodes"] if each["health"]), default=None),
        "exports": _exports(visit, condition, search, fields),
        "links": _links(visit, page["pageInfo"]),
        "playbooks": [each for each in data["playbooks"] if each["enabled"]],
        "team": data["team"],
        "personal": Scope.PERSONAL in visit.viewer.scopes,
    }


def _total(page: Data, visit: Visit) -> int | None:
    """How many there are in all, where they were counted, or are all on this page."""
    alone = not page["pageInfo"]["hasNextPage"] and not visit.query.get("after")
    return len(page["nodes"]) if alone else page.get("totalCount")


def address(visit: Visit, **changed: str | None) -> str:
    """This view with something changed, from its first page; None: without it."""
    kept = {name: visit.query.get(name) for name in KEPT} | changed
    asked = {name: each for name, each in kept.items() if each}
    return "/customers" + (f"?{urlencode(asked)}" if asked else "")


def _column(field: Field, order: str, direction: str, visit: Visit) -> dict[str, Any]:
    key = SORTED_AS.get(field.key, field.key)
    here = key == order
    numbers = field.kind == "number"
    first = (
        "DESC" if numbers and field.key not in ("health", "healthChange30d", "daysToRenewal", "renewalDays") else "ASC"
    )
    turned = "DESC" if direction == "ASC" else "ASC"
    return {
        "key": field.key,
        "title": HEADINGS.get(field.key, field.title),
        "unit": "a year" if field.key == "mrr" else "" if field.scale > 1 else field.shown_unit,
        "meaning": field.meaning,
        "number": numbers,
        "sort": {"ASC": "ascending", "DESC": "descending"}[direction] if here else None,
        "href": address(visit, order=key, direction=turned if here else first),
    }


def _row(row: Data, shown: Sequence[Field]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "cells": [
            {"key": each.key, "kind": _kind(each), "said": _said(row, each), "value": value(row, each)}
            for each in shown
        ],
    }


def _kind(field: Field) -> str:
    """How a cell is drawn: some in their own way, others as words or a number."""
    drawn = {"band": "band", "churnBand": "risk", "previousBand": "band", "healthChange30d": "change"}
    return drawn.get(field.key) or {"number": "number", "date": "day"}.get(field.kind, "text")


def _said(row: Data, field: Field) -> str:
    found = value(row, field)
    if field.key == "band":
        return words.points((row["health"] or {}).get("score"))
    if field.key == "csmEmail":
        return row["csm"]["name"] or row["csm"]["email"] or words.MISSING
    if field.key == "mrr":
        term = row["subscription"]
        return words.money(None if found is None else found * MONTHS, term["currency"] if term else None)
    if field.unit == "share":
        return words.percent(found)
    if field.unit == "0-1":
        return words.points(found)
    if field.unit == "a year":
        return words.money(found)
    if field.kind == "number":
        return words.quantity(found, "ratio" if field.unit == "ratio" else None)
    return words.label(found) if field.choices else found or words.MISSING


def _without(visit: Visit, joined: str, tests: Sequence[Mapping[str, Any]], at: int) -> str:
    """The address of this view without one test."""
    left = [each for place, each in enumerate(tests) if place != at]
    if not left:
        return address(visit, filter=None, segment=None)
    return address(visit, filter=_written({joined: left}))


def _written(condition: Mapping[str, Any]) -> str:
    return json.dumps(condition, separators=(",", ":"), ensure_ascii=False)


def _groups(fields: Mapping[str, Field]) -> list[tuple[str, list[Field]]]:
    groups: dict[str, list[Field]] = {}
    for each in fields.values():
        groups.setdefault(each.group, []).append(each)
    return [(name, sorted(each, key=lambda field: field.title)) for name, each in groups.items()]


def _exports(
    visit: Visit, condition: Mapping[str, Any], search: str, fields: Mapping[str, Field]
) -> list[tuple[str, str]]:
    """(format, address) of the same customers, for who may export."""
    if Scope.EXPORT not in visit.viewer.scopes:
        return []
    asked = together(condition, {"search": search} if search else {})
    query = "" if asked is None else "?" + urlencode({"where": _written(plain(asked, fields))})
    return [(each, f"/export/customers.{each}{query}") for each in EXPORTS]


def _links(visit: Visit, info: Data) -> dict[str, str | None]:
    """Where the pages beside this one are. Cursors go forward alone, so an address carries those it came by."""
    trail = [each for each in visit.query.get("trail", "").split(",") if each]
    here = visit.query.get("after")
    following = [*trail, here or "-"][-MOST_TRAIL:]
    back = trail[-1] if trail else None
    return {
        "first": address(visit) if here else None,
        "previous": address(visit, after=None if back == "-" else back, trail=",".join(trail[:-1])) if back else None,
        "next": address(visit, after=info["endCursor"], trail=",".join(following)) if info["hasNextPage"] else None,
        "count": address(visit, count="1"),
    }


PAGE = Page(name="customers", path="/customers", title="Customers", nav="customers", variables=_variables, shape=_shape)
