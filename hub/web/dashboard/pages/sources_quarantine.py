"""Rows of a source that could not become records, as the vendor sent them, for who may see what stands in them."""

from collections.abc import Iterator

import orjson

from hub.model.actions import Role
from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.sources import may_care

LONGEST = 20_000
"""Letters of a row that are shown; the rest is cut off and said to be."""


def _variables(visit: Visit) -> Data:
    asked = visit.query
    return {"name": visit.path["source"], "stream": asked.get("stream") or None, "after": asked.get("after") or None}


def lines(raw: object, field: str | None) -> Iterator[tuple[str, bool]]:
    """A row as indented JSON, line by line, and whether the line has the field that is at fault."""
    text = orjson.dumps(raw, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
    mark = f'"{field.rsplit(".", 1)[-1]}":' if field else None
    for line in text[:LONGEST].split("\n"):
        yield line, mark is not None and line.lstrip().startswith(mark)
    if len(text) > LONGEST:
        yield f"… {len(text) - LONGEST:,} letters more", False


def _shape(data: Data, visit: Visit) -> Data:
    rows = [{**each, "lines": list(lines(each["raw"], each["field"]))} for each in data["quarantine"]["nodes"]]
    return {"rows": rows, "may_sync": may_care(visit)}


PAGE = Page(
    name="sources_quarantine",
    path="/sources/{source}/quarantine",
    title="Quarantine",
    nav="sources",
    role=Role.MANAGER,
    needs="source",
    variables=_variables,
    shape=_shape,
)
