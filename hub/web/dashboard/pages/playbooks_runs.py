"""Runs of playbooks, newest first, of one playbook or in one state."""

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.playbook import runs_of
from hub.web.dashboard.pages.playbooks import STATES, TONES


def _variables(visit: Visit) -> Data:
    state = visit.query.get("state", "").upper()
    if state and state not in TONES:
        raise ValueError(f"state must be one of {', '.join(each.lower() for each in TONES)}")
    asked = visit.query
    return {
        "playbook": asked.get("playbook") or None,
        "state": [state] if state else None,
        "after": asked.get("after") or None,
    }


def _shape(data: Data, visit: Visit) -> Data:
    return {
        "runs": runs_of(data["playbookRuns"]["nodes"]),
        "states": [state for state, _ in STATES],
        "playbook": visit.query.get("playbook", ""),
        "state": visit.query.get("state", "").upper(),
    }


PAGE = Page(
    name="playbooks_runs",
    path="/playbooks/runs",
    title="Runs of playbooks",
    nav="playbooks",
    variables=_variables,
    shape=_shape,
)
