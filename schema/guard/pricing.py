"""What an operation costs, worked out before it runs: a point is a row that it may read.

    customers(first: 50) { nodes { name  tickets(first: 10) { nodes { subject } } } }       50 + 50 * 10 = 550

A page counts as many rows as it may have, a list as many as such lists usually have, one row as one; counting a list
(totalCount) is a point, too. What works for long on few rows (a rehearsal, a back-test, an explanation) has a price of its own
in `PRICES`, and so has each mutation. Parts of the same row cost nothing more, and no column does. Under @skip and @include
only what is executed counts.

The arithmetic of a document is worked out once (`priced`), and the sum, too, where no variable has a say in it; a request then
only fills in its variables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
)
from strawberry.types.field import StrawberryField

from schema.fields import DEFAULT_FIRST, Asked, Reading, Related, reading_of
from schema.guard.keeping import kept

MUTATION = 10
ASKED = 50
LISTED = 20
"""Rows of a root field's list that says no `first`."""
PRICES: Mapping[str, int] = {
    "analytics": 1_000,
    "attentionDigest": 200,
    "backtestRun": 10_000,
    "bandMovements": 200,
    "churnModelComparisons": 500,
    "digestPreview": 1_000,
    "drift": 500,
    "judgement": 500,
    "kpiTargets": 500,
    "playbookPlan": 5_000,
    "playbookPrecision": 500,
    "playbookReport": 1_000,
    "postmortems": 1_000,
    "renewalForecast": 500,
}
"""Root fields that compute over many customers, whatever is selected of the result."""
_DEFINITION = "strawberry-definition"


@dataclass(frozen=True, slots=True)
class Given:
    """A number or a switch of the request: a variable, and what it is where the request does not say."""

    name: str
    default: Any

    def value(self, variables: Mapping[str, Any]) -> Any:
        return variables.get(self.name, self.default)


@dataclass(frozen=True, slots=True)
class Priced:
    """A part of a selection.

    times    how many rows it has for each row that it stands in
    flat     points for each row that it stands in, however many of its own it has
    points   points for each row of its own
    when     switches it stands under, and what they must be
    """

    times: int | Given = 1
    flat: int = 0
    points: int = 0
    when: tuple[tuple[bool | Given, bool], ...] = ()
    below: tuple["Priced", ...] = field(default=(), repr=False)

    @property
    def varies(self) -> bool:
        """Whether variables have a say in the cost."""
        own = isinstance(self.times, Given) or any(isinstance(switch, Given) for switch, _ in self.when)
        return own or any(each.varies for each in self.below)

    def cost(self, variables: Mapping[str, Any], rows: int = 1) -> int:
        """Points for `rows` rows that it stands in."""
        for switch, wanted in self.when:
            if (switch.value(variables) if isinstance(switch, Given) else switch) is not wanted:
                return 0
        times = self.times
        if isinstance(times, Given):
            given = times.value(variables)
            times = (
                given if isinstance(given, int) and given > 0 else DEFAULT_FIRST
            )  # what is wrong is refused elsewhere
        own = rows * times
        return rows * self.flat + own * self.points + sum(each.cost(variables, own) for each in self.below)


