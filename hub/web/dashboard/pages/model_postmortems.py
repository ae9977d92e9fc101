"""Post-mortems: what was to be seen of customers before they left, whether anyone acted, and what each sign is worth."""

from datetime import timedelta

from hub.web.dashboard.page import Data, Page, Visit

SPANS = (90, 180, 365)


def span(visit: Visit) -> int:
    asked = visit.query.get("days", "")
    return int(asked) if asked in map(str, SPANS) else 365


def found_variables(visit: Visit) -> Data:
    return {"since": (visit.now.date() - timedelta(days=span(visit))).isoformat()}


def found_shape(data: Data, visit: Visit) -> Data:
    found = data["postmortems"]
    return {
        "everybody": found["everybody"],
        "signs": sorted(found["signs"], key=lambda each: (not each["tells"], -(each["ratio"] or 0.0))),
        "green": sum(bool(each["greenAtChurn"]) for each in found["customers"]),
        "span": span(visit),
        "spans": SPANS,
    }


def shape(_: Data, visit: Visit) -> Data:
    return {"span": span(visit), "spans": SPANS}


PAGE = Page(name="model_postmortems", path="/model/postmortems", title="Post-mortems", nav="model", shape=shape)
FOUND = Page(
    name="model_postmortems_found",
    path="/model/postmortems/found",
    title="Post-mortems",
    nav="model",
    later=True,
    variables=found_variables,
    shape=found_shape,
)
