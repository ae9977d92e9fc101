"""Valid queries made up of the schema itself: any root field that can be read, any fields below, aliases, fragments, pages.

Where arguments decide which rows there are, they are drawn too: pages and cursors, filters, orders, states, days. Now and then
one is out of range, so that what is refused is compared as well.
"""

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
)
from hypothesis import strategies as st
from strawberry.types.field import StrawberryField

from schema.api import SCHEMA
from schema.fields import Asked, reading_of
from schema.nodes import global_id

DEEPEST = 5
ROOTS = (
    "customers",
    "customers",
    "customer",
    "node",
    "alerts",
    "playbookRuns",
    "deliveries",
    "renewals",
    "onboardings",
    "churnModels",
)
IDS = (
    global_id("customer", "c001"),
    global_id("customer", "c002"),
    global_id("customer", "none"),
    global_id("ticket", "desk:c001-1"),
    global_id("contact", "crm:c001-1"),
    "no id",
)
DAYS = ("2026-10-01", "2026-10-31", "2026-11-01")
FILTERS = (
    None,
    {"segment": {"eq": "smb"}},
    {"health": {"gte": 0.5}, "name": {"contains": "00"}},
    {"any": [{"csmEmail": {"eq": "ann@cs.example"}}, {"mrr": {"lt": 50}}]},
    {"not": {"employees": {"in": [10, 20]}}},
    {"all": []},
)


@dataclass
class Query:
    """A document, and the values of its variables."""

    text: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    declared: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)


@st.composite
def queries(draw: Any) -> Query:
    query = Query()
    root = SCHEMA._schema.query_type
    assert root is not None
    names = draw(st.lists(st.sampled_from([name for name in ROOTS if name in root.fields]), min_size=1, max_size=2))
    writer = _Writer(draw, query)
    parts = [f"r{place}: {writer.field(name, root.fields[name], 0)}" for place, name in enumerate(names)]
    declared = f"({', '.join(query.declared)})" if query.declared else ""
    query.text = f"query Q{declared} {{ {' '.join(parts)} }} {' '.join(query.fragments)}"
    return query


class _Writer:
    def __init__(self, draw: Any, query: Query) -> None:
        self.draw = draw
        self.query = query
        self.left = 30

    def field(self, name: str, field_: GraphQLField, depth: int) -> str:
        arguments = self.arguments(field_)
        type_ = get_named_type(field_.type)
        return f"{name}{arguments}{'' if is_leaf_type(type_) else ' ' + self.selection(type_, depth + 1)}"

    def selection(self, type_: Any, depth: int) -> str:
        if isinstance(type_, GraphQLInterfaceType):
            shown = self.draw(st.sampled_from(["Customer", "Ticket", "Contact"]))
            return f"{{ __typename id ... on {shown} {self.selection(SCHEMA._schema.get_type(shown), depth)} }}"
        assert isinstance(type_, GraphQLObjectType)
        possible = [name for name, each in type_.fields.items() if self.can(each, depth)]
        names = self.draw(st.lists(st.sampled_from(possible), min_size=1, max_size=5)) if possible else []
        self.left -= len(names)
        parts = [f"a{place}: {self.field(name, type_.fields[name], depth)}" for place, name in enumerate(names)]
        if not parts or self.draw(st.integers(0, 5)) == 0:
            parts.append("__typename")
        parts = [part + self.switch() if " " not in part else part for part in parts]
        written = f"{{ {' '.join(parts)} }}"
        if self.draw(st.integers(0, 6)) == 0:
            name = f"F{len(self.query.fragments)}"
            self.query.fragments.append(f"fragment {name} on {type_.name} {written}")
            return f"{{ ...{name} }}"
        return written

    def can(self, field_: GraphQLField, depth: int) -> bool:
        definition: StrawberryField | None = field_.extensions.get("strawberry-definition")
        if isinstance(reading_of(definition), Asked):
            return False
        return is_leaf_type(get_named_type(field_.type)) or (depth < DEEPEST and self.left > 0)

    def switch(self) -> str:
        if self.draw(st.integers(0, 12)):
            return ""
        name = f"v{len(self.query.variables)}"
        self.query.variables[name] = self.draw(st.booleans())
        self.query.declared.append(f"${name}: Boolean!")
        return f" @{self.draw(st.sampled_from(['skip', 'include']))}(if: ${name})"

    def arguments(self, field_: GraphQLField) -> str:
        given = []
        for name, argument in field_.args.items():
            if is_required_argument(argument) or self.draw(st.booleans()):
                variable = f"v{len(self.query.variables)}"
                found = self.value(name, argument)
                if found is _NOTHING:
                    continue
                self.query.variables[variable] = found
                self.query.declared.append(f"${variable}: {argument.type}")
                given.append(f"{name}: ${variable}")
        return f"({', '.join(given)})" if given else ""

    def value(self, name: str, argument: GraphQLArgument) -> Any:
        type_ = get_named_type(argument.type)
        if name == "first":
            return self.draw(st.sampled_from([1, 2, 3, 20, 100, 0]))
        if name == "after":
            return (
                self.draw(st.sampled_from([None, None, "no cursor"]))
                if not is_non_null_type(argument.type)
                else _NOTHING
            )
        if name == "id":
            return self.draw(st.sampled_from(IDS))
        if name == "filter" and type_.name == "CustomerFilter":
            return self.draw(st.sampled_from(FILTERS))
        if name == "orderBy" and type_.name == "CustomerOrder":
            order = SCHEMA._schema.get_type("CustomerOrderField")
            assert isinstance(order, GraphQLEnumType)
            member = self.draw(st.sampled_from(sorted(order.values)))
            return {"field": member, "direction": self.draw(st.sampled_from(["ASC", "DESC"]))}
        if isinstance(type_, GraphQLEnumType):
            member = self.draw(st.sampled_from(sorted(type_.values)))
            bare = argument.type.of_type if is_non_null_type(argument.type) else argument.type
            return [member] if is_list_type(bare) else member
        if type_.name == "Date":
            return self.draw(st.sampled_from(DAYS))
        if name == "days":
            return self.draw(st.sampled_from([1, 7, 366, 0]))
        return _NOTHING


_NOTHING = object()
