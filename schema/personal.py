"""Which fields show personal data of customers' people, and which of them an operation asks for.

    email: str | None = column(personal=True)                         a field of a row (schema.fields)
    strawberry.field(resolver, directives=[PERSONAL])                 any other field, argument, input field, enum value

The SDL shows it as `@personal`. A token that lacks the scope `personal` may not select such a field, nor filter or order by
one: a filter would tell what it may not see. The operation is refused as a whole, before anything is read, so nobody downstream
(plans, compiled statements, subscriptions) masks anything. Fields under an @include that is false are not asked for.

Addresses of our own people (CSMs, owners, actors) are not meant: a team knows each other.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    value_from_ast_untyped,
)
from strawberry.schema_directive import Location, schema_directive

_DEFINITION = "strawberry-definition"


@schema_directive(
    locations=[
        Location.FIELD_DEFINITION,
        Location.ARGUMENT_DEFINITION,
        Location.INPUT_FIELD_DEFINITION,
        Location.ENUM_VALUE,
    ],
    description="Shows personal data of customers' people, or chooses by it: needs the scope personal.",
)
class Personal:
    pass


PERSONAL = Personal()


@dataclass(frozen=True, slots=True)
class Condition:
    """An @include (`wanted`) or @skip (not `wanted`): by a variable, or by a value that stands in the document."""

    wanted: bool
    variable: str | None
    value: bool

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """What is neither true nor false counts as asked for: execution will refuse it."""
        given = self.value if self.variable is None else variables.get(self.variable)
        return given is self.wanted or not isinstance(given, bool)


@dataclass(frozen=True, slots=True)
class Use:
    """A place of a document that may ask for personal data.

    name     Type.field, or Type.field(argument:)
    value    of an argument whose input type holds personal fields: what to look them up in, by `type`
    """

    name: str
    node: Node
    conditions: frozenset[Condition] = frozenset()
    value: ValueNode | None = None
    type: GraphQLNamedType | None = None

    @property
    def varies(self) -> bool:
        """Whether variables may have a say in what is asked for here."""
        return bool(self.conditions) or self.value is not None

    def names(self, variables: Mapping[str, Any]) -> Iterator[str]:
        """The personal fields that are asked for here, with these variables."""
        if not all(condition.holds(variables) for condition in self.conditions):
            return
        if self.value is None:
            yield self.name
        elif self.type is not None:
            yield from _inside(self.type, _plain(self.value, variables), self.name)


def is_personal(definition: Any) -> bool:
    """Whether a field, argument, input field or enum value of the schema is declared with PERSONAL."""
    declared = definition.extensions.get(_DEFINITION)
    return any(isinstance(directive, Personal) for directive in getattr(declared, "directives", None) or ())


def personal_uses(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> tuple[Use, ...]:
    """Every place of a valid operation that may ask for personal data; what it does ask for, its variables decide."""
    finder = _Finder(schema, document)
    root = schema.get_root_type(operation.operation)
    return tuple(finder.selections(root, operation.selection_set)) if root is not None else ()


def defaults_of(operation: OperationDefinitionNode) -> dict[str, Any]:
    """The values of variables that are not given."""
    return {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }


class _Finder:
    """Each fragment is looked through once: what is found in it is the same wherever it is spread."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        self.fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self.known: dict[str, dict[Use, None]] = {}

    def selections(self, type_: GraphQLNamedType, selections: SelectionSetNode | None) -> dict[Use, None]:
        found: dict[Use, None] = {}
        for selection in selections.selections if selections is not None else ():
            below: dict[Use, None] = {}
            if isinstance(selection, FieldNode):
                below = self.field(type_, selection)
            elif isinstance(selection, FragmentSpreadNode):
                below = self.fragment(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = type_ if condition is None else self.schema.type_map[condition.name.value]
                below = self.selections(inner, selection.selection_set)
            conditions = _conditions(selection.directives or ())
            for use in below:
                found[replace(use, conditions=use.conditions | conditions) if conditions else use] = None
        return found

    def fragment(self, name: str) -> dict[Use, None]:
        if name not in self.known:
            self.known[name] = {}  # one that spreads itself is refused by validation
            fragment = self.fragments[name]
            on = self.schema.type_map[fragment.type_condition.name.value]
            self.known[name] = self.selections(on, fragment.selection_set)
        return self.known[name]

    def field(self, type_: GraphQLNamedType, node: FieldNode) -> dict[Use, None]:
        name = node.name.value
        fields: Mapping[str, Any] = getattr(type_, "fields", {})
        if name not in fields:
            return {}  # __typename, __schema
        definition = fields[name]
        found: dict[Use, None] = {}
        whole = f"{type_.name}.{name}"
        # an interface may be plain where one of its types shows more
        if any(is_personal(each) for each in (definition, *self.implemented(type_, name))):
            found[Use(whole, node)] = None
        for argument in node.arguments or ():
            found.update(dict.fromkeys(self.argument(whole, definition, argument)))
        found.update(self.selections(get_named_type(definition.type), node.selection_set))
        return found

    def implemented(self, type_: GraphQLNamedType, name: str) -> list[Any]:
        if not is_abstract_type(type_):
            return []
        types: tuple[GraphQLObjectType, ...] = tuple(self.schema.get_possible_types(type_))
        return [each.fields[name] for each in types if name in each.fields]

    def argument(self, field: str, definition: Any, node: ArgumentNode) -> Iterator[Use]:
        declared = definition.args[node.name.value]
        name = f"{field}({node.name.value}:)"
        if is_personal(declared):
            yield Use(name, node)
        named = get_named_type(declared.type)
        if _leads_to_personal(named):
            yield Use(name, node, value=node.value, type=named)


def _conditions(directives: tuple[DirectiveNode, ...] | list[DirectiveNode] | Any) -> frozenset[Condition]:
    found = set()
    for directive in directives:
        if directive.name.value not in ("include", "skip"):
            continue
        wanted = directive.name.value == "include"
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                found.add(Condition(wanted, argument.value.name.value, value=wanted))
            elif isinstance(argument.value, BooleanValueNode):
                found.add(Condition(wanted, None, argument.value.value))
    return frozenset(found)


def _leads_to_personal(type_: GraphQLNamedType, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a value of an input type may choose by personal data."""
    if isinstance(type_, GraphQLEnumType):
        return any(is_personal(value) for value in type_.values.values())
    if not isinstance(type_, GraphQLInputObjectType) or type_.name in seen:
        return False
    return any(
        is_personal(field) or _leads_to_personal(get_named_type(field.type), seen | {type_.name})
        for field in type_.fields.values()
    )


def _plain(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """A value as variables carry them: enum values by their names."""
    reading: Mapping[type, Callable[[Any], Any]] = {
        VariableNode: lambda value: variables.get(value.name.value),
        ListValueNode: lambda value: [_plain(each, variables) for each in value.values],
        ObjectValueNode: lambda value: {each.name.value: _plain(each.value, variables) for each in value.fields},
        EnumValueNode: lambda value: value.value,
    }
    read = reading.get(type(node))
    return None if read is None else read(node)


def _inside(type_: GraphQLNamedType, value: Any, name: str) -> Iterator[str]:
    """The personal input fields and enum values that are given in `value`."""
    if isinstance(value, list):
        for each in value:
            yield from _inside(type_, each, name)
    elif isinstance(type_, GraphQLEnumType):
        if isinstance(value, str) and value in type_.values and is_personal(type_.values[value]):
            yield f"{type_.name}.{value}"
    elif isinstance(type_, GraphQLInputObjectType) and isinstance(value, Mapping):
        for key, field in type_.fields.items():
            if key in value:
                if is_personal(field):
                    yield f"{type_.name}.{key}"
                else:
                    yield from _inside(get_named_type(field.type), value[key], name)
