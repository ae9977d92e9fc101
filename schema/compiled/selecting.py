"""A selection of a document as a tree that one statement is made of: columns, parts, relations, pages, and what is filled in.

Fields are grouped by graphql-core's own rules, as the ordinary path groups them (`schema.selection`), with the switches of
one request; a tree is kept for requests with the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_enum_type,
    is_non_null_type,
    is_scalar_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues
from strawberry.types.field import StrawberryField

from hub.store.query.compiled import (
    Constant,
    Cursor,
    Edges,
    Fields,
    Filled,
    Named,
    Nested,
    Nodes,
    NotCompilableError,
    Paged,
    PageInfo,
    Part,
    Root,
    Total,
)
from hub.store.query.compiled.tree import Value
from schema.compiled.filling import Making, completing, of_row
from schema.compiled.leaves import leaf_of
from schema.compiled.relating import Relating as Relating
from schema.fields import Column, Computed, Related, reading_of
from schema.fields import Part as PartOfRow
from schema.nodes import SEALED, TYPES, Node
from schema.paging import Connection

Group = list[FieldDetails]
Groups = Mapping[str, Group]
_DEFINITION = "strawberry-definition"
_PAGE_INFO: Mapping[str, Literal["next", "previous", "start", "end"]] = {
    "hasNextPage": "next",
    "hasPreviousPage": "previous",
    "startCursor": "start",
    "endCursor": "end",
}


@dataclass(frozen=True, slots=True)
class Weight:
    """How many rows a place reads: so many, or as many as the page of relation `number`; once for each object made of them."""

    number: int
    times: int | None
    objects: tuple[tuple["Weight", ...], ...]


@dataclass(slots=True)
class Selected:
    """A tree, and what belongs to it. codes: of what is filled in; relations: by their numbers; cursors: places with some."""

    root: Root
    codes: dict[str, Making] = field(default_factory=dict)
    relations: dict[int, Relating] = field(default_factory=dict)
    cursors: dict[int, str] = field(default_factory=dict)
    weights: tuple[tuple[Weight, ...], ...] = ()


class Selecting:
    """Of one operation, with the switches of one request."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.variables = variables
        self.fragments = {
            each.name.value: FragmentDetails(each)
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }

    def roots(self) -> Groups:
        type_ = self.schema.query_type
        assert type_ is not None, "there is always a query type"
        return collect_fields(self.schema, self.fragments, self.variables, type_, self.operation).grouped_field_set

    def groups(self, type_: GraphQLObjectType, group: Group) -> Groups:
        return collect_subfields(
            self.schema, self.fragments, self.variables, self.operation, type_, group
        ).grouped_field_set

    def tree(self, type_: GraphQLObjectType, group: Group, entity: str) -> Selected:
        """The tree of a root field that returns rows of `entity` as `type_`, or pages of them."""
        return _Tree(self, entity).of(type_, group)


