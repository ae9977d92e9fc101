"""What a playbook would have done in the last months: rehearsed on the stored past, which takes a while."""

from hub.model.actions import Role
from hub.web.dashboard.page import Data, Page, Visit

DAYS = 90


def _variables(visit: Visit) -> Data:
    asked = visit.query.get("days", str(DAYS))
    if not asked.isdigit() or not 7 <= int(asked) <= 365:
        raise ValueError("days must be a number from 7 to 365")
    return {"name": visit.path["name"], "days": int(asked)}


def judged(outcome: Data) -> str:
    """How many of who it fired for left later, beside everybody at stake, in a sentence."""
    if not outcome["customers"]:
        return "No firing is old enough to be judged by who left."
    left = f"{outcome['left']} of {outcome['customers']} customers left within {outcome['horizonDays']} days"
    if outcome["precision"] is None or outcome["low"] is None:
        return f"{left}."
    said = f"{left}: {outcome['precision']:.0%}, with a 95 % interval of {outcome['low']:.0%} to {outcome['high']:.0%}"
    if outcome["baseRate"] is not None and outcome["lift"] is not None:
        said += f"; of all at stake {outcome['baseRate']:.0%} left, so it finds {outcome['lift']:.1f} times as many"
    return f"{said}."


def reach(outcome: Data) -> str:
    """How many of who left it had fired for, and how early."""
    if not outcome["churners"]:
        return "Nobody left with a whole horizon behind."
    said = f"It had fired for {outcome['reached']} of {outcome['churners']} who left"
    if outcome["medianLeadDays"] is not None:
        said += f", half of them at least {outcome['medianLeadDays']:.0f} days before"
    return f"{said}."


def _shape(data: Data, visit: Visit) -> Data:
    plan = data["playbookPlan"]
    new = plan["new"]
    most = max([1, *(each["worstWeek"] for each in new["loads"])])
    loads = [{**each, "share": each["worstWeek"] / most} for each in new["loads"]]
    return {
        "plan": plan,
        "new": new,
        "loads": loads,
        "judged": judged(new["outcome"]),
        "reach": reach(new["outcome"]),
        "name": visit.path["name"],
    }


PAGE = Page(
    name="playbook_plan",
    path="/playbooks/{name}/plan",
    title="Plan",
    nav="playbooks",
    later=True,
    role=Role.ADMIN,
    variables=_variables,
    shape=_shape,
)
