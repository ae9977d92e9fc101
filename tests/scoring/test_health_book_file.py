"""The files of a book of definitions: their places, and every fault of all of them at once."""

from collections.abc import Mapping

import pytest

from hub.documents import Document
from hub.errors import ConfigError
from hub.resources import CONFIG
from scoring.book import HealthBook, Rollup
from scoring.book_file import load

BANDS = """\
bands:
  {critical: {from: 0, below: 0.3}, warning: {from: 0.3, below: 0.5}, stable: {from: 0.5, below: 0.7}, healthy: {from: 0.7}}
"""
TREE = BANDS + "groups: {wau: {weight: 1}}\n"
BIG = "when: {segment: {eq: enterprise}}\npriority: 10\n" + TREE


def book(main: str = TREE, **others: str) -> HealthBook:
    documents = {name: Document.from_text(text, name=f"health/{name}.yaml") for name, text in others.items()}
    return load(Document.from_text(main, name="health.yaml"), documents)


def faults(main: str = TREE, **others: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        book(main, **others)
    return [str(fault) for fault in raised.value.faults]


def test_each_file_has_its_place() -> None:
    found = book(
        "rollup: worst\n" + TREE,
        big=BIG,
        young="when: {tenure_days: {lt: 90}}\npriority: 20\n" + TREE,
        reach="beside: true\n" + TREE,
        off="enabled: false\n" + BIG,
    )
    assert found.main.name == "main"
    assert [(variant.definition.name, variant.priority) for variant in found.variants] == [("young", 20), ("big", 10)]
    assert [definition.name for definition in found.definitions] == ["young", "big", "main"]
    assert [extra.name for extra in found.extras] == ["reach"]
    assert found.rollup is Rollup.WORST
    assert book().rollup is Rollup.VALUE
    assert len({definition.hash for definition in (*found.definitions, *found.extras)}) == 1, "the same is computed"


def test_every_fault_of_every_file_is_told_at_once() -> None:
    assert faults(
        "priority: 3\nrollup: most\n" + TREE,
        a="when: {segmnt: {eq: x}, mrr: {gt: much}}\npriority: 10\n" + TREE,
        b="when: {plan: {eq: x}}\nbeside: true\npriority: 10\n" + TREE,
        c=TREE,
        d="when: {plan: {eq: x}}\n" + TREE.replace("1}", "0.9}"),
        e="rollup: mean\nbeside: true\npriority: 4\n" + TREE,
    ) == [
        "health.yaml:1: priority: is for the files in config/health/; this one is the main definition",
        "health.yaml:2: rollup: is none of the valid choices (choices: value, mean, worst)",
        "health/d.yaml:4: groups: the weights must add up to 1, and make 0.9 (wau 0.9)",
        "health/a.yaml:1: when.segmnt: is no fact (choices: segment)",
        "health/a.yaml:1: when.mrr.gt: must be a number, not 'much'",
        "health/b.yaml:1: when: is for a definition in the main one's place, and this one stands beside it",
        "health/c.yaml:1: must say `beside: true`, or `when` it takes the main definition's place, with a `priority`",
        "health/d.yaml:1: when: needs a priority: where several definitions choose a customer, the highest wins",
        "health/e.yaml:3: priority: is for a definition that says `when` it applies",
        "health/e.yaml:1: rollup: is said in health.yaml alone",
        "health/b.yaml:3: priority: health/a.yaml has priority 10 too, and which one wins must be clear",
    ]


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        (
            {"main": "beside: true\n" + TREE},
            "health/main.yaml:1: main is the definition in health.yaml; give this file",
        ),
        (
            {"Ünter": "beside: true\n" + TREE},
            "health/Ünter.yaml:1: 'Ünter' is no name for a definition: small letters,",
        ),
        ({"a": "when:\npriority: 1\n" + TREE}, "health/a.yaml:1: when: must be a mapping such as {health: {lt: 0.5}}"),
        (
            {"a": "when: 3\npriority: 1\n" + TREE},
            "health/a.yaml:1: when: must be a mapping such as {health: {lt: 0.5}}",
        ),
        ({"a": BIG.replace("10", "high")}, "health/a.yaml:2: priority: must be a whole number"),
        ({"a": BIG.replace("10", "true")}, "health/a.yaml:2: priority: must be a whole number"),
        ({"a": "when: {churn_risk: {gt: 0.5}}\npriority: 1\n" + TREE}, "health/a.yaml:1: when.churn_risk: is no fact"),
        ({"a": "when: {mrr: {rises_by: 5}}\npriority: 1\n" + TREE}, "when.mrr.rises_by: is no operator for a number"),
    ],
)
def test_one_fault(files: Mapping[str, str], fault: str) -> None:
    [told] = faults(**files) if "main" not in files else _faults_of(files)
    assert fault in told


def _faults_of(files: Mapping[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(
            Document.from_text(TREE, name="health.yaml"),
            {name: Document.from_text(text, name=f"health/{name}.yaml") for name, text in files.items()},
        )
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize("text", ["", "[]", "3", "when: []", "groups: [1]"])
def test_what_is_no_definition_at_all_is_a_fault_too(text: str) -> None:
    assert faults(a=text)


def test_the_files_we_ship() -> None:
    documents = {path.stem: Document.read(path) for path in sorted((CONFIG / "health").glob("*.yaml"))}
    found = load(Document.read(CONFIG / "health.yaml"), documents)
    assert [extra.name for extra in found.extras] == ["adoption"]
    assert found.variants == (), "the variant is an example, and switched off"
    text = (CONFIG / "health" / "onboarding.yaml").read_text(encoding="utf-8").replace("enabled: false", "")
    switched_on = load(
        Document.read(CONFIG / "health.yaml"), {"onboarding": Document.from_text(text, name="onboarding.yaml")}
    )
    assert [definition.name for definition in switched_on.definitions] == ["onboarding", "main"]
