"""Post-mortems: what was to be seen of customers before they left, whether anyone acted, and what each sign is worth."""

from datetime import timedelta

from hub.web.dashboard.page import Data, Page, Visit

SPANS = (90, 180, 365)


def span(visit: Visit) -> int:
    asked = visit.query.get("days", "")
    return int(asked) if asked in map(str, SPANS) else 365


def variables(visit: Visit) -> Data:
    return {"since": (visit.now.date() - timedelta(days=span(visit))).isoformat()}


def shape(data: Data, visit: Visit) -> Data:
    found = data["postmortems"]
    return {
        "everybody": found["everybody"],
        "signs": sorted(found["signs"], key=lambda each: (not each["tells"], -(each["ratio"] or 0.0))),
        "green": sum(bool(each["greenAtChurn"]) for each in found["customers"]),
        "span": span(visit),
        "spans": SPANS,
    }


PAGE = Page(
    name="model_postmortems",
    path="/model/postmortems",
    title="Post-mortems",
    nav="model",
    variables=variables,
    shape=shape,
)
