"""The plan of an operation: what its root fields are read as, kept, and the statements they were compiled to, kept likewise.

A plan belongs to an operation and the values of its switches (@skip, @include). A root field's tree belongs to the entity its
resolver wants, which `node(id:)` decides anew each time. A statement belongs to a tree and the shapes of what a request gives.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    get_argument_values,
    get_named_type,
    is_abstract_type,
    is_non_null_type,
    visit,
)
from graphql.execution.values import VariableValues
from graphql.language import Visitor
from strawberry import ID
from strawberry.types.arguments import StrawberryArgument, convert_arguments
from strawberry.types.field import StrawberryField

from hub.store.query.compiled import Compiled, Given, NotCompilableError
from schema.compiled.asking import Rows, rows_of
from schema.compiled.filling import Making, UnfitError, cursors
from schema.compiled.selecting import Group, Selected, Selecting, Weight
from schema.nodes import TYPES
from schema.paging import checked_first, decode_cursor
from schema.selection import MOST_ROWS

_DEFINITION = "strawberry-definition"
_MOST_STATEMENTS = 64


class Bounded(dict[Hashable, Any]):
    """Forgets what came first when it is full."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def keep(self, key: Hashable, value: Any) -> None:
        if len(self) >= self.most:
            del self[next(iter(self))]
        self[key] = value


@dataclass(slots=True)
class Wanted:
    """A root field of one request: its tree, what the request gives to it, and what is filled into its text.

    rows   as many as it may read
    alike  whether other requests for a row by its key differ in that key alone
    """

    selected: Selected
    given: Mapping[int, Given]
    codes: Mapping[str, Making]
    rows: int
    alike: bool


@dataclass(slots=True)
class RootField:
    """A root field of an operation.

    by_id       whether an id is its only argument, which Python knows by the same name: then there is nothing to convert
    hopeless    no request will ever be read by it
    trees       by entities
    statements  by dialects and the shapes of what requests give
    alike       of rows by their keys: what is ready to be run for one of them
    """

    key: str
    definition: GraphQLField
    group: Group
    required: bool
    by_id: bool
    hopeless: bool = False
    trees: dict[str, Selected] = field(default_factory=dict)
    statements: Bounded = field(default_factory=lambda: Bounded(_MOST_STATEMENTS))
    alike: Bounded = field(default_factory=lambda: Bounded(_MOST_STATEMENTS))

    def wanted(self, rows: Rows, selecting: Selecting, variables: VariableValues, context: Any) -> Wanted:
        """Raises NotCompilableError and UnfitError where the ordinary path is to answer."""
        selected = self.trees.get(rows.entity)
        if selected is None:
            try:
                type_ = self.type_for(rows, selecting.schema)
                selected = self.trees[rows.entity] = selecting.tree(type_, self.group, rows.entity)
            except NotCompilableError:
                self.give_up()
                raise
        given = {0: _root(rows)}
        for number, relating in selected.relations.items():
            given[number] = relating.given(variables, context)
        size = given[0].first if rows.shape == "page" else 1
        weight = sum(_rows(objects, size or 1, given) for objects in selected.weights)
        if weight > MOST_ROWS:
            raise UnfitError
        codes = selected.codes
        if selected.cursors:
            made = {
                f"#c{number}": cursors(entity, given[number].order)  # type: ignore[arg-type]  # a page has an order
                for number, entity in selected.cursors.items()
            }
            codes = {**codes, **made}
        alike = rows.by_key_alone() and all(relating.is_same() for relating in selected.relations.values())
        return Wanted(selected, given, codes, weight, alike)

    def rows(self, variables: VariableValues, context: Any, strawberry: Any) -> Rows:
        """Which the resolver wants. Raises what it raises, and NotCompilableError."""
        strawberry_field: StrawberryField = self.definition.extensions[_DEFINITION]
        resolver = strawberry_field.base_resolver
        if resolver is None:
            self.give_up()
            raise NotCompilableError("a root field without a resolver")
        arguments = get_argument_values(self.definition, self.group[0].node, variables)
        if not self.by_id:
            arguments = convert_arguments(
                arguments, strawberry_field.arguments, strawberry.schema_converter.scalar_registry, strawberry.config
            )
        try:
            return rows_of(resolver.wrapped_func, context, arguments)
        except NotCompilableError:
            self.give_up()
            raise

    def give_up(self) -> None:
        named = get_named_type(self.definition.type)
        self.hopeless = not is_abstract_type(named)  # there another id may be of another type

    def type_for(self, rows: Rows, schema: GraphQLSchema) -> GraphQLObjectType:
        """What the rows are shown as: where the field returns an interface, the entity's own type."""
        named: Any = get_named_type(self.definition.type)
        if not isinstance(named, GraphQLObjectType):
            named = schema.get_type(TYPES.get(rows.entity, ""))
        if not isinstance(named, GraphQLObjectType):
            raise NotCompilableError(f"{rows.entity} has no type of its own")
        return named


