"""One source: what speaks against it, its streams beside what the vendor lists, its syncs, and the rows that wait."""

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.sources import may_care, personal, progress, quotas, runs, standing


def _variables(visit: Visit) -> Data:
    return {"name": visit.path["source"], "after": visit.query.get("after") or None, **personal(visit)}


def streams(source: Data) -> list[Data]:
    """Streams with what their bookmark and their last sync say beside what is known of their truth."""
    marks = {each["stream"]: each for each in source["bookmarks"]}
    counts = {each["stream"]: each for each in (source["lastRun"] or {"streams": ()})["streams"]}
    truths = {each["stream"]: each for each in source["streams"]}
    unknown = dict.fromkeys(
        ("completeTo", "freshSeconds", "checkedAt", "theirs", "ours", "missing", "extra", "stale", "completeness"), None
    )
    unknown |= dict.fromkeys(("repaired", "deleted", "held", "checkError"), None)
    names = sorted({*truths, *marks, *counts})
    return [
        {**unknown, **truths.get(name, {}), "stream": name, "mark": marks.get(name), "last": counts.get(name)}
        for name in names
    ]


def _shape(data: Data, visit: Visit) -> Data:
    source = data["source"]
    held = sum(each["held"] or 0 for each in source["streams"])
    return {
        "source": source,
        "stands": standing(source, visit.now),
        "progress": progress(source["lastRun"]),
        "quotas": quotas(source),
        "streams": streams(source),
        "runs": runs(source["runs"]["nodes"]),
        "held": held,
        "may_sync": may_care(visit),
    }


PAGE = Page(
    name="source",
    path="/sources/{source}",
    title="Source",
    nav="sources",
    needs="source",
    variables=_variables,
    shape=_shape,
)
