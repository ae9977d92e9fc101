"""Approvals: what playbooks ask before they write to a customer, who is asked, and what would be sent."""

from collections.abc import Sequence

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.playbooks import filled, may_work
from hub.web.dashboard.pages.sources import personal


def follows(steps: Sequence[Data], index: int, customer: str) -> list[str]:
    """What the run does once it is approved, up to its next wait or question; steps of a refusal are left out."""
    if index >= len(steps):
        return []
    own = steps[index]["depth"]
    made = []
    for each in steps[index + 1 :]:
        if each["depth"] < own or each["action"] in ("wait", "approve"):
            break
        if each["depth"] > own or each["summary"].startswith("switched off"):
            continue
        if own and each["block"] != steps[index]["block"]:
            break
        made.append(f"{each['action']}: {filled(each['summary'], customer)}")
    return made


def _shape(data: Data, visit: Visit) -> Data:
    known = {each["name"]: each for each in data["playbooks"]}
    rows = []
    for run in data["playbookRuns"]["nodes"]:
        asked = next((each for each in run["approvals"] if each["state"] == "open"), None)
        if asked is None:
            continue
        playbook = known.get(run["playbook"])
        rows.append(
            {
                **run,
                "asked": asked,
                "title": playbook["title"] if playbook else run["playbook"],
                "follows": follows(playbook["steps"], asked["step"], run["customer"]["name"]) if playbook else [],
                "mine": asked["askedOf"] is not None and asked["askedOf"] == visit.viewer.csm_email,
            }
        )
    rows.sort(key=lambda each: (not each["mine"], each["asked"]["expiresAt"] or "9"))
    return {"rows": rows, "may_work": may_work(visit)}


PAGE = Page(
    name="playbooks_approvals",
    path="/playbooks/approvals",
    title="Approvals",
    nav="playbooks",
    variables=lambda visit: {"after": visit.query.get("after") or None, **personal(visit)},
    shape=_shape,
)
