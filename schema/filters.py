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
from strawberry.types.info import Info

from hub.errors import RefusedError
from hub.model.conditions import Condition, ConditionError, Field, is_relative, on_day, parse, segments_of, size
from hub.segments import VALUES, VOCABULARY, settle
from hub.segments.vocabulary import OWN_NAME
from hub.store.conditions import CUSTOM
from schema.context import Context
from schema.enums import Band, ChurnBand
from schema.errors import BadInputError
from schema.fields import api_name
from schema.meanings import meaning_of

FIELDS = VALUES
"""Everything a customer can be chosen by, but search and saved segments."""
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
    between: list[float] | None = strawberry.field(
        default=UNSET, description="The lowest and the highest, both taken in."
    )
    in_: list[float] | None = strawberry.field(name="in", default=UNSET)
    not_in: list[float] | None = UNSET
    exists: bool | None = UNSET


@strawberry.input(
    description="Tests of a text; all given ones must hold. contains and startsWith take letters in either case."
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
    description="Tests of a day, or of the day a moment lies on (UTC); all given ones must hold. A day is written such as "
    "2026-11-22, today, yesterday, today - 90 days, today + 2 weeks; in days, weeks, months or years."
)
class DateFilter:
    eq: str | None = UNSET
    ne: str | None = UNSET
    before: str | None = UNSET
    after: str | None = UNSET
    lte: str | None = strawberry.field(default=UNSET, description="That day or before it.")
    gte: str | None = strawberry.field(default=UNSET, description="That day or after it.")
    between: list[str] | None = strawberry.field(
        default=UNSET, description="The first and the last day, both taken in."
    )
    within: str | None = strawberry.field(
        default=UNSET,
        description="Days such as last 30 days (today the last of them), next 2 weeks (today the first), this month, "
        "last quarter, next year.",
    )
    in_: list[str] | None = strawberry.field(name="in", default=UNSET)
    not_in: list[str] | None = UNSET
    exists: bool | None = UNSET


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


_FOR_KINDS: Mapping[str, type] = {"number": NumberFilter, "text": TextFilter, "date": DateFilter}


def _input_of(field: Field) -> Any:
    if field.choices:
        return _FOR_CHOICES.get(frozenset(field.choices), TextFilter)
    return _FOR_KINDS[field.kind]


_PLAIN: Mapping[str, str] = {
    "search": "Words, each of which begins a word of the customer's name or domain, in either case.",
    "in_segment": "The name of a saved segment; your own before a shared one of that name.",
}


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
    for name, meaning in _PLAIN.items():
        annotations[name] = str | None
        members[name] = strawberry.field(default=UNSET, description=meaning)
    for field in FIELDS.values():
        type_ = _input_of(field)
        annotations[field.name] = type_ | None
        told = meaning_of(field, choices=type_ is TextFilter)
        members[field.name] = strawberry.field(default=UNSET, description=told)
    made = type("CustomerFilter", (), {**members, "__annotations__": annotations, "__module__": __name__})
    return strawberry.input(
        made, description="Chooses customers; everything given must hold. An empty one chooses all."
    )


CustomerFilter = _filter_type()


def condition_of(given: Any) -> Condition | None:
    """The condition a filter says; None for no filter, and for one that asks for nothing: everything given holds then.

    BadInputError with every problem where it says none.
    """
    if given is None or given is UNSET or not (asked := mapping_of(given)):
        return None
    try:
        condition = parse(asked, VOCABULARY)
    except ConditionError as error:
        said = "; ".join(
            f"{'.'.join(['filter', *(_shown(part) for part in problem.key)])} {problem.message}"
            + (f" (choices: {', '.join(problem.choices)})" if problem.choices else "")
            for problem in error.problems
        )
        raise BadInputError(said, field="filter") from None
    if (terms := size(condition)) > MOST_TESTS:
        raise BadInputError(f"filter has {terms:,} tests and values; the limit is {MOST_TESTS:,}", field="filter")
    return condition


async def chosen(info: Info[Context, Any], given: Any) -> Condition | None:
    """The condition a filter says to who asks today, ready for the store; None for no filter.

    BadInputError where it says none, or speaks of a saved segment that there is not.
    """
    condition = condition_of(given)
    if condition is None:
        return None
    context = info.context
    if segments_of(condition):
        try:
            async with context.store.reading() as connection:
                return await settle(connection, condition, today=context.now.date(), owner=context.viewer.actor)
        except RefusedError as error:
            raise BadInputError(str(error), field="filter") from None
    return on_day(condition, context.now.date()) if is_relative(condition) else condition


def mapping_of(given: Any) -> Any:
    """Inputs as the mapping they stand for; what was not given is left out."""
    if isinstance(given, list):
        return [mapping_of(item) for item in given]
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
        return {name: _in_its_words(name, mapping_of(value)) for name, value in values.items()}
    return given


def _in_its_words(name: str, tests: Any) -> Any:
    """Tests of a field that has a few values only, which types of the API show as members of enums: ACTIVE is active."""
    field = FIELDS.get(name)
    if field is None or not field.choices or not isinstance(tests, dict):
        return tests
    known = {choice.upper(): choice for choice in field.choices}

    def own(value: Any) -> Any:
        return [own(each) for each in value] if isinstance(value, list) else known.get(value, value)

    return {operator: own(value) for operator, value in tests.items()}


def _shown(part: str | int) -> str:
    return str(part) if isinstance(part, int) else api_name(part)
