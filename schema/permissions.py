"""What a root field needs of who asks, and the check that comes before anything of an operation is executed.

    @root(Role.CSM, description="…")                 the role; reading needs the scope `read`, a mutation `act`
    @root(Role.CSM, whole=True, description="…")     … and that all customers are seen: refused where there is a book

Without a valid token a request never gets here (401). A viewer may read; what needs more says so where it is declared. An
operation that holds one root field, or one field of personal data (schema.personal), that its token may not use is refused as
a whole.

What an operation needs depends on its text alone, so `needs_of` may be kept with a parsed document; `refusals` is asked anew
for each request, with its viewer and variables.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_operation_ast,
)
from strawberry.extensions import SchemaExtension

from hub.access import Viewer
from hub.model.actions import Role, Scope
from schema.errors import ForbiddenError
from schema.personal import Use, defaults_of, personal_uses

_ROLE = "cshub.role"
_WHOLE = "cshub.whole"


Resolver = TypeVar("Resolver", bound=Callable[..., Any])


def root(
    role: Role = Role.VIEWER, *, whole: bool = False, description: str, **given: Any
) -> Callable[[Resolver], Resolver]:
    """Decorator of a root field's resolver: the field, and what it needs.

    whole  it reads or computes over all customers, and can't be narrowed to a book
    given  anything else strawberry.field takes, such as deprecation_reason
    """

    def made(resolver: Resolver) -> Resolver:
        metadata = {_ROLE: role, _WHOLE: whole}
        return cast("Resolver", strawberry.field(resolver, metadata=metadata, description=description, **given))

    return made


@dataclass(frozen=True, slots=True)
class RootNeed:
    """What one root field needs."""

    node: FieldNode
    role: Role
    whole: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """What an operation needs of who asks.

    personal  the places that may show personal data, or choose by it
    always    {Type.field: where} of these, where they do whatever the variables are; None: variables have a say
    """

    scope: Scope
    roots: tuple[RootNeed, ...]
    personal: tuple[Use, ...]
    always: Mapping[str, Node] | None
    defaults: Mapping[str, Any]


def needs_of(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Needs:
    """What a valid operation needs. Root fields count under @skip and @include too: what is a role's is never asked for."""
    type_ = schema.get_root_type(operation.operation)
    fields = type_.fields if type_ is not None else {}
    personal = personal_uses(schema, document, operation)
    return Needs(
        scope=Scope.ACT if operation.operation is OperationType.MUTATION else Scope.READ,
        roots=tuple(
            RootNeed(node, role_of(field), is_whole(field))
            for node in _root_fields(document, operation)
            if (field := fields.get(node.name.value)) is not None  # not __typename, __schema
        ),
        personal=personal,
        always=None if any(use.varies for use in personal) else {use.name: use.node for use in personal},
        defaults=defaults_of(operation),
    )


def refusals(needs: Needs, viewer: Viewer, variables: Mapping[str, Any] | None) -> list[GraphQLError]:
    """Why this viewer may not have the operation carried out, with these variables as the client sent them; or nothing."""
    errors = [
        _refused(
            f"{need.node.name.value} needs the role {need.role.value}; this token has {viewer.role.value}", need.node
        )
        for need in needs.roots
        if not viewer.may(need.role)
    ]
    if viewer.book is not None:
        errors += [
            _refused(f"{need.node.name.value} is about all customers; this token sees those of one CSM", need.node)
            for need in needs.roots
            if need.whole and viewer.may(need.role)
        ]
    if needs.roots and needs.scope not in viewer.scopes:
        names = ", ".join(dict.fromkeys(need.node.name.value for need in needs.roots))
        errors.append(_refused(f"{names} needs the scope {needs.scope.value}; {_has(viewer)}", *_nodes(needs.roots)))
    if needs.personal and Scope.PERSONAL not in viewer.scopes:
        found = personal_fields(needs, variables)
        if found:
            errors.append(
                _refused(
                    f"{', '.join(found)}: personal data needs the scope personal; {_has(viewer)}: leave it out, or put it "
                    "under an @include",
                    *found.values(),
                )
            )
    return errors


def personal_fields(needs: Needs, variables: Mapping[str, Any] | None) -> Mapping[str, Node]:
    """{Type.field: where} of the personal data that the operation asks for, or chooses by, with these variables."""
    if needs.always is not None:
        return needs.always
    given = {**needs.defaults, **(variables or {})}
    return {name: use.node for use in needs.personal for name in use.names(given)}


def _refused(message: str, *nodes: Any) -> GraphQLError:
    return GraphQLError(message, nodes=list(nodes), original_error=ForbiddenError(message))


def _nodes(roots: tuple[RootNeed, ...]) -> list[FieldNode]:
    return [need.node for need in roots]


def _has(viewer: Viewer) -> str:
    return f"this token has {', '.join(sorted(viewer.scopes)) or 'none'}"


class Permissions(SchemaExtension):
    """Refuses an operation whose token lacks what its fields need."""

    def on_execute(self) -> Iterator[None]:
        context = self.execution_context
        document = context.graphql_document
        assert document is not None, "what is executed has been parsed"
        operation = get_operation_ast(document, context.operation_name)
        assert operation is not None, "what is executed has an operation"
        schema = context.schema._schema  # Strawberry shows graphql-core's schema nowhere else
        errors = refusals(needs_of(schema, document, operation), context.context.viewer, context.variables)
        if errors:
            context.result = ExecutionResult(data=None, errors=errors)
        yield


def role_of(field: Any) -> Role:
    """The role a root field needs. KeyError for one that was declared without `root`."""
    found: Role = field.extensions["strawberry-definition"].metadata[_ROLE]
    return found


def is_whole(field: Any) -> bool:
    """Whether a root field is about all customers, and refused where there is a book."""
    found: bool = field.extensions["strawberry-definition"].metadata[_WHOLE]
    return found


def _root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> list[FieldNode]:
    """Every root field an operation may execute, those under @skip and @include among them."""
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    found: list[FieldNode] = []
    open_: list[SelectionSetNode | None] = [operation.selection_set]
    seen: set[str] = set()
    while open_:
        selections = open_.pop()
        for selection in selections.selections if selections is not None else ():
            if isinstance(selection, FieldNode):
                found.append(selection)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in seen and name in fragments:
                    seen.add(name)
                    open_.append(fragments[name].selection_set)
            else:
                open_.append(getattr(selection, "selection_set", None))
    return found
