"""What all groups of the API share: their keys, their bounds, and whether a figure of theirs is asked for."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import strawberry
from strawberry.types.info import Info
from strawberry.types.nodes import SelectedField

from schema.errors import BadInputError
from schema.fields import FIRST_IS, LARGEST_FIRST, key

MOST_KEYS = 3


@strawberry.type(description="One thing that the members of a group have in common; no value: that they have none.")
class GroupKey:
    by: str = key(description="As the argument `by` says it.")
    value: str | None = key(
        description="As it is stored and as text filters take it: of what is an enum elsewhere the member in small letters."
    )


@strawberry.type(description="Rows that have something in common.")
class RecordGroup:
    keys: list[GroupKey] = key(description="What they have in common, as `by` asked.")
    count: int = key()


def checked_groups(by: Sequence[Enum], first: int) -> None:
    if len(by) > MOST_KEYS or len(set(by)) != len(by):
        raise BadInputError(f"by must have at most {MOST_KEYS} fields, each once", field="by")
    if not 1 <= first <= LARGEST_FIRST:
        raise BadInputError(f"first must be {FIRST_IS}, not {first}", field="first")


def keys_of(by: Sequence[Enum], values: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"by": each.name, "value": value} for each, value in zip(by, values, strict=True)]


def record_groups(by: Sequence[Enum], found: Sequence[tuple[tuple[Any, ...], int]], first: int) -> list[Any]:
    """Rows of `RecordGroup`, the largest first, ties by their keys."""
    ordered = sorted(found, key=lambda each: (-each[1], [(part is None, part or "") for part in each[0]]))
    return [{"keys": keys_of(by, values), "count": count} for values, count in ordered[:first]]


def asks(info: Info[Any, Any], name: str) -> bool:
    """Whether a field of this name is selected, however deep below the one that is being resolved."""

    def within(selections: Sequence[Any]) -> bool:
        return any(
            (isinstance(each, SelectedField) and each.name == name) or within(each.selections) for each in selections
        )

    return within(info.selected_fields)
