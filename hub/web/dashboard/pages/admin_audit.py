"""The audit log: who changed what, and who read personal data.

Details of an entry may be personal data, so reading them is an entry of its own; they are asked for only when wanted.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import orjson

from hub.model.actions import Role, Scope
from hub.web.dashboard.page import Data, Page, Visit

KINDS: Mapping[str, tuple[str, str]] = {
    "asked": ("info", "was asked"),
    "outcome": ("good", "came of it"),
    "read": ("plain", "read personal data"),
    "redacted": ("warn", "details taken out"),
}
"""{kind of an entry: its tone, in words}."""
FIELDS = ("actor", "action", "subject", "from", "to")


def _day(text: str | None, *, end: bool = False) -> str | None:
    """A day of the address as the moment it begins, or is over, in UTC."""
    if not text:
        return None
    at = date.fromisoformat(text) + timedelta(days=1 if end else 0)
    return f"{at.isoformat()}T00:00:00Z"


def _variables(visit: Visit) -> Data:
    asked = visit.query
    wanted = asked.get("details") == "yes" and Scope.PERSONAL in visit.viewer.scopes
    return {
        "actor": asked.get("actor", "").strip() or None,
        "action": asked.get("action", "").strip() or None,
        "subject": asked.get("subject", "").strip() or None,
        "since": _day(asked.get("from")),
        "until": _day(asked.get("to"), end=True),
        "after": asked.get("after") or None,
        "personal": wanted,
    }


def detail(text: str | None) -> list[tuple[str, str]]:
    """What stands in an entry's JSON, field by field; values that are more than a word as JSON."""
    if text is None:
        return []
    found = orjson.loads(text)
    if not isinstance(found, Mapping):
        return [("", str(found))]
    return [
        (str(name), value if isinstance(value, str) else orjson.dumps(value).decode())
        for name, value in found.items()
        if value is not None
    ]


def _shape(data: Data, visit: Visit) -> Data:
    rows = [
        {
            **each,
            "tone": KINDS.get(each["kind"], ("plain", each["kind"]))[0],
            "word": KINDS.get(each["kind"], ("plain", each["kind"]))[1],
            "told": detail(each.get("detail")),
        }
        for each in data["auditLog"]["nodes"]
    ]
    details = _variables(visit)["personal"]
    return {"rows": rows, "asked": {name: visit.query.get(name, "") for name in FIELDS}, "details": details}


PAGE = Page(
    name="admin_audit",
    path="/admin/audit",
    title="Audit log",
    nav="admin",
    role=Role.ADMIN,
    variables=_variables,
    shape=_shape,
)
