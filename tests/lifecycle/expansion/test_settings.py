"""The section `expansion:`: what is wrong in it is said where it stands; what ships is right."""

from typing import Any

import pytest

from hub.documents import Document
from hub.errors import ConfigError
from hub.lifecycle.expansion import ExpansionSettings
from hub.lifecycle.expansion.settings import Rule
from hub.lifecycle.expansion.worth import Value, rise, value_of
from hub.resources import CONFIG
from hub.settings.lifecycle import LifecycleFile

RULE = "{name: full, kind: seats, title: T, when: {mau: {gt: 1}}, evidence: [mau], value: {seats: {to: 1.2}}, probability: 0.5}"


def faults(text: str) -> list[str]:
    document = Document.from_text(text, name="lifecycle.yaml")
    with pytest.raises(ConfigError) as raised:
        document.parse(LifecycleFile)
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mau: {gt: 1}", "mou: {gt: 1}", "expansion.rules.0.when: mou: is no fact"),
        ("mau: {gt: 1}", "expansion_value: {gt: 1}", "must not ask about expansion itself"),
        ("{mau: {gt: 1}}", "often", "must be a condition"),
        ("evidence: [mau]", "evidence: [moo]", "'moo' is no fact"),
        ("evidence: [mau]", "evidence: []", "at least one fact"),
        ("{seats: {to: 1.2}}", "{}", "needs one of seats, share_of_arr and amount"),
        ("{seats: {to: 1.2}}", "{amount: 5, share_of_arr: 0.1}", "needs one of"),
        ("{to: 1.2}", "{to: 1.2, of: plan}", "'plan' is no number"),
        ("kind: seats", "kind: shoes", "is none of the valid choices"),
        ("probability: 0.5", "probability: 5", "must be 1 or less"),
    ],
)
def test_faults(old: str, new: str, said: str) -> None:
    text = f"expansion:\n  rules:\n    - {RULE.replace(old, new)}\n"
    (fault,) = faults(text)
    assert said in fault
    assert fault.startswith("lifecycle.yaml:")


def test_names_are_told_apart() -> None:
    (fault,) = faults(f"expansion:\n  rules:\n    - {RULE}\n    - {RULE}\n")
    assert "full is given twice" in fault


def test_not_when_is_checked() -> None:
    (fault,) = faults("expansion:\n  not_when:\n    angry: {band: {eq: red}}\n")
    assert "is no band" in fault


def test_what_ships_has_every_kind_and_offers_nothing_to_the_unhealthy() -> None:
    shipped = Document.read(CONFIG / "lifecycle.yaml").parse(LifecycleFile).expansion
    assert {rule.kind for rule in shipped.rules} == {"seats", "plan_upgrade", "add_on"}
    assert {"unhealthy", "detractor", "severe_ticket", "renewal"} <= set(shipped.not_when)


def rule(**value: Any) -> Rule:
    row = {"name": "full", "kind": "seats", "title": "T", "when": {"mau": {"gt": 1}}, "evidence": ["mau"]}
    return Rule.model_validate({**row, "value": value, "probability": 0.5})


@pytest.mark.parametrize(
    ("value", "facts", "worth"),
    [
        ({"seats": {"to": 1.2}}, {"mau": 50, "seats_purchased": 50, "mrr": 500}, Value(1200, 10)),
        ({"seats": {"to": 1.2}}, {"mau": 51, "seats_purchased": 50, "mrr": 500}, Value(1440, 12)),
        ({"seats": {"to": 1.2}}, {"mau": 40, "seats_purchased": 50, "mrr": 500}, None),
        ({"seats": {"to": 1.2}}, {"mau": None, "seats_purchased": 50, "mrr": 500}, None),
        ({"seats": {"to": 1.2}}, {"mau": 50, "seats_purchased": None, "mrr": 500}, None),
        ({"seats": {"to": 2, "of": "dau"}}, {"dau": 50, "seats_purchased": 50, "mrr": 500}, Value(6000, 50)),
        ({"share_of_arr": 0.25}, {"mrr": 100}, Value(300)),
        ({"share_of_arr": 0.25}, {"mrr": None}, None),
        ({"share_of_arr": 0.25}, {"mrr": 0}, None),
        ({"amount": 6000}, {}, Value(6000)),
    ],
)
def test_worth(value: dict[str, Any], facts: dict[str, Any], worth: Value | None) -> None:
    assert value_of(rule(**value), facts) == worth


def test_without_a_base_nothing_is_won() -> None:
    row = {"kind": "add_on", "value": 10.0, "seats": None, "base_arr": None, "base_seats": None, "base_plan": None}
    assert rise(row, {"mrr": 100.0}, won_at=0.5) is None
    assert rise({**row, "base_arr": 1.0}, {}, won_at=0.5) is None
    assert rise({**row, "base_arr": 1200.0}, {"mrr": 101.0}, won_at=0.5) == 12
    assert rise({**row, "base_arr": 1200.0}, {"mrr": 101.0, "plan": "Max"}, won_at=0.5) is None


def test_the_defaults_find_nothing() -> None:
    assert ExpansionSettings().rules == ()
