"""What people decided of companies and customers, to be taken back: matches to reopen, merges to undo."""

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.matches import may_decide
from hub.web.dashboard.pages.sources import personal

KEPT = frozenset({"created", "merged"})
"""Ways of deciding that made a customer: undone by a merge, never by reopening."""


def _variables(visit: Visit) -> Data:
    return {"source": visit.query.get("source") or None, "after": visit.query.get("after") or None, **personal(visit)}


def _shape(data: Data, visit: Visit) -> Data:
    rows = [{**each, "reopens": each["method"] not in KEPT} for each in data["identities"]["nodes"]]
    return {"rows": rows, "may_decide": may_decide(visit)}


PAGE = Page(
    name="matches_decided",
    path="/sources/matches/decided",
    title="Decided matches",
    nav="sources",
    variables=_variables,
    shape=_shape,
)
