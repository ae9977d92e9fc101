"""How names and values are spelled in the API, and how in Python and the store."""

from enum import Enum
from typing import Any


def plain(value: Any) -> Any:
    """Members of enums as the texts the store knows them by."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def api_name(name: str) -> str:
    """A Python name as the API spells it: days_open -> daysOpen, from_ -> from."""
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)
