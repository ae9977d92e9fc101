"""The messages that ship, word for word, for a customer whose name means harm.

After a deliberate change of a template, write the files anew with what the failing test shows.
"""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hub.playbooks import load_all
from hub.playbooks.planned import Planned
from hub.playbooks.planning import Planner
from hub.playbooks.words import reasons
from hub.resources import CONFIG, TEMPLATES
from hub.store.playbooks import Situation

GOLDEN = Path(__file__).parent / "golden"
SHOWN = ("churn_save", "health_critical", "health_warning", "nps_detractor", "onboarding_stalled")
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SITUATION = Situation(
    customer_id="cus_1",
    values={
        "name": 'Acme "Rockets" <!channel> & Söhne\nBcc: x@example.com {{ 7 * 7 }}',
        "csm_email": "ann@example.com",
        "csm_name": "Ann <script>",
        "mrr": 1234.5,
        "health": 0.42,
        "band": "warning",
        "previous_band": "stable",
        "health_change_30d": -0.2,
        "coverage": 0.9,
        "churn_risk": 0.28,
        "churn_annualised": 0.71,
        "churn_band": "high",
        "nps_last": 3.0,
        "nps_age_days": 2.0,
        "tenure_days": 30.0,
        "mau": 4.0,
        "seats_purchased": 50.0,
        "seat_utilisation": 0.08,
    },
    as_of=date(2026, 11, 22),
    readings=[
        {"measure": "support", "value": 0.4, "weight": 0.1, "reason": "Two urgent tickets are open."},
        {"measure": "usage", "value": 0.2, "weight": 0.4, "reason": "Usage fell by 40 % in 28 days & more."},
        {"measure": "nps", "value": 0.9, "weight": 0.2, "reason": "Promoters."},
        {"measure": "csat", "value": None, "weight": 0.2, "reason": "No answers."},
    ],
    churn_reasons=[
        {"text": "Renewal is in 20 days.", "effect": 0.5},
        {"text": "Usage is broad.", "effect": -1.0},
    ],
    churn_horizon_days=90,
)


def planned(name: str) -> list[Planned]:
    folder = load_all(CONFIG / "playbooks", templates=TEMPLATES)
    planner = Planner(folder.renderer, hub_url="https://hub.example/")
    return planner.whole(folder.playbooks[name], SITUATION, now=NOW)


@pytest.mark.parametrize("name", SHOWN)
def test_word_for_word(name: str) -> None:
    slack, mail, *rest = planned(name)
    assert (slack.channel, mail.channel) == ("slack", "email")
    assert json.dumps(slack.payload, indent=1, ensure_ascii=False) + "\n" == read(f"{name}.slack.json")
    assert f"{mail.subject}\n\n{mail.payload['text']}\n" == read(f"{name}.txt")
    assert f"{mail.payload['html']}\n" == read(f"{name}.html")
    shown = [f"{each.after} {each.title or each.wait or each.show()} | {each.reason} | {each.due_on}" for each in rest]
    assert "\n".join(shown) + "\n" == read(f"{name}.steps.txt")


def read(name: str) -> str:
    return (GOLDEN / name).read_bytes().decode()


@pytest.mark.parametrize("name", SHOWN)
def test_a_hostile_name_does_no_harm(name: str) -> None:
    slack, mail, *_ = planned(name)
    texts = json.dumps(slack.payload)
    assert "<!channel>" not in texts
    assert "&lt;!channel&gt;" in texts
    assert "\n" not in (mail.subject or "")
    assert "<!channel>" not in mail.payload["html"]
    assert "<script>" not in mail.payload["html"]


def test_reasons_are_the_costliest_first_and_only_what_speaks_against() -> None:
    assert reasons(SITUATION) == [
        "Usage fell by 40 % in 28 days & more.",
        "Two urgent tickets are open.",
        "Renewal is in 20 days.",
    ]
