"""Which role a root field needs, and the check that comes before anything of an operation is executed.

Without a valid token a request never gets here (hub.asgi answers 401). A viewer may read; what needs more says so where it
is declared. An operation that holds one root field its token may not use is refused as a whole.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    get_operation_ast,
)
from strawberry.extensions import SchemaExtension

from hub.model.actions import Role
from schema.errors import ForbiddenError

_ROLE = "cshub.role"


Resolver = TypeVar("Resolver", bound=Callable[..., Any])


def root(role: Role = Role.VIEWER, *, description: str) -> Callable[[Resolver], Resolver]:
    """Decorator of a root field's resolver: the field, and the role it needs."""

    def made(resolver: Resolver) -> Resolver:
        return cast("Resolver", strawberry.field(resolver, metadata={_ROLE: role}, description=description))

    return made


class Permissions(SchemaExtension):
    """Refuses an operation whose token lacks the role one of its root fields needs."""

    def on_execute(self) -> Iterator[None]:
        context = self.execution_context
        document = context.graphql_document
        assert document is not None, "what is executed has been parsed"
        operation = get_operation_ast(document, context.operation_name)
        assert operation is not None, "what is executed has an operation"
        errors = []
        for node in _root_fields(document, operation):
            role = self._needed(node, operation)
            if not context.context.viewer.may(role):
                error = ForbiddenError(
                    f"{node.name.value} needs the role {role.value}; this token has {context.context.viewer.role.value}"
                )
                errors.append(GraphQLError(str(error), nodes=[node], original_error=error))
        if errors:
            context.result = ExecutionResult(data=None, errors=errors)
        yield

    def _needed(self, node: FieldNode, operation: OperationDefinitionNode) -> Role:
        type_ = self.execution_context.schema._schema.get_root_type(
            operation.operation
        )  # Strawberry shows it nowhere else
        field = type_.fields.get(node.name.value) if type_ is not None else None
        return role_of(field) if field is not None else Role.VIEWER  # __typename, __schema


def role_of(field: Any) -> Role:
    """The role a root field needs. KeyError for one that was declared without `root`."""
    found: Role = field.extensions["strawberry-definition"].metadata[_ROLE]
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