@kept
def priced(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Priced:
    """The arithmetic of a validated operation."""
    type_ = schema.get_root_type(operation.operation)
    assert type_ is not None, "a validated operation has a root"
    made = Priced(below=_Pricing(schema, document, operation).parts(type_, operation.selection_set))
    return made if made.varies else Priced(flat=made.cost({}))


class _Pricing:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self.schema = schema
        self.root = schema.get_root_type(operation.operation)
        self.mutating = operation.operation is OperationType.MUTATION
        self.fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self.defaults = {
            each.variable.name.value: getattr(each.default_value, "value", None)
            for each in operation.variable_definitions or ()
        }

    def parts(self, type_: Any, selections: SelectionSetNode | None) -> tuple[Priced, ...]:
        found = []
        for each in selections.selections if selections is not None else ():
            if isinstance(each, FieldNode):
                made = self.part(type_, each)
            else:
                below = self.fragment(type_, each)
                made = Priced(when=self.switches(each), below=below) if below else None
            if made is not None:
                found.append(made)
        return tuple(found)

    def fragment(self, type_: Any, node: Any) -> tuple[Priced, ...]:
        inner = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        assert isinstance(inner, FragmentDefinitionNode | InlineFragmentNode), "a selection is a field or a fragment"
        condition = inner.type_condition
        on = type_ if condition is None else self.schema.get_type(condition.name.value)
        return self.parts(on, inner.selection_set)

    def part(self, type_: Any, node: FieldNode) -> Priced | None:
        name = node.name.value
        if name.startswith("__") or not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            return None
        field_ = type_.fields[name]
        below = self.parts(get_named_type(field_.type), node.selection_set)
        if type_ is self.root:
            made = self.of_root(name, field_.type, node, below)
        else:
            made = self.of_reading(reading_of(_strawberry(field_)), node, below)
        if made == Priced():
            return None
        return Priced(made.times, made.flat, made.points, self.switches(node), made.below)

    def of_root(self, name: str, type_: Any, node: FieldNode, below: tuple[Priced, ...]) -> Priced:
        flat = PRICES.get(name, MUTATION if self.mutating else 0) + _counted(node)
        if self.mutating:
            return Priced(1, flat, 1, (), below)
        bare = type_.of_type if is_non_null_type(type_) else type_
        several = is_list_type(bare) or get_named_type(bare).name.endswith("Connection")
        default = DEFAULT_FIRST if not is_list_type(bare) else LISTED
        return Priced(self.first(node, default) if several else 1, flat, 1, (), below)

    def of_reading(self, reading: Reading | None, node: FieldNode, below: tuple[Priced, ...]) -> Priced:
        match reading:
            case Related(relation) if relation.shape == "count":
                return Priced(flat=1)
            case Related(relation) as related:
                flat = _counted(node)
                if relation.shape == "page":
                    return Priced(self.first(node, DEFAULT_FIRST), flat, 1, (), below)
                times = 1 if relation.shape == "one" else min(related.expected, related.most or related.expected)
                return Priced(times, flat, 1, (), below)
            case Asked():
                return Priced(1, ASKED, 0, (), below)
        return Priced(below=below)

    def first(self, node: FieldNode, default: int) -> int | Given:
        for argument in node.arguments or ():
            if argument.name.value == "first":
                if isinstance(argument.value, IntValueNode):
                    return max(0, _number(argument.value.value))
                if isinstance(argument.value, VariableNode):
                    name = argument.value.name.value
                    known = self.defaults.get(name)
                    return Given(name, default if known is None else _number(str(known)))
        return default

    def switches(self, node: Any) -> tuple[tuple[bool | Given, bool], ...]:
        found: list[tuple[bool | Given, bool]] = []
        for directive in node.directives or ():
            if directive.name.value in ("skip", "include"):
                value = directive.arguments[0].value
                wanted = directive.name.value == "include"
                if isinstance(value, BooleanValueNode):
                    found.append((value.value, wanted))
                elif isinstance(value, VariableNode):
                    found.append((Given(value.name.value, self.defaults.get(value.name.value)), wanted))
        return tuple(found)


def _number(text: str) -> int:
    """Of a literal; what is longer than any page is as good as the largest Int."""
    return int(text) if len(text) <= 10 and text.lstrip("-").isdigit() else 2**31 - 1


def _counted(node: FieldNode) -> int:
    """A point where the whole list is counted; through a fragment it is not seen, and then it is free."""
    selections = node.selection_set.selections if node.selection_set is not None else ()
    return int(any(isinstance(each, FieldNode) and each.name.value == "totalCount" for each in selections))


def _strawberry(field_: Any) -> StrawberryField | None:
    found: StrawberryField | None = field_.extensions.get(_DEFINITION)
    return found