class _Tree:
    def __init__(self, selecting: Selecting, entity: str) -> None:
        self.groups = selecting.groups
        self.entity = entity
        self.codes: dict[str, Making] = {}
        self.relations: dict[int, Relating] = {}
        self.cursors: dict[int, str] = {}
        self.number = 0

    def of(self, type_: GraphQLObjectType, group: Group) -> Selected:
        if _is_connection(type_):
            page, weights = self.page(type_, group, self.entity, 0)
            root = Root(self.entity, page=page)
        else:
            fields, below = self.object(type_, group, self.entity)
            root, weights = Root(self.entity, fields=fields), (below,)
        return Selected(root, self.codes, self.relations, self.cursors, weights)

    def object(self, type_: GraphQLObjectType, group: Group, entity: str) -> tuple[Fields, tuple[Weight, ...]]:
        fields: list[tuple[str, Value]] = []
        weights: list[Weight] = []
        for key, part in self.groups(type_, group).items():
            name = part[0].node.name.value
            if name == "__typename":
                fields.append((key, Constant(type_.name)))
                continue
            made, below = self.field(type_.fields[name], part, entity)
            fields.append((key, made))
            weights.extend(below)
        return tuple(fields), tuple(weights)

    def field(self, field_: GraphQLField, group: Group, entity: str) -> tuple[Value, tuple[Weight, ...]]:
        reading = reading_of(_strawberry(field_))
        required = is_non_null_type(field_.type)
        bare = field_.type.of_type if is_non_null_type(field_.type) else field_.type
        match reading:
            case Column(name) if is_scalar_type(bare) or is_enum_type(bare):
                return leaf_of(name, bare, required), ()
            case Column(name):
                return self.filled(field_, group, entity, (name,), lambda row, _: row[name]), ()
            case Computed(function, needs, of_context):
                if function is _NODE_ID.function and len(needs) == 1:
                    return _id(entity, needs), ()
                if not needs:
                    raise NotCompilableError("a field computed of nothing")
                take = function if of_context else _without_context(function)
                return self.filled(field_, group, entity, needs, take), ()
            case PartOfRow(unless_null):
                fields, weights = self.object(_object(bare), group, entity)
                return Part(fields, unless_null, required), weights
            case Related():
                return self.related(reading, field_, group)
        raise NotCompilableError("a field with a resolver of its own")

    def filled(self, field_: GraphQLField, group: Group, entity: str, needs: tuple[str, ...], take: Any) -> Filled:
        complete = completing(field_.type, lambda type_: self.below(type_, group))
        code = f"#{len(self.codes)}"
        self.codes[code] = of_row(entity, needs, lambda row, context: complete(take(row, context), context))
        return Filled(code, needs)

    def below(self, type_: GraphQLObjectType, group: Group) -> Mapping[str, tuple[Any, Any]]:
        found: dict[str, tuple[Any, Any]] = {}
        for key, part in self.groups(type_, group).items():
            name = part[0].node.name.value
            found[key] = (None, None) if name == "__typename" else (type_.fields[name], self._inner(part))
        return found

    def _inner(self, part: Group) -> Any:
        return lambda type_: self.below(type_, part)

    def related(self, related: Related, field_: GraphQLField, group: Group) -> tuple[Value, tuple[Weight, ...]]:
        self.number += 1
        number, relation = self.number, related.relation
        self.relations[number] = Relating(related, field_, group[0].node)
        if relation.shape == "count":
            return Nested(number, relation), ()
        type_ = _object(field_.type)
        if relation.shape == "page":
            page, objects = self.page(type_, group, relation.entity, number)
            return Nested(number, relation, page=page), (Weight(number, None, objects),)
        fields, below = self.object(type_, group, relation.entity)
        required = is_non_null_type(field_.type) and relation.shape == "one"
        times = 1 if relation.shape == "one" else related.expected
        return Nested(number, relation, fields=fields, required=required), (Weight(number, times, (below,)),)

    def page(
        self, type_: GraphQLObjectType, group: Group, entity: str, number: int
    ) -> tuple[Paged, tuple[tuple[Weight, ...], ...]]:
        parts: list[tuple[str, Any]] = []
        objects: list[tuple[Weight, ...]] = []
        for key, part in self.groups(type_, group).items():
            name = part[0].node.name.value
            match name:
                case "__typename":
                    parts.append((key, Constant(type_.name)))
                case "totalCount":
                    parts.append((key, Total()))
                case "nodes":
                    fields, below = self.object(_object(type_.fields[name].type), part, entity)
                    parts.append((key, Nodes(fields)))
                    objects.append(below)
                case "edges":
                    parts.append((key, self.edges(_object(type_.fields[name].type), part, entity, number, objects)))
                case "pageInfo":
                    parts.append((key, self.page_info(_object(type_.fields[name].type), part, entity, number)))
                case _:
                    raise NotCompilableError(f"{name} of a page")
        return Paged(tuple(parts)), tuple(objects)

    def edges(
        self, type_: GraphQLObjectType, group: Group, entity: str, number: int, objects: list[tuple[Weight, ...]]
    ) -> Edges:
        parts: list[tuple[str, Any]] = []
        for key, part in self.groups(type_, group).items():
            name = part[0].node.name.value
            if name == "__typename":
                parts.append((key, Constant(type_.name)))
            elif name == "cursor":
                parts.append((key, Cursor()))
                self.cursors[number] = entity
            elif name == "node":
                fields, below = self.object(_object(type_.fields[name].type), part, entity)
                parts.append((key, Nodes(fields)))
                objects.append(below)
            else:
                raise NotCompilableError(f"{name} of an edge")
        return Edges(tuple(parts))

    def page_info(self, type_: GraphQLObjectType, group: Group, entity: str, number: int) -> PageInfo:
        parts: list[tuple[str, Any]] = []
        for key, part in self.groups(type_, group).items():
            name = part[0].node.name.value
            parts.append((key, Constant(type_.name) if name == "__typename" else _PAGE_INFO[name]))
        self.cursors[number] = entity
        return PageInfo(tuple(parts))


def _id(entity: str, needs: tuple[str, ...]) -> Value:
    """Of a row: sealed ones are made later."""
    return Filled(entity, needs, plain=True) if entity in SEALED else Named(f"{TYPES[entity]}:", *needs)


def _without_context(function: Any) -> Any:
    return lambda row, _context: function(row)


def _object(type_: Any) -> GraphQLObjectType:
    named = get_named_type(type_)
    if not isinstance(named, GraphQLObjectType):
        raise NotCompilableError(f"{named} is no type of its own")
    return named


def _is_connection(type_: GraphQLObjectType) -> bool:
    return issubclass(type_.extensions[_DEFINITION].origin, Connection)


def _strawberry(field_: GraphQLField) -> StrawberryField | None:
    found: StrawberryField | None = field_.extensions.get(_DEFINITION)
    return found


def _node_id() -> Computed:
    found = next(each for each in Node.__strawberry_definition__.fields if each.name == "id")  # type: ignore[attr-defined]  # Strawberry puts it there
    reading = reading_of(found)
    assert isinstance(reading, Computed), "an id is computed of the key"
    return reading


_NODE_ID = _node_id()
