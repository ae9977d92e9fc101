"""`${NAME}` and `${NAME:-something}` in a document's values, filled in from the environment; `${secret:NAME}` from the store.

As in a shell, a variable that is empty counts as not set. What was filled in may be a secret: `Filled.hide`
puts the variable's name back where a message would show its value.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hub.documents import Document, Key
from hub.errors import CshubError, Fault

SHORTEST_SECRET = 4
"""Shorter values are switches and small numbers: hiding them would only spoil messages that have the same characters."""
_VARIABLE = re.compile(r"\$\{(?:secret:(?P<secret>[^}]*)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?)\}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A document with every variable replaced.

    missing  a fault for each variable that is not set and has no default, and each secret that cannot be had, by the key it
             stands at
    values   what was filled in: {value: variable}
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


def filled(document: Document, environment: Mapping[str, str], secrets: Callable[[str], str] | None = None) -> Filled:
    """The document with every variable replaced.

    secrets  the value of a stored secret; raises what is wrong with it. None: references to secrets stay as they are
    """
    missing: dict[Key, Fault] = {}
    values: dict[str, str] = {}

    def fill(part: Any, at: Key) -> Any:
        if isinstance(part, dict):
            return {key: fill(inner, (*at, key)) for key, inner in part.items()}
        if isinstance(part, list):
            return [fill(inner, (*at, index)) for index, inner in enumerate(part)]
        return _VARIABLE.sub(partial(found, at), part) if isinstance(part, str) else part

    def opened(at: Key, match: re.Match[str]) -> str:
        if secrets is None:
            return match[0]
        try:
            value = secrets(match["secret"])
        except CshubError as error:
            missing[at] = document.fault(str(error), key=at)
            return match[0]
        values[value] = f"secret:{match['secret']}"
        return value

    def found(at: Key, match: re.Match[str]) -> str:
        if match["secret"] is not None:
            return opened(at, match)
        name, default = match["name"], match["default"]
        if value := environment.get(name):
            if len(value) >= SHORTEST_SECRET:
                values[value] = name
            return value
        if default is None:
            missing[at] = document.fault(f"environment variable {name} is not set", key=at)
        return default or ""

    return Filled(replace(document, value=fill(document.value, ())), missing, values)
