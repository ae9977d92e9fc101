"""`${NAME}` and `${NAME:-something}` in the values of a document, filled in from the environment."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from hub.documents import Document
from hub.errors import Fault

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
Key = tuple[str | int, ...]


def filled(document: Document, environment: Mapping[str, str]) -> tuple[Document, dict[Key, Fault]]:
    """The document with every variable replaced, and a fault for each that is not set and has no default, by its key."""
    missing: dict[Key, Fault] = {}

    def fill(part: Any, at: Key) -> Any:
        if isinstance(part, dict):
            return {key: fill(inner, (*at, key)) for key, inner in part.items()}
        if isinstance(part, list):
            return [fill(inner, (*at, index)) for index, inner in enumerate(part)]
        return _VARIABLE.sub(partial(found, at), part) if isinstance(part, str) else part

    def found(at: Key, match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if name not in environment and default is None:
            missing[at] = document.fault(f"environment variable {name} is not set", key=at)
        return environment.get(name, default or "")

    return replace(document, value=fill(document.value, ())), missing
