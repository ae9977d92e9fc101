"""What playbooks were worth: how much of what they said was of use, and what became of who was treated and who was not."""

from dataclasses import dataclass

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.words import MINUS, counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What can be said of an effect. tone: good, bad or plain; `detail`: with how many on each side."""

    tone: str
    words: str
    detail: str


def points(value: float) -> str:
    """Of 0 to 1 in percentage points, with its sign."""
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{abs(value) * 100:.1f}"


def outcome(report: Data) -> Outcome:
    """The outcome people ask for first: leaving; else health; else that nothing is held out to compare with."""
    experiment = report["experiment"]
    if experiment is None:
        became = report["became"]
        if became is None or not became["seen"]:
            return Outcome(tone="plain", words="Cannot be told", detail="Nobody is held out to compare with.")
        detail = (
            f"Health of {became['seen']} customers 14 days later: {became['better']} better, {became['worse']} worse."
        )
        return Outcome(tone="plain", words="Cannot be told", detail=f"{detail} Nobody is held out to compare with.")
    for name, better in (("churn", "lower"), ("health", "higher"), ("earlyHealth", "higher")):
        found = experiment[name]
        if found["verdict"] in ("lower", "higher"):
            what = {"churn": "leave", "health": "health after 30 days", "earlyHealth": "health after 14 days"}[name]
            return Outcome(
                tone="good" if found["verdict"] == better else "bad",
                words=f"{points(found['value'])} points {what}",
                detail=f"95 % interval {points(found['low'])} to {points(found['high'])}; "
                f"{found['treatedCustomers']} treated, {found['heldOutCustomers']} held out.",
            )
    sides = f"{experiment['treated']} treated, {experiment['heldOut']} held out"
    churn = experiment["churn"]
    if churn["value"] is not None and churn["verdict"] == "no difference found":
        span = f"{points(churn['low'])} to {points(churn['high'])} points"
        return Outcome(tone="plain", words="No difference found", detail=f"95 % interval {span} leave; {sides}.")
    waits = f"; for {experiment['immature']} it is too early" if experiment["immature"] else ""
    return Outcome(tone="plain", words="Too few to tell", detail=f"{sides}{waits}.")


def share(found: Data | None, *, of: str, none: str) -> Data:
    """A share of good ones with how many of what there were, or why there is none."""
    if found is None or not found["of"]:
        return {"share": None, "words": none, "enough": False}
    words = f"{found['good']} of {counted(found['of'], of)}"
    if not found["enough"]:
        words += ", too few to tell"
    return {"share": found["share"], "words": words, "enough": found["enough"]}


def _variables(visit: Visit) -> Data:
    name = visit.query.get("name")
    return {"name": [name] if name else None}


def _shape(data: Data, visit: Visit) -> Data:
    precision = {each["playbook"]: each for each in data["playbookPrecision"]}
    rows = [
        {
            **each,
            "outcome": outcome(each),
            "useful_share": share(of_.get("votes"), of="vote", none="nobody has said yet"),
            "success_share": share(of_.get("outcomes"), of="alert", none="none closed yet"),
        }
        for each, of_ in ((each, precision.get(each["playbook"], {})) for each in data["playbookReport"])
    ]
    return {"rows": rows, "one": visit.query.get("name")}


PAGE = Page(
    name="playbooks_worth",
    path="/playbooks/worth",
    title="What playbooks were worth",
    nav="playbooks",
    later=True,
    variables=_variables,
    shape=_shape,
)
