"""Playbooks: conditions and steps in words, a run as a picture of its steps, and what can be said of an effect."""

from typing import Any

from hub.model.actions import Role
from hub.web.dashboard.pages.playbook import drawn
from hub.web.dashboard.pages.playbook_plan import judged, reach
from hub.web.dashboard.pages.playbook_run import facts, pictured, stands, step_of
from hub.web.dashboard.pages.playbooks import channels, counts, filled, words_of
from hub.web.dashboard.pages.playbooks_approvals import follows
from hub.web.dashboard.pages.playbooks_worth import Outcome, outcome, share
from hub.web.dashboard.words import MINUS
from tests.web.dashboard.conftest import Dashboard


def step(action: str, summary: str = "", depth: int = 0, block: str | None = None) -> dict[str, Any]:
    return {"action": action, "summary": summary, "depth": depth, "block": block}


STEPS = [
    step("branch", "if advocacy_score is at least 9"),
    step("task", "Ask {{ customer.name }} for a case study", 1, "then"),
    step("email", "to contacts", 1, "then"),
    step("task", "Ask for a referral", 1, "else"),
    step("approve", "asks csm: Write?", 1, "else"),
    step("email", "to contacts, at {{ churn.annualised }} %", 1, "else"),
    step("pagerduty", "switched off: cs: resolve", 1, "else"),
]


def test_a_condition_in_words() -> None:
    assert words_of({"mrr": {"gt": 0}, "churn_level": {"eq": "high"}}) == "mrr is above 0 and churn level is high"
    assert (
        words_of({"not": {"any": [{"band": {"in": ["warning", "critical"]}}, {"coverage": {"exists": False}}]}})
        == "not ((band is one of warning, critical or coverage is not known))"
    )
    assert words_of(None) == ""


def test_steps_in_words_with_the_block_each_opens() -> None:
    assert filled("Ask {{ customer.name }} at {{ x | fixed(1) }} %", "Acme") == "Ask Acme at … %"
    assert [each["opens"] for each in drawn(STEPS)] == [None, "if so", None, "otherwise", None, None, None]
    assert [each["off"] for each in drawn(STEPS)][-1]
    assert channels(STEPS) == ["task", "email", "approve"]


def run(**given: Any) -> dict[str, Any]:
    done = {
        "index": 0,
        "action": "branch",
        "state": "done",
        "doneAt": "2026-11-23T00:00:00+00:00",
        "detail": "else: no",
    }
    task = {**done, "index": 3, "action": "task", "detail": "Ask for a referral"}
    return {
        "state": "WAITING",
        "step": 4,
        "awaits": "approval",
        "customer": {"name": "Acme"},
        "steps": [done, task],
        "approvals": [{"step": 4, "state": "open"}],
        "deliveries": [{"id": "d", "dedupKey": "advocacy_ask.1.3.abc", "state": "UNKNOWN"}],
        **given,
    }


def test_a_run_is_drawn_as_what_it_did_where_it_stands_and_what_is_ahead() -> None:
    steps = pictured(run(), STEPS)
    assert [each["state"] for each in steps] == ["done", "passed", "passed", "done", "here", "ahead", "ahead"]
    assert steps[0]["took"] == "otherwise"
    assert [(each["id"], each["tone"]) for each in steps[3]["sent"]] == [("d", "bad")]
    assert steps[4]["asked"]["state"] == "open"
    assert stands(run()) == "It waits for a person's word."
    over = pictured(run(state="DONE", step=7), STEPS)
    assert [each["state"] for each in over] == ["done", "passed", "passed", "done", "passed", "passed", "passed"]
    assert {each["state"] for each in pictured(run(state="HELD_OUT", steps=[]), STEPS)} == {"passed"}


def test_of_another_version_only_what_a_run_did_is_drawn() -> None:
    assert [(each["index"], each["state"]) for each in pictured(run(), None)] == [(0, "done"), (3, "done")]
    assert (step_of("advocacy_ask.1.3.abc"), step_of("digest:7"), step_of("a.b.c.d")) == (3, None, None)


def test_facts_come_in_the_order_people_ask_for_them_and_unknown_ones_not_at_all() -> None:
    assert facts({"wau": 3.0, "mrr": 538.6, "nps": None, "health": 0.20066}) == [
        ("health", "0.201"),
        ("mrr", "539"),
        ("wau", "3"),
    ]


def test_what_an_approval_lets_go_on_ends_with_its_block() -> None:
    assert follows(STEPS, 4, "Acme") == ["email: to contacts, at … %"]
    refused = [
        step("approve", "asks"),
        step("stop", "ends", 1, "declined"),
        step("email", "a"),
        step("wait"),
        step("email", "b"),
    ]
    assert follows(refused, 0, "Acme") == ["email: a"]


