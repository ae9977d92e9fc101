"""The delivery ledger: every message that was, or was to be, sent; those nobody knows the end of can be sent once more."""

from collections.abc import Sequence

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.playbook_run import DELIVERY_TONES
from hub.web.dashboard.pages.playbooks import may_work
from hub.web.dashboard.pages.sources import personal

AGAIN = frozenset({"UNKNOWN", "FAILED"})
"""States of messages that can be sent once more."""


def _variables(visit: Visit) -> Data:
    asked = visit.query
    state = asked.get("state", "").upper()
    if state and state not in DELIVERY_TONES:
        raise ValueError(f"state must be one of {', '.join(each.lower() for each in DELIVERY_TONES)}")
    return {
        "state": [state] if state else None,
        "channel": asked.get("channel") or None,
        "after": asked.get("after") or None,
        **personal(visit),
    }


def values(groups: Sequence[Data]) -> list[tuple[str, int]]:
    """What groups have in common, and how many each is."""
    return [(str(each["keys"][0]["value"]), each["count"]) for each in groups]


def _shape(data: Data, visit: Visit) -> Data:
    found = {state.upper(): count for state, count in values(data["deliveryGroups"])}
    rows = [
        {**each, "tone": DELIVERY_TONES[each["state"]], "again": each["state"] in AGAIN}
        for each in data["deliveries"]["nodes"]
    ]
    return {
        "rows": rows,
        "states": [
            {"state": state, "tone": tone, "count": found.get(state, 0)} for state, tone in DELIVERY_TONES.items()
        ],
        "channels": values(data["channels"]),
        "state": visit.query.get("state", "").upper(),
        "channel": visit.query.get("channel", ""),
        "doubtful": found.get("UNKNOWN", 0),
        "failed": found.get("FAILED", 0),
        "may_work": may_work(visit),
    }


PAGE = Page(
    name="playbooks_messages",
    path="/playbooks/messages",
    title="Messages",
    nav="playbooks",
    variables=_variables,
    shape=_shape,
)
