"""The onboarding section of lifecycle.yaml: every fault at once, each at its line and with the choices."""

from typing import Any

import pytest

from hub.documents import Document
from hub.errors import ConfigError
from hub.lifecycle.onboarding.programme import Evidence, Happening
from hub.lifecycle.onboarding.settings import VOCABULARY
from hub.model.conditions import parse
from hub.resources import CONFIG
from hub.settings.lifecycle import LifecycleFile

WRONG = """
onboarding:
  starts_within_days: -1
  colour: red
  programmes:
    default:
      value: activate
      behind_after_days: 30
      stalled_after_days: 20
      fail_after_days: 10
      steps:
        welcome: {title: Welcome, optional: true}
        activation: {title: Active, after: [welcom, active], optional: true}
    second:
      steps:
        setup:
          title: Set up
          when: {sagment: {eq: smb}}
          due_days: 5
          stalled_after_days: 4
          evidence: {sagment: {eq: a}, event: 3, times: 0}
        later:
          evidence: [{playbook: hello, times: 2}, {}]
        Wrong: {title: x}
    third: {steps: {only: {title: Only, evidence: []}}}
"""
FAULTS = """
lifecycle.yaml:3: onboarding.starts_within_days: must be 0 or more
lifecycle.yaml:4: onboarding.colour: is not a setting here (choices: enabled, starts_within_days, programmes)
lifecycle.yaml:7: onboarding.programmes.default.value: there is no step 'activate' (choices: welcome, activation)
lifecycle.yaml:9: onboarding.programmes.default.stalled_after_days: must be more than behind_after_days, which are 30
lifecycle.yaml:10: onboarding.programmes.default.fail_after_days: must be more than stalled_after_days, which are 20
lifecycle.yaml:11: onboarding.programmes.default.steps: all are optional: one at least must be done for it to be over
lifecycle.yaml:13: onboarding.programmes.default.steps.activation.after.0: there is no other step 'welcom' (choices: welcome)
lifecycle.yaml:13: onboarding.programmes.default.steps.activation.after.1: there is no other step 'active' (choices: welcome)
lifecycle.yaml:18: onboarding.programmes.second.steps.setup.when.sagment: is no fact (choices: segment, sentiment)
lifecycle.yaml:21: onboarding.programmes.second.steps.setup.evidence.event: must be a name, or a list of names
lifecycle.yaml:21: onboarding.programmes.second.steps.setup.evidence.sagment: is no fact (choices: segment, sentiment)
lifecycle.yaml:21: onboarding.programmes.second.steps.setup.evidence.times: must be a whole number from 1 on, not 0
lifecycle.yaml:22: onboarding.programmes.second.steps.later.title: is missing
lifecycle.yaml:23: onboarding.programmes.second.steps.later.evidence.0.times: belongs to an event or a feature
lifecycle.yaml:24: onboarding.programmes.second.steps.Wrong: must be of a form such as kick_off
lifecycle.yaml:25: onboarding.programmes.third.steps.only.evidence: must be a mapping, or a list of them that is not empty
"""


def read(text: str) -> Any:
    return Document.from_text(text, name="lifecycle.yaml").parse(LifecycleFile).onboarding


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read(text)
    return sorted(map(str, refused.value.faults), key=lambda told: (int(told.split(":")[1]), told))


def test_every_fault_at_once() -> None:
    assert "\n".join(faults(WRONG)) == FAULTS.strip()


def test_what_only_whole_parts_show() -> None:
    steps = "{one: {title: One, due_days: 5, stalled_after_days: 5}}"
    assert faults(f"onboarding: {{programmes: {{aa: {{steps: {steps}}}}}}}") == [
        "lifecycle.yaml:1: onboarding.programmes.aa.steps.one.stalled_after_days: must be more than due_days, which are 5"
    ]
    circle = "{one: {title: One, after: [two]}, two: {title: Two, after: [one]}, three: {title: Three}}"
    assert faults(f"onboarding: {{programmes: {{aa: {{steps: {circle}}}}}}}") == [
        "lifecycle.yaml:1: onboarding.programmes.aa.steps.one.after: waits for itself: one, three, two"
    ]
    assert faults("onboarding: {programmes: {aa: {steps: {x1: {title: X}}}, bb: {steps: {x1: {title: X}}}}}") == [
        "lifecycle.yaml:1: onboarding.programmes.bb.when: is missing: 'aa' already is for everybody without one of their own"
    ]


def test_defaults_and_order() -> None:
    text = """
onboarding:
  programmes:
    default:
      steps:
        first: {title: First}
        second: {title: Second, due_days: 3, evidence: {feature: [made, sent], event: got, times: 2, mau: {gte: 1}}}
        third: {title: Third, optional: true}
    large: {when: {mrr: {gte: 1000}}, steps: {only: {title: Only, evidence: [{playbook: hello}, {event: made}]}}}
"""
    large, default = read(text).made()
    assert (large.name, large.value, default.name, default.value) == ("large", "only", "default", "second")
    assert [(step.after, step.due_days, step.stalled_after_days) for step in default.steps] == [
        ((), 7, 14), (("first",), 3, 6), (("second",), 7, 14),
    ]  # fmt: skip
    (second,) = default.steps[1].evidence
    assert second == Evidence(parse({"mau": {"gte": 1}}, VOCABULARY), (Happening("event", ("got", "made", "sent"), 2),))
    assert large.steps[0].evidence == (
        Evidence(None, (Happening("playbook", ("hello",)),)),
        Evidence(None, (Happening("event", ("made",)),)),
    )


def test_without_programmes_or_switched_off_there_are_none() -> None:
    assert read("{}").made() == ()
    assert read("onboarding: {enabled: false, programmes: {aa: {steps: {x1: {title: X}}}}}").made() == ()


def test_what_ships() -> None:
    shipped = Document.read(CONFIG / "lifecycle.yaml").parse(LifecycleFile).onboarding
    assert [(each.name, each.value) for each in shipped.made()] == [
        ("enterprise", "activation"),
        ("default", "activation"),
    ]
    names = ["welcome", "account_setup", "team_invitation", "product_tour", "first_action", "activation"]
    assert [[step.name for step in each.steps] for each in shipped.made()] == [names, names]
