"""One playbook: when it fires and what it does, whether it may, its runs, what it was worth, and what it would have done."""

from collections.abc import Sequence

from hub.model.actions import Role
from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.playbooks import ALL, STATES, TONES, filled, may_steer, stops, words_of

BLOCKS = {
    "then": "if so",
    "else": "otherwise",
    "declined": "if refused",
    "expired": "if nobody answers",
    "on_failure": "if it fails",
}


def drawn(steps: Sequence[Data], customer: str = "the customer") -> list[Data]:
    """Steps as configured, with their place and their block in words; `opens`: the first of its block."""
    made: list[Data] = []
    for index, each in enumerate(steps):
        before = steps[index - 1] if index else None
        opens = each["depth"] > 0 and (
            before is None or before["depth"] < each["depth"] or before["block"] != each["block"]
        )
        block = each["block"]
        made.append(
            {
                **each,
                "index": index,
                "says": filled(each["summary"], customer),
                "opens": BLOCKS.get(block, str(block).replace("_", " ")) if opens else None,
                "off": each["summary"].startswith("switched off"),
            }
        )
    return made


def states(groups: Sequence[Data]) -> list[Data]:
    """Runs by state, in the order they are told."""
    found = {each["keys"][0]["value"].upper(): each["count"] for each in groups}
    return [{"state": state, "tone": tone, "count": found[state]} for state, tone in STATES if state in found]


def runs_of(found: Sequence[Data]) -> list[Data]:
    return [{**each, "tone": TONES[each["state"]]} for each in found]


def _shape(data: Data, visit: Visit) -> Data:
    playbook = next(iter(data["playbooks"]), None)
    stopped = stops(data["playbookStops"])
    name = visit.path["name"]
    return {
        "name": name,
        "playbook": playbook,
        "steps": drawn(playbook["steps"]) if playbook else [],
        "when": words_of(playbook["when"]) if playbook else "",
        "stop": stopped.get(name),
        "all_stopped": stopped.get(ALL),
        "states": states(data["playbookRunGroups"]),
        "runs": runs_of(data["playbookRuns"]["nodes"]),
        "may_steer": may_steer(visit),
        "may_plan": visit.viewer.may(Role.ADMIN) and visit.viewer.book is None,
        "whole": visit.viewer.book is None,
    }


PAGE = Page(
    name="playbook",
    path="/playbooks/{name}",
    title="Playbook",
    nav="playbooks",
    variables=lambda visit: {"name": visit.path["name"]},
    shape=_shape,
)
