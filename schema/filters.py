"""The customer filter: the one vocabulary for choosing customers (hub.model.conditions), as GraphQL inputs.

An input field for every field conditions know and every fact of the catalogue; a new fact appears by itself. Custom fields,
which nobody declares, are named in `custom`. What a client
sends is turned back into the vocabulary's own mapping and parsed by the one parser, so that the same condition means the
same here, in a playbook's `when:` and on the command line.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

import strawberry

from hub.model.conditions import Condition, ConditionError, Field, Not, Test, parse
from hub.playbooks.vocabulary import OWN_NAME
from hub.store.conditions import CUSTOM
from hub.store.conditions import FIELDS as STORED
from schema.enums import Band, ChurnBand
from schema.errors import BadInputError
from schema.fields import api_name
from scoring.facts import CATALOGUE

FIELDS: Mapping[str, Field] = {**{fact.name: Field(fact.name, fact.kind) for fact in CATALOGUE}, **STORED}
"""Everything a customer can be chosen by."""
MEANINGS: Mapping[str, str] = {fact.name: fact.meaning for fact in CATALOGUE}
UNSET = strawberry.UNSET
MOST_TESTS = 500


@strawberry.input(
    description="Tests of a number; all given ones must hold. A missing value passes none but exists: false."
)
class NumberFilter:
    eq: float | None = UNSET
    ne: float | None = UNSET
    lt: float | None = UNSET
    lte: float | None = UNSET
    gt: float | None = UNSET
    gte: float | None = UNSET
    in_: list[float] | None = strawberry.field(name="in", default=UNSET)
    not_in: list[float] | None = UNSET
    exists: bool | None = UNSET


@strawberry.input(
    description="Tests of a text; all given ones must hold. contains and startsWith take A-Z in either case."
)
class TextFilter:
    eq: str | None = UNSET
    ne: str | None = UNSET
    in_: list[str] | None = strawberry.field(name="in", default=UNSET)
    not_in: list[str] | None = UNSET
    exists: bool | None = UNSET
    contains: str | None = UNSET
    starts_with: str | None = UNSET


@strawberry.input(
    description="Tests of a custom field, which playbooks write (`update`); all given ones must hold. A field that was never "
    "written is missing."
)
class CustomFilter(TextFilter):
    name: str = strawberry.field(description="Of the field, without `custom.` before it.")


@strawberry.input(description="Tests of a health band; all given ones must hold.")
class BandFilter:
    eq: Band | None = UNSET
    ne: Band | None = UNSET
    in_: list[Band] | None = strawberry.field(name="in", default=UNSET)
    not_in: list[Band] | None = UNSET
    exists: bool | None = UNSET


@strawberry.input(description="Tests of a churn band; all given ones must hold.")
class ChurnBandFilter:
    eq: ChurnBand | None = UNSET
    ne: ChurnBand | None = UNSET
    in_: list[ChurnBand] | None = strawberry.field(name="in", default=UNSET)
    not_in: list[ChurnBand] | None = UNSET
    exists: bool | None = UNSET


_FOR_CHOICES: Mapping[frozenset[str], type] = {
    frozenset(band.value for band in Band): BandFilter,
    frozenset(band.value for band in ChurnBand): ChurnBandFilter,
}


def _input_of(field: Field) -> Any:
    if field.choices:
        return _FOR_CHOICES.get(frozenset(field.choices), TextFilter)
    return NumberFilter if field.kind == "number" else TextFilter


def _filter_type() -> type:
    itself: Any = Annotated["CustomerFilter", strawberry.lazy("schema.filters")]
    annotations: dict[str, Any] = {"all": list[itself] | None, "any": list[itself] | None, "not_": itself | None}
    members: dict[str, Any] = {
        "all": strawberry.field(default=UNSET, description="Every one of these holds."),
        "any": strawberry.field(default=UNSET, description="At least one of these holds."),
        "not_": strawberry.field(name="not", default=UNSET, description="This does not hold."),
        "custom": strawberry.field(default=UNSET, description="Every one of these holds of the hub's own fields."),
    }
    annotations["custom"] = list[CustomFilter] | None
    for field in FIELDS.values():
        annotations[field.name] = _input_of(field) | None
        members[field.name] = strawberry.field(default=UNSET, description=MEANINGS.get(field.name))
    made = type("CustomerFilter", (), {**members, "__annotations__": annotations, "__module__": __name__})
    return strawberry.input(made, description="Chooses customers; everything given must hold.")


CustomerFilter = _filter_type()


def condition_of(given: Any) -> Condition | None:
    """The condition a filter says; None for no filter. BadInputError with every problem where it says none."""
    if given is None or given is UNSET:
        return None
    try:
        condition = parse(_mapping(given), _Vocabulary(FIELDS))
    except ConditionError as error:
        said = "; ".join(
            f"{'.'.join(['filter', *(_shown(part) for part in problem.key)])} {problem.message}"
            + (f" (choices: {', '.join(problem.choices)})" if problem.choices else "")
            for problem in error.problems
        )
        raise BadInputError(said, field="filter") from None
    if (size := _size(condition)) > MOST_TESTS:
        raise BadInputError(f"filter has {size:,} tests and values; the limit is {MOST_TESTS:,}", field="filter")
    return condition


class _Vocabulary(dict[str, Field]):
    """FIELDS, and whatever custom field somebody may have written."""

    def get(self, name: str, default: Any = None) -> Any:
        own = name.startswith(CUSTOM) and OWN_NAME.fullmatch(name.removeprefix(CUSTOM))
        return Field(name, "text") if own else super().get(name, default)


def _size(condition: Condition) -> int:
    """Tests of a condition, and values in their lists: about as many terms as its SQL has."""
    if isinstance(condition, Test):
        return len(condition.value) if isinstance(condition.value, tuple) else 1
    if isinstance(condition, Not):
        return 1 + _size(condition.condition)
    return 1 + sum(map(_size, condition.conditions))


def _mapping(given: Any) -> Any:
    """Inputs as the mapping they stand for; what was not given is left out."""
    if isinstance(given, list):
        return [_mapping(item) for item in given]
    if isinstance(given, Enum):
        return given.value
    if hasattr(given, "__strawberry_definition__"):
        values = {name.rstrip("_"): value for name, value in vars(given).items() if value is not UNSET}
        if isinstance(given, CustomFilter):
            if not OWN_NAME.fullmatch(name := values.pop("name")):
                raise BadInputError(
                    f"filter.custom: {name!r} must be small letters, digits and _, a letter first, at most 30",
                    field="filter",
                )
            return {CUSTOM + name: values}
        if "custom" in values:
            if not (custom := values.pop("custom")):
                raise BadInputError("filter.custom must be a list of fields, and not an empty one", field="filter")
            values["all"] = [*(values.get("all") or ()), *custom]
        return {name: _mapping(value) for name, value in values.items()}
    return given


def _shown(part: str | int) -> str:
    return str(part) if isinstance(part, int) else api_name(part)
