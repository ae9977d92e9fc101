"""What Totango's search is asked: terms that narrow it, and fields, whose values come back in the order they were asked for.

POST /api/v1/search/accounts    query={"terms": […], "fields": […], "count", "offset", "sort_by", "sort_order", "scope"}

{"type": "health_trend"}                                  {"health": "green", "health_prev": "red", "change_date": ms}
{"type": "string_attribute", "attribute": "Industry"}     a text; number_attribute and date_attribute likewise
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Term = Mapping[str, Any]
Type = Literal["string_attribute", "number_attribute", "date_attribute"]
HEALTH: Term = {"type": "health_trend", "field_display_name": "Health last change"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What is asked of each row: `names` say what each of `asked` is called in a row of ours."""

    names: tuple[str, ...]
    asked: tuple[Term, ...]

    @classmethod
    def of(cls, attributes: Mapping[str, tuple[Type, str | None]]) -> "Fields":
        """{our name: (type, the attribute's name, None where there is none)}."""
        there = {ours: (type_, name) for ours, (type_, name) in attributes.items() if name}
        asked = [{"type": type_, "attribute": name, "field_display_name": name} for type_, name in there.values()]
        return cls(names=tuple(there), asked=tuple(asked))

    def row(self, hit: Mapping[str, Any]) -> dict[str, Any]:
        """The hit, with its values by name under `fields`; ValueError where they are not as many as were asked for."""
        values: Sequence[Any] = hit.get("selected_fields") or ()
        return {**hit, "fields": dict(zip(self.names, values, strict=True))}


HEALTH_ONLY = Fields(names=("health",), asked=(HEALTH,))


@dataclass(frozen=True, slots=True)
class Span:
    """Accounts whose number in an attribute is from `low` and below `high`."""

    attribute: str
    low: int
    high: int

    @property
    def term(self) -> Term:
        return {"type": "number_attribute", "attribute": self.attribute, "gte": self.low, "lt": self.high}

    def halves(self) -> "tuple[Span, Span] | None":
        """Two that hold the same; None where there is nothing left to split."""
        middle = (self.low + self.high) // 2
        if middle in (self.low, self.high):
            return None
        return Span(self.attribute, self.low, middle), Span(self.attribute, middle, self.high)
