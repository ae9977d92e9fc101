"""Playbooks: what each does in a sentence, whether it may, what it is busy with, and what it was worth.

What it was worth takes a moment to compute, and only who sees all customers may ask; so it is a page of its own
(playbooks_worth), which the list takes its last column from.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.model.actions import Role, Scope
from hub.web.dashboard.page import Data, Page, Visit

STATES: Sequence[tuple[str, str]] = (
    ("RUNNING", "info"),
    ("WAITING", "info"),
    ("PAUSED", "warn"),
    ("DONE", "good"),
    ("FAILED", "bad"),
    ("CANCELLED", "plain"),
    ("HELD_OUT", "plain"),
)
"""(state of a run, its tone), in the order they are told."""
TONES: Mapping[str, str] = dict(STATES)
ALL = "*"
_OPERATORS: Mapping[str, str] = {
    "eq": "is",
    "ne": "is not",
    "gt": "is above",
    "gte": "is at least",
    "lt": "is below",
    "lte": "is at most",
    "in": "is one of",
    "not_in": "is none of",
}
_FILLED = re.compile(r"{{\s*([a-z_.]+)[^}]*}}")


def words_of(when: Any) -> str:
    """A condition of the vocabulary in words."""
    if not isinstance(when, Mapping):
        return ""
    return " and ".join(_test(name, asked) for name, asked in when.items())


def _test(name: str, asked: Any) -> str:
    if name in ("any", "all"):
        joined = (" or " if name == "any" else " and ").join(words_of(each) for each in asked)
        return f"({joined})" if len(asked) > 1 else joined
    if name == "not":
        return f"not ({words_of(asked)})"
    fact = name.replace("_", " ")
    if not isinstance(asked, Mapping):
        return f"{fact} is {asked}"
    return " and ".join(f"{fact} {_said(operator, value)}" for operator, value in asked.items())


def _said(operator: str, value: Any) -> str:
    if operator == "exists":
        return "is known" if value else "is not known"
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{_OPERATORS.get(operator, operator.replace('_', ' '))} {shown}"


def filled(text: str, customer: str = "the customer") -> str:
    """What a step does, with the customer's name where its file names it, and an ellipsis for other values."""
    return _FILLED.sub(lambda found: customer if found[1] == "customer.name" else "…", text)


def counts(groups: Iterable[Data]) -> dict[str, dict[str, int]]:
    """{playbook: {state: runs}} of groups by both."""
    made: dict[str, dict[str, int]] = {}
    for each in groups:
        keys = {one["by"]: one["value"] for one in each["keys"]}
        made.setdefault(keys["PLAYBOOK"], {})[keys["STATE"].upper()] = each["count"]
    return made


def stops(found: Iterable[Data]) -> dict[str, Data]:
    """{playbook, * for all: who stopped it when, and why}."""
    return {each["playbook"]: each for each in found}


def channels(steps: Iterable[Data]) -> Sequence[str]:
    """What a playbook does, each kind of step once, in their order; what only steers is left out."""
    steering = {"wait", "branch", "stop", "close"}
    acts = (each["action"] for each in steps if not each["summary"].startswith("switched off"))
    return list(dict.fromkeys(act for act in acts if act not in steering))


def may_steer(visit: Visit) -> bool:
    """Whether the viewer may stop and start playbooks."""
    return visit.viewer.may(Role.ADMIN) and Scope.ACT in visit.viewer.scopes


def may_work(visit: Visit) -> bool:
    """Whether the viewer may answer, rate, cancel and resend."""
    return visit.viewer.may(Role.CSM) and Scope.ACT in visit.viewer.scopes


def _shape(data: Data, visit: Visit) -> Data:
    by, stopped = counts(data["playbookRunGroups"]), stops(data["playbookStops"])
    rows = [
        {
            **each,
            "does": channels(each["steps"]),
            "by": by.get(each["name"], {}),
            "busy": sum(by.get(each["name"], {}).get(state, 0) for state in ("RUNNING", "WAITING", "PAUSED")),
            "total": sum(by.get(each["name"], {}).values()),
            "stop": stopped.get(each["name"]) or stopped.get(ALL),
        }
        for each in data["playbooks"]
    ]
    rows.sort(key=lambda each: (not each["stop"], -each["busy"], -each["total"], each["name"]))
    return {
        "rows": rows,
        "all_stopped": stopped.get(ALL),
        "stopped": [each for name, each in sorted(stopped.items()) if name != ALL],
        "may_steer": may_steer(visit),
        "whole": visit.viewer.book is None,
        "approvals": data["approvals"]["totalCount"],
        "unknown": data["unknown"]["totalCount"],
    }


PAGE = Page(name="playbooks", path="/playbooks", title="Playbooks", nav="playbooks", shape=_shape)
