"""The parts of a document that have the right shape, where others have not: so that all faults can be told at once."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hub.documents import Document
from hub.settings.sources import SourceEntry


def entries(document: Document) -> dict[str, Mapping[str, Any]]:
    """sources.yaml: the sources by name, as they are written."""
    given = document.value.get("sources") if isinstance(document.value, dict) else None
    found = given.items() if isinstance(given, dict) else ()
    return {name: raw for name, raw in found if isinstance(name, str) and isinstance(raw, dict)}


def parsed(raw: Mapping[str, Any]) -> SourceEntry | None:
    """A source, typed; None where its shape is wrong."""
    try:
        return SourceEntry.model_validate(raw)
    except ValidationError:
        return None


def mappings(document: Document) -> Iterator[tuple[str, str, str]]:
    """identity.yaml: (source, key, "SOURCE KEY") of the map."""
    same_as = document.value.get("same_as") if isinstance(document.value, dict) else None
    for source, keys in same_as.items() if isinstance(same_as, dict) else ():
        for key, target in keys.items() if isinstance(keys, dict) else ():
            if all(isinstance(part, str) for part in (source, key, target)):
                yield source, key, target


def is_off(entry: Mapping[str, Any]) -> bool:
    """Whether a source is switched off, in any word that means no: from the environment it comes as text."""
    try:
        return not TypeAdapter(bool).validate_python(entry.get("enabled", True))
    except ValidationError:
        return False
