"""From a selection of a query to a plan: which columns and relations it needs, as the types declare them.

Fields are grouped by graphql-core's own rules (fragments, aliases, @skip and @include), so that what is planned is exactly
what will be executed. A plan's children are keyed by the nodes that ask for them, which is where the fields look for
them (`schema.fields.place_of`).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, GraphQLResolveInfo, get_argument_values, get_named_type
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info

from hub.store.query import Child, Plan
from schema.errors import BadInputError
from schema.fields import Asked, Column, Computed, Part, Related, place_of, reading_of, wheres
from schema.paging import Connection, checked_first, decode_cursor

MOST_ROWS = 50_000
_DEFINITION = "strawberry-definition"
Group = Sequence[FieldDetails]


@dataclass(slots=True)
class _Needs:
    """What the selections on one entity add up to."""

    columns: set[str]
    children: dict[Hashable, Child]
    total: bool = False

    def plan(self) -> Plan:
        return Plan(frozenset(self.columns), self.children)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plan for the rows a root field returns, and whether their total is asked for."""

    plan: Plan
    total: bool


def wanted(info: Info[Any, Any], *, type_name: str | None = None, rows: int = 1) -> Wanted:
    """The plan of the field being resolved: of the type it returns, or of `type_name` where that is an interface.

    rows    how many rows it returns at most
    """
    raw = info._raw_info  # graphql-core's own: Strawberry's Info has no document nodes to group
    named = raw.schema.get_type(type_name) if type_name else get_named_type(raw.return_type)
    assert isinstance(named, GraphQLObjectType), "a plan is made for an object type"
    planner = _Planner(raw)
    needs = _Needs(set(), {})
    planner.read(named, [FieldDetails(node, None) for node in raw.field_nodes], needs, rows)
    return Wanted(needs.plan(), needs.total)


class _Planner:
    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self.info = info
        self.fragments = {name: FragmentDetails(definition) for name, definition in info.fragments.items()}
        given: Any = info.variable_values
        # Strawberry hands resolvers of queries the coerced values alone; where they came from matters to no argument
        self.variables = given if isinstance(given, VariableValues) else VariableValues({}, given)
        self.rows = 0

    def groups(self, type_: GraphQLObjectType, group: Group) -> Mapping[str, list[FieldDetails]]:
        return collect_subfields(
            self.info.schema, self.fragments, self.variables, self.info.operation, type_, list(group)
        ).grouped_field_set

    def read(self, type_: GraphQLObjectType, group: Group, needs: _Needs, rows: int) -> None:
        """Add to `needs` what the selection of `group` on `type_` reads; `rows`: how many rows there may be of it."""
        if _is_connection(type_):
            self.read_connection(type_, group, needs, rows)
            return
        self.rows += rows
        if self.rows > MOST_ROWS:
            raise BadInputError(
                f"the query asks for up to {self.rows:,} rows; the limit is {MOST_ROWS:,}: lower a first"
            )
        for part in self.groups(type_, group).values():
            self.read_field(type_, part, needs, rows)

    def read_field(self, type_: GraphQLObjectType, group: Group, needs: _Needs, rows: int) -> None:
        name = group[0].node.name.value
        if name.startswith("__"):
            return
        field = type_.fields[name]
        match reading_of(_strawberry_field(type_, name)):
            case Column(column):
                needs.columns.add(column)
            case Computed(_, columns):
                needs.columns.update(columns)
            case Asked(_, columns):
                if rows > 1:
                    raise BadInputError(f"{name} is for one {type_.name} at a time: ask for it by id, or with first: 1")
                needs.columns.update(columns)
            case Part(unless_null):
                if unless_null is not None:
                    needs.columns.add(unless_null)
                self.rows -= rows  # the same rows again
                self.read(_object(field.type), group, needs, rows)
            case Related() as related:
                relation = related.relation
                needs.columns.add(relation.parent)
                given = get_argument_values(field, group[0].node, self.variables)
                place = place_of([details.node for details in group])
                if relation.shape == "count":
                    needs.children[place] = Child(relation=relation, plan=Plan())
                    return
                first = related.most
                if relation.shape == "page":
                    first = checked_first(given["first"])
                each = 1 if relation.shape == "one" else related.expected if relation.shape == "list" else first or 1
                below = _Needs(set(), {})
                self.read(_object(field.type), group, below, rows * each)
                needs.children[place] = Child(
                    relation=relation,
                    plan=below.plan(),
                    where=wheres(related, given, self.info.context),
                    first=first,
                    after=decode_cursor(relation.entity, relation.order, given.get("after")),
                    total=below.total,
                )

    def read_connection(self, type_: GraphQLObjectType, group: Group, needs: _Needs, rows: int) -> None:
        """A connection is read as the rows of `nodes` and of `edges { node }` together."""
        for part in self.groups(type_, group).values():
            name = part[0].node.name.value
            if name == "totalCount":
                needs.total = True
            elif name == "nodes":
                self.read(_object(type_.fields[name].type), part, needs, rows)
            elif name == "edges":
                edge = _object(type_.fields[name].type)
                for inner in self.groups(edge, part).values():
                    if inner[0].node.name.value == "node":
                        self.read(_object(edge.fields["node"].type), inner, needs, rows)


def _object(type_: Any) -> GraphQLObjectType:
    named = get_named_type(type_)
    assert isinstance(named, GraphQLObjectType), f"{named} is read as a row and must be an object type"
    return named


def _definition(type_: GraphQLObjectType) -> StrawberryObjectDefinition:
    found: StrawberryObjectDefinition = type_.extensions[_DEFINITION]
    return found


def _is_connection(type_: GraphQLObjectType) -> bool:
    return issubclass(_definition(type_).origin, Connection)


def _strawberry_field(type_: GraphQLObjectType, name: str) -> StrawberryField | None:
    found: StrawberryField | None = type_.fields[name].extensions.get(_DEFINITION)
    return found
