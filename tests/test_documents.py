"""Faults of a YAML file name the file, the line, the key and the valid choices, all at once."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.documents import Document
from hub.errors import ConfigError


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    colour: Literal["red", "green"] = "red"
    weight: float = Field(default=1, gt=0)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    inner: Inner = Inner()
    many: list[Inner] = []


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Document.from_text(text, name="a.yaml").parse(Outer)
    return [str(fault) for fault in caught.value.faults]


def test_all_faults_at_once_with_line_key_and_choices() -> None:
    assert faults("inner:\n  colour: blue\n  wieght: 2\nmany:\n  - weight: 1\n  - weight: -1\n") == [
        "a.yaml:1: name: is missing",
        "a.yaml:2: inner.colour: is none of the valid choices (choices: red, green)",
        "a.yaml:3: inner.wieght: is not a setting here (choices: colour, weight)",
        "a.yaml:6: many.1.weight: must be more than 0",
    ]


class Worded(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: int = Field(default=1, ge=1, le=30)
    share: float = 0.5
    on: bool = True
    tags: tuple[str, ...] = Field(default=("a",), min_length=1)
    two: tuple[str, ...] = Field(default=("a", "b"), min_length=2)
    secret: SecretStr = Field(default=SecretStr("x" * 16), min_length=16)
    sign: str | None = Field(default=None, max_length=1)
    since: date = date(2026, 1, 1)
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"])] | None = None
    named: dict[str, Inner] = Field(default={})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("days: many", "days: must be a whole number"),
        ("days: 1.5", "days: must be a whole number"),
        ("days: 0", "days: must be 1 or more"),
        ("days: 31", "days: must be 30 or less"),
        ("share: half", "share: must be a number"),
        ("on: maybe", "on: must be true or false"),
        ("tags: a", "tags: must be a list"),
        ("tags: [1, a]", "tags.0: must be text"),
        ("tags: []", "tags: must not be empty"),
        ("two: [a]", "two: must have at least 2 entries"),
        ("secret: hunter2", "secret: must have at least 16 characters"),
        ("sign: '::'", "sign: must have at most 1 character"),
        ("since: yesterday", "since: must be a day such as 2026-01-31"),
        ("currency: euro", "currency: must be of a form such as EUR"),
        ("named: [a]", "named: must be names with a value each (name: value)"),
        ("named: {one: 5}", "named.one: must be names with a value each (name: value)"),
        ("named: {one: {size: 5}}", "named.one.size: is not a setting here (choices: colour, weight)"),
    ],
)
def test_what_must_be_is_said_in_plain_words(line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Document.from_text(line, name="a.yaml").parse(Worded)
    assert [str(fault) for fault in caught.value.faults] == [f"a.yaml:1: {said}"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [1,\nb: 2\n", "a.yaml:3: is not valid YAML: while parsing a flow sequence begun on line 1"),
        ("a: 1\na: 2\n", "a.yaml:2: is not valid YAML: key 'a' is given twice"),
        ("a: !!python/object:os.system x\n", "a.yaml:1: is not valid YAML"),
    ],
)
def test_bad_yaml_names_its_line(text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Document.from_text(text, name="a.yaml")
    assert str(caught.value).startswith(fault)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: no such file"):
        Document.read(tmp_path / "gone.yaml", name="gone.yaml")


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert Document.from_text("", name="a.yaml").value == {}


def test_the_value_that_was_refused_is_not_repeated() -> None:
    assert "hunter2" not in "".join(faults("name: {password: hunter2}\n"))


def test_only_true_and_false_are_yes_or_no() -> None:
    text = "{off: true, on: FALSE, country: NO, answer: yes, truest: trues}"
    assert Document.from_text(text, name="a.yaml").value == {
        "off": True,
        "on": False,
        "country": "NO",
        "answer": "yes",
        "truest": "trues",
    }
