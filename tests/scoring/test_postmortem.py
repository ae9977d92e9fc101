"""Post-mortems by hand: what came first, what was done after it, and the sentence people read."""

from datetime import date, timedelta
from typing import Any

import pytest

from scoring.postmortem import ACTIONS, SIGNALS, Action, Card, PostMortem, summary

LEFT = date(2026, 9, 1)


def day(before: int) -> date:
    return LEFT - timedelta(days=before)


def card(before: int, health: float | None = 0.8, band: str | None = "healthy") -> Card:
    return Card(
        as_of=day(before),
        health=health,
        band=band,
        computed_health=health,
        computed_band=band,
        coverage=1.0,
        churn_risk=0.1,
        churn_band="low",
    )


def made(**given: Any) -> PostMortem:
    usual: dict[str, Any] = {
        "customer_id": "acme",
        "customer_name": "Acme",
        "segment": "smb",
        "csm_email": "ann@x.example",
        "churned_on": LEFT,
        "kind": "voluntary",
        "cards": {},
        "first_days": {},
    }
    return PostMortem.of(**usual | given)


def test_the_first_signal_and_what_was_done_since() -> None:
    one = made(
        cards={90: card(91), 30: card(30)},
        last=card(2, 0.41, "warning"),
        first_days={"usage_halved": day(40), "band_warning": day(92), "churn_high": day(92)},
        actions=[
            Action(kind="playbook_run", on=day(100), what="save"),  # before anything was to be seen
            Action(kind="delivery_confirmed", on=day(70), what="slack"),
            Action(kind="override_set", on=day(80), by="ann@x.example"),
            Action(kind="alert_closed", on=day(0)),  # too late
        ],
    )
    assert [(each.kind, each.lead_days) for each in one.signals] == [
        ("band_warning", 92),  # on the same day as the risk, and named first
        ("churn_high", 92),
        ("usage_halved", 40),
    ]
    assert [each.kind for each in one.actions] == ["override_set", "delivery_confirmed"]
    assert (one.acted, one.acted_by_person, one.green) == (True, True, False)
    assert [(each.days_before, each.card and each.card.as_of) for each in one.milestones] == [
        (90, day(91)),
        (60, None),
        (30, day(30)),
    ]
    assert one.summary == (
        "Acme left on 2026-09-01: the first sign was noted 92 days before, on 2026-06-01 (the band was warning), and 12 days "
        "later health was overridden by ann@x.example; its last scorecard, of 2026-08-30, was 41 of 100, warning."
    )


def test_on_the_day_of_the_signal_is_in_time_and_on_the_day_of_leaving_is_not() -> None:
    days = {"alert_opened": day(30)}
    assert made(first_days=days, actions=[Action(kind="playbook_run", on=day(30))]).acted
    assert not made(first_days=days, actions=[Action(kind="playbook_run", on=day(0))]).acted
    assert not made(first_days=days, actions=[Action(kind="playbook_run", on=day(31))]).acted
    assert not made(actions=[Action(kind="playbook_run", on=day(31))]).acted  # there was nothing to act upon


@pytest.mark.parametrize(
    ("action", "by_person"),
    [
        (Action(kind="playbook_run", on=day(5)), False),
        (Action(kind="playbook_run", on=day(5), by="ann@x.example"), True),
        (Action(kind="delivery_confirmed", on=day(5)), False),
        (Action(kind="alert_closed", on=day(5)), True),
        (Action(kind="alert_worked_on", on=day(5)), True),
        (Action(kind="override_set", on=day(5)), True),
    ],
)
def test_what_only_people_do(action: Action, by_person: bool) -> None:
    one = made(first_days={"unused": day(9)}, actions=[action])
    assert (one.acted, one.acted_by_person) == (True, by_person)


def test_green_and_without_a_sign() -> None:
    one = made(last=card(1))
    assert one.green is True
    assert one.summary == (
        "Acme left on 2026-09-01: nothing had been noted in the year before; its last scorecard, of 2026-08-31, was still "
        "green, 80 of 100, healthy."
    )


def test_never_scored_and_scored_without_data() -> None:
    assert made().green is None
    assert made().summary.endswith("; it never had a scorecard.")
    blank = made(last=card(1, None, None), first_days={"nps_detractor": day(3)})
    assert blank.green is None
    assert blank.summary == (
        "Acme left on 2026-09-01: the first sign was noted 3 days before, on 2026-08-29 (the newest NPS answer was a "
        "detractor's), and nobody acted on it; its last scorecard, of 2026-08-31, had no score for want of data."
    )


def test_a_summary_counts_among_those_it_can() -> None:
    many = [
        made(last=card(1)),
        made(last=card(1, 0.6, "stable"), first_days={"unused": day(10)}),
        made(
            last=card(1, 0.2, "critical"),
            first_days={"unused": day(21)},
            actions=[Action(kind="playbook_run", on=day(5))],
        ),
        made(first_days={"unused": day(300)}, actions=[Action(kind="alert_closed", on=day(5), by="ann")]),
    ]
    found = summary("smb", many)
    assert (found.group, found.churned, found.judged, found.green) == ("smb", 4, 3, 1)
    assert (found.with_signal, found.median_lead_days, found.acted, found.acted_by_person) == (3, 21.0, 2, 1)
    assert (found.share_green, found.share_with_signal, found.share_acted) == (1 / 3, 3 / 4, 2 / 3)
    nobody = summary(None, [])
    assert (nobody.share_green, nobody.share_with_signal, nobody.share_acted) == (None, None, None)
    assert nobody.median_lead_days is None


def test_no_words_of_cause() -> None:
    said = " ".join([*SIGNALS.values(), *ACTIONS.values(), made().summary]).lower()
    assert not [word for word in ("because", "due to", "caused", "led to", "reason", "therefore") if word in said]
