"""What a folder of playbooks may say; and all that is wrong with one, at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.playbooks import load_all
from hub.playbooks.durations import parse_duration, show_duration
from hub.playbooks.spec import from_definition
from hub.resources import CONFIG, TEMPLATES
from tests.playbooks.conftest import SAVE, Folder

NO_STEP = (
    "must be one step, such as {slack: {…}} (choices: slack, email, pagerduty, webhook, airflow, prefect, update, alert, task, "
    "wait, branch, approve, playbook, close, stop)"
)


def faults(folder: Folder) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        folder.load()
    root = f"{folder.root}/playbooks/"
    return [str(fault).replace(root, "") for fault in caught.value.faults]


LENGTHS = "durations are such as 45 minutes, 12 hours, 3 days, 2 weeks"


def test_what_ships_is_valid() -> None:
    shipped = load_all(CONFIG / "playbooks", templates=TEMPLATES)
    assert sorted(shipped.playbooks) == sorted(path.stem for path in (CONFIG / "playbooks").glob("*.yaml"))
    assert {"churn_save", "health_critical", "nps_detractor", "onboarding_stalled"} < shipped.playbooks.keys()


def test_a_definition_comes_back_as_the_playbook_it_was() -> None:
    for playbook in load_all(CONFIG / "playbooks", templates=TEMPLATES).playbooks.values():
        assert from_definition(playbook.definition) == playbook


def test_a_good_one(folder: Folder) -> None:
    playbook = folder.load().playbooks["save"]
    assert (playbook.version, playbook.rest, playbook.by) == (1, timedelta(days=30), "scorecard")
    assert [step.action for step in playbook.steps] == ["slack", "email", "wait", "task"]
    assert playbook.fires({"health": 0.4})
    assert not playbook.fires({"health": 0.5})
    assert "examples" not in playbook.definition


def test_everything_wrong_in_every_file(folder: Folder) -> None:
    folder.playbook(
        """
playbook: Broken Name
version: 0
title: ""
colour: red
when:
  helth: {lt: 0.5}
  band: {eq: red}
rest: a month
do:
  - slack: {channel: alerts, template: nope}
  - email: {to: boss, template: note, unless: {healt: {rises_by: 1}}}
  - wait: 3
  - task: {title: x, severity: dire, due: soon}
  - dance: {}
  - slack: {channel: "#a", template: note}
    email: {to: csm, template: note}
examples:
  - {facts: {health: 0.1}, fires: true}
""",
        "broken",
    )
    folder.playbook(SAVE, "twin")
    folder.write("playbooks/yaml.yaml", "a: [")
    found = faults(folder)
    assert found[:-2] == [
        "broken.yaml:2: playbook: 'Broken Name' must be 2 to 60 small letters, digits and _, a letter first",
        "broken.yaml:3: version: must be 1 or more",
        "broken.yaml:4: title: must not be empty",
        "broken.yaml:9: rest: 'a month' is no duration; durations are such as 45 minutes, 12 hours, 3 days, 2 weeks",
        "broken.yaml:5: colour: is not a setting here",
        "broken.yaml:7: when.helth: is no fact (choices: health)",
        "broken.yaml:8: when.band.eq: is no band (choices: critical, warning, stable, healthy)",
        "broken.yaml:11: do.0.slack.channel: 'alerts' must be a Slack channel such as #cs-alerts, or its id",
        "broken.yaml:11: do.0.slack.template: there is no slack template 'nope' (choices: note)",
        "broken.yaml:12: do.1.email.unless.healt: is no fact (choices: health)",
        "broken.yaml:12: do.1.email.to: 'boss' must be csm, contacts, champions, deciders or an e-mail address",
        "broken.yaml:13: do.2.wait: 3 is no duration; durations are such as 45 minutes, 12 hours, 3 days, 2 weeks",
        "broken.yaml:14: do.3.task.severity: is none of the valid choices (choices: low, normal, high, urgent)",
        f"broken.yaml:14: do.3.task.due: 'soon' is no duration; {LENGTHS}, 2 business days",
        f"broken.yaml:15: do.4: {NO_STEP}",
        f"broken.yaml:16: do.5: {NO_STEP}",
    ]
    assert found[-2].startswith("twin.yaml:2: playbook: the name 'save' is taken by ")
    assert found[-1].startswith("yaml.yaml:1: is not valid YAML")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("fires: true", "fires: false", "examples.0: says fires: false, but `when` says otherwise"),
        ("{health: 0.4}", "{helth: 0.4}", "examples.0.facts.helth: is no fact"),
        ("{health: 0.4}", "{health: low}", "examples.0.facts.health: must be a number, not 'low'"),
        ("- {facts: {health: 0.5}, fires: false}", "", "examples: there is none with fires: false"),
        ("{facts: {health: 0.4}, fires: true}", "{facts: 3}", "examples.0: must be {facts: {name: value"),
        ("when: {health: {lt: 0.5}}", "", "when: is missing"),
        ("version: 1", "version: 1\nby: hand", "when: has no meaning in a playbook fired by hand"),
        ("Call {{ customer.name }}", "Call {{ custmer.name }}", "'custmer' is undefined"),
        ("Call {{ customer.name }}", "Call {{ health + 1 }}", "unsupported operand"),
    ],
)
def test_each_fault_is_found(folder: Folder, old: str, new: str, expected: str) -> None:
    assert old in SAVE
    folder.playbook(SAVE.replace(old, new))
    assert expected in "\n".join(faults(folder))


@pytest.mark.parametrize(
    ("source", "line"),
    [("subject: {{ oops }}\n---\nx\n", ""), ("subject: s\n---\n\n{{ oops }}\n", "line 4: ")],
)
def test_every_template_is_tried(folder: Folder, source: str, line: str) -> None:
    folder.write("templates/email/note.md", source)
    assert faults(folder) == [
        f"save.yaml:9: do.1.email: templates/email/note.md: {line}'oops' is undefined",
    ]


def test_by_hand_alone_needs_no_condition(folder: Folder) -> None:
    text = SAVE.replace("when: {health: {lt: 0.5}}", "by: hand").partition("examples:")[0]
    folder.playbook(text)
    save = folder.load().playbooks["save"]
    assert (save.when, save.fires({})) == (None, True)


def test_examples_of_events_need_no_facts(folder: Folder) -> None:
    head = "playbook: save\nversion: 1\ntitle: Save\nby: {webhook: billing, type: [failed]}\ndo: [{stop: x}]\n"
    folder.playbook(head)
    assert faults(folder) == [
        f"save.yaml:1: examples: there is none with fires: {said}, such as - {{facts: {{…}}, event: {{…}}, fires: {said}}}"
        for said in ("true", "false")
    ]
    folder.playbook(
        head + "examples: [{event: {type: failed}, fires: true}, {event: {type: paid}, facts: {mrr: 1}, fires: false}]"
    )
    assert folder.load().playbooks["save"].trigger.types == ("failed",)


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert load_all(tmp_path / "nope", templates=tmp_path).playbooks == {}


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1 minute", timedelta(minutes=1)),
        ("12 hours", timedelta(hours=12)),
        ("3 days", timedelta(days=3)),
        ("2 weeks", timedelta(weeks=2)),
    ],
)
def test_durations(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration
    assert show_duration(duration) == text


@pytest.mark.parametrize("text", ["3", "3d", "-3 days", "three days", "3 days ", "", None, 3, "999999 days"])
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)