@dataclass(slots=True)
class Plan:
    """Of an operation. typenames: keys at the root that only name its type."""

    operation: OperationDefinitionNode
    selecting: Selecting
    roots: tuple[RootField | str, ...]
    hopeless: bool = False


def planned(selecting: Selecting) -> Plan:
    """The root fields of the operation; NotCompilableError for what is no plain query."""
    type_ = selecting.schema.query_type
    assert type_ is not None, "there is always a query type"
    roots: list[RootField | str] = []
    for key, group in selecting.roots().items():
        name = group[0].node.name.value
        if name == "__typename":
            roots.append(key)
            continue
        if name.startswith("__"):
            raise NotCompilableError("introspection")
        field_ = type_.fields[name]
        roots.append(RootField(key, field_, group, is_non_null_type(field_.type), _is_by_id(field_)))
    return Plan(selecting.operation, selecting, tuple(roots))


def _is_by_id(field_: GraphQLField) -> bool:
    arguments: list[StrawberryArgument] = field_.extensions[_DEFINITION].arguments
    return len(arguments) == 1 and arguments[0].type is ID and arguments[0].python_name == "id"


def statement_key(wanted: Wanted, entity: str, *, book: bool) -> Hashable:
    return entity, book, tuple((number, given.shape()) for number, given in wanted.given.items())


def parameters(compiled: Compiled, wanted: Wanted, book: str | None) -> list[Any]:
    values = {name: value for number, given in wanted.given.items() for name, value in given.bound(number)}
    if book is not None:
        values["book"] = book
    return compiled.parameters(values)


def switches_of(operation: OperationDefinitionNode, document: Any) -> tuple[str, ...]:
    """The variables that @skip and @include of a document go by."""
    found: dict[str, None] = {}

    class Switches(Visitor):
        def enter_directive(self, node: Any, *_: Any) -> None:
            for argument in node.arguments or ():
                if isinstance(argument.value, VariableNode):
                    found[argument.value.name.value] = None

    visit(document, Switches())
    names = {each.variable.name.value for each in operation.variable_definitions or ()}
    return tuple(name for name in found if name in names)


def _root(rows: Rows) -> Given:
    after = None
    if rows.shape == "page":
        assert rows.order is not None, "a page has an order"
        assert rows.first is not None, "a page has a length"
        checked_first(rows.first)
        after = decode_cursor(rows.entity, rows.order, rows.after)
    return Given(
        where=rows.where,
        first=rows.first if rows.shape == "page" else None,
        after=after,
        order=rows.order,
        condition=rows.condition,
        key=rows.key,
    )


def _rows(weights: tuple[Weight, ...], rows: int, given: Mapping[int, Given]) -> int:
    """How many rows are read, as the ordinary path counts them."""
    total = rows
    for weight in weights:
        each = weight.times or given[weight.number].first or 1
        total += sum(_rows(objects, rows * each, given) for objects in weight.objects)
    return total
