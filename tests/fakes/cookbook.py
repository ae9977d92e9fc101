"""The recipes of docs/cookbook.md, as they stand there: operation, variables, who may ask it, and where ids come from."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import OperationDefinitionNode, parse

PAGE = Path(__file__).parents[2] / "docs/cookbook.md"
_RECIPE = re.compile(r"(\w+)\n\n(.*?)^```graphql\n(.*?)^```\n(?:\n```json\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
_ROLE = re.compile(r"^Role: \*\*(\w+)\*\*(, personal)?(?:; with `personal`: \*\*(\w+)\*\*)?$", re.MULTILINE)
_PLACE = re.compile(r"^\| `([A-Z_]+)` \| `([\w.]+)` of (\w+) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """role: the least that may ask it; personal: whether it takes that scope; with_personal: the role for `personal: true`."""

    name: str
    words: str
    text: str
    variables: Mapping[str, Any]
    role: str
    personal: bool
    with_personal: str | None

    @property
    def kind(self) -> str:
        """query, mutation or subscription."""
        [operation] = [each for each in parse(self.text).definitions if isinstance(each, OperationDefinitionNode)]
        assert operation.name is not None
        assert operation.name.value == self.name, "a recipe is called as its operation"
        return operation.operation.value

    def filled(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """The variables with what stands for ids taken from `known`."""
        return {name: _filled(value, known) for name, value in self.variables.items()}

    def places(self) -> set[str]:
        """What stands for ids in its variables."""
        return set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', json.dumps(self.variables))) & set(places())


def recipes(text: str | None = None) -> list[Recipe]:
    """All of them, in the order of the page."""
    return list(_recipes(PAGE.read_text("utf-8") if text is None else text))


def _recipes(text: str) -> Iterator[Recipe]:
    for section in re.split(r"^##? ", text, flags=re.MULTILINE):
        if (match := _RECIPE.match(section)) is None:
            continue
        name, words, document, variables = match.groups()
        role = _ROLE.search(words)
        assert role is not None, f"{name} does not say which role it takes"
        yield Recipe(
            name=name,
            words=words[: role.start()].strip(),
            text=document,
            variables=json.loads(variables or "{}"),
            role=role[1],
            personal=role[2] is not None,
            with_personal=role[3],
        )


def places() -> dict[str, tuple[str, str]]:
    """{what stands for an id: (recipe, path in its answer)}"""
    return {place: (recipe, path) for place, path, recipe in _PLACE.findall(PAGE.read_text("utf-8"))}


def found(data: Any, path: str) -> Any:
    """What stands at a path such as customers.nodes.0.id."""
    for step in path.split("."):
        data = data[int(step)] if step.isdigit() else data[step]
    return data


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, known) for each in value]
    return known[value] if isinstance(value, str) and value in known else value
