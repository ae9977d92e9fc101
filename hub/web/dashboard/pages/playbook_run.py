"""A run as a picture of its steps: what is done, what it stands at and until when, which way it went, what it sent."""

from collections.abc import Mapping, Sequence

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.playbook import BLOCKS, drawn
from hub.web.dashboard.pages.playbooks import TONES, filled, may_work
from hub.web.dashboard.pages.sources import personal

OPEN = frozenset({"RUNNING", "WAITING", "PAUSED"})
DELIVERY_TONES: Mapping[str, str] = {
    "HELD": "info",
    "RESERVED": "info",
    "SENT": "good",
    "CONFIRMED": "good",
    "UNKNOWN": "bad",
    "FAILED": "bad",
    "SUPPRESSED": "plain",
}
AWAITS: Mapping[str, str] = {
    "date": "for its time",
    "condition": "for its condition to hold; it looks again at the next wake-up",
    "approval": "for a person's word",
    "delivery": "to know what became of its messages",
    "run": "for a run it started elsewhere",
}


def step_of(dedup_key: str) -> int | None:
    """The step a message belongs to, as its key says it: playbook.version.step.digest; None of any other key."""
    parts = dedup_key.split(".")
    return int(parts[2]) if len(parts) == 4 and parts[2].isdigit() else None


def pictured(run: Data, configured: Sequence[Data] | None) -> list[Data]:
    """Every step with its state: done, skipped, failed; here; ahead; passed (the run went another way).

    configured: the steps of the version that it runs on; None where only what it did is known.
    """
    did = {each["index"]: each for each in run["steps"]}
    name = run["customer"]["name"]
    going = run["state"] in OPEN
    if configured is None:
        steps = [
            {
                "index": index,
                "action": each["action"],
                "says": "",
                "depth": 0,
                "opens": None,
                "off": False,
                "block": None,
            }
            for index, each in sorted(did.items())
        ]
    else:
        steps = [dict(each) for each in drawn(configured, name)]
    sent: dict[int | None, list[Data]] = {}
    for each in run["deliveries"]:
        sent.setdefault(step_of(each["dedupKey"]), []).append({**each, "tone": DELIVERY_TONES[each["state"]]})
    asked = {each["step"]: each for each in run["approvals"]}
    made: list[Data] = []
    for step in steps:
        index = step["index"]
        done = did.get(index)
        if run["state"] == "HELD_OUT":
            state = "passed"
        elif going and index == run["step"]:
            state = "here"
        elif done is not None:
            state = done["state"]
        else:
            state = "ahead" if going and index > run["step"] else "passed"
        detail = (done or {}).get("detail")
        made.append(
            {
                **step,
                "state": state,
                "detail": detail if detail and state != "here" else None,
                "took": _way(step, detail),
                "at": done["doneAt"] if done and state != "here" else None,
                "sent": sent.pop(index, []),
                "asked": asked.get(index),
            }
        )
    return made


def _way(step: Data, detail: str | None) -> str | None:
    """The branch that was taken, in words."""
    if step["action"] != "branch" or not detail:
        return None
    block = detail.partition(":")[0]
    return BLOCKS.get(block)


def stands(run: Data) -> str:
    """What the run does now, in a sentence."""
    if run["state"] == "HELD_OUT":
        return (
            "Its customer was drawn to be left alone, so that the playbook's effect can be told. It never did anything."
        )
    if run["state"] == "WAITING":
        return f"It waits {AWAITS.get(run['awaits'] or '', 'for its time')}."
    return {
        "RUNNING": "It is under way.",
        "PAUSED": "It is held: its playbook is stopped.",
        "DONE": "It is over.",
        "FAILED": "It failed, and does nothing more.",
        "CANCELLED": "It was cancelled, and does nothing more.",
    }[run["state"]]


def _shape(data: Data, visit: Visit) -> Data:
    run = data["run"]
    playbook = next((each for each in data["playbooks"] if each["name"] == run["playbook"]), None)
    same = playbook is not None and playbook["version"] == run["playbookVersion"]
    steps = pictured(run, playbook["steps"] if playbook and same else None)
    placed = {each["id"] for step in steps for each in step["sent"]}
    return {
        "run": run,
        "title": playbook["title"] if playbook else run["playbook"],
        "same": same,
        "steps": steps,
        "tone": TONES[run["state"]],
        "stands": stands(run),
        "other": [
            {**each, "tone": DELIVERY_TONES[each["state"]]} for each in run["deliveries"] if each["id"] not in placed
        ],
        "going": run["state"] in OPEN,
        "may_work": may_work(visit),
        "facts": facts(run.get("facts")),
        "fill": filled,
    }


FIRST = ("health", "band", "churn_risk", "churn_annualised", "churn_band", "mrr", "days_to_renewal", "csm_name", "plan")


def facts(found: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """What was known as it fired, what people ask for first at the top; unknown ones are left out."""
    known = {name: value for name, value in (found or {}).items() if value is not None}
    order = [*(name for name in FIRST if name in known), *sorted(known.keys() - set(FIRST))]
    return [
        (name.replace("_", " "), f"{known[name]:,.3g}" if isinstance(known[name], float) else str(known[name]))
        for name in order
    ]


PAGE = Page(
    name="playbook_run",
    path="/playbooks/runs/{run}",
    title="Run",
    nav="playbooks",
    needs="run",
    variables=lambda visit: {"run": visit.path["run"], **personal(visit)},
    shape=_shape,
)
