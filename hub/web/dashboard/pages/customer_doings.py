"""What was done for one customer: its timeline, alerts and tasks, runs of playbooks, notes and judgements, its onboarding."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.web.dashboard.page import Data, Visit
from hub.web.dashboard.pages.customer_head import tab

ABOUT: Mapping[str, tuple[str, Sequence[str]]] = {
    "health": (
        "Health",
        ("BAND_CHANGED", "STANDING_CHANGED", "OVERRIDE_STATED", "OVERRIDE_WITHDRAWN", "SENTIMENT_STATED"),
    ),
    "alerts": ("Alerts and tasks", ("ALERT_OPENED", "ALERT_CLOSED", "TASK_OPENED", "TASK_CLOSED", "SNOOZED")),
    "playbooks": ("Playbooks", ("PLAYBOOK_STARTED", "PLAYBOOK_FINISHED", "MESSAGE_SENT", "APPROVAL_DECIDED")),
    "support": ("Tickets", ("TICKET_OPENED", "TICKET_SOLVED")),
    "surveys": ("Surveys", ("SURVEY_ASKED", "SURVEY_ANSWERED")),
    "contract": (
        "Contract",
        (
            "SUBSCRIPTION_STARTED",
            "SUBSCRIPTION_CHANGED",
            "SUBSCRIPTION_ENDED",
            "NOTICE_GIVEN",
            "PAYMENT_FAILED",
            "INVOICE_PAID",
            "DEAL_OPENED",
            "DEAL_CLOSED",
            "RENEWAL_DUE",
            "RENEWAL_DECIDED",
            "EXPANSION_FOUND",
            "EXPANSION_CLOSED",
        ),
    ),
    "onboarding": ("Onboarding", ("ONBOARDING_STARTED", "ONBOARDING_STEP", "ONBOARDING_ENDED")),
    "people": (
        "People",
        (
            "CONTACT_ADDED",
            "CSM_CHANGED",
            "CSM_ASSIGNED",
            "CSM_GIVEN_BACK",
            "NOTE_WRITTEN",
            "IDENTITY_DECIDED",
            "CUSTOMER_MERGED",
            "MERGE_UNDONE",
        ),
    ),
}
"""What of a timeline can be looked at alone: its title and kinds."""
SIGNS: Mapping[str, str] = {
    "health": "♥",
    "alerts": "!",
    "playbooks": "▶",
    "support": "?",
    "surveys": "★",
    "contract": "€",
}
TONES: Mapping[str, str] = {
    "DONE": "good",
    "CONFIRMED": "good",
    "SENT": "good",
    "COMPLETED": "good",
    "FAILED": "bad",
    "UNKNOWN": "warn",
    "WAITING": "info",
    "RUNNING": "info",
    "ACTIVE": "info",
    "HELD": "warn",
    "STALLED": "bad",
    "BEHIND": "warn",
    "ON_TRACK": "good",
}
AWAITS: Mapping[str, str] = {
    "date": "waits for a day",
    "condition": "waits for something to come true",
    "approval": "waits for a person's word",
    "delivery": "waits for a message to go out",
    "run": "waits for another playbook",
}


def after(visit: Visit) -> Data:
    """The cursor behind which a list goes on."""
    return {"after": visit.query.get("after")}


def _kinds(visit: Visit) -> Data:
    about = visit.query.get("about")
    if about is not None and about not in ABOUT:
        raise ValueError(f"about must be one of {', '.join(ABOUT)}")
    return {**after(visit), "kinds": list(ABOUT[about][1]) if about else None}


def _timeline(data: Data, visit: Visit) -> Data:
    of = {kind: about for about, (_, kinds) in ABOUT.items() for kind in kinds}
    days: list[dict[str, Any]] = []
    for entry in data["customer"]["timeline"]["nodes"]:
        day, about = entry["at"][:10], of.get(entry["kind"], "people")
        if not days or days[-1]["day"] != day:
            days.append({"day": day, "entries": []})
        whole_day = entry["at"][10:].startswith("T00:00:00")
        days[-1]["entries"].append({**entry, "about": ABOUT[about][0], "tone": about, "whole_day": whole_day})
    chosen = visit.query.get("about")
    return {
        "days": days,
        "choices": [
            ("", "Everything", chosen is None),
            *((name, title, name == chosen) for name, (title, _) in ABOUT.items()),
        ],
        "chosen": chosen,
    }


def _runs(data: Data, _: Visit) -> Data:
    titles = {each["name"]: each["title"] for each in data["playbooks"]}
    return {"runs": [run(each, titles) for each in data["customer"]["playbookRuns"]["nodes"]]}


def run(each: Data, titles: Mapping[str, str]) -> dict[str, Any]:
    """A run for people: what it is called, what it waits for, how many messages of it went out."""
    sent = [message for message in each["deliveries"] if message["state"] in ("SENT", "CONFIRMED")]
    return {
        **each,
        "title": titles.get(each["playbook"], each["playbook"]),
        "tone": TONES.get(each["state"], "plain"),
        "waits": AWAITS.get(each["awaits"] or "") if each["state"] == "WAITING" else None,
        "active": each["state"] in ("RUNNING", "WAITING", "PAUSED"),
        "sent": len(sent),
        "deliveries": [{**message, "tone": TONES.get(message["state"], "plain")} for message in each["deliveries"]],
        "question": next((asked for asked in each["approvals"] if asked["state"] == "open"), None),
    }


def _onboarding(data: Data, _: Visit) -> Data:
    onboarding = data["customer"]["onboarding"]
    if onboarding is None:
        return {"steps": (), "tone": "plain"}
    return {
        "steps": [each for each in onboarding["steps"] if each["state"] != "LEFT_OUT"],
        "tone": TONES.get(onboarding["pace"] or onboarding["state"], "plain"),
    }


def _notes(data: Data, visit: Visit) -> Data:
    return {
        "notes": [{**each, "mine": each["by"] == visit.viewer.actor} for each in data["customer"]["notes"]["nodes"]]
    }


PAGES = (
    tab("customer_timeline", "Timeline", variables=_kinds, shape=_timeline),
    tab("customer_calls", "Alerts and tasks", variables=after),
    tab("customer_runs", "Playbooks", variables=after, shape=_runs),
    tab("customer_notes", "Notes", variables=after, shape=_notes),
    tab("customer_onboarding", "Onboarding", shape=_onboarding),
)