def test_runs_are_counted_by_playbook_and_state() -> None:
    keys = [{"by": "STATE", "value": "done"}, {"by": "PLAYBOOK", "value": "churn_save"}]
    assert counts([{"keys": keys, "count": 7}]) == {"churn_save": {"DONE": 7}}


def effect(**given: Any) -> dict[str, Any]:
    empty = {"verdict": "too small to tell", "value": None, "low": None, "high": None}
    return {**empty, "treatedCustomers": 40, "heldOutCustomers": 10, **given}


def experiment(**given: Any) -> dict[str, Any]:
    names = ("churn", "health", "earlyHealth")
    sides = {"treated": 40, "heldOut": 10, "immature": 3, "horizonDays": 90}
    return {"became": None, "experiment": {**sides, **dict.fromkeys(names, effect()), **given}}


def test_an_effect_is_claimed_only_with_its_interval() -> None:
    lower = effect(verdict="lower", value=-0.12, low=-0.2, high=-0.04)
    assert outcome(experiment(churn=lower)) == Outcome(
        tone="good",
        words=f"{MINUS}12.0 points leave",
        detail=f"95 % interval {MINUS}20.0 to {MINUS}4.0; 40 treated, 10 held out.",
    )
    assert outcome(experiment(health=effect(verdict="lower", value=-0.05, low=-0.08, high=-0.02))).tone == "bad"
    assert outcome(experiment()) == Outcome(
        tone="plain", words="Too few to tell", detail="40 treated, 10 held out; for 3 it is too early."
    )
    none = outcome(experiment(churn=effect(verdict="no difference found", value=0.0, low=-0.03, high=0.03)))
    assert (none.words, none.detail) == (
        "No difference found",
        f"95 % interval {MINUS}3.0 to +3.0 points leave; 40 treated, 10 held out.",
    )
    nobody = {"experiment": None, "became": {"seen": 11, "better": 5, "worse": 6}}
    assert outcome(nobody).words == "Cannot be told"


def test_precision_says_of_how_many() -> None:
    votes = {"good": 3, "of": 4, "share": 0.75, "low": 0.3, "high": 0.95, "enough": False}
    assert share(votes, of="vote", none="none")["words"] == "3 of 4 votes, too few to tell"
    assert share({**votes, "enough": True}, of="vote", none="none")["words"] == "3 of 4 votes"
    assert share(None, of="vote", none="nobody has said yet") == {
        "share": None,
        "words": "nobody has said yet",
        "enough": False,
    }


def test_a_rehearsal_is_judged_by_who_left() -> None:
    found = {"customers": 15, "left": 3, "horizonDays": 90, "precision": 0.2, "low": 0.07, "high": 0.45}
    found |= {"baseRate": 0.04, "lift": 5.4, "churners": 9, "reached": 1, "medianLeadDays": 75.0}
    assert judged(found) == (
        "3 of 15 customers left within 90 days: 20%, with a 95 % interval of 7% to 45%; "
        "of all at stake 4% left, so it finds 5.4 times as many."
    )
    assert reach(found) == "It had fired for 1 of 9 who left, half of them at least 75 days before."
    assert judged({**found, "customers": 0}) == "No firing is old enough to be judged by who left."


async def test_each_page_of_playbooks_is_drawn(dashboard: Dashboard) -> None:
    page = await dashboard.get("/playbooks")
    assert 'id="playbook-churn_save"' in page
    assert 'data-part="worth-' in page or "never fired" in page
    assert 'id="stop-all"' in page
    one = await dashboard.get("/playbooks/churn_save")
    assert "mrr is above 0 and churn level is high" in one
    assert 'data-plan="/playbooks/churn_save/plan"' in one
    assert 'id="plan-found"' in await dashboard.get("/playbooks/churn_save/plan")
    for path in ("worth", "approvals", "runs", "messages", "held"):
        await dashboard.get(f"/playbooks/{path}")
    await dashboard.get("/playbooks/runs?state=lost", status=404)
    await dashboard.get("/playbooks/runs/nobody", status=404)


async def test_who_may_not_act_is_shown_nothing_to_press(dashboard: Dashboard) -> None:
    await dashboard.as_(Role.VIEWER)
    for path in ("", "/approvals", "/messages", "/held", "/churn_save"):
        assert "data-action" not in await dashboard.get(f"/playbooks{path}")
    await dashboard.get("/playbooks/churn_save/plan", status=403)
