"""`${NAME}` and `${NAME:-something}` in the values of a document, filled in from the environment.

As in a shell, a variable that is empty counts as not set. What came from the environment may be a secret: `Filled.hide`
puts the variable's name back where a message would show its value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hub.documents import Document, Key
from hub.errors import Fault

SHORTEST_SECRET = 4
"""Shorter values are switches and small numbers: hiding them would only spoil messages that have the same characters."""
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A document with every variable replaced.

    missing  a fault for each variable that is not set and has no default, by the key it stands at
    values   what came from the environment: {value: variable}
    """

    document: Document
    missing: Mapping[Key, Fault]
    values: Mapping[str, str] = field(repr=False)

    def hide(self, fault: Fault) -> Fault:
        """`fault` without any value of the environment in its words."""
        message = fault.message
        for value in sorted(self.values, key=len, reverse=True):
            message = message.replace(value, f"${{{self.values[value]}}}")
        return replace(fault, message=message)


def filled(document: Document, environment: Mapping[str, str]) -> Filled:
    """The document with every variable replaced."""
    missing: dict[Key, Fault] = {}
    values: dict[str, str] = {}

    def fill(part: Any, at: Key) -> Any:
        if isinstance(part, dict):
            return {key: fill(inner, (*at, key)) for key, inner in part.items()}
        if isinstance(part, list):
            return [fill(inner, (*at, index)) for index, inner in enumerate(part)]
        return _VARIABLE.sub(partial(found, at), part) if isinstance(part, str) else part

    def found(at: Key, match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if value := environment.get(name):
            if len(value) >= SHORTEST_SECRET:
                values[value] = name
            return value
        if default is None:
            missing[at] = document.fault(f"environment variable {name} is not set", key=at)
        return default or ""

    return Filled(replace(document, value=fill(document.value, ())), missing, values)
